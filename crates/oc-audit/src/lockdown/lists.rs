//! `*` in lists of who may write, command, or open the console.

use oc_types::{KeyPath, Node};

use super::Steps;

/// Lists of senders, and of what else may come in.
const LISTS: [&str; 7] = [
    "allowFrom",
    "groupAllowFrom",
    "ownerAllowFrom",
    "users",
    "roles",
    "allowedOrigins",
    "autoJoinAllowlist",
];

/// Where such lists stand.
const ROOTS: [&[&str]; 4] = [&["channels"], &["commands"], &["tools", "elevated"], &["gateway", "controlUi"]];

/// Takes every `*` out. The lists of tools, agents and the like are left alone: an emptied one would mean everything.
pub(super) fn without_stars(steps: &mut Steps<'_>) {
    for keys in ROOTS {
        let path = KeyPath::keys(keys.iter().copied());
        if let Some(node) = steps.tree.at(&path) {
            walk(steps, node, &path);
        }
    }
    let agents = KeyPath::keys(["agents", "list"]);
    let listed = steps.tree.at(&agents).and_then(Node::as_array).unwrap_or_default();
    for (index, agent) in listed.iter().enumerate() {
        if let Some(elevated) = agent.path(&["tools", "elevated"]) {
            walk(steps, elevated, &agents.index(index).key("tools").key("elevated"));
        }
    }
}

fn walk(steps: &mut Steps<'_>, node: &Node, path: &KeyPath) {
    for (key, value) in node.as_object().into_iter().flatten() {
        let at = path.key(key);
        if LISTS.contains(&key.as_str()) {
            stars(steps, value, &at);
            // `elevated.allowFrom` and the like: one list a channel.
            for (channel, list) in value.as_object().into_iter().flatten() {
                stars(steps, list, &at.key(channel));
            }
        } else if key != "*" {
            walk(steps, value, &at);
        }
    }
}

/// The last one first: an element that goes moves those behind it.
fn stars(steps: &mut Steps<'_>, list: &Node, path: &KeyPath) {
    for (index, _) in list
        .as_array()
        .unwrap_or_default()
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, e)| e.as_entry().is_some_and(|e| e.trim() == "*"))
    {
        steps.unset(path.index(index), "\"*\" removed, it admits everybody");
    }
}
