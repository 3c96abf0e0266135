//! The forms of answers. None of them carries a CORS header.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY, RETRY_AFTER,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc;

use super::auth::Refused;

/// The body of an answer.
#[derive(Debug)]
pub enum Payload {
    /// All of it at once.
    Whole(Full<Bytes>),
    /// Pieces, as they come.
    Pieces(Pieces),
}

/// Pieces of an answer, told for as long as their caller may hear them. Whoever sends them sees when nobody takes them any more: the channel
/// is closed then.
pub struct Pieces {
    from: mpsc::Receiver<Bytes>,
    /// Whether the caller may still hear something.
    still: Box<dyn Fn() -> bool + Send + Sync>,
}

impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pieces").field("from", &self.from).finish_non_exhaustive()
    }
}

impl Pieces {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.from.poll_recv(cx).map(|next| {
            let next = next.filter(|_| (self.still)());
            if next.is_none() {
                self.from.close();
            }
            next
        })
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(whole) => Pin::new(whole).poll_frame(cx),
            Self::Pieces(pieces) => pieces.poll(cx).map(|next| next.map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_end_stream(),
            Self::Pieces(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => whole.size_hint(),
            Self::Pieces(_) => SizeHint::default(),
        }
    }
}

fn build(status: u16, kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A word as text.
#[must_use]
pub fn plain(status: u16, text: &str) -> Response<Full<Bytes>> {
    build(status, "text/plain; charset=utf-8", Bytes::copy_from_slice(text.as_bytes()))
}

/// Text of another kind.
#[must_use]
pub fn typed(status: u16, kind: &'static str, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    build(status, kind, text.into())
}

/// JSON.
#[must_use]
pub fn json<T: Serialize>(status: u16, value: &T) -> Response<Full<Bytes>> {
    let body = serde_json::to_vec(value).unwrap_or_default();
    build(status, "application/json; charset=utf-8", body.into())
}

/// No body.
#[must_use]
pub fn empty(status: u16) -> Response<Full<Bytes>> {
    build(status, "text/plain; charset=utf-8", Bytes::new())
}

/// `{error: {message, type}}`.
#[must_use]
pub fn error(status: u16, kind: &str, message: &str) -> Response<Full<Bytes>> {
    json(status, &json!({ "error": { "message": message, "type": kind } }))
}

/// Events of a stream, as they come. Before each of them `still` says whether the caller may hear it; the stream ends where it may not.
#[must_use]
pub fn events(
    from: mpsc::Receiver<Bytes>,
    still: impl Fn() -> bool + Send + Sync + 'static,
) -> Response<Payload> {
    let pieces = Pieces { from, still: Box::new(still) };
    build(200, "text/event-stream; charset=utf-8", Bytes::new()).map(|_| Payload::Pieces(pieces))
}

/// The method is not one of these.
#[must_use]
pub fn not_allowed(methods: &'static str) -> Response<Full<Bytes>> {
    with(plain(405, "Method Not Allowed"), ALLOW, methods)
}

/// The caller showed no credential, or a wrong one, or too many wrong ones.
#[must_use]
pub fn unauthorized(refused: &Refused) -> Response<Full<Bytes>> {
    match refused {
        Refused::Locked { seconds } => {
            let why = "too many wrong credentials from this address; try again later";
            with(error(429, "rate_limited", why), RETRY_AFTER, &seconds.to_string())
        }
        Refused::Wrong(_) => {
            with(error(401, "unauthorized", "a valid bearer token is needed"), WWW_AUTHENTICATE, "Bearer")
        }
    }
}

/// Somewhere else on this gateway; never with a query.
#[must_use]
pub fn redirect(path: &str) -> Response<Full<Bytes>> {
    with(empty(302), LOCATION, path)
}

/// With one more header; a value that is none is left out.
#[must_use]
pub fn with(mut response: Response<Full<Bytes>>, name: HeaderName, value: &str) -> Response<Full<Bytes>> {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[tokio::test]
    async fn sp_350_pieces_that_wait_are_not_told_to_a_caller_who_may_hear_no_more() {
        let (sender, from) = mpsc::channel(8);
        let counts = Arc::new(AtomicBool::new(true));
        let its = Arc::clone(&counts);
        let mut body = events(from, move || its.load(Ordering::SeqCst)).into_body();
        for piece in ["one", "two", "three"] {
            sender.send(Bytes::from_static(piece.as_bytes())).await.unwrap();
        }
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "one");
        counts.store(false, Ordering::SeqCst);
        assert!(body.frame().await.is_none());
        assert!(sender.is_closed(), "the turn sees that nobody listens");
        counts.store(true, Ordering::SeqCst);
        drop(sender);
    }
}
