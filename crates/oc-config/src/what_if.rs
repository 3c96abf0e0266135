//! Edits in memory, for questions of the form "what would happen if": the file stays as it is, the result is checked like a file.

use oc_types::{KeyPath, KeyPathError, Node, Object, Origin, Segment, Value};
use thiserror::Error;

use crate::document::{self, Format, Frame};
use crate::edit::Change;

/// Longest text of one edit, in bytes.
const MAX_EDIT: usize = 1024 * 1024;

/// Why the text of an edit is unusable.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum BadEdit {
    /// No `=` after the key path.
    #[error("write --set as PATH=VALUE, for example --set 'gateway.port=18789'")]
    NoValue,
    /// The key path.
    #[error(transparent)]
    Path(#[from] KeyPathError),
    /// The value is no JSON5.
    #[error("the value of {path} is no JSON5: {message}; put texts in quotes")]
    Value {
        /// The key.
        path: KeyPath,
        /// What the reader says.
        message: String,
    },
    /// The text is absurdly long.
    #[error("the edit is longer than {MAX_EDIT} bytes")]
    TooLong,
}

/// Reads `PATH=JSON5`. The first `=` outside brackets ends the path.
///
/// # Errors
/// [`BadEdit`].
pub fn parse_set(text: &str) -> Result<Change, BadEdit> {
    if text.len() > MAX_EDIT {
        return Err(BadEdit::TooLong);
    }
    let mut depth = 0_usize;
    let mut quote = None;
    let at = text.char_indices().find(|&(_, c)| {
        match (quote, c) {
            (Some(q), _) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if depth > 0 => quote = Some(c),
            (None, '[') => depth = depth.saturating_add(1),
            (None, ']') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        c == '=' && depth == 0 && quote.is_none()
    });
    let (path, value) = at.and_then(|(i, _)| text.split_at_checked(i)).ok_or(BadEdit::NoValue)?;
    let path = KeyPath::parse(path.trim())?;
    let value = value.strip_prefix('=').unwrap_or_default();
    // Parsed inside a list: a bare text is no document of its own everywhere.
    let wrapped = format!("[{value}\n]");
    let parsed = document::parse(&Frame::root("--set"), wrapped.as_bytes(), Format::Json5)
        .map_err(|issue| BadEdit::Value { path: path.clone(), message: issue.message.clone() })?;
    match parsed.node.as_array() {
        Some([one]) => Ok(Change::Set { value: one.to_json(), path }),
        _ => Err(BadEdit::Value { path, message: "it is not one value".to_owned() }),
    }
}

/// Reads the key path of `--unset`.
///
/// # Errors
/// [`BadEdit`].
pub fn parse_unset(text: &str) -> Result<Change, BadEdit> {
    Ok(Change::Unset { path: KeyPath::parse(text.trim())? })
}

/// Applies edits to a tree; what they write has the origin [`Origin::CommandLine`].
pub fn apply(tree: &mut Node, changes: &[Change]) {
    for change in changes {
        match change {
            Change::Set { path, value } => {
                set(tree, path.segments(), Node::from_json(value, &Origin::CommandLine));
            }
            Change::Unset { path } => unset(tree, path.segments()),
            Change::Append { path, value } => {
                let next = tree.at(path).and_then(Node::as_array).map_or(0, <[Node]>::len);
                let node = Node::from_json(value, &Origin::CommandLine);
                set(tree, path.index(next).segments(), node);
            }
        }
    }
}

/// The list position that a step means for a list.
fn position(step: &Segment) -> Option<usize> {
    match step {
        Segment::Index(i) => Some(*i),
        Segment::Key(k) => k.parse().ok(),
    }
}

fn set(node: &mut Node, steps: &[Segment], value: Node) {
    let Some((first, rest)) = steps.split_first() else {
        *node = value;
        return;
    };
    let is_list = matches!(node.value, Value::Array(_)) && position(first).is_some();
    let wants_list = matches!(first, Segment::Index(_));
    if !is_list && (wants_list || !matches!(node.value, Value::Object(_))) {
        let empty = if wants_list { Value::Array(Vec::new()) } else { Value::Object(Object::new()) };
        *node = Node::new(empty, Origin::CommandLine);
    }
    let blank = || Node::new(Value::Null, Origin::CommandLine);
    match (&mut node.value, first) {
        (Value::Array(items), step) => {
            let at = position(step).unwrap_or(items.len()).min(items.len());
            if at == items.len() {
                items.push(blank());
            }
            if let Some(item) = items.get_mut(at) {
                set(item, rest, value);
            }
        }
        (Value::Object(members), Segment::Key(key)) => {
            set(members.entry(key.clone()).or_insert_with(blank), rest, value);
        }
        _ => {}
    }
}

fn unset(node: &mut Node, steps: &[Segment]) {
    match steps {
        [] => {}
        [last] => match &mut node.value {
            Value::Array(items) => {
                if let Some(i) = position(last).filter(|i| *i < items.len()) {
                    items.remove(i);
                }
            }
            Value::Object(members) => {
                if let Segment::Key(key) = last {
                    members.shift_remove(key);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        },
        [first, rest @ ..] => {
            let next = match &mut node.value {
                Value::Array(items) => position(first).and_then(|i| items.get_mut(i)),
                Value::Object(members) => match first {
                    Segment::Key(key) => members.get_mut(key),
                    Segment::Index(_) => None,
                },
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
            };
            if let Some(next) = next {
                unset(next, rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    fn edited(tree: &Json, sets: &[&str], unsets: &[&str]) -> Json {
        let mut node = Node::from_json(tree, &Origin::Default);
        let mut changes: Vec<Change> = sets.iter().map(|s| parse_set(s).unwrap()).collect();
        changes.extend(unsets.iter().map(|s| parse_unset(s).unwrap()));
        apply(&mut node, &changes);
        node.to_json()
    }

    #[test]
    fn sets_and_unsets_at_any_depth() {
        assert_eq!(edited(&json!({}), &["a.b=1"], &[]), json!({"a": {"b": 1}}));
        assert_eq!(
            edited(&json!({"l": [{"id": "x"}, {"id": "y"}]}), &["l[1].tools.allow=[\"a\"]"], &[]),
            json!({"l": [{"id": "x"}, {"id": "y", "tools": {"allow": ["a"]}}]})
        );
        assert_eq!(
            edited(&json!({}), &["tools.byProvider[\"a=b/c.d\"].allow=['x',]"], &[]),
            json!({"tools": {"byProvider": {"a=b/c.d": {"allow": ["x"]}}}})
        );
        assert_eq!(edited(&json!({"l": [1, 2]}), &["l[2]=3"], &["l[0]"]), json!({"l": [2, 3]}));
        assert_eq!(edited(&json!({"a": 1, "b": 2}), &[], &["a", "nope.x"]), json!({"b": 2}));
        assert_eq!(
            edited(&json!({"a": "text"}), &["a.b={allow:[\"x\"],deny:[]}"], &[])["a"]["b"]["deny"],
            json!([])
        );
    }

    #[test]
    fn unusable_edits_say_what_to_write() {
        assert_eq!(parse_set("a.b"), Err(BadEdit::NoValue));
        assert!(matches!(parse_set("a.b=main"), Err(BadEdit::Value { .. })));
        assert!(matches!(parse_set("a.b=1,2"), Err(BadEdit::Value { .. })));
        assert!(matches!(parse_set("a.b="), Err(BadEdit::Value { .. })));
        assert!(matches!(parse_set("a..b=1"), Err(BadEdit::Path(_))));
        assert!(matches!(parse_set("a.__proto__.b=1"), Err(BadEdit::Path(_))));
        assert!(parse_unset("").is_err());
    }
}
