//! Edits of TOML text through `toml_edit`, which keeps what it does not change.

use oc_types::{KeyPath, Segment};
use serde_json::Value as Json;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::intended::{extend, key_of};
use super::{Change, EditRefused};

/// Applies one change to TOML text.
pub(super) fn apply(text: &str, change: &Change) -> Result<String, EditRefused> {
    let mismatch = || EditRefused::Mismatch { path: change.path().clone() };
    let mut doc: DocumentMut = text.parse().map_err(|_| mismatch())?;
    let Some((last, way)) = change.path().segments().split_last() else { return Err(EditRefused::Root) };
    let mut here: &mut Item = doc.as_item_mut();
    let mut seen = KeyPath::root();
    for segment in way {
        if matches!(change, Change::Unset { .. }) && child(here, segment).is_none() {
            return Ok(text.to_owned());
        }
        seen = extend(&seen, segment);
        let found = here.type_name();
        here = child_or_table(here, segment).ok_or(EditRefused::Shape {
            path: seen.clone(),
            found,
            wanted: "a table",
        })?;
    }
    put(here, last, change).ok_or_else(mismatch)??;
    Ok(doc.to_string())
}

fn put(here: &mut Item, last: &Segment, change: &Change) -> Option<Result<(), EditRefused>> {
    let path = change.path();
    match change {
        Change::Unset { .. } => remove(here, last)?,
        Change::Set { value, .. } => {
            let value = match toml_value(path, value) {
                Ok(v) => v,
                Err(e) => return Some(Err(e)),
            };
            set(here, last, value)?;
        }
        Change::Append { value, .. } => {
            let value = match toml_value(path, value) {
                Ok(v) => v,
                Err(e) => return Some(Err(e)),
            };
            match child(here, last) {
                None => set(here, last, Value::Array(Array::from_iter([value])))?,
                Some(_) => {
                    let list = child_or_table(here, last)?;
                    match list {
                        Item::Value(Value::Array(a)) => a.push(value),
                        Item::ArrayOfTables(tables) => {
                            tables.push(value.as_inline_table()?.clone().into_table())
                        }
                        _ => return None,
                    }
                }
            }
        }
    }
    Some(Ok(()))
}

fn set(here: &mut Item, last: &Segment, mut value: Value) -> Option<()> {
    if let Some(list) = here.as_array_mut() {
        let index = index_of(last)?;
        match list.get_mut(index) {
            Some(old) => {
                *value.decor_mut() = old.decor().clone();
                *old = value;
            }
            None => list.push(value),
        }
        return Some(());
    }
    let key = key_of(last);
    let inline = here.is_inline_table();
    let table = here.as_table_like_mut()?;
    match table.get_mut(&key) {
        Some(Item::Value(old)) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        Some(other) => *other = Item::Value(value),
        None if inline => {
            table.insert(&key, Item::Value(value));
        }
        None => {
            // An object becomes a table of its own, as a person would write it.
            let item = match value {
                Value::InlineTable(t) if !t.is_empty() => Item::Table(t.into_table()),
                other => Item::Value(other),
            };
            table.insert(&key, item);
        }
    }
    Some(())
}

fn remove(here: &mut Item, last: &Segment) -> Option<()> {
    if let Some(list) = here.as_array_mut() {
        let index = index_of(last)?;
        if index < list.len() {
            list.remove(index);
        }
        return Some(());
    }
    if let Some(tables) = here.as_array_of_tables_mut() {
        let index = index_of(last)?;
        if index < tables.len() {
            tables.remove(index);
        }
        return Some(());
    }
    let table = here.as_table_like_mut()?;
    let key = key_of(last);
    let comment = table
        .key(&key)
        .and_then(|k| k.leaf_decor().prefix()?.as_str().map(str::to_owned))
        .filter(|c| c.contains('#'));
    let next = {
        let mut keys = table.iter().map(|(k, _)| k.to_owned()).skip_while(|k| *k != key);
        keys.next();
        keys.next()
    };
    table.remove(&key);
    // The comment above the key goes to the key that follows.
    if let (Some(comment), Some(next)) = (comment, next)
        && let Some(mut follower) = table.key_mut(&next)
    {
        let own = follower.leaf_decor().prefix().and_then(|p| p.as_str()).unwrap_or_default().to_owned();
        follower.leaf_decor_mut().set_prefix(format!("{comment}{own}"));
    }
    Some(())
}

fn child<'a>(here: &'a Item, segment: &Segment) -> Option<&'a Item> {
    match here {
        Item::Value(Value::Array(_)) | Item::ArrayOfTables(_) => here.get(index_of(segment)?),
        _ => here.as_table_like()?.get(&key_of(segment)),
    }
}

fn child_or_table<'a>(here: &'a mut Item, segment: &Segment) -> Option<&'a mut Item> {
    if here.is_array() || here.is_array_of_tables() {
        return here.get_mut(index_of(segment)?);
    }
    let inline = here.is_inline_table();
    let table: &mut dyn TableLike = here.as_table_like_mut()?;
    Some(table.entry(&key_of(segment)).or_insert_with(|| {
        if inline {
            return Item::Value(Value::InlineTable(InlineTable::new()));
        }
        let mut new = Table::new();
        // Shown only when something stands in it directly.
        new.set_implicit(true);
        Item::Table(new)
    }))
}

fn index_of(segment: &Segment) -> Option<usize> {
    match segment {
        Segment::Index(i) => Some(*i),
        Segment::Key(k) => k.parse().ok(),
    }
}

fn toml_value(path: &KeyPath, value: &Json) -> Result<Value, EditRefused> {
    Ok(match value {
        Json::Null => return Err(EditRefused::NoNull(path.clone())),
        Json::Bool(b) => Value::from(*b),
        Json::Number(n) => match n.as_i64() {
            Some(i) => Value::from(i),
            None => Value::from(n.as_f64().unwrap_or_default()),
        },
        Json::String(s) => Value::from(s.as_str()),
        Json::Array(items) => {
            let mut out = Array::new();
            for (i, item) in items.iter().enumerate() {
                out.push(toml_value(&path.index(i), item)?);
            }
            Value::Array(out)
        }
        Json::Object(members) => {
            let mut out = InlineTable::new();
            for (k, v) in members {
                out.insert(k, toml_value(&path.key(k.clone()), v)?);
            }
            Value::InlineTable(out)
        }
    })
}
