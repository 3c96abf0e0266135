//! Requests to a chat service: one place for TLS, timeouts, size limits and for what may be said about a failure.
//!
//! Redirects are never followed, no proxy is taken from the environment, nothing is retried here, and every body is read up to a limit
//! while it streams (SP-422). Errors hold no address (it may carry a token) and no credential that the client was told about (SP-011).

use std::error::Error as _;
use std::time::Duration;

use oc_text::visible::visible;
use oc_types::{KeyPath, Secret};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method, Proxy, RequestBuilder, Response, Url, redirect};

use crate::adapter::AdapterFailure;
use crate::tls;

mod api_root;
mod multipart;

pub use api_root::{ApiRoot, PlainHttp};
pub use multipart::Form;

/// Largest answer of an API call, in bytes.
pub const ANSWER_LIMIT: u64 = 8 * 1024 * 1024;
/// How long an API call may take.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest text of a service in an error, in characters.
const WHY_CAP: usize = 200;

/// The client of one account.
#[derive(Clone)]
pub struct HttpClient {
    inner: Client,
    service: &'static str,
    root: ApiRoot,
    hidden: Vec<Secret>,
}

/// What goes with a request.
#[derive(Clone)]
pub enum Body {
    /// Nothing.
    None,
    /// JSON.
    Json(serde_json::Value),
    /// Bytes of a type.
    Bytes {
        /// The type.
        content_type: String,
        /// The bytes.
        bytes: Vec<u8>,
    },
}

/// One request.
pub struct Call {
    method: Method,
    url: String,
    headers: Vec<(&'static str, Secret)>,
    body: Body,
    timeout: Duration,
    limit: u64,
}

/// What a service answered.
#[derive(Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// What `Retry-After` says, in its form of seconds.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HttpClient({}, {:?})", self.service, self.root)
    }
}

impl std::fmt::Debug for Body {
    /// No content: it may hold what only the service shall see.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("Body(none)"),
            Self::Json(_) => f.write_str("Body(JSON)"),
            Self::Bytes { bytes, .. } => write!(f, "Body({} bytes)", bytes.len()),
        }
    }
}

impl std::fmt::Debug for Call {
    /// No address: it may hold a token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Call({}, {:?})", self.method, self.body)
    }
}

impl std::fmt::Debug for Answer {
    /// No body: it is the service's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}

impl Answer {
    /// Whether the status is 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON; `null` when it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or(serde_json::Value::Null)
    }
}

impl Call {
    /// The same with a body.
    #[must_use]
    pub fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// The same with a JSON body.
    #[must_use]
    pub fn json(self, value: serde_json::Value) -> Self {
        self.body(Body::Json(value))
    }

    /// The same with a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: Secret) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same with `Authorization: Bearer ...`.
    #[must_use]
    pub fn bearer(self, token: &Secret) -> Self {
        self.header(AUTHORIZATION_NAME, Secret::new(format!("Bearer {}", token.expose())))
    }

    /// The same with another time limit for the whole exchange.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The same with another limit for the answer's body, in bytes.
    #[must_use]
    pub fn limit(mut self, limit: u64) -> Self {
        self.limit = limit;
        self
    }
}

const AUTHORIZATION_NAME: &str = "authorization";

impl HttpClient {
    /// A client for the service below `root`. `hidden` are the account's credentials: they never appear in an error. `proxy` is the value
    /// of a key that names one, with its path.
    ///
    /// # Errors
    /// [`AdapterFailure::Settings`] for a proxy that is no `http(s)` address; [`AdapterFailure::Unavailable`] when TLS cannot be set up.
    pub fn new(
        service: &'static str,
        root: ApiRoot,
        hidden: Vec<Secret>,
        proxy: Option<(&KeyPath, &str)>,
    ) -> Result<Self, AdapterFailure> {
        let unavailable = |why: String| AdapterFailure::Unavailable { service, why };
        let config = tls::client_config().map_err(|e| unavailable(e.to_string()))?;
        let mut builder = Client::builder()
            .tls_backend_preconfigured((*config).clone())
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!("openclaw-rs/", env!("CARGO_PKG_VERSION")))
            .no_proxy();
        if let Some((key, text)) = proxy {
            let settings = |why: &str| AdapterFailure::Settings { key: key.to_string(), why: why.to_owned() };
            let url = Url::parse(text.trim()).map_err(|_| settings("it is no address of a proxy"))?;
            if !matches!(url.scheme(), "http" | "https") {
                return Err(settings("only http and https proxies are built in"));
            }
            builder = builder.proxy(Proxy::all(url).map_err(|_| settings("it is no address of a proxy"))?);
        }
        let inner = builder.build().map_err(|e| unavailable(reason(&e.without_url())))?;
        Ok(Self { inner, service, root, hidden })
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> &ApiRoot {
        &self.root
    }

