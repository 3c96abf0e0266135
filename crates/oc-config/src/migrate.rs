//! Older keys, moved to their present place in memory.
//!
//! Only the listed moves ([`crate::moved::MOVES`]) are made, only in the product's reading, and only where they can mean
//! one thing: a key whose new place is taken stays where it is and becomes an issue. The file is not touched;
//! `openclaw doctor --fix` rewrites it.
//!
//! Invariant: a move relocates what the operator wrote and never widens it (SP-061): no wildcard is invented, no list is
//! merged into another, no room list is opened.

use std::sync::Arc;

use oc_types::{KeyPath, Node, Object, Origin, Value};

use crate::{Issue, Reading};

mod agent;
mod mention;
mod routing;

#[cfg(test)]
mod tests;

/// One key that was moved.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// The older path.
    pub from: KeyPath,
    /// The present path.
    pub to: KeyPath,
    /// Where the older key stands.
    pub origin: Origin,
}

/// A tree after the moves.
#[derive(Clone, Debug)]
pub struct Migrated {
    /// The tree; moved values have [`Origin::Migrated`].
    pub tree: Node,
    /// What was moved, in the order of the moves.
    pub moved: Vec<Moved>,
    /// Older keys that could not be moved without a decision.
    pub issues: Vec<Issue>,
}

/// Makes the listed moves. In the era reading nothing is moved: there an older key makes the configuration invalid.
#[must_use]
pub fn migrate(tree: Node, reading: Reading) -> Migrated {
    let mut work = Work { tree, moved: Vec::new(), issues: Vec::new() };
    if reading == Reading::Product && work.tree.as_object().is_some() {
        work.run();
    }
    Migrated { tree: work.tree, moved: work.moved, issues: work.issues }
}

/// The channels that had a section of their own at the top.
const TOP_CHANNELS: &[&str] = &["whatsapp", "telegram", "discord", "slack", "signal", "imessage", "msteams"];

struct Work {
    tree: Node,
    moved: Vec<Moved>,
    issues: Vec<Issue>,
}

impl Work {
    fn run(&mut self) {
        for channel in TOP_CHANNELS {
            self.relocate(&[channel], &["channels", channel]);
        }
        self.relocate(&["gateway", "token"], &["gateway", "auth", "token"]);
        self.relocate(&["tools", "bash"], &["tools", "exec"]);
        self.move_with(&["messages", "tts", "enabled"], &["messages", "tts", "auto"], |node| {
            let word = if node.as_bool()? { "always" } else { "off" };
            Some(Node::new(Value::String(word.to_owned()), node.origin))
        });
        routing::run(self);
        agent::run(self);
        mention::run(self);
        self.drop_if_empty(&["routing", "groupChat"]);
        self.drop_if_empty(&["routing"]);
        self.drop_if_empty(&["agent"]);
    }

    /// Moves a value as it is.
    fn relocate(&mut self, from: &[&str], to: &[&str]) {
        self.move_with(from, to, Some);
    }

    /// Moves a value through a function; a value that the function does not know is an issue.
    fn move_with(&mut self, from: &[&str], to: &[&str], change: impl FnOnce(Node) -> Option<Node>) {
        let Some(old) = self.tree.path(from) else { return };
        let origin = old.origin.clone();
        if self.tree.path(to).is_some() {
            return self.conflict(from, &KeyPath::keys(to.iter().copied()), origin);
        }
        let Some(node) = change(old.clone()) else {
            return self.refuse(from, origin, "this older key holds a value that has no counterpart today");
        };
        let at = KeyPath::keys(from.iter().copied());
        if !insert(&mut self.tree, to, stamped(node, &at)) {
            return self.refuse(
                from,
                origin,
                "this older key has no place to go: what stands there is no object",
            );
        }
        take(&mut self.tree, from);
        self.note(at, KeyPath::keys(to.iter().copied()), origin);
    }

