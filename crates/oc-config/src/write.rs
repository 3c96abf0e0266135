//! Which writes of a configuration are held back until the operator insists (SP-071).

use oc_types::KeyPath;
use serde_json::Value as Json;

#[cfg(test)]
mod tests;

/// Size in bytes from which on a drop counts.
const SMALL: usize = 512;

/// Sections whose removal changes who may connect.
const GUARDED: &[&[&str]] = &[&["gateway", "mode"], &["gateway", "auth"], &["auth"]];

/// Why a write is held back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Objection {
    /// The text loses more than half of its bytes.
    #[error("the file would shrink from {from} to {to} bytes")]
    Shrinks {
        /// Bytes before.
        from: usize,
        /// Bytes after.
        to: usize,
    },
    /// A section that decides who may connect goes.
    #[error("{0} would be removed")]
    Removes(KeyPath),
}

/// What speaks against a write. `before` and `after` are the text of the main file and the whole configuration.
#[must_use]
pub fn objections(before: (&str, &Json), after: (&str, &Json)) -> Vec<Objection> {
    let mut out = Vec::new();
    let (from, to) = (before.0.len(), after.0.len());
    if from >= SMALL && to < from / 2 {
        out.push(Objection::Shrinks { from, to });
    }
    let present = |tree: &Json, keys: &[&str]| {
        keys.iter()
            .try_fold(tree, |t, k| t.get(k))
            .is_some_and(|v| !v.is_null() && *v != Json::Object(serde_json::Map::new()))
    };
    for keys in GUARDED {
        if present(before.1, keys) && !present(after.1, keys) {
            out.push(Objection::Removes(KeyPath::keys(keys.iter().copied())));
        }
    }
    out
}
