//! Bodies: bounded in size and time before anything is made of them (SP-016, SP-338). Depth is bounded by the JSON reader (128).

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use serde_json::Value;

/// Time to send a body.
const TIME: Duration = Duration::from_secs(30);

/// Why a body is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadBody {
    /// Longer than allowed.
    TooLarge,
    /// It did not arrive in time, or broke off.
    Broken,
    /// It is no JSON.
    NotJson,
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// [`BadBody::TooLarge`], [`BadBody::Broken`].
pub async fn read(body: Incoming, limit: usize) -> Result<Bytes, BadBody> {
    if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(BadBody::TooLarge);
    }
    match tokio::time::timeout(TIME, whole(Limited::new(body, limit))).await {
        Ok(Ok(all)) => Ok(all),
        Ok(Err(e)) if e.is::<LengthLimitError>() => Err(BadBody::TooLarge),
        Ok(Err(_)) | Err(_) => Err(BadBody::Broken),
    }
}

async fn whole(mut body: Limited<Incoming>) -> Result<Bytes, Box<dyn std::error::Error + Send + Sync>> {
    let Some(first) = body.frame().await else { return Ok(Bytes::new()) };
    let first = first?.into_data().unwrap_or_default();
    // Most bodies come in one piece.
    if body.is_end_stream() {
        return Ok(first);
    }
    let rest = body.collect().await?.to_bytes();
    Ok([first, rest].concat().into())
}

/// Reads a body as JSON; an empty one is an empty object.
///
/// # Errors
/// See [`BadBody`].
pub async fn json(body: Incoming, limit: usize) -> Result<Value, BadBody> {
    let bytes = read(body, limit).await?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    serde_json::from_slice(&bytes).map_err(|_| BadBody::NotJson)
}
