//! The record of a configuration write (SP-071) and what it did to access: the seed's incident step "check recent configuration
//! changes that may have widened access".
//!
//! A record names key paths, never values.

use oc_types::KeyPath;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::difference::difference;

mod rules;
mod widening;

#[cfg(test)]
mod tests;

pub use widening::judge;

/// Most key paths of one record; the rest is counted.
pub const MAX_CHANGES: usize = 500;

/// The writer of an edit that was only found afterwards: somebody changed the file by hand.
pub const OUTSIDE: &str = "outside";

/// What a change did to access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// More people, tools, addresses or data.
    Widens,
    /// A protected key changed in a way that no rule ranks: a person should look.
    Review,
    /// Fewer.
    Narrows,
    /// No bearing on access.
    Neutral,
}

/// How a key changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// It was absent.
    Added,
    /// It has another value.
    Changed,
    /// It is absent now.
    Removed,
}

/// One changed key of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The key path.
    pub path: String,
    /// How it changed.
    pub how: How,
    /// What that did to access.
    pub access: Access,
    /// Why, in a few words; empty when there is nothing to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// When, RFC 3339.
    pub time: String,
    /// Who: the command or client that wrote, and the user it ran as. `outside` for an edit that was found later.
    pub writer: String,
    /// The file.
    pub file: String,
    /// SHA-256 of its text before, in hex; empty when it did not exist.
    pub before: String,
    /// SHA-256 of its text after, in hex.
    pub after: String,
    /// Whether objections were overruled with `--force`.
    #[serde(default)]
    pub forced: bool,
    /// The most that any change did to access.
    pub access: Access,
    /// The changed keys, access-widening ones first.
    pub changes: Vec<Entry>,
    /// How many more keys changed than are listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// What changed between two configurations, access-widening changes first.
#[must_use]
pub fn entries(before: &Json, after: &Json) -> Vec<Entry> {
    let mut out: Vec<Entry> = difference(before, after)
        .iter()
        .map(|change| {
            let (access, why) = judge(change, before, after);
            let how = match (&change.before, &change.after) {
                (None, _) => How::Added,
                (_, None) => How::Removed,
                _ => How::Changed,
            };
            Entry { path: shown(&change.path), how, access, why: why.to_owned() }
        })
        .collect();
    out.sort_by_key(|e| e.access);
    out
}

/// The most that any of the changes did to access: widening before review before narrowing before nothing.
#[must_use]
pub fn overall(entries: &[Entry]) -> Access {
    entries.iter().map(|e| e.access).min().unwrap_or(Access::Neutral)
}

/// A key path as it may be written to a log.
fn shown(path: &KeyPath) -> String {
    oc_text::visible(&path.to_string(), 300)
}
