//! Static scan of the code of plugins and skills: text in, hits out.
//!
//! Nothing is imported, executed or unpacked (SP-292). The engine is linear in the length of the text, so a hostile
//! file costs time in proportion to its size and no more. Walking folders and reading files is `oc-fs`'s part.
//!
//! * [`scan`]: the rules over one file.
//! * [`manifest`]: which files `package.json` declares as entries, and whether they hide or escape.
//! * [`skill`]: whether a `SKILL.md` makes its folder a skill, and where skills are looked for.
//! * [`ScannedFolder`](crate::facts::ScannedFolder): what a walk of one plugin or skill found.
//! * [`check`]: the findings.

pub mod check;
pub mod manifest;
mod rules;
pub mod skill;

use oc_types::Severity;

pub use rules::{RULES, Rule};

/// Suffixes of the files that are scanned, without the dot, lower case.
pub const SUFFIXES: [&str; 8] = ["js", "ts", "mjs", "cjs", "mts", "cts", "jsx", "tsx"];
/// Largest file that is scanned, in bytes; a larger one is counted, not read.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// One rule that matched in one file: at most one a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The rule's id, for example `dangerous-exec`.
    pub rule: &'static str,
    /// Severity of the rule.
    pub severity: Severity,
    /// What the rule saw, in a few words.
    pub message: &'static str,
    /// Line of the first match, from 1.
    pub line: usize,
}

/// Whether a file of this name is scanned (by its suffix, case-sensitively).
#[must_use]
pub fn is_scannable(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, suffix)| SUFFIXES.contains(&suffix))
}

/// Runs every rule over one file's text. Time and memory are linear in the text.
#[must_use]
pub fn scan(text: &str) -> Vec<Hit> {
    RULES
        .iter()
        .filter_map(|rule| {
            let at = rule.find(text)?;
            Some(Hit {
                rule: rule.id,
                severity: rule.severity,
                message: rule.message,
                line: line_at(text, at),
            })
        })
        .collect()
}

fn line_at(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    before.iter().filter(|b| **b == b'\n').count() + 1
}

#[cfg(test)]
mod tests;
