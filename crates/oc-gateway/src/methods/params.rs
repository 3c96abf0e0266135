//! Parameters of a request: closed objects (gateway 3).

use oc_text::visible;
use oc_text::visible::LINE_CAP;
use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_json::Value;

use crate::protocol::frame::{Code, Failure};

/// An object without members.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// A member that may be absent, `null` (clear it) or a text.
pub(crate) type Nullable = Option<Option<String>>;

/// Reads parameters; absent ones are an empty object.
pub(crate) fn read<T: DeserializeOwned>(params: Value) -> Result<T, Failure> {
    let params = if params.is_null() { Value::Object(serde_json::Map::new()) } else { params };
    if !params.is_object() {
        return Err(invalid("the parameters are not an object"));
    }
    serde_json::from_value(params).map_err(|e| invalid(&format!("the parameters are not right: {e}")))
}

/// Reads the parameters of a method that keeps them.
///
/// # Errors
/// [`Code::InvalidRequest`].
pub fn parse<T: DeserializeOwned>(method: &str, params: &Value) -> Result<T, Failure> {
    read(params.clone()).map_err(|failure| invalid(&format!("{method}: {}", failure.message)))
}

/// For members of type [`Nullable`]: present `null` and absent differ.
pub(crate) fn nullable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Nullable, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

/// A request that cannot be carried out as sent.
pub(crate) fn invalid(message: &str) -> Failure {
    let message = oc_text::Redactor::standard().redact(message);
    Failure::new(Code::InvalidRequest, visible(&message, 4 * LINE_CAP))
}

/// What it needs is not there now.
pub(crate) fn unavailable(message: &str) -> Failure {
    let message = oc_text::Redactor::standard().redact(message);
    Failure::new(Code::Unavailable, visible(&message, 4 * LINE_CAP))
}