    fn note(&mut self, from: KeyPath, to: KeyPath, origin: Origin) {
        self.moved.push(Moved { from, to, origin });
    }

    fn conflict(&mut self, from: &[&str], to: &KeyPath, origin: Origin) {
        self.issues.push(Issue {
            path: KeyPath::keys(from.iter().copied()),
            origin,
            message: "this older key and its successor are both set".to_owned(),
            nearest: Some(to.to_string()),
            fix: Some("keep the successor and remove the older key".to_owned()),
        });
        // The older key goes, so that it is not reported again as unknown: the issue alone refuses the configuration.
        take(&mut self.tree, from);
    }

    fn refuse(&mut self, from: &[&str], origin: Origin, message: &str) {
        let path = KeyPath::keys(from.iter().copied());
        let nearest = crate::moved::target(&path);
        let fix = match &nearest {
            Some(to) => format!("write {to} yourself and remove the older key"),
            None => "remove the older key".to_owned(),
        };
        self.issues.push(Issue { path, origin, message: message.to_owned(), nearest, fix: Some(fix) });
        take(&mut self.tree, from);
    }

    /// Removes an object that the moves have emptied; one that the operator wrote empty stays and is reported later.
    fn drop_if_empty(&mut self, path: &[&str]) {
        let at = KeyPath::keys(path.iter().copied());
        let taken = self.moved.iter().map(|m| &m.from).chain(self.issues.iter().map(|i| &i.path));
        let emptied = self.tree.path(path).and_then(Node::as_object).is_some_and(Object::is_empty);
        if emptied && taken.into_iter().any(|p| p.starts_with(&at)) {
            take(&mut self.tree, path);
        }
    }
}

/// The same value, its origin and those below it marked as read from an older key.
fn stamped(node: Node, from: &KeyPath) -> Node {
    let value = match node.value {
        Value::Array(items) => {
            Value::Array(items.into_iter().enumerate().map(|(i, n)| stamped(n, &from.index(i))).collect())
        }
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(k, n)| {
                    let at = from.key(k.as_str());
                    (k, stamped(n, &at))
                })
                .collect(),
        ),
        plain => plain,
    };
    let from = Origin::Migrated { from_key: Arc::from(from.to_string()), from: Arc::new(node.origin) };
    Node::new(value, from)
}

/// The object at a path, made where there is nothing yet. `None` when something else stands in the way.
fn object_at<'t>(tree: &'t mut Node, path: &[&str], origin: &Origin) -> Option<&'t mut Object> {
    let mut at = tree;
    for key in path {
        let Value::Object(members) = &mut at.value else { return None };
        at = members
            .entry((*key).to_owned())
            .or_insert_with(|| Node::new(Value::Object(Object::new()), origin.clone()));
    }
    match &mut at.value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// Puts a value at a path that must be free. `false` when it could not be.
fn insert(tree: &mut Node, path: &[&str], node: Node) -> bool {
    let Some((last, parents)) = path.split_last() else { return false };
    // Look before creating anything, so that a failure leaves the tree as it was.
    let mut at = &*tree;
    for key in parents {
        match at.get(key) {
            Some(next) if next.as_object().is_some() => at = next,
            Some(_) => return false,
            None => break,
        }
    }
    let origin = node.origin.clone();
    match object_at(tree, parents, &origin) {
        Some(members) if !members.contains_key(*last) => {
            members.insert((*last).to_owned(), node);
            true
        }
        _ => false,
    }
}

/// Takes the value at a path out of the tree.
fn take(tree: &mut Node, path: &[&str]) -> Option<Node> {
    let (last, parents) = path.split_last()?;
    let mut at = tree;
    for key in parents {
        let Value::Object(members) = &mut at.value else { return None };
        at = members.get_mut(*key)?;
    }
    match &mut at.value {
        Value::Object(members) => members.shift_remove(*last),
        _ => None,
    }
}
