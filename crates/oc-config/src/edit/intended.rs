//! What a change means, on plain data: the yardstick for the edited text.

use oc_types::{KeyPath, Segment};
use serde_json::{Map, Value as Json};

use super::{Change, EditRefused, shape};

/// The value after a change.
///
/// # Errors
/// [`EditRefused::Root`], [`EditRefused::Shape`] or [`EditRefused::NoElement`].
pub fn intended(tree: &Json, change: &Change) -> Result<Json, EditRefused> {
    let mut tree = tree.clone();
    let Some((last, way)) = change.path().segments().split_last() else { return Err(EditRefused::Root) };
    let mut here = &mut tree;
    let mut seen = KeyPath::root();
    for segment in way {
        let Some(next) = descend(here, segment, &seen, matches!(change, Change::Unset { .. }))? else {
            return Ok(tree);
        };
        here = next;
        seen = extend(&seen, segment);
    }
    put(here, last, &seen, change)?;
    Ok(tree)
}

/// The member or element of a value, created as an object when missing; `None` when it is missing and the key is to go anyway.
fn descend<'a>(
    here: &'a mut Json,
    segment: &Segment,
    seen: &KeyPath,
    removing: bool,
) -> Result<Option<&'a mut Json>, EditRefused> {
    match here {
        Json::Object(members) => {
            let key = key_of(segment);
            if removing {
                return Ok(members.get_mut(&key));
            }
            Ok(Some(members.entry(key).or_insert_with(|| Json::Object(Map::new()))))
        }
        Json::Array(items) => {
            let length = items.len();
            let index = index_of(segment, seen)?;
            match items.get_mut(index) {
                Some(item) => Ok(Some(item)),
                None if removing => Ok(None),
                None => Err(EditRefused::NoElement { path: extend(seen, segment), length }),
            }
        }
        _ if removing => Ok(None),
        other => Err(EditRefused::Shape { path: seen.clone(), found: shape(other), wanted: "an object" }),
    }
}

fn put(here: &mut Json, last: &Segment, seen: &KeyPath, change: &Change) -> Result<(), EditRefused> {
    let path = change.path();
    let found = shape(here);
    match (change, here) {
        (Change::Set { value, .. }, Json::Object(members)) => {
            members.insert(key_of(last), value.clone());
        }
        (Change::Set { value, .. }, Json::Array(items)) => {
            let index = index_of(last, seen)?;
            let length = items.len();
            match items.get_mut(index) {
                Some(item) => *item = value.clone(),
                None if index == length => items.push(value.clone()),
                None => return Err(EditRefused::NoElement { path: path.clone(), length }),
            }
        }
        (Change::Unset { .. }, Json::Object(members)) => {
            members.shift_remove(&key_of(last));
        }
        (Change::Unset { .. }, Json::Array(items)) => {
            let index = index_of(last, seen)?;
            if index < items.len() {
                items.remove(index);
            }
        }
        (Change::Unset { .. }, _) => {}
        (Change::Append { value, .. }, Json::Object(members)) => {
            let list = members.entry(key_of(last)).or_insert_with(|| Json::Array(Vec::new()));
            append(list, value, path)?;
        }
        (Change::Append { value, .. }, Json::Array(items)) => {
            let length = items.len();
            let index = index_of(last, seen)?;
            let list =
                items.get_mut(index).ok_or_else(|| EditRefused::NoElement { path: path.clone(), length })?;
            append(list, value, path)?;
        }
        (Change::Set { .. } | Change::Append { .. }, _) => {
            return Err(EditRefused::Shape { path: seen.clone(), found, wanted: "an object" });
        }
    }
    Ok(())
}

fn append(list: &mut Json, value: &Json, path: &KeyPath) -> Result<(), EditRefused> {
    let found = shape(list);
    let Json::Array(items) = list else {
        return Err(EditRefused::Shape { path: path.clone(), found, wanted: "a list" });
    };
    items.push(value.clone());
    Ok(())
}

/// A step as an object key: `[0]` on an object is the key `0`.
pub(super) fn key_of(segment: &Segment) -> String {
    match segment {
        Segment::Key(k) => k.clone(),
        Segment::Index(i) => i.to_string(),
    }
}

fn index_of(segment: &Segment, list: &KeyPath) -> Result<usize, EditRefused> {
    let index = match segment {
        Segment::Index(i) => Some(*i),
        Segment::Key(k) => k.parse().ok(),
    };
    index.ok_or_else(|| EditRefused::Shape { path: list.clone(), found: "list", wanted: "an object" })
}

/// A path with one more step.
pub(super) fn extend(path: &KeyPath, segment: &Segment) -> KeyPath {
    match segment {
        Segment::Key(k) => path.key(k.clone()),
        Segment::Index(i) => path.index(*i),
    }
}
