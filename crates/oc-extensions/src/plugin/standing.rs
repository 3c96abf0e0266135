//! Whether the configuration lets a plugin run.

use oc_types::{KeyPath, Node};

/// How an installed plugin stands. Only [`Standing::Loaded`] ones are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is used.
    Loaded,
    /// `plugins.enabled` is false: none is.
    AllOff,
    /// `plugins.deny` names it.
    Denied,
    /// Nobody named it: it is not in `plugins.allow`.
    Unlisted,
    /// `plugins.entries.<id>.enabled` is false.
    Off,
    /// It cannot be used; in words that follow "plugin x: ".
    Broken(String),
}

impl Standing {
    /// A stable word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Loaded => "loaded",
            Self::AllOff => "all-off",
            Self::Denied => "denied",
            Self::Unlisted => "unlisted",
            Self::Off => "off",
            Self::Broken(_) => "broken",
        }
    }

    /// What it means, for people.
    #[must_use]
    pub fn explained(&self, id: &str) -> String {
        match self {
            Self::Loaded => "loaded".to_owned(),
            Self::AllOff => "not loaded: `plugins.enabled` is false".to_owned(),
            Self::Denied => "not loaded: `plugins.deny` names it".to_owned(),
            Self::Unlisted => {
                format!("not loaded: `plugins.allow` does not name it (`openclaw plugins enable {id}`)")
            }
            Self::Off => format!("not loaded: `plugins.entries.{id}.enabled` is false"),
            Self::Broken(why) => format!("not loaded: {why}"),
        }
    }
}

/// How a plugin of this id stands by the configuration alone.
///
/// Somebody must have named it: in `plugins.allow`, or, where there is no such list, with `plugins.entries.<id>.enabled: true`. The
/// reference release takes a missing or empty list for "all"; a plugin is code, and code that nobody named is not run.
#[must_use]
pub fn of(tree: &Node, id: &str) -> Standing {
    let off = |path: &[&str]| match tree.path(path) {
        None => false,
        // What is neither true nor false is no yes.
        Some(node) => node.as_bool() != Some(true) && !node.is_null(),
    };
    let has_list = tree.path(&["plugins", "allow"]).is_some_and(|l| !l.is_null());
    let on = tree.path(&["plugins", "entries", id, "enabled"]).and_then(Node::as_bool) == Some(true);
    if off(&["plugins", "enabled"]) {
        Standing::AllOff
    } else if named(tree, "deny", id).is_some() {
        Standing::Denied
    } else if off(&["plugins", "entries", id, "enabled"]) {
        Standing::Off
    } else if named(tree, "allow", id).is_some() || !has_list && on {
        Standing::Loaded
    } else {
        Standing::Unlisted
    }
}

/// Where `plugins.<list>` names an id.
#[must_use]
pub fn named(tree: &Node, list: &str, id: &str) -> Option<KeyPath> {
    let entries = tree.path(&["plugins", list]).and_then(Node::as_array)?;
    let at = entries.iter().position(|e| e.as_str().is_some_and(|e| e.trim() == id))?;
    Some(KeyPath::keys(["plugins", list]).index(at))
}