    /// A `GET` below the root; `path` starts with `/`, its parts are encoded ([`encoded`]).
    #[must_use]
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, self.root.below(path))
    }

    /// A `POST` below the root.
    #[must_use]
    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, self.root.below(path))
    }

    /// A `PUT` below the root.
    #[must_use]
    pub fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, self.root.below(path))
    }

    /// A `GET` of an address that the service named: of the root's own origin, or `https` at one of `hosts` or a host below one.
    ///
    /// # Errors
    /// [`AdapterFailure::Refused`]: the address leads elsewhere.
    pub fn get_elsewhere(&self, address: &str, hosts: &[&str]) -> Result<Call, AdapterFailure> {
        self.elsewhere(Method::GET, address, hosts)
    }

    /// A `POST` of such an address.
    ///
    /// # Errors
    /// [`AdapterFailure::Refused`]: the address leads elsewhere.
    pub fn post_elsewhere(&self, address: &str, hosts: &[&str]) -> Result<Call, AdapterFailure> {
        self.elsewhere(Method::POST, address, hosts)
    }

    fn elsewhere(&self, method: Method, address: &str, hosts: &[&str]) -> Result<Call, AdapterFailure> {
        let refused = AdapterFailure::Refused {
            service: self.service,
            why: "it names a host that does not belong to the service".to_owned(),
        };
        let Ok(url) = Url::parse(address) else { return Err(refused) };
        let listed = url.scheme() == "https" && belongs(&url, hosts);
        if names_user(&url) || !(self.root.same_origin(&url) || listed) {
            return Err(refused);
        }
        Ok(self.call(method, url.into()))
    }

    fn call(&self, method: Method, url: String) -> Call {
        Call {
            method,
            url,
            headers: Vec::new(),
            body: Body::None,
            timeout: CALL_TIMEOUT,
            limit: ANSWER_LIMIT,
        }
    }

    /// Does it. Every status is an answer.
    ///
    /// # Errors
    /// [`AdapterFailure::Unavailable`]: no answer; [`AdapterFailure::Refused`]: its body is longer than the limit.
    pub async fn send(&self, call: Call) -> Result<Answer, AdapterFailure> {
        let (timeout, limit) = (call.timeout, call.limit);
        let exchange = async {
            let mut response = self.start(call).await?;
            let (status, retry_after) = (response.status().as_u16(), retry_after(&response));
            let body = self.read(&mut response, limit).await?;
            Ok(Answer { status, retry_after, body })
        };
        match tokio::time::timeout(timeout, exchange).await {
            Ok(done) => done,
            Err(_) => Err(self.unavailable(&format!("no answer within {} s", timeout.as_secs()))),
        }
    }

    /// Begins it and leaves the body unread: for streams that stay open. The call's timeout covers the head alone.
    ///
    /// # Errors
    /// [`AdapterFailure::Unavailable`].
    pub async fn open(&self, call: Call) -> Result<Stream, AdapterFailure> {
        let timeout = call.timeout;
        match tokio::time::timeout(timeout, self.start(call)).await {
            Ok(response) => Ok(Stream { response: response?, client: self.clone() }),
            Err(_) => Err(self.unavailable(&format!("no answer within {} s", timeout.as_secs()))),
        }
    }

    async fn start(&self, call: Call) -> Result<Response, AdapterFailure> {
        let mut request = self.inner.request(call.method, call.url);
        for (name, value) in call.headers {
            request = self.with_header(request, name, &value)?;
        }
        request = match call.body {
            Body::None => request,
            Body::Json(value) => request.json(&value),
            Body::Bytes { content_type, bytes } => request.header(CONTENT_TYPE, content_type).body(bytes),
        };
        request.send().await.map_err(|e| self.unavailable(&reason(&e.without_url())))
    }

    fn with_header(
        &self,
        request: RequestBuilder,
        name: &'static str,
        value: &Secret,
    ) -> Result<RequestBuilder, AdapterFailure> {
        let mut value = HeaderValue::from_str(value.expose())
            .map_err(|_| self.unavailable(&format!("the value for the header {name} is not usable")))?;
        value.set_sensitive(true);
        let name = if name == AUTHORIZATION_NAME { AUTHORIZATION } else { HeaderName::from_static(name) };
        Ok(request.header(name, value))
    }

    async fn read(&self, response: &mut Response, limit: u64) -> Result<Vec<u8>, AdapterFailure> {
        let too_large = || AdapterFailure::Refused {
            service: self.service,
            why: format!("it is larger than {limit} bytes"),
        };
        if response.content_length().is_some_and(|n| n > limit) {
            return Err(too_large());
        }
        let mut out: Vec<u8> = Vec::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|e| self.unavailable(&reason(&e.without_url())))?
        {
            let after = out.len().saturating_add(chunk.len());
            if u64::try_from(after).unwrap_or(u64::MAX) > limit {
                return Err(too_large());
            }
            out.extend_from_slice(&chunk);
        }
        Ok(out)
    }

    /// A failure of the connection, with every credential hidden.
    #[must_use]
    pub fn unavailable(&self, why: &str) -> AdapterFailure {
        AdapterFailure::Unavailable { service: self.service, why: self.scrub(why) }
    }

    /// What a service said, fit for an error: credentials hidden, one printable line, cut.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        scrub(text, &self.hidden)
    }
}

