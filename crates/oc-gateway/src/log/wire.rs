//! What is said about the traffic (logging-redaction 5): method, id, outcome and duration; never parameters, payloads or credentials.

use std::time::Duration;

use oc_text::Redactor;

use crate::protocol::frame::Failure;

/// From this duration on an answer is worth a line.
const SLOW: Duration = Duration::from_millis(50);
/// Longest value, in characters.
const MAX_VALUE: usize = 240;
/// Longest id that is shown whole, in characters.
const MAX_ID: usize = 24;

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Detail {
    /// What failed or was slow.
    Notable,
    /// Every frame (`--verbose`).
    Everything,
}

/// The answer to a request.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// The connection.
    pub conn: &'a str,
    /// The method, as the peer named it.
    pub method: &'a str,
    /// The request's id, as the peer named it.
    pub id: &'a str,
    /// The error, when there is one.
    pub failure: Option<&'a Failure>,
    /// How long it took.
    pub took: Duration,
}

/// A connection that was not let in, or was closed.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// The connection.
    pub conn: &'a str,
    /// Its address.
    pub remote: &'a str,
    /// The client's name or id.
    pub client: &'a str,
    /// Its mode.
    pub mode: &'a str,
    /// Its version.
    pub version: &'a str,
    /// The reason, one of the stable words.
    pub reason: &'a str,
}

/// Whether an answer is printed.
#[must_use]
pub fn prints(detail: Detail, failed: bool, took: Duration) -> bool {
    detail == Detail::Everything || failed || took > SLOW
}

/// An id for people: of a UUID the first 8 and the last 4 characters, of another long one the first 12 and the last 4.
#[must_use]
pub fn short_id(id: &str) -> String {
    let is_uuid = id.len() == 36
        && id.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        });
    let chars: Vec<char> = id.chars().collect();
    let head = match (is_uuid, chars.len() > MAX_ID) {
        (true, _) => 8,
        (false, true) => 12,
        (false, false) => return id.to_owned(),
    };
    let start: String = chars.iter().take(head).collect();
    let end: String = chars.iter().skip(chars.len().saturating_sub(4)).collect();
    format!("{start}…{end}")
}

/// A value for people: masked by the built-in patterns whatever the configuration says, then cut.
#[must_use]
pub fn value(text: &str) -> String {
    let masked = Redactor::standard().redact(text);
    if masked.chars().count() <= MAX_VALUE {
        return masked;
    }
    let mut out: String = masked.chars().take(MAX_VALUE).collect();
    out.push_str("...");
    out
}

/// Says that a request was answered, when it is worth a line.
pub fn answered(answer: &Answered<'_>, detail: Detail) {
    if !prints(detail, answer.failure.is_some(), answer.took) {
        return;
    }
    let ms = u64::try_from(answer.took.as_millis()).unwrap_or(u64::MAX);
    let (method, id, conn) = (value(answer.method), short_id(answer.id), short_id(answer.conn));
    match answer.failure {
        Some(failure) => {
            let code = serde_json::to_value(failure.code).ok();
            let code = code.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
            let error = value(&failure.message);
            tracing::info!(target: "gateway/ws", conn, method, id, ok = false, ms, code, error, "res");
        }
        None => tracing::info!(target: "gateway/ws", conn, method, id, ok = true, ms, "res"),
    }
}

/// Says that an event went out, to so many clients. Only with `--verbose`.
pub fn event(name: &str, clients: usize, detail: Detail) {
    if detail == Detail::Everything {
        tracing::info!(target: "gateway/ws", event = value(name), clients, "event");
    }
}

/// Says that a frame could not be read.
pub fn unreadable(conn: &str, why: &str) {
    tracing::warn!(target: "gateway/ws", conn = short_id(conn), error = value(why), "parse error");
}

/// Says that a connection was not let in. What was presented is not among the things that can be said.
pub fn refused(refused: &Refused<'_>) {
    tracing::warn!(
        target: "gateway/ws",
        conn = short_id(refused.conn),
        remote = value(refused.remote),
        client = value(refused.client),
        mode = value(refused.mode),
        version = value(refused.version),
        reason = value(refused.reason),
        "refused"
    );
}
