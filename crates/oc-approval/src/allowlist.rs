//! The allow list of programs (exec-approval 4.1): patterns over resolved paths, and entries that are bound to arguments and a directory.

mod pattern;

pub use pattern::PathPattern;

use std::cell::OnceCell;

use regex::Regex;
use ring::digest::{SHA256, digest};

use crate::plan::Executable;

/// How an entry that *allow always* wrote names its arguments.
const BOUND: &str = "sha256:argv:";

/// Longest hand-written argument pattern, in bytes.
const MAX_REGEX: usize = 4096;

/// An entry as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Which path; `*`, `**` and `?` are wildcards.
    pub pattern: String,
    /// Which arguments: `sha256:argv:<hex>` or a regular expression; `None` is any.
    pub arguments: Option<String>,
    /// In which directory; `None` is any.
    pub directory: Option<String>,
}

/// The compiled list.
#[derive(Clone, Debug, Default)]
pub struct Allowlist {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    source: String,
    path: PathPattern,
    arguments: Arguments,
    directory: Option<String>,
}

#[derive(Clone, Debug)]
enum Arguments {
    Any,
    Argv(String),
    Text(Box<Regex>),
    /// A pattern that cannot be used matches nothing (SP-153).
    Never,
}

impl Allowlist {
    /// Compiles a list. Patterns without a `/`, `\` or `~` are no paths and are left out.
    #[must_use]
    pub fn compile(rules: &[Rule], home: Option<&str>) -> Self {
        let entries = rules
            .iter()
            .filter_map(|rule| {
                Some(Entry {
                    source: rule.pattern.clone(),
                    path: PathPattern::compile(rule.pattern.trim(), home)?,
                    arguments: arguments(rule.arguments.as_deref()),
                    directory: rule.directory.clone(),
                })
            })
            .collect();
        Self { entries }
    }

    /// The pattern of the first entry that admits a program with these arguments in this directory.
    #[must_use]
    pub fn find(&self, executable: &Executable, argv: &[String], directory: &str) -> Option<&str> {
        // The digest of the vector, taken when the first bound entry asks for it.
        let bound = OnceCell::new();
        self.entries
            .iter()
            .find(|e| {
                e.path.admits(&executable.path, &executable.canonical)
                    && e.directory.as_deref().is_none_or(|d| d == directory)
                    && e.arguments.admit(argv, &bound)
            })
            .map(|e| e.source.as_str())
    }
}

/// The argument pattern that names exactly this vector: what *allow always* stores.
#[must_use]
pub fn bound_arguments(argv: &[String]) -> String {
    let hash = digest(&SHA256, argv.join("\0").as_bytes());
    let hex: String = hash.as_ref().iter().map(|b| format!("{b:02x}")).collect();
    format!("{BOUND}{hex}")
}

fn arguments(pattern: Option<&str>) -> Arguments {
    let Some(text) = pattern else { return Arguments::Any };
    if let Some(hex) = text.strip_prefix(BOUND) {
        return Arguments::Argv(format!("{BOUND}{}", hex.to_ascii_lowercase()));
    }
    // The whole argument text must match; a pattern of another kind or an invalid one matches nothing.
    if text.len() > MAX_REGEX || text.starts_with("sha256:") {
        return Arguments::Never;
    }
    // By itself first: `a)|(b` is no expression, but would become one that is not anchored.
    Regex::new(text)
        .and_then(|_| Regex::new(&format!("^(?:{text})$")))
        .map_or(Arguments::Never, |r| Arguments::Text(Box::new(r)))
}

impl Arguments {
    fn admit(&self, argv: &[String], digest: &OnceCell<Option<String>>) -> bool {
        match self {
            Self::Any => true,
            Self::Never => false,
            // A NUL inside an argument would let two vectors share one text.
            Self::Argv(bound) => {
                let own = digest
                    .get_or_init(|| (!argv.iter().any(|a| a.contains('\0'))).then(|| bound_arguments(argv)));
                own.as_ref() == Some(bound)
            }
            Self::Text(regex) => regex.is_match(&argv.get(1..).unwrap_or_default().join(" ")),
        }
    }
}

#[cfg(test)]
mod tests;
