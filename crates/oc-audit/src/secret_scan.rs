//! Credentials in files that the model reads: text in, line numbers and pattern names out (seed: secret management).
//!
//! The patterns are those that mask credentials in logs. A hit never carries the value (SP-280). Time is linear in the text.

use std::sync::LazyLock;

use oc_text::redact::{PatternKind, default_patterns};
use regex::{Captures, Regex, RegexBuilder, RegexSet, RegexSetBuilder};

/// Largest file that is scanned, in bytes.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;
/// Most files of one folder that are scanned.
pub const MAX_FILES: usize = 2_000;
/// Most bytes of one folder that are scanned.
pub const MAX_BYTES: u64 = 32 * 1024 * 1024;
/// Folders that are not entered: version control, packages and build output hold copies of other people's text.
pub const SKIPPED_FOLDERS: [&str; 6] = [".git", "node_modules", "target", ".venv", "__pycache__", ".cache"];
/// Most hits kept of one file.
const MAX_HITS: usize = 50;

/// One hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Line, from 1.
    pub line: usize,
    /// Name of the pattern.
    pub pattern: &'static str,
}

static PATTERNS: LazyLock<Vec<(PatternKind, Regex)>> = LazyLock::new(|| {
    let compile = |text: &str| RegexBuilder::new(text).case_insensitive(true).build().ok();
    default_patterns().iter().filter_map(|(kind, text)| Some((*kind, compile(text)?))).collect()
});
/// All patterns at once: most files match none of them, and that is known after one pass.
static ANY: LazyLock<Option<RegexSet>> = LazyLock::new(|| {
    let texts = default_patterns().iter().map(|(_, text)| *text);
    RegexSetBuilder::new(texts).case_insensitive(true).build().ok()
});

/// Scans one text. At most one hit a line and pattern; placeholders do not count.
#[must_use]
pub fn scan(text: &str) -> Vec<Hit> {
    let some = match ANY.as_ref() {
        Some(set) => set.matches(text),
        None => return Vec::new(),
    };
    let mut out: Vec<Hit> = Vec::new();
    for (index, (kind, pattern)) in PATTERNS.iter().enumerate() {
        if !some.matched(index) {
            continue;
        }
        let (mut at, mut line) = (0_usize, 1_usize);
        for found in pattern.captures_iter(text) {
            let Some(whole) = found.get(0) else { continue };
            if is_placeholder(*kind, value(&found)) {
                continue;
            }
            let passed = text.as_bytes().get(at..whole.start()).unwrap_or_default();
            line += passed.iter().filter(|b| **b == b'\n').count();
            at = whole.start();
            let hit = Hit { line, pattern: kind.as_str() };
            if !out.contains(&hit) && out.len() < MAX_HITS {
                out.push(hit);
            }
        }
    }
    out.sort_by_key(|h| h.line);
    // Two patterns that describe one credential are one piece of news.
    out.dedup_by_key(|h| h.line);
    out
}

/// The last group that took part, else the whole match.
fn value<'t>(found: &Captures<'t>) -> &'t str {
    let groups = (1..found.len()).rev().filter_map(|i| found.get(i));
    groups.chain(found.get(0)).map(|m| m.as_str()).find(|v| !v.is_empty()).unwrap_or_default()
}

/// Whether a value only stands for a credential: a reference, a mask, an example.
fn is_placeholder(kind: PatternKind, value: &str) -> bool {
    if kind == PatternKind::PrivateKey {
        return false;
    }
    let value = value.trim_matches(|c| "\"'`,;.)".contains(c));
    let lower = value.to_lowercase();
    let words = [
        "your",
        "example",
        "placeholder",
        "changeme",
        "change-me",
        "xxxx",
        "...",
        "****",
        "redacted",
        "…",
        "<",
        "${",
        "{{",
    ];
    if words.iter().any(|w| lower.contains(w)) || value.starts_with(['$', '%', '{', '*']) {
        return true;
    }
    match kind {
        // These go by the name beside the value, so the value itself has to look like a credential.
        PatternKind::Assignment | PatternKind::JsonMember | PatternKind::Flag | PatternKind::UserInfo => {
            let digits = value.bytes().any(|b| b.is_ascii_digit());
            let length = value.chars().count();
            length < 8 || (length < 16 && !digits) || value.contains('(')
        }
        PatternKind::Header
        | PatternKind::PrivateKey
        | PatternKind::ServiceKey
        | PatternKind::BotToken
        | PatternKind::WebToken => false,
    }
}

#[cfg(test)]
mod tests;
