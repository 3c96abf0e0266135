//! What a new configuration, or a part of one, changes in the stored one.

use oc_config::edit::Change;
use oc_types::KeyPath;
use serde_json::Value;

/// Why a change is impossible.
pub(super) enum Impossible {
    /// `$include` would change.
    Include(KeyPath),
}

/// The key that names other files.
const INCLUDE: &str = "$include";

/// The changes from one file to another.
pub(super) fn whole(before: &Value, after: &Value) -> Result<Vec<Change>, Impossible> {
    let mut out = Vec::new();
    differ(&KeyPath::root(), before, after, &mut out)?;
    Ok(out)
}

fn differ(path: &KeyPath, before: &Value, after: &Value, out: &mut Vec<Change>) -> Result<(), Impossible> {
    if before == after {
        return Ok(());
    }
    let (Value::Object(a), Value::Object(b)) = (before, after) else {
        out.push(Change::Set { path: path.clone(), value: after.clone() });
        return Ok(());
    };
    if a.get(INCLUDE) != b.get(INCLUDE) {
        return Err(Impossible::Include(path.key(INCLUDE)));
    }
    if b.is_empty() && !path.is_root() {
        out.push(Change::Set { path: path.clone(), value: after.clone() });
        return Ok(());
    }
    for key in a.keys().filter(|k| !b.contains_key(*k)) {
        out.push(Change::Unset { path: path.key(key.clone()) });
    }
    for (key, value) in b {
        let here = path.key(key.clone());
        match a.get(key) {
            Some(old) => differ(&here, old, value, out)?,
            None => out.push(Change::Set { path: here, value: value.clone() }),
        }
    }
    Ok(())
}

/// The changes that a patch makes (RFC 7396): `null` removes, objects merge, everything else replaces.
pub(super) fn merge(before: &Value, patch: &Value) -> Result<Vec<Change>, Impossible> {
    let mut out = Vec::new();
    merge_at(&KeyPath::root(), Some(before), patch, &mut out)?;
    Ok(out)
}

fn merge_at(
    path: &KeyPath,
    before: Option<&Value>,
    patch: &Value,
    out: &mut Vec<Change>,
) -> Result<(), Impossible> {
    let Value::Object(members) = patch else {
        if before != Some(patch) {
            out.push(Change::Set { path: path.clone(), value: patch.clone() });
        }
        return Ok(());
    };
    let Some(Value::Object(old)) = before else {
        out.push(Change::Set { path: path.clone(), value: without_nulls(patch) });
        return Ok(());
    };
    for (key, value) in members {
        let here = path.key(key.clone());
        if key == INCLUDE && old.get(key) != Some(value) {
            return Err(Impossible::Include(here));
        }
        match value {
            Value::Null if old.contains_key(key) => out.push(Change::Unset { path: here }),
            Value::Null => {}
            value => merge_at(&here, old.get(key), value, out)?,
        }
    }
    Ok(())
}

/// A patch of nothing: its `null` members have nothing to remove.
fn without_nulls(patch: &Value) -> Value {
    match patch {
        Value::Object(o) => {
            o.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), without_nulls(v))).collect()
        }
        other => other.clone(),
    }
}
