//! `web_fetch`: a page from the public web, in an envelope that says it is somebody else's text.
//!
//! Invariant: the address that was classified is the address that is connected to (SP-010): names are resolved by `guard`, every address
//! of a name must be public, and each redirect is looked at again.
//! Invariant: no credential goes out: none in the URL, no header of ours, no proxy of the environment, no cookie.

mod cache;
mod extract;
mod guard;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use oc_sandbox::executor::Pending;
use oc_sandbox::gate::{Handled, Outcome, ToolCall, ToolHandler, ToolResult};
use oc_text::external::{External, ExternalSource, wrap};
use oc_types::Node;
use reqwest::header;
use reqwest::{Client, StatusCode, Url};
use serde_json::{Map, Value};

use cache::Cache;
pub use extract::Mode;
use guard::Guarded;
pub use guard::{Destinations, PublicOnly};

/// The tool.
pub const NAME: &str = "web_fetch";
/// Most characters that are handed on, when nothing else is configured.
const CHARACTERS: usize = 50_000;
/// Least of `maxChars`.
const LEAST_CHARACTERS: u64 = 100;
/// Most bytes of a body; found while it streams.
const BODY: usize = 2 * 1024 * 1024;
/// Seconds for everything, when nothing else is configured.
const SECONDS: u64 = 30;
/// Redirects that are followed, when nothing else is configured; also the most.
const REDIRECTS: usize = 3;
/// Minutes that a page is kept, when nothing else is configured.
const CACHE_MINUTES: u64 = 15;

/// The handler.
#[derive(Debug)]
pub struct WebFetch {
    /// Made when a page is first asked for: reading the system's roots takes longer than everything else at the start of a gateway.
    client: OnceLock<Result<Client, NoClient>>,
    destinations: Arc<dyn Destinations>,
    cache: Mutex<Cache>,
}

/// Why no page can be fetched.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no TLS for web_fetch: {0}")]
struct NoClient(String);

/// `tools.web.fetch`.
#[derive(Clone, Copy, Debug)]
struct Settings {
    characters: usize,
    time: Duration,
    redirects: usize,
    keep: Duration,
}

/// A page as it is kept.
#[derive(Clone, Debug)]
struct Page {
    /// Where it came from in the end.
    url: String,
    status: u16,
    title: Option<String>,
    text: String,
    bytes: usize,
}

impl WebFetch {
    /// A handler that reaches what `destinations` permits: [`PublicOnly`] outside of tests.
    #[must_use]
    pub fn new(destinations: Arc<dyn Destinations>) -> Self {
        Self { client: OnceLock::new(), destinations, cache: Mutex::default() }
    }

    fn client(&self) -> Result<&Client, String> {
        let made = self.client.get_or_init(|| client(&self.destinations));
        made.as_ref().map_err(ToString::to_string)
    }

    async fn fetch(&self, url: Url, mode: Mode, settings: Settings) -> Result<Page, String> {
        let client = self.client()?;
        let mut url = url;
        let mut seen = vec![url.clone()];
        loop {
            guard::check(&url, self.destinations.as_ref())?;
            let request =
                client.get(url.clone()).header(header::ACCEPT, "text/html, text/*;q=0.9, */*;q=0.5");
            let response = request.send().await.map_err(|e| failure(&e))?;
            let status = response.status();
            if let Some(next) = redirected(&url, &response)? {
                if seen.len() > settings.redirects {
                    return Err(format!("more than {} redirects", settings.redirects));
                }
                if seen.contains(&next) {
                    return Err("the redirects lead in a circle".to_owned());
                }
                seen.push(next.clone());
                url = next;
                continue;
            }
            return read(url, status, response, mode).await;
        }
    }
}

