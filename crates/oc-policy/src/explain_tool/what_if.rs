//! Trying a change on a copy of the configuration.

use oc_types::{KeyPath, Node, Object, Origin, Segment, Value};
use serde_json::Value as Json;

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// The key.
    pub key: KeyPath,
    /// Its new value.
    pub value: Json,
}

impl Edit {
    /// `--set 'PATH=VALUE'`.
    #[must_use]
    pub fn flag(&self) -> String {
        let mut text = String::new();
        json5(&self.value, &mut text);
        format!("--set '{}={}'", self.key, text.replace('\'', "\\u0027"))
    }

    /// The configuration with the change made; enclosing objects are created.
    #[must_use]
    pub fn apply(&self, config: &Node) -> Node {
        let mut changed = config.clone();
        set(&mut changed, self.key.segments(), &self.value);
        changed
    }
}

fn set(node: &mut Node, path: &[Segment], value: &Json) {
    let Some((step, rest)) = path.split_first() else {
        *node = Node::from_json(value, &Origin::CommandLine);
        return;
    };
    match step {
        Segment::Key(key) => {
            if node.as_object().is_none() {
                *node = Node::new(Value::Object(Object::new()), Origin::CommandLine);
            }
            if let Value::Object(map) = &mut node.value {
                let empty = || Node::new(Value::Null, Origin::CommandLine);
                set(map.entry(key.clone()).or_insert_with(empty), rest, value);
            }
        }
        Segment::Index(index) => {
            if let Value::Array(items) = &mut node.value
                && let Some(item) = items.get_mut(*index)
            {
                set(item, rest, value);
            }
        }
    }
}

/// JSON5 as a person would type it on a command line: no quotes around identifiers, no spaces.
fn json5(value: &Json, out: &mut String) {
    match value {
        Json::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                json5(item, out);
            }
            out.push(']');
        }
        Json::Object(map) => {
            out.push('{');
            for (i, (key, item)) in map.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                let plain = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                    && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
                if plain {
                    out.push_str(key);
                } else {
                    out.push_str(&Json::from(key.as_str()).to_string());
                }
                out.push(':');
                json5(item, out);
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}
