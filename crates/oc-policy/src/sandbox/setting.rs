//! One setting in force, with the key it comes from.

use oc_types::{KeyPath, Node, Origin, Value};
use serde_json::Value as Json;

use super::SandboxError;
use super::key::Found;

/// A value in force and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// The key that sets it; `None` when it is the product's default.
    pub key: Option<KeyPath>,
    /// Where that key stands; [`Origin::Default`] for a default.
    pub origin: Origin,
}

impl<T> Setting<T> {
    /// A value that no key sets.
    pub fn default_of(value: T) -> Self {
        Self { value, key: None, origin: Origin::Default }
    }

    /// The same setting with its value replaced.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Setting<U> {
        Setting { value: change(self.value), key: self.key, origin: self.origin }
    }
}

/// A number, or a text such as `1g`.
#[derive(Clone, Debug, PartialEq)]
pub enum Amount {
    /// As text.
    Text(String),
    /// As number (bytes).
    Number(f64),
}

/// The value of one `ulimits` member.
#[derive(Clone, Debug, PartialEq)]
pub enum Ulimit {
    /// One value for both limits.
    Both(Amount),
    /// Soft and hard apart, either may be missing.
    Pair {
        /// Soft limit.
        soft: Option<f64>,
        /// Hard limit.
        hard: Option<f64>,
    },
}

/// A type that a key of the sandbox configuration holds.
pub(super) trait Field: Sized {
    /// What a person is told to write.
    const EXPECTED: &'static str;
    fn from_node(node: &Node) -> Option<Self>;
    fn to_json(&self) -> Json;

    /// Reads a value that was found.
    fn read(found: &Found<'_>) -> Result<Setting<Self>, SandboxError> {
        let value = Self::from_node(found.node).ok_or_else(|| SandboxError::WrongType {
            key: found.key.clone(),
            found: found.node.value.type_name(),
            origin: found.node.origin.clone(),
            expected: Self::EXPECTED,
        })?;
        Ok(Setting { value, key: Some(found.key.clone()), origin: found.node.origin.clone() })
    }
}

fn number_json(n: f64) -> Json {
    Node::new(Value::Number(n), Origin::Default).to_json()
}

impl Field for String {
    const EXPECTED: &'static str = "a text";
    fn from_node(node: &Node) -> Option<Self> {
        node.as_str().map(str::to_owned)
    }
    fn to_json(&self) -> Json {
        self.clone().into()
    }
}

impl Field for bool {
    const EXPECTED: &'static str = "true or false";
    fn from_node(node: &Node) -> Option<Self> {
        node.as_bool()
    }
    fn to_json(&self) -> Json {
        (*self).into()
    }
}

impl Field for f64 {
    const EXPECTED: &'static str = "a number";
    fn from_node(node: &Node) -> Option<Self> {
        node.as_number()
    }
    fn to_json(&self) -> Json {
        number_json(*self)
    }
}

impl Field for Vec<String> {
    const EXPECTED: &'static str = "a list of texts";
    fn from_node(node: &Node) -> Option<Self> {
        node.as_array()?.iter().map(|n| n.as_str().map(str::to_owned)).collect()
    }
    fn to_json(&self) -> Json {
        self.clone().into()
    }
}

impl Field for Amount {
    const EXPECTED: &'static str = "a text such as 1g, or a number";
    fn from_node(node: &Node) -> Option<Self> {
        match &node.value {
            Value::String(s) => Some(Self::Text(s.clone())),
            Value::Number(n) => Some(Self::Number(*n)),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
    fn to_json(&self) -> Json {
        match self {
            Self::Text(s) => s.clone().into(),
            Self::Number(n) => number_json(*n),
        }
    }
}

impl Field for Ulimit {
    const EXPECTED: &'static str = "a text, a number, or {soft, hard}";
    fn from_node(node: &Node) -> Option<Self> {
        if node.as_object().is_none() {
            return Amount::from_node(node).map(Self::Both);
        }
        let side = |name: &str| match node.get(name) {
            None => Some(None),
            Some(n) => n.as_number().map(Some),
        };
        Some(Self::Pair { soft: side("soft")?, hard: side("hard")? })
    }
    fn to_json(&self) -> Json {
        match self {
            Self::Both(a) => a.to_json(),
            Self::Pair { soft, hard } => {
                let mut o = serde_json::Map::new();
                for (name, v) in [("soft", soft), ("hard", hard)] {
                    if let Some(v) = v {
                        o.insert(name.to_owned(), number_json(*v));
                    }
                }
                o.into()
            }
        }
    }
}
