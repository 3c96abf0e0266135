//! The browser's one way to the network: a proxy on loopback that asks for a secret, resolves every name itself, and connects to the very
//! addresses that it judged (SP-010).
//!
//! Why a proxy and not interception in the browser: it sees every request whatever made it (redirects, frames, images, workers, sockets,
//! the browser's own), the name is resolved once and at the place that connects, and what the browser forgets to ask about is not reached at
//! all, because it has no other way. The secret is made anew for each launch and handed over the browser's pipe (SP-246).

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1 as client;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use oc_text::address::Host;
use oc_types::Secret;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;

use crate::reach::Reach;

/// The user name that goes with the secret.
pub(crate) const USER: &str = "openclaw";
/// A host that the guard answers itself, to whoever knows the secret.
pub(crate) const GREETING: &str = "openclaw.invalid";
/// Connections at the same time.
const CONNECTIONS: usize = 256;
/// How long a name or a connection may take.
const DIAL: Duration = Duration::from_secs(15);
/// How long the head of a request may take.
const HEAD: Duration = Duration::from_secs(30);
/// Refused hosts that are remembered.
const REMEMBERED: usize = 64;

type Body = BoxBody<Bytes, hyper::Error>;

/// A running guard; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Guard {
    shared: Arc<Shared>,
    secret: Secret,
    accepting: JoinHandle<()>,
    ends: watch::Sender<()>,
}

#[derive(Debug)]
struct Shared {
    port: u16,
    /// SHA-256 of the whole header that opens.
    opens: [u8; 32],
    reach: RwLock<Reach>,
    refused: Mutex<Refused>,
    passed: watch::Sender<bool>,
    /// Places for connections.
    free: Arc<Semaphore>,
    /// Changes when what is connected has to end: with the guard, and when other rules count.
    ends: watch::Receiver<()>,
}

/// The end of a connection, as it stood before the connection was judged: a change of the rules in between is not missed.
type Ends = watch::Receiver<()>;
/// A place among the connections, held by all that belongs to one.
type Permit = Arc<OwnedSemaphorePermit>;

#[derive(Debug, Default)]
struct Refused {
    count: u64,
    last: VecDeque<(u64, String)>,
}

/// Why a connection was not made.
enum NoWay {
    /// It may not be.
    Refused,
    /// It could not be.
    Unreachable,
}

impl Guard {
    /// Opens it on a free port of loopback.
    pub async fn open(reach: Reach) -> Result<Self, String> {
        let secret = oc_fs::random::token_hex(32).map_err(|e| e.to_string())?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(|e| format!("no port for the guard: {e}"))?;
        let port = listener.local_addr().map_err(|e| e.to_string())?.port();
        let (ends, ended) = watch::channel(());
        let shared = Arc::new(Shared {
            port,
            opens: digest(credentials(&secret).as_bytes()),
            reach: RwLock::new(reach),
            refused: Mutex::default(),
            passed: watch::channel(false).0,
            free: Arc::new(Semaphore::new(CONNECTIONS)),
            ends: ended,
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { shared, secret, accepting, ends })
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.shared.port
    }

    /// What opens it.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The rules from now on. When they are others than before, what is connected ends: it was judged by the old ones.
    pub fn set_reach(&self, reach: Reach) {
        {
            let mut now = self.shared.reach.write().unwrap_or_else(PoisonError::into_inner);
            if *now == reach {
                return;
            }
            *now = reach;
        }
        self.ends.send_replace(());
    }

    /// Becomes `true` when somebody gave the secret.
    pub fn passed(&self) -> watch::Receiver<bool> {
        self.shared.passed.subscribe()
    }

    /// A mark for [`Guard::refused_since`].
    pub fn mark(&self) -> u64 {
        self.refused().count
    }

    /// The hosts that were refused since a mark, printable, each once.
    pub fn refused_since(&self, mark: u64) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for (_, host) in self.refused().last.iter().filter(|(n, _)| *n >= mark) {
            if !out.contains(host) {
                out.push(host.clone());
            }
        }
        out
    }

    fn refused(&self) -> std::sync::MutexGuard<'_, Refused> {
        self.shared.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The header that opens.
fn credentials(secret: &Secret) -> String {
    let pair = Secret::new(format!("{USER}:{}", secret.expose()));
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair.expose()))
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref()) {
        *to = *from;
    }
    out
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok(permit) = Arc::clone(&shared.free).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of handles, most likely: they come back when connections end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (shared, mut ends, permit) = (Arc::clone(&shared), shared.ends(), Arc::new(permit));
        tokio::spawn(async move {
            let answering = service_fn(|request| answer(Arc::clone(&shared), Arc::clone(&permit), request));
            let connection = server::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .max_buf_size(256 * 1024)
                .serve_connection(TokioIo::new(stream), answering)
                .with_upgrades();
            tokio::select! {
                _ = connection => {}
                _ = ends.changed() => {}
            }
        });
    }
}

/// One request. `Err` closes the connection without an answer: a page learns nothing about a refused host.
async fn answer(
    shared: Arc<Shared>,
    permit: Permit,
    request: Request<Incoming>,
) -> Result<Response<Body>, Closed> {
    if !shared.opened_by(request.headers()) {
        return Ok(asks());
    }
    shared.passed.send_replace(true);
    let connects = request.method() == Method::CONNECT;
    let Some((host, port)) = destination(request.uri(), connects) else {
        return Ok(plain(StatusCode::BAD_REQUEST));
    };
    if host == GREETING {
        return Ok(plain(if connects { StatusCode::FORBIDDEN } else { StatusCode::OK }));
    }
    let ends = shared.ends();
    let stream = match shared.dial(&host, port).await {
        Ok(stream) => stream,
        Err(NoWay::Refused) if connects => return Ok(plain(StatusCode::FORBIDDEN)),
        Err(NoWay::Refused) => return Err(Closed),
        Err(NoWay::Unreachable) => return Ok(plain(StatusCode::BAD_GATEWAY)),
    };
    if connects { Ok(tunnel(ends, permit, request, stream)) } else { forward(ends, request, stream).await }
}

