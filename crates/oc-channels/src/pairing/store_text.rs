//! The two store files as text: `<channel>-pairing.json` and `<channel>-allowFrom.json` (channels 2).
//!
//! A file that is there and does not have this form is an error, never an empty store (SP-008).

use serde_json::Value;
use thiserror::Error;

use super::Request;

/// Why a store file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoreTextError {
    /// No JSON.
    #[error("it is no JSON (line {line}, column {column})")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Another version than 1.
    #[error("its version is not 1")]
    Version,
    /// JSON of another form.
    #[error("{0} is missing or has the wrong type")]
    Form(&'static str),
}

fn read(text: &str) -> Result<Value, StoreTextError> {
    let value: Value = serde_json::from_str(text)
        .map_err(|e| StoreTextError::Json { line: e.line(), column: e.column() })?;
    match value.get("version") {
        Some(v) if v.as_u64() == Some(1) => Ok(value),
        Some(_) => Err(StoreTextError::Version),
        None if value.is_object() => Ok(value),
        None => Err(StoreTextError::Form("the object")),
    }
}

/// Reads `{"version":1,"requests":[...]}`.
///
/// # Errors
/// [`StoreTextError`].
pub fn parse_pending(text: &str) -> Result<Vec<Request>, StoreTextError> {
    let value = read(text)?;
    let list = value.get("requests").and_then(Value::as_array).ok_or(StoreTextError::Form("requests"))?;
    list.iter().map(request).collect()
}

fn request(value: &Value) -> Result<Request, StoreTextError> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let time = |key: &str| {
        text(key).and_then(|t| t.parse::<jiff::Timestamp>().ok()).map(jiff::Timestamp::as_millisecond)
    };
    let meta = value.get("meta").and_then(Value::as_object).into_iter().flatten();
    Ok(Request {
        id: text("id").ok_or(StoreTextError::Form("requests[].id"))?.to_owned(),
        code: text("code").ok_or(StoreTextError::Form("requests[].code"))?.to_owned(),
        created_ms: time("createdAt"),
        last_seen_ms: time("lastSeenAt"),
        meta: meta.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect(),
    })
}

/// Reads `{"version":1,"allowFrom":[...]}`.
///
/// # Errors
/// [`StoreTextError`].
pub fn parse_approved(text: &str) -> Result<Vec<String>, StoreTextError> {
    let value = read(text)?;
    let list = value.get("allowFrom").and_then(Value::as_array).ok_or(StoreTextError::Form("allowFrom"))?;
    let entry = |v: &Value| match v {
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    };
    list.iter().map(|v| entry(v).ok_or(StoreTextError::Form("allowFrom[]"))).collect()
}
