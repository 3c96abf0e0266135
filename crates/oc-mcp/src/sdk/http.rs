//! Clients over streamable HTTP: one address, one path, one token.
//!
//! In this order: the `Host`, the `Origin`, the bearer token, the path. A browser page has an `Origin`, and none is let in unless it is named:
//! neither a page that guesses the port nor one whose name was bound to a loopback address gets anywhere.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, ORIGIN, WWW_AUTHENTICATE};
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use oc_types::Secret;
use ring::{hmac, rand::SystemRandom};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::offered::Offered;
use crate::limits;
use crate::offer::Offers;

/// The one path.
pub const PATH: &str = "/mcp";
/// Shortest token that is taken, in characters.
pub const SHORTEST_TOKEN: usize = 24;
/// Name of the header that holds a session's id.
const SESSION: &str = "mcp-session-id";

/// Why nobody is let in.
#[derive(Debug, Error)]
pub enum NotOpened {
    /// The token is too short to be one.
    #[error("the token has fewer than {SHORTEST_TOKEN} characters; make one with `openssl rand -hex 32`")]
    ShortToken,
    /// The system gave no randomness.
    #[error("the operating system's random source failed")]
    NoRandomness,
}

/// Who is let in.
pub struct Entrance {
    key: hmac::Key,
    token: hmac::Tag,
    hosts: Vec<String>,
    origins: Vec<String>,
}

/// Nothing of the token.
impl fmt::Debug for Entrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entrance")
            .field("hosts", &self.hosts)
            .field("origins", &self.origins)
            .finish_non_exhaustive()
    }
}

impl Entrance {
    /// For whoever has the token. `hosts`: names that the address is called by besides loopback ones; `origins`: pages that may call.
    ///
    /// # Errors
    /// See [`NotOpened`].
    pub fn new(token: &Secret, hosts: Vec<String>, origins: Vec<String>) -> Result<Self, NotOpened> {
        if token.expose().chars().count() < SHORTEST_TOKEN {
            return Err(NotOpened::ShortToken);
        }
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| NotOpened::NoRandomness)?;
        let token = hmac::sign(&key, token.expose().as_bytes());
        let lower = |list: Vec<String>| list.into_iter().map(|s| s.trim().to_lowercase()).collect();
        Ok(Self { key, token, hosts: lower(hosts), origins: lower(origins) })
    }

    /// Judges the head of a request; the status that refuses it.
    fn judge(&self, headers: &HeaderMap, own: SocketAddr) -> Result<(), StatusCode> {
        let one = |name| {
            let mut all = headers.get_all(name).iter();
            match (all.next(), all.next()) {
                (Some(value), None) => value.to_str().map(|v| Some(v.trim())).map_err(|_| ()),
                (None, _) => Ok(None),
                (Some(_), Some(_)) => Err(()),
            }
        };
        let host = one(HOST).map_err(|()| StatusCode::BAD_REQUEST)?.ok_or(StatusCode::BAD_REQUEST)?;
        if !self.is_host(host, own) {
            return Err(StatusCode::FORBIDDEN);
        }
        if let Some(origin) = one(ORIGIN).map_err(|()| StatusCode::FORBIDDEN)?
            && !self.origins.contains(&origin.to_lowercase())
        {
            return Err(StatusCode::FORBIDDEN);
        }
        let shown = one(AUTHORIZATION).map_err(|()| StatusCode::UNAUTHORIZED)?.unwrap_or_default();
        let (scheme, token) = shown.split_once(' ').unwrap_or_default();
        // In constant time, over digests under a key of this process.
        let same = hmac::verify(&self.key, token.trim().as_bytes(), self.token.as_ref()).is_ok();
        if scheme.eq_ignore_ascii_case("bearer") && same { Ok(()) } else { Err(StatusCode::UNAUTHORIZED) }
    }

    fn is_host(&self, host: &str, own: SocketAddr) -> bool {
        let host = host.to_lowercase();
        if self.hosts.contains(&host) || host == own.to_string() {
            return true;
        }
        let port = own.port();
        let loopback = ["localhost", "127.0.0.1", "[::1]"];
        own.ip().is_loopback() && loopback.iter().any(|name| host == format!("{name}:{port}"))
    }
}