/// The connection is closed instead of answered.
#[derive(Debug, thiserror::Error)]
#[error("refused")]
struct Closed;

impl Shared {
    /// The end of what is connected from now on.
    fn ends(&self) -> Ends {
        let mut ends = self.ends.clone();
        ends.mark_unchanged();
        ends
    }

    fn opened_by(&self, headers: &HeaderMap) -> bool {
        let mut given = headers.get_all(header::PROXY_AUTHORIZATION).iter();
        let (Some(one), None) = (given.next(), given.next()) else { return false };
        // Digests are compared: their bytes tell nothing about the secret's (SP-012).
        digest(one.as_bytes()) == self.opens
    }

    /// A connection to an address that was judged just now, and to no other one.
    async fn dial(&self, host: &str, port: u16) -> Result<TcpStream, NoWay> {
        let reach = self.reach.read().unwrap_or_else(PoisonError::into_inner).clone();
        if !reach.permits_host(host) {
            return Err(self.refuse(host));
        }
        let dialling = async {
            let found: Vec<SocketAddr> = match Host::parse(host) {
                Some(Host::Address(address)) => vec![SocketAddr::new(address, port)],
                Some(Host::Name(name)) => {
                    let found = tokio::net::lookup_host((name.as_str(), port)).await;
                    found.map_err(|_| NoWay::Unreachable)?.collect()
                }
                None => Vec::new(),
            };
            let own = |a: &SocketAddr| is_own(a.ip()) && a.port() == self.port;
            if found.is_empty() || !found.iter().all(|a| reach.permits_address(host, a.ip()) && !own(a)) {
                return Err(self.refuse(host));
            }
            for address in found {
                if let Ok(stream) = TcpStream::connect(address).await {
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
            }
            Err(NoWay::Unreachable)
        };
        tokio::time::timeout(DIAL, dialling).await.unwrap_or(Err(NoWay::Unreachable))
    }

    fn refuse(&self, host: &str) -> NoWay {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let n = refused.count;
        refused.count = n.saturating_add(1);
        while refused.last.len() >= REMEMBERED {
            refused.last.pop_front();
        }
        refused.last.push_back((n, oc_text::visible(host, 200)));
        NoWay::Refused
    }
}

fn is_own(address: IpAddr) -> bool {
    address.is_loopback()
}

/// Host and port of a request.
fn destination(uri: &Uri, connects: bool) -> Option<(String, u16)> {
    let host = uri.host().filter(|h| !h.is_empty())?.to_ascii_lowercase();
    let authority = uri.authority()?;
    if authority.as_str().contains('@') {
        return None;
    }
    if connects {
        return Some((host, uri.port_u16()?));
    }
    (uri.scheme_str() == Some("http")).then(|| (host, uri.port_u16().unwrap_or(80)))
}

/// Headers that mean one connection only.
const HOP: [&str; 8] = [
    "proxy-authorization",
    "proxy-authenticate",
    "proxy-connection",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
];

fn without_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in HOP {
        headers.remove(name);
    }
}

/// A request over plain HTTP: one connection for it, so that no two hosts share one.
async fn forward(
    mut ends: Ends,
    mut request: Request<Incoming>,
    stream: TcpStream,
) -> Result<Response<Body>, Closed> {
    let Ok((mut sender, connection)) = client::handshake(TokioIo::new(stream)).await else {
        return Ok(plain(StatusCode::BAD_GATEWAY));
    };
    tokio::spawn(async move {
        tokio::select! {
            _ = connection => {}
            _ = ends.changed() => {}
        }
    });
    let authority = request.uri().authority().and_then(|a| HeaderValue::from_str(a.as_str()).ok());
    let path = request.uri().path_and_query().map_or("/", |p| p.as_str()).parse::<Uri>();
    let (Some(authority), Ok(path)) = (authority, path) else { return Ok(plain(StatusCode::BAD_REQUEST)) };
    without_hop(request.headers_mut());
    request.headers_mut().insert(header::HOST, authority);
    *request.uri_mut() = path;
    match sender.send_request(request).await {
        Ok(mut response) => {
            without_hop(response.headers_mut());
            Ok(response.map(|body| body.boxed()))
        }
        Err(_) => Ok(plain(StatusCode::BAD_GATEWAY)),
    }
}

/// A tunnel: bytes in both directions until one side ends.
fn tunnel(
    mut ends: Ends,
    permit: Permit,
    request: Request<Incoming>,
    mut stream: TcpStream,
) -> Response<Body> {
    tokio::spawn(async move {
        // The connection that asked for it is over as such; its place is not free before the tunnel is.
        let _permit = permit;
        let Ok(upgraded) = hyper::upgrade::on(request).await else { return };
        let mut browser = TokioIo::new(upgraded);
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut browser, &mut stream) => {}
            _ = ends.changed() => {}
        }
    });
    Response::new(Empty::new().map_err(|never| match never {}).boxed())
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::new()).map_err(|never| match never {}).boxed());
    *response.status_mut() = status;
    response
}

fn asks() -> Response<Body> {
    let mut response = plain(StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    let realm = HeaderValue::from_static("Basic realm=\"openclaw\"");
    response.headers_mut().insert(header::PROXY_AUTHENTICATE, realm);
    response
}
