//! Members of JSON that a service sent: what is not there is `null`, whatever stands around it.

use serde_json::Value;

static NULL: Value = Value::Null;

/// Reads members without ever failing.
pub trait Members {
    /// The member of an object; `null` when this is no object or has none.
    fn at(&self, key: &str) -> &Value;
    /// A text member that is not blank.
    fn text(&self, key: &str) -> Option<&str>;
    /// The elements of a list member; none when it is no list.
    fn items(&self, key: &str) -> &[Value];
    /// Whether a member is `true`.
    fn is_true(&self, key: &str) -> bool;
}

impl Members for Value {
    fn at(&self, key: &str) -> &Value {
        self.get(key).unwrap_or(&NULL)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.at(key).as_str().filter(|t| !t.trim().is_empty())
    }

    fn items(&self, key: &str) -> &[Value] {
        self.at(key).as_array().map_or(&[], Vec::as_slice)
    }

    fn is_true(&self, key: &str) -> bool {
        *self.at(key) == Value::Bool(true)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_there_is_null() {
        let v = json!({ "a": { "b": " " }, "l": [1], "t": true });
        assert!(v.at("a").at("x").at("y").is_null() && v.at("l").at("a").is_null());
        assert_eq!((v.at("a").text("b"), v.items("l").len(), v.items("a").len()), (None, 1, 0));
        assert!(v.is_true("t") && !v.is_true("a"));
    }
}
