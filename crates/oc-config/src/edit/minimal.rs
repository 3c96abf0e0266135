//! Replacing an object or list as a whole touches only the members that differ.

use oc_types::{KeyPath, Segment};
use serde_json::Value as Json;

use super::Change;
use super::intended::extend;

/// A change as the smaller changes that have the same meaning on `before`.
pub(super) fn minimal(before: &Json, change: &Change) -> Vec<Change> {
    let Change::Set { path, value } = change else { return vec![change.clone()] };
    let Some(old) = at(before, path) else { return vec![change.clone()] };
    let mut out = Vec::new();
    differ(path, old, value, &mut out);
    out
}

fn at<'a>(tree: &'a Json, path: &KeyPath) -> Option<&'a Json> {
    path.segments().iter().try_fold(tree, |here, s| match (here, s) {
        (Json::Object(o), Segment::Key(k)) => o.get(k),
        (Json::Object(o), Segment::Index(i)) => o.get(&i.to_string()),
        (Json::Array(a), Segment::Index(i)) => a.get(*i),
        (Json::Array(a), Segment::Key(k)) => a.get(k.parse::<usize>().ok()?),
        _ => None,
    })
}

fn differ(path: &KeyPath, old: &Json, new: &Json, out: &mut Vec<Change>) {
    match (old, new) {
        _ if old == new => {}
        (Json::Object(a), Json::Object(b)) if !b.is_empty() => {
            for key in a.keys().filter(|k| !b.contains_key(*k)) {
                out.push(Change::Unset { path: path.key(key.clone()) });
            }
            for (key, value) in b {
                let here = path.key(key.clone());
                match a.get(key) {
                    Some(old) => differ(&here, old, value, out),
                    None => out.push(Change::Set { path: here, value: value.clone() }),
                }
            }
        }
        (Json::Array(a), Json::Array(b)) if !a.is_empty() && b.len() >= a.len() && b.starts_with(a) => {
            for value in b.iter().skip(a.len()) {
                out.push(Change::Append { path: path.clone(), value: value.clone() });
            }
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            for (i, (old, new)) in a.iter().zip(b).enumerate() {
                differ(&extend(path, &Segment::Index(i)), old, new, out);
            }
        }
        _ => out.push(Change::Set { path: path.clone(), value: new.clone() }),
    }
}
