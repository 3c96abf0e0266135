//! Parameters: closed objects, read once.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::protocol::frame::{Code, Failure};

/// Reads the parameters of a method. `null` counts as an empty object. The types deny unknown members.
///
/// # Errors
/// [`Code::InvalidRequest`], naming the method and what is wrong; never a value.
pub fn parse<T: DeserializeOwned>(method: &str, params: &Value) -> Result<T, Failure> {
    let empty = Value::Object(serde_json::Map::new());
    let params = if params.is_null() { &empty } else { params };
    T::deserialize(params).map_err(|e| {
        let why = without_values(&e.to_string());
        Failure::new(Code::InvalidRequest, format!("invalid {method} params: {why}"))
    })
}

/// What the reader says, without what it read: a value may be a secret.
fn without_values(text: &str) -> String {
    match text.strip_prefix("invalid type: ").or_else(|| text.strip_prefix("invalid value: ")) {
        Some(rest) => {
            let expected = rest.rsplit_once(", expected ").map_or("another value", |(_, e)| e);
            format!("expected {}", oc_text::visible(expected, 120))
        }
        None => oc_text::visible(text, 160),
    }
}
