//! Requests, responses, events.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

#[cfg(test)]
mod tests;

/// Largest frame before authentication, in bytes.
pub const MAX_FRAME_BEFORE_AUTH: usize = 64 * 1024;
/// Largest frame afterwards, in bytes; advertised as `policy.maxPayload`.
pub const MAX_FRAME: usize = 524_288;
/// Bytes that may wait for a slow client; advertised as `policy.maxBufferedBytes`.
pub const MAX_BUFFERED: usize = 1_572_864;
/// Time between ticks, in milliseconds; advertised as `policy.tickIntervalMs`.
pub const TICK_MS: u64 = 30_000;
/// Longest id and method name of a request, in bytes.
const MAX_NAME: usize = 256;
/// Longest close reason, in bytes of UTF-8.
const MAX_REASON: usize = 120;

/// A request of a client.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Chosen by the client; comes back in the response.
    pub id: String,
    /// The method.
    pub method: String,
    /// Its parameters; absent counts as an empty object.
    pub params: Value,
}

/// A frame that is no request.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotARequest {
    /// No JSON at all.
    #[error("the frame is not JSON")]
    NotJson,
    /// JSON of another shape; the id is given back when there is one.
    #[error("the frame is not a request: {why}")]
    Shape {
        /// The frame's id, or `invalid`.
        id: String,
        /// What is wrong.
        why: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    r#type: String,
    id: String,
    method: String,
    #[serde(default)]
    params: Option<Value>,
}

/// Reads a frame.
///
/// # Errors
/// [`NotARequest`].
pub fn read(text: &str) -> Result<Request, NotARequest> {
    let cut = |id: &str| id.chars().take(MAX_NAME).collect::<String>();
    let wire = match serde_json::from_str::<Wire>(text) {
        Ok(wire) => wire,
        Err(_) => {
            // What is no request may still be JSON with an id; of a member that comes twice the last one counts.
            let value: Value = serde_json::from_str(text).map_err(|_| NotARequest::NotJson)?;
            let id = cut(value.get("id").and_then(Value::as_str).unwrap_or("invalid"));
            let why = "it needs type, id and method, and nothing but params beside them";
            serde_json::from_value(value).map_err(|_| NotARequest::Shape { id, why })?
        }
    };
    let shape = |why| NotARequest::Shape { id: cut(&wire.id), why };
    if wire.r#type != "req" {
        return Err(shape("its type is not req"));
    }
    if wire.id.is_empty() || wire.id.len() > MAX_NAME {
        return Err(shape("its id is empty or too long"));
    }
    if wire.method.is_empty() || wire.method.len() > MAX_NAME {
        return Err(shape("its method is empty or too long"));
    }
    let params = wire.params.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    Ok(Request { id: wire.id, method: wire.method, params })
}

/// What kind of error a response carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// The request cannot be carried out as sent.
    InvalidRequest,
    /// The device is not paired for this.
    NotPaired,
    /// What it needs is not there now.
    Unavailable,
    /// The agent took too long.
    AgentTimeout,
    /// The channel's account is not linked.
    NotLinked,
}

/// The error of a response.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// What kind.
    pub code: Code,
    /// One sentence. Three wordings are part of the protocol, see [`Failure::missing_scope`] and its neighbours.
    pub message: String,
    /// Facts for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
    /// Whether the same request may succeed later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// When, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl Failure {
    /// An error with a sentence.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: None, retryable: None, retry_after_ms: None }
    }

    /// With facts for programs.
    #[must_use]
    pub fn with_details(self, details: Value) -> Self {
        Self { details: Some(details), ..self }
    }

    /// Older clients read this wording.
    #[must_use]
    pub fn missing_scope(scope: &str) -> Self {
        Self::new(Code::InvalidRequest, format!("missing scope: {scope}"))
    }

    /// Older clients read this wording.
    #[must_use]
    pub fn unknown_method(method: &str) -> Self {
        Self::new(Code::InvalidRequest, format!("unknown method: {method}"))
    }

    /// Older clients read this wording.
    #[must_use]
    pub fn unauthorized_role(role: &str) -> Self {
        Self::new(Code::InvalidRequest, format!("unauthorized role: {role}"))
    }
}

/// What the gateway sends.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Outgoing {
    /// The answer to a request. A long method may answer twice: accepted, then final.
    Res {
        /// The request's id.
        id: String,
        /// Whether it was carried out.
        ok: bool,
        /// What came of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Value>,
        /// Why not.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<Failure>,
    },
    /// Something that happened.
    Event {
        /// Its name.
        event: String,
        /// Its data.
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Value>,
        /// Number among all broadcasts; targeted events have none.
        #[serde(skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
        /// Versions of what clients cache.
        #[serde(skip_serializing_if = "Option::is_none", rename = "stateVersion")]
        state_version: Option<StateVersion>,
    },
}

/// Versions of what clients cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct StateVersion {
    /// Of the presence list.
    pub presence: u64,
    /// Of the health report.
    pub health: u64,
}

impl Outgoing {
    /// The answer to a request.
    #[must_use]
    pub fn answer(id: &str, outcome: Result<Value, Failure>) -> Self {
        let id = id.to_owned();
        match outcome {
            Ok(payload) => Self::Res { id, ok: true, payload: Some(payload), error: None },
            Err(error) => Self::Res { id, ok: false, payload: None, error: Some(error) },
        }
    }
}

/// Why the gateway closes a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Close {
    /// The rules of the connection were broken (1008).
    Policy,
    /// Another protocol version, or frames that are none (1002).
    Protocol,
    /// Text that is no UTF-8 (1007).
    NotText,
    /// A frame over the limit (1009).
    TooLarge,
    /// The gateway stops or starts anew (1012).
    Restart,
}

impl Close {
    /// The code on the wire.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::Policy => 1008,
            Self::Protocol => 1002,
            Self::NotText => 1007,
            Self::TooLarge => 1009,
            Self::Restart => 1012,
        }
    }
}

/// A close reason short enough for the wire, cut between characters.
#[must_use]
pub fn close_reason(text: &str) -> &str {
    let end =
        text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= MAX_REASON).last();
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}
