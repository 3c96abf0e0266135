//! Plugin and channel ids must belong to something that exists.

use std::collections::BTreeSet;

use oc_text::distance::nearest;
use oc_types::{KeyPath, Node};

use super::Report;
use super::describe::shown;
use crate::Issue;
use crate::schema::channels::{CHANNELS, UNDESCRIBED};
use crate::schema::plugins::BUNDLED;

/// A plugin that was found on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plugin {
    /// Its id.
    pub id: String,
    /// The channels that its manifest declares.
    pub channels: Vec<String>,
    /// Why it cannot be used (no manifest, for example), in words that follow "plugin x: ".
    pub problem: Option<String>,
}

/// The plugins found on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plugins {
    /// One entry a plugin, in the order found.
    pub found: Vec<Plugin>,
}

impl Plugins {
    /// Every known plugin id, bundled ones included.
    fn ids(&self) -> BTreeSet<&str> {
        BUNDLED.iter().map(|b| b.id).chain(self.found.iter().map(|p| p.id.as_str())).collect()
    }

    /// Every known channel id.
    fn channels(&self) -> BTreeSet<&str> {
        CHANNELS
            .iter()
            .map(|c| c.id)
            .chain(UNDESCRIBED.iter().copied())
            .chain(self.found.iter().flat_map(|p| p.channels.iter().map(String::as_str)))
            .chain(["defaults"])
            .collect()
    }
}

pub(super) fn check(tree: &Node, found: &Plugins, report: &mut Report) {
    let channels = found.channels();
    for (id, section) in tree.get("channels").and_then(Node::as_object).into_iter().flatten() {
        if !channels.contains(id.as_str()) {
            let near = nearest(id, channels.iter().copied()).map(|n| format!("channels.{n}"));
            unknown(KeyPath::dotted("channels").key(id.as_str()), section, "channel", id, near, report);
        }
    }
    let ids = found.ids();
    let near = |id: &str| nearest(id, ids.iter().copied()).map(str::to_owned);
    for (id, entry) in tree.path(&["plugins", "entries"]).and_then(Node::as_object).into_iter().flatten() {
        if !ids.contains(id.as_str()) {
            let at = KeyPath::dotted("plugins.entries").key(id.as_str());
            unknown(at, entry, "plugin", id, near(id).map(|n| format!("plugins.entries.{n}")), report);
        }
    }
    for list in ["allow", "deny"] {
        let entries = tree.path(&["plugins", list]).and_then(Node::as_array).unwrap_or_default();
        for (i, node) in entries.iter().enumerate() {
            if let Some(id) = node.as_str().map(str::trim).filter(|id| !id.is_empty() && !ids.contains(id)) {
                let at = KeyPath::dotted("plugins").key(list).index(i);
                unknown(at, node, "plugin", id, near(id), report);
            }
        }
    }
    if let Some(node) = tree.path(&["plugins", "slots", "memory"])
        && let Some(id) = node.as_str().map(str::trim)
        && !id.is_empty()
        && !id.eq_ignore_ascii_case("none")
        && !ids.contains(id)
    {
        unknown(KeyPath::dotted("plugins.slots.memory"), node, "plugin", id, near(id), report);
    }
    for plugin in &found.found {
        if let Some(problem) = &plugin.problem {
            report.add(Issue {
                path: KeyPath::dotted("plugins.entries").key(plugin.id.as_str()),
                origin: oc_types::Origin::Builtin,
                message: format!("plugin {}: {problem}", shown(&plugin.id, false)),
                nearest: None,
                fix: Some("repair the plugin or remove its folder".to_owned()),
            });
        }
    }
}

/// `near` is a key where the id stands as a key (it holds a dot), else the id of a list entry.
fn unknown(at: KeyPath, node: &Node, what: &str, id: &str, near: Option<String>, report: &mut Report) {
    let (nearest, perhaps) = match near {
        Some(key) if key.contains('.') => (Some(key), String::new()),
        Some(near) => (None, format!("perhaps \"{near}\"; else ")),
        None => (None, String::new()),
    };
    report.add(Issue {
        path: at,
        origin: node.origin.clone(),
        message: format!("there is no {what} {}", shown(id, false)),
        nearest,
        fix: Some(format!("{perhaps}install the {what} or remove this entry")),
    });
}
