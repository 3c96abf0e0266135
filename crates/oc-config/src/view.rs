//! What may be shown of a configuration (SP-064): every view - as written, as text, as resolved - hides the same leaves, and the
//! marker written back means "keep what is stored".

use oc_text::Redactor;
use oc_text::redact::{SENTINEL, is_sensitive_name};
use oc_types::{KeyPath, Node, Segment};
use serde_json::Value as Json;

use crate::schema;

mod text;

#[cfg(test)]
mod tests;

pub use text::redacted_text;

/// Whether a view hides the value of a key: the vocabulary calls it a credential, its name sounds like one (which also hides paths such
/// as `tokenFile`: they lead to one), or it is a variable of the `env` block, whatever its name: that is where `${VAR}` gets a
/// credential from.
#[must_use]
pub fn is_sensitive(path: &KeyPath) -> bool {
    if is_variable(path) {
        return true;
    }
    let key = path.segments().iter().rev().find_map(|s| match s {
        Segment::Key(k) => Some(k.as_str()),
        Segment::Index(_) => None,
    });
    schema::is_sensitive(path) || key.is_some_and(is_sensitive_name)
}

/// `env.<NAME>` and `env.vars.<NAME>`.
fn is_variable(path: &KeyPath) -> bool {
    let mut keys = path.segments().iter().map(|s| match s {
        Segment::Key(k) => Some(k.as_str()),
        Segment::Index(_) => None,
    });
    let all = (keys.next().flatten(), keys.next().flatten(), keys.next().flatten(), keys.next());
    match all {
        (Some("env"), Some("vars"), Some(_), None) => true,
        (Some("env"), Some(name), None, None) => name != "vars" && name != "shellEnv",
        _ => false,
    }
}

/// How a leaf is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    /// As it is.
    Plain,
    /// As the marker.
    Hidden,
}

/// The one rule: everything but `null`, booleans and numbers under a sensitive key, and every text that looks like a credential.
/// (`maxTokens` is a number, so it stays readable; no text under such a key does.)
fn shown(path: &KeyPath, value: &Json, redactor: &Redactor) -> Shown {
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => Shown::Plain,
        Json::String(s) if s == SENTINEL => Shown::Hidden,
        Json::String(s) if s.is_empty() => Shown::Plain,
        _ if is_sensitive(path) => Shown::Hidden,
        Json::String(s) if redactor.finds(s) => Shown::Hidden,
        Json::String(_) | Json::Array(_) | Json::Object(_) => Shown::Plain,
    }
}

/// A tree with every credential replaced by the marker. `at` is where the tree stands (the root for a whole configuration).
#[must_use]
pub fn redacted(at: &KeyPath, tree: &Json) -> Json {
    hide(at, tree, &Redactor::standard())
}

/// [`redacted`] of a tree with origins.
#[must_use]
pub fn redacted_node(at: &KeyPath, tree: &Node) -> Json {
    redacted(at, &tree.to_json())
}

/// The leaves that a view of this tree hides.
#[must_use]
pub fn hidden_leaves(tree: &Json) -> Vec<KeyPath> {
    fn walk(path: &KeyPath, value: &Json, redactor: &Redactor, out: &mut Vec<KeyPath>) {
        if shown(path, value, redactor) == Shown::Hidden {
            out.push(path.clone());
            return;
        }
        match value {
            Json::Object(o) => o.iter().for_each(|(k, v)| walk(&path.key(k.clone()), v, redactor, out)),
            Json::Array(a) => a.iter().enumerate().for_each(|(i, v)| walk(&path.index(i), v, redactor, out)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }
    let mut out = Vec::new();
    walk(&KeyPath::root(), tree, &Redactor::standard(), &mut out);
    out
}

fn hide(path: &KeyPath, value: &Json, redactor: &Redactor) -> Json {
    if shown(path, value, redactor) == Shown::Hidden {
        return Json::String(SENTINEL.to_owned());
    }
    match value {
        Json::Object(o) => Json::Object(
            o.iter().map(|(k, v)| (k.clone(), hide(&path.key(k.clone()), v, redactor))).collect(),
        ),
        Json::Array(a) => a.iter().enumerate().map(|(i, v)| hide(&path.index(i), v, redactor)).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => value.clone(),
    }
}

/// The value to store for one that came from a view: each marker replaced by what is stored at its place.
///
/// # Errors
/// The key at which the marker stands though nothing is stored there.
pub fn restore(path: &KeyPath, incoming: &Json, stored: &Json) -> Result<Json, KeyPath> {
    match incoming {
        Json::String(s) if s == SENTINEL => {
            let found = path.segments().iter().try_fold(stored, |here, s| match (here, s) {
                (Json::Object(o), Segment::Key(k)) => o.get(k),
                (Json::Array(a), Segment::Index(i)) => a.get(*i),
                (Json::Array(a), Segment::Key(k)) => a.get(k.parse::<usize>().ok()?),
                _ => None,
            });
            match found {
                Some(value) if !value.is_null() => Ok(value.clone()),
                _ => Err(path.clone()),
            }
        }
        Json::Object(o) => {
            o.iter().map(|(k, v)| Ok((k.clone(), restore(&path.key(k.clone()), v, stored)?))).collect()
        }
        Json::Array(a) => a.iter().enumerate().map(|(i, v)| restore(&path.index(i), v, stored)).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Ok(incoming.clone()),
    }
}

/// Whether the marker stands anywhere in a value.
#[must_use]
pub fn holds_marker(value: &Json) -> bool {
    match value {
        Json::String(s) => s == SENTINEL,
        Json::Object(o) => o.values().any(holds_marker),
        Json::Array(a) => a.iter().any(holds_marker),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}
