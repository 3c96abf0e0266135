//! What `openclaw security lockdown` changes in a configuration: the seed's first step after an incident (close the exposure, freeze
//! access), as data.
//!
//! * the gateway listens on loopback, Tailscale publishes nothing, its identity headers open nothing;
//! * direct messages are off on every channel and account;
//! * rooms need a mention, open rooms become allow lists, `*` goes from every list and map of who may write;
//! * elevated tools are off, and commands ask the access lists.
//!
//! Invariant: a step only ever closes. Where taking a `*` out of a map of rooms would also take away what it restricts (an emptied map
//! admits every room, a room's tool list may stand in the entry for all rooms), the rooms of that account are switched off instead.
//! Invariant: a plan for the result of a plan is empty.

mod lists;
mod rooms;
#[cfg(test)]
mod tests;

use oc_config::edit::Change;
use oc_config::schema;
use oc_config::schema::channels::DirectKeys;
use oc_types::{ChannelId, KeyPath, Node};
use serde_json::{Value, json};

/// One change and its words: `gateway.bind: lan -> loopback`.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The change.
    pub change: Change,
    /// The change in words.
    pub note: String,
}

/// The steps for a configuration, in the order in which they have to be made.
#[must_use]
pub fn plan(tree: &Node) -> Vec<Step> {
    let mut steps = Steps { tree, made: Vec::new() };
    gateway(&mut steps);
    if let Some(channels) = tree.get("channels").and_then(Node::as_object) {
        for (name, section) in channels {
            let path = KeyPath::keys(["channels", name]);
            if name == "defaults" {
                rooms::policy(&mut steps, section, &path, false);
            } else {
                channel(&mut steps, name, section, &path);
            }
        }
    }
    steps.set(&KeyPath::dotted("tools.elevated.enabled"), json!(false));
    steps.from(&KeyPath::dotted("commands.useAccessGroups"), &json!(false), json!(true));
    lists::without_stars(&mut steps);
    steps.made
}

fn gateway(steps: &mut Steps<'_>) {
    let bind = KeyPath::dotted("gateway.bind");
    if steps.now(&bind).is_some() {
        steps.set(&bind, json!("loopback"));
    }
    for key in ["gateway.tailscale.mode", "hooks.gmail.tailscale.mode"] {
        let path = KeyPath::dotted(key);
        if steps.now(&path).is_some() {
            steps.set(&path, json!("off"));
        }
    }
    steps.from(&KeyPath::dotted("gateway.auth.allowTailscale"), &json!(true), json!(false));
}

fn channel(steps: &mut Steps<'_>, name: &str, section: &Node, path: &KeyPath) {
    let id = ChannelId::parse(name).map_or_else(|_| name.to_owned(), |id| id.as_str().to_owned());
    let direct = schema::channels::find(&id).map_or(DirectKeys::Flat, |c| c.direct);
    direct_off(steps, section, path, direct, true);
    let closed = rooms::close(steps, section, path, true, false);
    let accounts = section.get("accounts").and_then(Node::as_object);
    for (id, account) in accounts.into_iter().flatten().filter(|(_, a)| a.as_object().is_some()) {
        let path = path.key("accounts").key(id);
        direct_off(steps, account, &path, direct, false);
        rooms::close(steps, account, &path, false, closed);
    }
}

/// Direct messages off. An account's `dm` replaces the channel's, so it is closed where there is one, and not made where there is none: that
/// would take the channel's list of who may give commands away.
fn direct_off(steps: &mut Steps<'_>, level: &Node, path: &KeyPath, direct: DirectKeys, outer: bool) {
    match direct {
        DirectKeys::Flat => steps.set(&path.key("dmPolicy"), json!("disabled")),
        DirectKeys::Nested => {
            if outer || level.get("dm").is_some() {
                steps.set(&path.key("dm").key("policy"), json!("disabled"));
            }
            steps.from(&path.key("dm").key("groupEnabled"), &json!(true), json!(false));
        }
        DirectKeys::None => {}
    }
}

/// Steps as they are collected.
struct Steps<'a> {
    tree: &'a Node,
    made: Vec<Step>,
}

impl Steps<'_> {
    fn now(&self, path: &KeyPath) -> Option<Value> {
        self.tree.at(path).map(Node::to_json).filter(|v| !v.is_null())
    }

    /// Gives a key a value, unless it has it, or the vocabulary has no such key there.
    fn set(&mut self, path: &KeyPath, value: Value) {
        let now = self.now(path);
        if now.as_ref() == Some(&value) || schema::lookup(path).is_none() {
            return;
        }
        let note = format!("{path}: {} -> {}", now.as_ref().map_or("(unset)".to_owned(), word), word(&value));
        self.made.push(Step { change: Change::Set { path: path.clone(), value }, note });
    }

    /// Gives a key a value if it has another certain one.
    fn from(&mut self, path: &KeyPath, old: &Value, value: Value) {
        if self.now(path).as_ref() == Some(old) {
            self.set(path, value);
        }
    }

    fn unset(&mut self, path: KeyPath, what: &str) {
        let note = format!("{path}: {what}");
        self.made.push(Step { change: Change::Unset { path }, note });
    }
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
