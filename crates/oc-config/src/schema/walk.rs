//! Going over the whole vocabulary: for the reference page, the JSON Schema, and the audit's list of dangerous keys.

use oc_types::KeyPath;

use super::kind::{Key, Kind, Lowered};
use super::plugins::BUNDLED;
use super::{ROOT, Rest};

/// One named key with the pattern of its path: `*` stands for a free key, `[]` for every element of a list.
#[derive(Clone, Debug)]
pub struct Place {
    /// For example `agents.list[].tools.allow`.
    pub pattern: String,
    /// The key.
    pub key: &'static Key,
    /// Whether the key or one above it is known to this product's reading only.
    pub product: bool,
}

/// A break-glass key: setting it lowers a guard that is otherwise always up (SP-287).
#[derive(Clone, Debug, PartialEq)]
pub struct DangerousKey {
    /// The pattern of its path, as in [`Place::pattern`].
    pub pattern: String,
    /// The values that lower the guard.
    pub when: Lowered,
}

/// Every named key of the vocabulary, parents first, in the order of the tables. Bundled plugins' options stand below
/// `plugins.entries.<id>.config`.
#[must_use]
pub fn places() -> Vec<Place> {
    let mut out = Vec::new();
    collect("", &ROOT, false, &mut out);
    for plugin in BUNDLED {
        collect(&format!("plugins.entries.{}.config", plugin.id), &plugin.config, false, &mut out);
    }
    out
}

/// Every break-glass key. The audit reports each one that is set to a value that lowers its guard.
#[must_use]
pub fn dangerous_keys() -> Vec<DangerousKey> {
    places()
        .into_iter()
        .filter_map(|p| p.key.dangerous.map(|when| DangerousKey { pattern: p.pattern, when }))
        .collect()
}

impl DangerousKey {
    /// Whether a key path is one of this key.
    #[must_use]
    pub fn is_at(&self, path: &KeyPath) -> bool {
        super::path_matches(&self.pattern, path)
    }

    /// Whether a value lowers the guard.
    #[must_use]
    pub fn lowered_by(&self, node: &oc_types::Node) -> bool {
        match self.when {
            Lowered::On => node.as_bool() == Some(true),
            Lowered::Off => node.as_bool() == Some(false),
            Lowered::Word(word) => {
                node.as_str() == Some(word)
                    || node.as_array().is_some_and(|a| a.iter().any(|n| n.as_str() == Some(word)))
            }
            Lowered::Filled => node.as_array().is_some_and(|a| !a.is_empty()),
        }
    }
}

fn collect(prefix: &str, kind: &Kind, product: bool, out: &mut Vec<Place>) {
    match kind {
        Kind::List(of) => collect(&format!("{prefix}[]"), of, product, out),
        Kind::Either(of) => of.iter().for_each(|k| collect(prefix, k, product, out)),
        _ => {
            let Some(shape) = kind.shape() else { return };
            for key in shape.keys() {
                let pattern =
                    if prefix.is_empty() { key.name.to_owned() } else { format!("{prefix}.{}", key.name) };
                let product = product || key.product;
                out.push(Place { pattern: pattern.clone(), key, product });
                collect(&pattern, &key.kind, product, out);
            }
            if let Rest::Entries(of) = shape.rest {
                collect(&format!("{prefix}.*"), of, product, out);
            }
        }
    }
}