/// An answer whose body is read piece by piece.
pub struct Stream {
    response: Response,
    client: HttpClient,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stream({})", self.status())
    }
}

impl Stream {
    /// HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// [`AdapterFailure::Unavailable`]: it broke off, or nothing came for `idle`.
    pub async fn piece(&mut self, idle: Duration) -> Result<Option<Vec<u8>>, AdapterFailure> {
        match tokio::time::timeout(idle, self.response.chunk()).await {
            Ok(Ok(piece)) => Ok(piece.map(|p| p.to_vec())),
            Ok(Err(e)) => Err(self.client.unavailable(&reason(&e.without_url()))),
            Err(_) => Err(self.client.unavailable(&format!("nothing came for {} s", idle.as_secs()))),
        }
    }
}

/// Whether an address lies at one of these hosts or below one, at the usual port and without a user name. A blank entry names no host.
#[must_use]
pub fn belongs<H: AsRef<str>>(url: &Url, hosts: &[H]) -> bool {
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    let at = |h: &H| {
        let h = h.as_ref();
        !h.is_empty() && host.strip_suffix(h).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    !names_user(url) && url.port().is_none() && hosts.iter().any(at)
}

/// Whether an address holds a user name or a password.
#[must_use]
pub fn names_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// A text of a service or system, fit for an error: credentials hidden, one printable line, at most 200 characters.
#[must_use]
pub fn scrub(text: &str, hidden: &[Secret]) -> String {
    let mut text = text.to_owned();
    for secret in hidden.iter().filter(|s| s.expose().len() >= 4) {
        text = text.replace(secret.expose(), "***");
        text = text.replace(&encoded(secret.expose()), "***");
    }
    visible(&text, WHY_CAP)
}

/// A part of a path or a value of a query: everything but letters, digits and `-._~` as `%XX`.
#[must_use]
pub fn encoded(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    for b in part.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

/// `Retry-After` in seconds; a date is not read.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let seconds: f64 = text.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// What went wrong, from the innermost cause, without any address.
fn reason(e: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = e;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let what = if e.is_timeout() {
        "no answer in time"
    } else if e.is_connect() {
        "no connection"
    } else if e.is_body() || e.is_decode() {
        "the connection broke off"
    } else {
        "the request failed"
    };
    if e.source().is_some() { format!("{what}: {cause}") } else { what.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(root: &str) -> HttpClient {
        let root = ApiRoot::parse(&KeyPath::dotted("k"), root, PlainHttp::Loopback).unwrap();
        HttpClient::new("Test", root, vec![Secret::new("123:abc/d".to_owned())], None).unwrap()
    }

    #[test]
    fn sp_011_an_error_of_a_service_shows_no_credential() {
        let c = client("http://127.0.0.1:9");
        assert_eq!(c.scrub("bad 123:abc/d and 123%3Aabc%2Fd\r\nx"), "bad *** and ***\\r\\nx");
        assert_eq!(format!("{c:?}"), "HttpClient(Test, ApiRoot(http://127.0.0.1:9))");
        let call = c.post("/bot123:abc/d/x").json(serde_json::json!({ "secret_token": "s3cret" }));
        assert_eq!(format!("{call:?}"), "Call(POST, Body(JSON))");
        assert!(c.scrub(&"a".repeat(5000)).chars().count() <= WHY_CAP + 1);
    }

    #[test]
    fn files_are_fetched_from_the_service_alone() {
        let c = client("https://api.example.org/x");
        for ok in ["https://api.example.org/f", "https://cdn.files.example/f", "https://files.example/f"] {
            assert!(c.get_elsewhere(ok, &["files.example"]).is_ok(), "{ok}");
        }
        for bad in [
            "http://files.example/f",
            "https://evilfiles.example/f",
            "https://files.example.evil/f",
            "https://u@files.example/f",
            "https://:p@files.example/f",
            "https://files.example:444/f",
            "http://169.254.169.254/",
            "file:///etc/passwd",
        ] {
            assert!(c.get_elsewhere(bad, &["files.example"]).is_err(), "{bad}");
        }
        // A blank entry names no host.
        for bad in ["https://evil.example./f", "https://evil.example/f"] {
            assert!(c.get_elsewhere(bad, &["", "files.example"]).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn sp_011_a_failed_request_names_no_address() {
        // Port 9 of loopback: nothing listens there.
        let c = client("http://127.0.0.1:9");
        let e = c.send(c.get("/bot123:abc/d/getMe")).await.unwrap_err().to_string();
        assert!(e.starts_with("Test: no connection"), "{e}");
        assert!(!e.contains("bot") && !e.contains("127.0.0.1"), "{e}");
    }
}