/// Serves clients until `stop` ends. Calls that still run then are ended first.
pub async fn serve<O: Offers>(
    offers: Arc<O>,
    listener: TcpListener,
    own: SocketAddr,
    entrance: Entrance,
    stop: impl Future<Output = ()>,
) {
    let (handler, closer) = Offered::new(offers);
    let sessions = Arc::new(LocalSessionManager::default());
    let mut config = StreamableHttpServerConfig::default();
    // Both are judged at the entrance, before anything of a request is read.
    config = config.disable_allowed_hosts().disable_allowed_origins();
    config = config.with_max_request_body_bytes(limits::MESSAGE_BYTES);
    let ending = config.cancellation_token.clone();
    let service = StreamableHttpService::new(move || Ok(handler.clone()), Arc::clone(&sessions), config);
    let door = Arc::new(Door { service, sessions, entrance, own });
    let slots = Arc::new(Semaphore::new(limits::CONNECTIONS));
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        // A connection over the limit, or one that broke off at once, is let go.
        let (Ok((stream, _)), Ok(slot)) = (accepted, Arc::clone(&slots).try_acquire_owned()) else {
            continue;
        };
        let door = Arc::clone(&door);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let door = Arc::clone(&door);
                async move { Ok::<_, Infallible>(door.respond(request).await) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(limits::HEAD)
                .max_headers(64)
                .serve_connection(TokioIo::new(stream), service);
            let _ = connection.await;
            drop(slot);
        });
    }
    ending.cancel();
    drop(door);
    closer.close().await;
}

type Answer = Response<BoxBody<Bytes, Infallible>>;

struct Door<O: Offers> {
    service: StreamableHttpService<Offered<O>, LocalSessionManager>,
    sessions: Arc<LocalSessionManager>,
    entrance: Entrance,
    own: SocketAddr,
}

impl<O: Offers> Door<O> {
    async fn respond(&self, request: Request<Incoming>) -> Answer {
        if let Err(status) = self.entrance.judge(request.headers(), self.own) {
            return refusal(status);
        }
        if request.uri().path() != PATH {
            return refusal(StatusCode::NOT_FOUND);
        }
        let begins = request.method() == Method::POST && !request.headers().contains_key(SESSION);
        if begins && self.sessions.sessions.read().await.len() >= limits::SESSIONS {
            return refusal(StatusCode::SERVICE_UNAVAILABLE);
        }
        self.service.handle(request).await
    }
}

fn refusal(status: StatusCode) -> Answer {
    let text = match status {
        StatusCode::UNAUTHORIZED => "a bearer token is needed\n",
        StatusCode::FORBIDDEN => "this host or origin is not let in\n",
        StatusCode::NOT_FOUND => "the address is /mcp\n",
        StatusCode::SERVICE_UNAVAILABLE => "too many sessions\n",
        _ => "bad request\n",
    };
    let mut answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())).boxed());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    if status == StatusCode::UNAUTHORIZED {
        answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "canary-token-of-the-mcp-entrance";

    fn entrance() -> Entrance {
        let origins = vec!["https://app.example".to_owned()];
        Entrance::new(&Secret::new(TOKEN.to_owned()), vec!["mcp.example".to_owned()], origins).unwrap()
    }

    fn judged(pairs: &[(&'static str, &str)]) -> Result<(), u16> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        entrance().judge(&headers, "127.0.0.1:7000".parse().unwrap()).map_err(|s| s.as_u16())
    }

    #[test]
    fn host_origin_and_token_must_all_be_right() {
        let bearer = format!("Bearer {TOKEN}");
        let good = ("authorization", bearer.as_str());
        assert_eq!(judged(&[("host", "127.0.0.1:7000"), good]), Ok(()));
        assert_eq!(judged(&[("host", "localhost:7000"), good]), Ok(()));
        assert_eq!(judged(&[("host", "mcp.example"), good]), Ok(()));
        assert_eq!(judged(&[("host", "localhost:7000"), ("origin", "https://app.example"), good]), Ok(()));
        for (pairs, status) in [
            (vec![good], 400),
            (vec![("host", "localhost:7000"), ("host", "localhost:7000"), good], 400),
            (vec![("host", "evil.example:7000"), good], 403),
            (vec![("host", "localhost:7001"), good], 403),
            (vec![("host", "localhost:7000"), ("origin", "https://evil.example"), good], 403),
            (vec![("host", "localhost:7000"), ("origin", "null"), good], 403),
            (vec![("host", "localhost:7000"), ("origin", "http://localhost:7000"), good], 403),
            (vec![("host", "localhost:7000")], 401),
            (vec![("host", "localhost:7000"), ("authorization", "Bearer")], 401),
            (vec![("host", "localhost:7000"), ("authorization", "Bearer x")], 401),
            (vec![("host", "localhost:7000"), ("authorization", "Basic Y2FuYXJ5")], 401),
            (vec![("host", "localhost:7000"), good, good], 401),
        ] {
            assert_eq!(judged(&pairs), Err(status), "{pairs:?}");
        }
    }

    #[test]
    fn a_short_token_opens_nothing_and_none_is_shown() {
        assert!(matches!(
            Entrance::new(&Secret::new("short".to_owned()), vec![], vec![]),
            Err(NotOpened::ShortToken)
        ));
        assert!(!format!("{:?}", entrance()).contains(TOKEN));
    }
}
