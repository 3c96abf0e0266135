//! The step from HTTP to the protocol. Accepted on any path; every other kind of upgrade is refused (gateway 1, 8).

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use hyper::{Method, Response, StatusCode, Version};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::answer;

/// What a request asks for.
#[derive(Debug)]
pub enum Asked {
    /// No upgrade.
    No,
    /// One that is not served.
    Refused(Box<Response<Full<Bytes>>>),
    /// The protocol.
    WebSocket {
        /// The answer to its key.
        accept: String,
    },
}

/// Reads the headers of an upgrade.
#[must_use]
pub fn asked(headers: &HeaderMap, method: &Method, version: Version) -> Asked {
    let Some(wanted) = headers.get(UPGRADE) else { return Asked::No };
    let refused = |status, text| Asked::Refused(Box::new(answer::plain(status, text)));
    let is_websocket = wanted.to_str().is_ok_and(|w| w.eq_ignore_ascii_case("websocket"));
    if !is_websocket || headers.get_all(UPGRADE).iter().count() != 1 {
        return refused(400, "Bad Request: only WebSocket upgrades are served");
    }
    let named = headers.get_all(CONNECTION).iter().filter_map(|v| v.to_str().ok());
    let connection = named.flat_map(|v| v.split(',')).any(|t| t.trim().eq_ignore_ascii_case("upgrade"));
    if *method != Method::GET || version != Version::HTTP_11 || !connection {
        return refused(400, "Bad Request");
    }
    if headers.get(SEC_WEBSOCKET_VERSION).map(HeaderValue::as_bytes) != Some(b"13".as_slice()) {
        let response = answer::plain(426, "Upgrade Required");
        return Asked::Refused(Box::new(answer::with(response, SEC_WEBSOCKET_VERSION, "13")));
    }
    match headers.get(SEC_WEBSOCKET_KEY) {
        Some(key) if key.len() == 24 => Asked::WebSocket { accept: derive_accept_key(key.as_bytes()) },
        Some(_) | None => refused(400, "Bad Request"),
    }
}

/// The answer that switches. No extension is agreed to.
#[must_use]
pub fn switching(accept: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
    answer::with(response, SEC_WEBSOCKET_ACCEPT, accept)
}
