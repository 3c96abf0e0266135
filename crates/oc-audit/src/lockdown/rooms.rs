//! Rooms: mention needed, no open ones, no entry for all rooms.

use oc_types::{KeyPath, Node, Object};
use serde_json::json;

use super::Steps;

/// Maps from a room, or from what holds rooms, to its settings.
const MAPS: [&str; 5] = ["groups", "guilds", "channels", "teams", "rooms"];
/// What an entry for all rooms may hold and still go without taking a restriction from the others: unset, a mention is needed.
const NEUTRAL: [&str; 3] = ["requireMention", "enabled", "allow"];

/// Closes the rooms of a channel or account. `shut`: they are switched off whatever it holds. Returns whether they are off now because of an
/// entry for all rooms.
pub(super) fn close(steps: &mut Steps<'_>, level: &Node, path: &KeyPath, outer: bool, shut: bool) -> bool {
    let mut off = shut;
    for key in MAPS {
        let Some(map) = level.get(key).and_then(Node::as_object) else { continue };
        let path = path.key(key);
        for (name, entry) in map {
            if let Some(inner) = entry.get("channels").and_then(Node::as_object).filter(|_| name != "*") {
                off |= without_star(steps, inner, &path.key(name).key("channels"));
            }
        }
        off |= without_star(steps, map, &path);
    }
    if off || outer || level.get("groupPolicy").is_some() {
        policy(steps, level, path, off);
    }
    for key in MAPS {
        if let Some(map) = level.get(key) {
            inner_policies(steps, map, &path.key(key), off);
        }
    }
    mentions(steps, level, path);
    off
}

/// The policy of one level: `disabled`, or `allowlist` where it is open or not said.
pub(super) fn policy(steps: &mut Steps<'_>, level: &Node, path: &KeyPath, off: bool) {
    let path = path.key("groupPolicy");
    if off {
        steps.set(&path, json!("disabled"));
    } else if !matches!(level.get("groupPolicy").and_then(Node::as_str), Some("allowlist" | "disabled")) {
        steps.set(&path, json!("allowlist"));
    }
}

/// Takes the entry for all rooms out. Whether that is not enough to close.
fn without_star(steps: &mut Steps<'_>, map: &Object, path: &KeyPath) -> bool {
    let Some(star) = map.get("*") else { return false };
    steps.unset(path.key("*"), "removed, it admits every room");
    let plain = star.as_object().is_some_and(|o| o.keys().all(|k| NEUTRAL.contains(&k.as_str())));
    map.len() == 1 || !plain
}

/// A room's or topic's own policy stands before the account's.
fn inner_policies(steps: &mut Steps<'_>, node: &Node, path: &KeyPath, off: bool) {
    for (key, value) in node.as_object().into_iter().flatten().filter(|(k, _)| *k != "*") {
        if key == "groupPolicy" {
            let parent = path.clone();
            policy(steps, node, &parent, off);
        } else {
            inner_policies(steps, value, &path.key(key), off);
        }
    }
}

/// Every switch that lets the assistant answer without being mentioned. Accounts are their own level.
fn mentions(steps: &mut Steps<'_>, node: &Node, path: &KeyPath) {
    for (key, value) in node.as_object().into_iter().flatten() {
        let at = path.key(key);
        match key.as_str() {
            "*" | "accounts" => {}
            "requireMention" => steps.set(&at, json!(true)),
            "autoReply" => steps.from(&at, &json!(true), json!(false)),
            "chatmode" if value.as_str() != Some("oncall") => steps.set(&at, json!("oncall")),
            _ => mentions(steps, value, &at),
        }
    }
}
