//! Messages to the companion app over its socket (exec-approval 12): one JSON line each, signed with the token of the approvals file.
//!
//! Pure: the clock is an argument. A message is answered only after all of it has been verified, and nothing says which check failed.

#[cfg(test)]
mod tests;

use oc_types::Secret;
use ring::hmac;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

/// Longest line, in bytes.
pub const MAX_LINE: usize = 1024 * 1024;
/// How far the clocks of both sides may be apart, in milliseconds.
pub const WINDOW_MS: u64 = 10_000;
/// Most messages that are looked at within one window, good or bad.
pub const MAX_IN_WINDOW: usize = 60;
/// How long the asking side waits for an answer, in milliseconds.
pub const WAIT_MS: u64 = 20_000;
/// Characters of a nonce: 16 bytes in hexadecimal.
const NONCE: usize = 32;

/// A request as it stands in its line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    r#type: String,
    id: String,
    nonce: String,
    ts: u64,
    hmac: String,
    request_json: String,
}

/// A request that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The sender's name for the request.
    pub id: String,
    /// The request, JSON text.
    pub request: String,
}

/// Why a message is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Rejected {
    /// Longer than [`MAX_LINE`].
    #[error("the message is longer than 1 MiB")]
    TooLong,
    /// More than [`MAX_IN_WINDOW`].
    #[error("too many messages; wait ten seconds")]
    TooMany,
    /// Not of this form.
    #[error("the message is not of the known form")]
    Form,
    /// Signed with something else, or changed on the way.
    #[error("the signature is wrong")]
    Signature,
    /// Too old or too new.
    #[error("the time of the message is more than ten seconds off")]
    Time,
    /// Seen before.
    #[error("the message was sent before")]
    Replay,
    /// There is no token to verify with.
    #[error("there is no token")]
    NoToken,
}

/// What the serving side remembers.
#[derive(Debug, Default)]
pub struct Verifier {
    nonces: Vec<(String, u64)>,
    arrivals: Vec<u64>,
}

impl Verifier {
    /// Verifies one line.
    ///
    /// # Errors
    /// See [`Rejected`]; nothing is answered then.
    pub fn verify(&mut self, line: &[u8], token: &Secret, now_ms: u64) -> Result<Verified, Rejected> {
        self.arrivals.retain(|at| now_ms.abs_diff(*at) < WINDOW_MS);
        if self.arrivals.len() >= MAX_IN_WINDOW {
            return Err(Rejected::TooMany);
        }
        self.arrivals.push(now_ms);
        if line.len() > MAX_LINE {
            return Err(Rejected::TooLong);
        }
        if token.is_blank() {
            return Err(Rejected::NoToken);
        }
        let line: Line = serde_json::from_slice(line).map_err(|_| Rejected::Form)?;
        let nonce_is_one = line.nonce.len() == NONCE && line.nonce.chars().all(|c| c.is_ascii_hexdigit());
        if line.r#type != "exec" || !nonce_is_one || line.id.is_empty() || line.id.len() > 128 {
            return Err(Rejected::Form);
        }
        let signature = from_hex(&line.hmac).ok_or(Rejected::Form)?;
        let signed = signed(&line.nonce, line.ts, &line.request_json);
        // Compares in constant time.
        hmac::verify(&key(token), signed.as_bytes(), &signature).map_err(|_| Rejected::Signature)?;
        if now_ms.abs_diff(line.ts) > WINDOW_MS {
            return Err(Rejected::Time);
        }
        // A nonce is refused for as long as its message could still be taken: the time off on either side.
        self.nonces.retain(|(_, at)| now_ms.abs_diff(*at) <= 2 * WINDOW_MS);
        let nonce = line.nonce.to_ascii_lowercase();
        if self.nonces.iter().any(|(seen, _)| *seen == nonce) {
            return Err(Rejected::Replay);
        }
        self.nonces.push((nonce, now_ms));
        Ok(Verified { id: line.id, request: line.request_json })
    }
}

/// The line of a request, with a line feed. `nonce` must be fresh randomness.
#[must_use]
pub fn request(token: &Secret, id: &str, nonce: [u8; 16], now_ms: u64, request_json: &str) -> String {
    let nonce = hex(&nonce);
    let tag = hmac::sign(&key(token), signed(&nonce, now_ms, request_json).as_bytes());
    let line = json!({
        "type": "exec",
        "id": id,
        "nonce": nonce,
        "ts": now_ms,
        "hmac": hex(tag.as_ref()),
        "requestJson": request_json,
    });
    format!("{line}\n")
}

/// The line of a reply, with a line feed.
#[must_use]
pub fn reply(answer: &Result<Value, String>) -> String {
    let line = match answer {
        Ok(payload) => json!({ "type": "exec-res", "ok": true, "payload": payload }),
        Err(error) => json!({ "type": "exec-res", "ok": false, "error": error }),
    };
    format!("{line}\n")
}

/// Reads a reply.
///
/// # Errors
/// [`Rejected::Form`] when it is none.
pub fn read_reply(line: &[u8]) -> Result<Result<Value, String>, Rejected> {
    if line.len() > MAX_LINE {
        return Err(Rejected::TooLong);
    }
    let value: Value = serde_json::from_slice(line).map_err(|_| Rejected::Form)?;
    if value.get("type").and_then(Value::as_str) != Some("exec-res") {
        return Err(Rejected::Form);
    }
    match value.get("ok").and_then(Value::as_bool) {
        Some(true) => Ok(Ok(value.get("payload").cloned().unwrap_or_default())),
        Some(false) => Ok(Err(value.get("error").and_then(Value::as_str).unwrap_or("refused").to_owned())),
        None => Err(Rejected::Form),
    }
}

fn key(token: &Secret) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, token.expose().as_bytes())
}

fn signed(nonce: &str, ts: u64, request_json: &str) -> String {
    format!("{nonce}:{ts}:{request_json}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.chars().map(|c| u8::try_from(c.to_digit(16)?).ok()).collect::<Option<_>>()?;
    if digits.len() != 64 {
        return None;
    }
    Some(digits.chunks(2).map(|pair| pair.iter().fold(0, |n, d| n * 16 + d)).collect())
}
