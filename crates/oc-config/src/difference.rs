//! Which key paths differ between two configurations.

use oc_types::KeyPath;
use serde_json::Value as Json;

/// One key that differs. Lists of plain values are one key; objects and lists of objects are walked into.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyChange {
    /// The key.
    pub path: KeyPath,
    /// Its value before; `None` when it was absent.
    pub before: Option<Json>,
    /// Its value after; `None` when it is absent.
    pub after: Option<Json>,
}

/// The keys that differ, in the order of the new tree, removed ones last.
#[must_use]
pub fn difference(before: &Json, after: &Json) -> Vec<KeyChange> {
    let mut out = Vec::new();
    walk(&KeyPath::root(), Some(before), Some(after), &mut out);
    out
}

fn walk(path: &KeyPath, before: Option<&Json>, after: Option<&Json>, out: &mut Vec<KeyChange>) {
    if before == after {
        return;
    }
    let object = |v: Option<&Json>| v.and_then(Json::as_object).cloned().unwrap_or_default();
    if descends(before, Json::is_object)
        && descends(after, Json::is_object)
        && some(before, after, is_full_object)
    {
        let (a, b) = (object(before), object(after));
        for (key, value) in &b {
            walk(&path.key(key.clone()), a.get(key), Some(value), out);
        }
        for (key, value) in a.iter().filter(|(k, _)| !b.contains_key(*k)) {
            walk(&path.key(key.clone()), Some(value), None, out);
        }
        return;
    }
    if descends(before, is_records) && descends(after, is_records) && some(before, after, |v| !is_empty(v)) {
        let list = |v: Option<&Json>| v.and_then(Json::as_array).cloned().unwrap_or_default();
        let (a, b) = (list(before), list(after));
        for i in 0..a.len().max(b.len()) {
            walk(&path.index(i), a.get(i), b.get(i), out);
        }
        return;
    }
    out.push(KeyChange { path: path.clone(), before: before.cloned(), after: after.cloned() });
}

fn descends(value: Option<&Json>, kind: impl Fn(&Json) -> bool) -> bool {
    value.is_none_or(kind)
}

fn some(before: Option<&Json>, after: Option<&Json>, kind: impl Fn(&Json) -> bool) -> bool {
    before.is_some_and(&kind) || after.is_some_and(&kind)
}

fn is_full_object(value: &Json) -> bool {
    value.as_object().is_some_and(|o| !o.is_empty())
}

fn is_empty(value: &Json) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}

fn is_records(value: &Json) -> bool {
    value.as_array().is_some_and(|a| a.iter().all(Json::is_object))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_the_keys_that_differ() {
        let before = json!({ "a": { "b": 1, "gone": { "x": 1 } }, "list": [1], "agents": [{ "id": "x" }], "same": {} });
        let after = json!({ "a": { "b": 2 }, "list": [1, 2], "agents": [{ "id": "x", "n": {} }, { "id": "y" }], "same": {}, "e": {} });
        let paths: Vec<String> = difference(&before, &after).iter().map(|c| c.path.to_string()).collect();
        assert_eq!(paths, ["a.b", "a.gone.x", "list", "agents[0].n", "agents[1].id", "e"]);
        assert!(difference(&before, &before).is_empty());
    }
}
