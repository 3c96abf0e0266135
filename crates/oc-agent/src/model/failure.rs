//! What a provider's refusal means, without repeating what it wrote (agent-runtime 2, 7).
//!
//! A provider's error text may quote the request, a key, or whatever somebody in the middle wants a person or a model to read. It is looked
//! at and dropped: only the status and an error code made of plain letters are told.

use std::time::Duration;

use serde_json::Value;

use crate::model::FailureClass;

#[cfg(test)]
mod tests;

/// Most of an error's text that is looked at, in bytes.
const LOOK: usize = 16 * 1024;
/// Longest error code that is told.
const MAX_CODE: usize = 40;
/// Longest wait that a provider can ask for.
const MAX_WAIT: Duration = Duration::from_secs(24 * 3600);

/// Phrases in which providers say that a conversation is too long.
const TOO_LONG: [&str; 14] = [
    "prompt is too long",
    "context_length_exceeded",
    "maximum context length",
    "context window",
    "context length",
    "exceeds the maximum number of tokens",
    "input is too long",
    "input length and `max_tokens` exceed",
    "too many tokens",
    "request_too_large",
    "request exceeds the maximum size",
    "reduce the length of the messages",
    "token limit exceeded",
    "exceed_context_size",
];

/// Phrases in which providers ask for money.
const UNPAID: [&str; 7] = [
    "insufficient_quota",
    "credit balance is too low",
    "billing_hard_limit",
    "billing_error",
    "insufficient credits",
    "payment required",
    "exceeded your current quota",
];

/// What a refusal means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Its class.
    pub class: FailureClass,
    /// The provider's code for it, when it is made of plain letters.
    pub code: Option<String>,
}

impl Refusal {
    /// Reads a status and the error's body.
    pub fn of_answer(status: u16, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body.get(..LOOK).unwrap_or(body)).to_lowercase();
        let error = serde_json::from_slice::<Value>(body).unwrap_or(Value::Null);
        let code = code(&error);
        let class = match status {
            // Whatever else is said: the credential is the matter.
            401 => FailureClass::Auth,
            402 => FailureClass::Billing,
            400 | 403 | 413 | 422 | 429 if says(&text, &UNPAID) => FailureClass::Billing,
            400 | 413 | 422 if says(&text, &TOO_LONG) => FailureClass::ContextOverflow,
            403 => FailureClass::Auth,
            408 | 504 => FailureClass::Timeout,
            413 => FailureClass::ContextOverflow,
            429 => FailureClass::RateLimit,
            400 | 422 => FailureClass::Format,
            503 | 529 => FailureClass::Overloaded,
            _ => FailureClass::Other,
        };
        Self { class, code }
    }

    /// Reads an error that came inside of a stream.
    pub fn of_event(error: &Value) -> Self {
        let code = code(error);
        let text = error.to_string().to_lowercase();
        let text = text.get(..LOOK).unwrap_or(&text);
        let word = code.as_deref().unwrap_or_default();
        let class = if says(text, &UNPAID) {
            FailureClass::Billing
        } else if says(text, &TOO_LONG) {
            FailureClass::ContextOverflow
        } else {
            match word {
                "authentication_error" | "permission_error" | "invalid_api_key" => FailureClass::Auth,
                "rate_limit_error" | "rate_limit_exceeded" => FailureClass::RateLimit,
                "timeout_error" => FailureClass::Timeout,
                "overloaded_error" | "server_overloaded" => FailureClass::Overloaded,
                "invalid_request_error" | "invalid_prompt" => FailureClass::Format,
                _ => FailureClass::Other,
            }
        };
        Self { class, code }
    }
}

fn says(text: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|p| text.contains(p))
}

/// The code of an error, the most telling one first: `error.code`, `error.type`, `code`, `type`.
fn code(body: &Value) -> Option<String> {
    let inner = body.get("error").unwrap_or(body);
    let plain =
        |c: &str| (1..=MAX_CODE).contains(&c.len()) && c.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let words = ["code", "type"].iter().filter_map(|k| inner.get(*k)?.as_str());
    words.filter(|w| *w != "error" && plain(w)).map(str::to_owned).next()
}

/// The wait that a provider asks for: `retry-after-ms`, or `retry-after` in seconds or as a date. At most a day.
pub(super) fn wait(milliseconds: Option<&str>, after: Option<&str>, now_ms: u64) -> Option<Duration> {
    let seconds = |text: &str, scale: f64| {
        let n = text.trim().parse::<f64>().ok()?;
        let wait = Duration::try_from_secs_f64(n * scale).ok()?;
        Some(wait.min(MAX_WAIT))
    };
    if let Some(wait) = milliseconds.and_then(|t| seconds(t, 0.001)) {
        return Some(wait);
    }
    let text = after?;
    if let Some(wait) = seconds(text, 1.0) {
        return Some(wait);
    }
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    let then = u64::try_from(date.timestamp().as_millisecond()).ok()?;
    Some(Duration::from_millis(then.saturating_sub(now_ms)).min(MAX_WAIT))
}