/// The client: its own resolver, no proxy, no redirect of its own, no cookie.
fn client(destinations: &Arc<dyn Destinations>) -> Result<Client, NoClient> {
    let failed = |e: &dyn std::fmt::Display| NoClient(e.to_string());
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| failed(&e))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(Guarded::new(Arc::clone(destinations)))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .connect_timeout(Duration::from_secs(10))
        .user_agent(concat!("openclaw-web-fetch/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|e| failed(&e))
}

impl ToolHandler for WebFetch {
    fn tool(&self) -> &str {
        NAME
    }

    fn check(&self, call: &ToolCall) -> Result<(), String> {
        asked(&call.arguments).map(drop)
    }

    fn run<'a>(&'a self, handled: Handled<'a>) -> Pending<'a, ToolResult> {
        Box::pin(async move {
            let failed = |why: String| Ok(ToolResult::text(Outcome::Failed, format!("web_fetch: {why}")));
            let (url, mode, most) = match asked(&handled.call.arguments) {
                Ok(asked) => asked,
                Err(why) => return failed(why),
            };
            let settings = settings(handled.snapshot.config());
            let key = (url.to_string(), mode);
            let kept = self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(&key, Instant::now());
            let (page, cached) = match kept {
                Some(page) => (page, true),
                None => match tokio::time::timeout(settings.time, self.fetch(url, mode, settings)).await {
                    Ok(Ok(page)) => {
                        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
                        cache.put(key, page.clone(), Instant::now(), settings.keep);
                        (page, false)
                    }
                    Ok(Err(why)) => return failed(why),
                    Err(_) => return failed(format!("no answer within {} s", settings.time.as_secs())),
                },
            };
            let Ok(id) = oc_fs::random::token_hex(8) else {
                return failed("the system gives no random numbers".to_owned());
            };
            let most = most.map_or(settings.characters, |m| m.min(settings.characters));
            let text: String = page.text.chars().take(most).collect();
            let cut = text.len() < page.text.len();
            let external = External {
                source: ExternalSource::WebFetch,
                text: &text,
                sender: Some(&page.url),
                subject: page.title.as_deref(),
            };
            let mut out = wrap(&external, id.expose(), true);
            if cut {
                out.push_str("\n[cut: the page is longer]");
            }
            Ok(ToolResult::text(Outcome::Done, out)
                .with("url", page.url.as_str())
                .with("status", page.status)
                .with("bytes", page.bytes)
                .with("cached", cached)
                .with("truncated", cut))
        })
    }
}

/// What is asked for.
fn asked(arguments: &Map<String, Value>) -> Result<(Url, Mode, Option<usize>), String> {
    let url = arguments.get("url").and_then(Value::as_str).map(str::trim).filter(|u| !u.is_empty());
    let url = url.ok_or("`url` is missing")?;
    let url = Url::parse(url).map_err(|e| format!("`url`: {e}"))?;
    guard::shape(&url)?;
    let mode = match arguments.get("extractMode").filter(|v| !v.is_null()) {
        None => Mode::Markdown,
        Some(word) => word.as_str().and_then(Mode::parse).ok_or("`extractMode` must be markdown or text")?,
    };
    let most = match arguments.get("maxChars").filter(|v| !v.is_null()) {
        None => None,
        Some(number) => {
            let number = number.as_f64().filter(|n| *n >= LEAST_CHARACTERS as f64);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a cast of a float saturates"
            )]
            Some(number.ok_or("`maxChars` must be a number from 100 on")? as usize)
        }
    };
    Ok((url, mode, most))
}

fn settings(config: &Node) -> Settings {
    let number = |name: &str| config.path(&["tools", "web", "fetch", name]).and_then(Node::as_number);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates"
    )]
    let whole = |name: &str| number(name).map(|n| n as usize);
    let cap = whole("maxCharsCap").unwrap_or(CHARACTERS);
    Settings {
        characters: whole("maxChars").unwrap_or(CHARACTERS).min(cap),
        time: Duration::from_secs(whole("timeoutSeconds").map_or(SECONDS, |s| s as u64).min(600)),
        redirects: whole("maxRedirects").unwrap_or(REDIRECTS).min(REDIRECTS),
        keep: Duration::from_secs(
            60 * whole("cacheTtlMinutes").map_or(CACHE_MINUTES, |m| m as u64).min(24 * 60),
        ),
    }
}

/// Where an answer sends us on to.
fn redirected(from: &Url, response: &reqwest::Response) -> Result<Option<Url>, String> {
    let redirects = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    if !redirects {
        return Ok(None);
    }
    let place = response.headers().get(header::LOCATION).and_then(|v| v.to_str().ok());
    let place = place.ok_or("a redirect without a destination")?;
    let mut next = from.join(place).map_err(|e| format!("the redirect cannot be followed: {e}"))?;
    next.set_fragment(None);
    Ok(Some(next))
}

async fn read(url: Url, status: StatusCode, response: reqwest::Response, mode: Mode) -> Result<Page, String> {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let mut body = Vec::new();
    let mut stream = response.bytes_stream();
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|e| failure(&e))?;
        if body.len() + piece.len() > BODY {
            return Err("the page is larger than 2 MiB".to_owned());
        }
        body.extend_from_slice(&piece);
    }
    if !status.is_success() {
        // The page of an error is as untrusted as any other; its status says enough.
        return Err(format!("the server answered {status}"));
    }
    let bytes = body.len();
    let extracted = extract::extract(&kind, &body, mode)?;
    Ok(Page {
        url: url.to_string(),
        status: status.as_u16(),
        title: extracted.title,
        text: extracted.text,
        bytes,
    })
}

/// What went wrong, without the URL's query.
fn failure(error: &reqwest::Error) -> String {
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(blocked) = inner.downcast_ref::<guard::Blocked>() {
            return blocked.to_string();
        }
        cause = inner.source();
    }
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    if error.is_connect() {
        return "no connection".to_owned();
    }
    "the connection broke off".to_owned()
}
