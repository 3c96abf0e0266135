//! Edits of JSON5 text: where the reader of positions found a thing, a splice goes.

use std::path::Path;

use jsonc_parser::ast::{Array, Object, ObjectProp, ObjectPropName, Value};
use jsonc_parser::common::Ranged;
use oc_types::Segment;
use serde_json::{Map, Value as Json};

use super::intended::key_of;
use super::json5_object::{add_element, add_member};
use super::json5_remove::{remove_element, remove_members};
use super::json5_style::Style;
use super::minimal::minimal;
use super::splice::{Splice, has_break, indent_before, line_start, past_blanks, spliced};
use super::{Change, EditRefused};
use crate::document::json5_positions;

/// Most small changes that one change is made of before the value is replaced as a whole: each costs a reading of the text.
const MAX_STEPS: usize = 64;

/// Applies one change to JSON5 text without a byte-order mark.
pub(super) fn apply(file: &Path, text: &str, before: &Json, change: &Change) -> Result<String, EditRefused> {
    let mut steps = minimal(before, change);
    if steps.len() > MAX_STEPS {
        steps = vec![change.clone()];
    }
    let mut text = text.to_owned();
    for step in steps {
        text = apply_step(file, &text, &step)?;
    }
    Ok(text)
}

fn apply_step(file: &Path, text: &str, change: &Change) -> Result<String, EditRefused> {
    let not_editable = || EditRefused::NotEditable { file: file.display().to_string() };
    let parsed = json5_positions(text).ok_or_else(not_editable)?;
    let Value::Object(root) = &parsed else {
        return Err(EditRefused::Shape {
            path: oc_types::KeyPath::root(),
            found: "value that is no object",
            wanted: "an object",
        });
    };
    let splices = edit(text, root, change).ok_or_else(not_editable)?;
    spliced(text, splices).ok_or_else(not_editable)
}

/// Where the walk along a path ends.
enum Place<'b, 'a> {
    /// The last step is (or would be) a member of this object.
    Object(&'b Object<'a>),
    /// The last step is (or would be) an element of this list.
    Array(&'b Array<'a>),
}

fn edit(text: &str, root: &Object<'_>, change: &Change) -> Option<Vec<Splice>> {
    let segments = change.path().segments();
    let (last, way) = segments.split_last()?;
    let mut place = Place::Object(root);
    for (depth, segment) in way.iter().enumerate() {
        let next = match &place {
            Place::Object(o) => member(o, segment).map(|p| &p.value),
            Place::Array(a) => index_of(segment).and_then(|i| a.elements.get(i)),
        };
        place = match next {
            Some(Value::Object(o)) => Place::Object(o),
            Some(Value::Array(a)) => Place::Array(a),
            Some(_) => return removal(change).then(Vec::new),
            None if removal(change) => return Some(Vec::new()),
            None => {
                // Everything from here on is new.
                let Place::Object(o) = place else { return None };
                let value = nested(segments.get(depth + 1..)?, leaf(change));
                return Some(add_member(text, root, o, &key_of(segment), &value));
            }
        };
    }
    match (&place, change) {
        (Place::Object(o), Change::Unset { .. }) => Some(remove_members(text, o, &key_of(last))),
        (Place::Array(a), Change::Unset { .. }) => Some(remove_element(text, a, index_of(last)?)),
        (Place::Object(o), Change::Set { value, .. }) => Some(match member(o, last) {
            Some(p) => vec![replace(text, root, Some(o), &p.value, value)],
            None => add_member(text, root, o, &key_of(last), value),
        }),
        (Place::Array(a), Change::Set { value, .. }) => Some(match a.elements.get(index_of(last)?) {
            Some(old) => vec![replace(text, root, None, old, value)],
            None => add_element(text, root, a, value),
        }),
        (Place::Object(o), Change::Append { value, .. }) => match member(o, last).map(|p| &p.value) {
            Some(Value::Array(list)) => Some(add_element(text, root, list, value)),
            Some(_) => None,
            None => Some(add_member(text, root, o, &key_of(last), &leaf(change))),
        },
        (Place::Array(a), Change::Append { value, .. }) => match a.elements.get(index_of(last)?)? {
            Value::Array(list) => Some(add_element(text, root, list, value)),
            _ => None,
        },
    }
}

fn removal(change: &Change) -> bool {
    matches!(change, Change::Unset { .. })
}

/// What a new last key holds.
fn leaf(change: &Change) -> Json {
    match change {
        Change::Set { value, .. } => value.clone(),
        Change::Append { value, .. } => Json::Array(vec![value.clone()]),
        Change::Unset { .. } => Json::Null,
    }
}

/// `value` below the keys of `way`.
fn nested(way: &[Segment], value: Json) -> Json {
    way.iter().rev().fold(value, |inner, s| Json::Object(Map::from_iter([(key_of(s), inner)])))
}

/// The member that counts: the last of its name.
fn member<'b, 'a>(object: &'b Object<'a>, segment: &Segment) -> Option<&'b ObjectProp<'a>> {
    let key = key_of(segment);
    object.properties.iter().rev().find(|p| name_of(p) == key)
}

/// The name of a member.
pub(super) fn name_of<'b>(prop: &'b ObjectProp<'_>) -> &'b str {
    match &prop.name {
        ObjectPropName::String(s) => &s.value,
        ObjectPropName::Word(w) => w.value,
    }
}

fn index_of(segment: &Segment) -> Option<usize> {
    match segment {
        Segment::Index(i) => Some(*i),
        Segment::Key(k) => k.parse().ok(),
    }
}

fn replace(text: &str, root: &Object<'_>, near: Option<&Object<'_>>, old: &Value<'_>, new: &Json) -> Splice {
    let range = old.range();
    let mut style = Style::around(text, root, near);
    if let Value::StringLit(s) = old
        && let Some(quote) = text.get(s.range.start..).and_then(|t| t.chars().next())
    {
        style.quote = quote;
    }
    let line = line_start(text, range.start);
    let indent = text.get(line..past_blanks(text, line)).unwrap_or_default();
    // A value stays on its line unless it, or the object around it, is spread over several already.
    let spread = near.is_none_or(|o| has_break(text, o.range.start..o.range.end))
        && (indent_before(text, range.start).is_some() || has_break(text, root.range.start..root.range.end));
    Splice::replace(range.start..range.end, style.value(new, spread.then_some(indent)))
}
