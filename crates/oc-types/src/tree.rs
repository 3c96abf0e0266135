//! The configuration as plain data: every value knows where it came from.
//!
//! Own keys only: an [`Object`] is an ordered map, so `constructor` and `__proto__` are ordinary strings that are either there or not.

use indexmap::IndexMap;

use crate::{KeyPath, Origin, Segment};

/// An ordered map from key to value. A later duplicate key replaces the earlier one, as JSON5 does.
pub type Object = IndexMap<String, Node>;

/// A value with its origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it came from.
    pub origin: Origin,
}

/// The six shapes of a value. Absent, `null` and empty stay three different things (SP-060).
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number; integers up to 2^53 are exact. Never NaN or infinite after loading.
    Number(f64),
    /// A text.
    String(String),
    /// A list.
    Array(Vec<Node>),
    /// An object.
    Object(Object),
}

impl Value {
    /// The word for this shape in messages: `null`, `boolean`, `number`, `string`, `list`, `object`.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "list",
            Self::Object(_) => "object",
        }
    }
}

impl Node {
    /// A value with an origin.
    #[must_use]
    pub fn new(value: Value, origin: Origin) -> Self {
        Self { value, origin }
    }

    /// An empty object that came from nowhere: what an absent file means.
    #[must_use]
    pub fn empty() -> Self {
        Self::new(Value::Object(Object::new()), Origin::Default)
    }

    /// Takes over a JSON value; every node gets the same origin. For embedders and tests.
    #[must_use]
    pub fn from_json(json: &serde_json::Value, origin: &Origin) -> Self {
        let value = match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(b) => Value::Bool(*b),
            serde_json::Value::Number(n) => Value::Number(n.as_f64().unwrap_or(f64::MAX)),
            serde_json::Value::String(s) => Value::String(s.clone()),
            serde_json::Value::Array(a) => {
                Value::Array(a.iter().map(|v| Self::from_json(v, origin)).collect())
            }
            serde_json::Value::Object(o) => {
                Value::Object(o.iter().map(|(k, v)| (k.clone(), Self::from_json(v, origin))).collect())
            }
        };
        Self::new(value, origin.clone())
    }

    /// The plain JSON value, origins dropped. Integers come out as integers.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(b) => (*b).into(),
            Value::Number(n) => number_json(*n),
            Value::String(s) => s.clone().into(),
            Value::Array(a) => a.iter().map(Self::to_json).collect::<Vec<_>>().into(),
            Value::Object(o) => {
                serde_json::Value::Object(o.iter().map(|(k, v)| (k.clone(), v.to_json())).collect())
            }
        }
    }

    /// The member `key`, if this is an object that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_object()?.get(key)
    }

    /// The element `index`, if this is a list that has it.
    #[must_use]
    pub fn item(&self, index: usize) -> Option<&Self> {
        self.as_array()?.get(index)
    }

    /// Follows object keys: `node.path(&["gateway", "auth", "token"])`.
    #[must_use]
    pub fn path(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |n, k| n.get(k))
    }

    /// The value at a key path.
    #[must_use]
    pub fn at(&self, path: &KeyPath) -> Option<&Self> {
        path.segments().iter().try_fold(self, |n, s| n.step(s))
    }

    /// The value at a key path, or the nearest enclosing value that exists, with its own path, and whether the path itself was there.
    #[must_use]
    pub fn nearest(&self, path: &KeyPath) -> (&Self, KeyPath, bool) {
        let (node, depth) = self.reach(path);
        let whole = depth == path.segments().len();
        let seen = if whole { path.clone() } else { path.segments().iter().take(depth).cloned().collect() };
        (node, seen, whole)
    }

    /// [`Node::nearest`] for those who do not ask where that value stands.
    #[must_use]
    pub fn nearest_value(&self, path: &KeyPath) -> (&Self, bool) {
        let (node, depth) = self.reach(path);
        (node, depth == path.segments().len())
    }

    /// How far a path goes: the last value on it that exists, and how many steps lead there.
    fn reach(&self, path: &KeyPath) -> (&Self, usize) {
        let mut node = self;
        for (depth, segment) in path.segments().iter().enumerate() {
            let Some(next) = node.step(segment) else { return (node, depth) };
            node = next;
        }
        (node, path.segments().len())
    }

    fn step(&self, segment: &Segment) -> Option<&Self> {
        match segment {
            Segment::Key(k) => match &self.value {
                Value::Array(a) => a.get(k.parse::<usize>().ok()?),
                _ => self.get(k),
            },
            Segment::Index(i) => self.item(*i),
        }
    }

    /// The boolean, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(b) => Some(b),
            _ => None,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(s) => Some(s),
            _ => None,
        }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match self.value {
            Value::Number(n) => Some(n),
            _ => None,
        }
    }

    /// The list, if it is one.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match &self.value {
            Value::Array(a) => Some(a),
            _ => None,
        }
    }

    /// The object, if it is one.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object> {
        match &self.value {
            Value::Object(o) => Some(o),
            _ => None,
        }
    }

    /// Whether this is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The texts of a list entry as lists of senders and tools take them: strings as they are, numbers in decimal; anything else is `None`.
    #[must_use]
    pub fn as_entry(&self) -> Option<String> {
        match &self.value {
            Value::String(s) => Some(s.clone()),
            Value::Number(n) => Some(number_text(*n)),
            _ => None,
        }
    }

    /// The entries of a list (see [`Node::as_entry`]); `None` when this is no list.
    #[must_use]
    pub fn entries(&self) -> Option<Vec<String>> {
        Some(self.as_array()?.iter().filter_map(Self::as_entry).collect())
    }
}

fn whole(n: f64) -> Option<i64> {
    // 2^53: beyond it a double no longer holds every integer.
    #[expect(clippy::cast_possible_truncation, reason = "range-checked: whole and at most 2^53")]
    (n.fract() == 0.0 && n.abs() <= 9_007_199_254_740_992.0).then_some(n as i64)
}

fn number_json(n: f64) -> serde_json::Value {
    match whole(n) {
        Some(i) => i.into(),
        None => serde_json::Number::from_f64(n).map_or(serde_json::Value::Null, serde_json::Value::Number),
    }
}

/// A number as its shortest decimal text (`5`, `0.5`).
#[must_use]
pub fn number_text(n: f64) -> String {
    match whole(n) {
        Some(i) => i.to_string(),
        None => n.to_string(),
    }
}
