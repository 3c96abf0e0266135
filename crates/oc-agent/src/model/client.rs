//! One request to a provider, and its answer.
//!
//! INVARIANT: no redirect is followed, no proxy of the environment is used, certificates are verified against the system's roots.
//! INVARIANT: what goes wrong is told in our own words: no address beyond host and port, no header, no body.
//! INVARIANT: a known credential in a request's body is masked before it is sent.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use oc_types::Secret;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Response, StatusCode};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;
use tokio::time::timeout;

use super::endpoint::Endpoint;
use super::failure::{Refusal, wait};
use super::reading::{Reading, told};
use super::wire::{Api, Target};
use crate::message::{Answer, Request};
use crate::model::{Delta, FailureClass};

/// Most of an error's body that is read, in bytes.
const ERROR_BODY: usize = 64 * 1024;
/// Shortest credential that is masked in a body: shorter ones are words.
const SHORTEST_MASKED: usize = 8;
/// What stands for it.
const MASK: &str = "[credential removed]";

/// How long is waited for a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For the head of the answer: a local model may read a long conversation first.
    pub head: Duration,
    /// For the next piece of the answer.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            head: Duration::from_secs(300),
            idle: Duration::from_secs(180),
        }
    }
}

/// Whose signature makes a certificate good.
#[derive(Clone, Debug)]
pub enum Roots {
    /// The system's authorities.
    System,
    /// These.
    These(RootCertStore),
}

/// Why there is no client.
#[derive(Debug, Error)]
#[error("requests to model providers cannot be made: {0}")]
pub struct NoClient(String);

/// What opens a provider's door.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A key.
    ApiKey(Secret),
    /// A token of a login.
    Login(Secret),
}

impl Proof {
    /// The text.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        match self {
            Self::ApiKey(secret) | Self::Login(secret) => secret,
        }
    }
}

/// How a key is shown to a provider that speaks Anthropic's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyHeader {
    /// As the format does it: `x-api-key`.
    Own,
    /// `Authorization: Bearer` (`authHeader: true`).
    Bearer,
}

/// One request.
#[derive(Debug)]
pub struct Call<'a> {
    /// The model.
    pub target: &'a Target,
    /// Where it goes.
    pub endpoint: &'a Endpoint,
    /// `headers` of the configuration.
    pub headers: &'a HeaderMap,
    /// What opens the door; a local server may want nothing.
    pub proof: Option<&'a Proof>,
    /// How a key is shown.
    pub key_header: KeyHeader,
    /// What is asked.
    pub request: &'a Request,
    /// Credentials that must not be in the body.
    pub secrets: &'a [Secret],
    /// Milliseconds since 1970, to read dates of waits.
    pub now_ms: u64,
}

/// Why one request gave no whole answer.
#[derive(Clone, Debug, PartialEq)]
pub struct CallFailure {
    /// What it means.
    pub class: FailureClass,
    /// What happened, in our own words.
    pub message: String,
    /// When the provider wants to be asked again.
    pub retry_after: Option<Duration>,
    /// Whether the same request may help a moment later.
    pub again: Again,
    /// What had arrived.
    pub partial: Option<Box<Answer>>,
}

/// Whether the same request may help a moment later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// It may.
    Soon,
    /// It may, after the wait that the provider asks for; another credential is better.
    Later,
    /// It will not.
    No,
}

/// Makes requests. One for a process: it keeps connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    timeouts: Timeouts,
}

impl Client {
    /// A client.
    ///
    /// # Errors
    /// [`NoClient`] when TLS cannot be set up.
    pub fn new(timeouts: Timeouts, roots: Roots) -> Result<Self, NoClient> {
        let roots = match roots {
            Roots::System => {
                let mut store = RootCertStore::empty();
                store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                store
            }
            Roots::These(store) => store,
        };
        // Always explicit: a process-wide default provider may not be set, or be another one.
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|e| NoClient(e.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            // What is tried again, and when, is decided in one place only.
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            .connect_timeout(timeouts.connect)
            .pool_idle_timeout(Duration::from_secs(60))
            .pool_max_idle_per_host(4)
            .user_agent(concat!("openclaw/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| NoClient(cause(&e).unwrap_or_else(|| "the set-up failed".to_owned())))?;
        Ok(Self { http, timeouts })
    }

    /// Asks once. Dropping the future ends the request.
    ///
    /// # Errors
    /// See [`CallFailure`].
    pub async fn ask(
        &self,
        call: &Call<'_>,
        on_delta: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<Answer, CallFailure> {
        let place = call.endpoint.place();
        let secret = call.proof.is_some() || !call.headers.is_empty();
        if secret && !call.endpoint.keeps_secrets() {
            return Err(plain(
                FailureClass::NotConfigured,
                format!(
                    "{place} is neither this machine nor reached over TLS, and the credential would be readable; use `https` in `baseUrl`"
                ),
            ));
        }
        let headers = headers(call)?;
        let body = masked(call.target.body(call.request).to_string(), call.secrets);
        let sent = self.http.post(call.endpoint.url().clone()).headers(headers).body(body).send();
        let response = match timeout(self.timeouts.head, sent).await {
            Err(_) => return Err(silent(&place, self.timeouts.head)),
            Ok(Err(e)) => return Err(unreachable_place(&place, &e)),
            Ok(Ok(response)) => response,
        };
        if response.status() != StatusCode::OK {
            return Err(self.refused(response, call.now_ms).await);
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if !kind.to_ascii_lowercase().starts_with("text/event-stream") {
            return Err(plain(
                FailureClass::Format,
                format!("{place} does not answer with a stream of events; is `api` right?"),
            ));
        }
        self.read(call.target, response, &place, on_delta).await
    }

    async fn read(
        &self,
        target: &Target,
        mut response: Response,
        place: &str,
        on_delta: &mut (dyn FnMut(Delta) + Send),
    ) -> Result<Answer, CallFailure> {
        let mut reading = Reading::new(target.clone());
        while !reading.is_whole() {
            let piece = match timeout(self.timeouts.idle, response.chunk()).await {
                Err(_) => {
                    let failure = silent(place, self.timeouts.idle);
                    return Err(CallFailure { partial: reading.partial().map(Box::new), ..failure });
                }
                // However a connection ends, what counts is whether the answer was whole.
                Ok(Err(_) | Ok(None)) => break,
                Ok(Ok(Some(piece))) => piece,
            };
            if let Err(fault) = reading.push(&piece, on_delta) {
                return Err(broken(&fault, reading.partial()));
            }
        }
        reading.end(on_delta).map_err(|(fault, partial)| broken(&fault, partial))
    }

    async fn refused(&self, mut response: Response, now_ms: u64) -> CallFailure {
        let status = response.status();
        let text = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let retry_after = wait(text("retry-after-ms").as_deref(), text("retry-after").as_deref(), now_ms);
        let mut body = Vec::new();
        let whole = async {
            while let Ok(Some(piece)) = response.chunk().await {
                body.extend(piece.iter().take(ERROR_BODY.saturating_sub(body.len())));
                if body.len() >= ERROR_BODY {
                    break;
                }
            }
        };
        // Slow or not, the status has been heard.
        let _ = timeout(self.timeouts.connect, whole).await;
        let Refusal { class, code } = Refusal::of_answer(status.as_u16(), &body);
        let again = match class {
            FailureClass::Overloaded => Again::Soon,
            FailureClass::RateLimit => Again::Later,
            FailureClass::Timeout | FailureClass::Other if status.is_server_error() => Again::Soon,
            FailureClass::Timeout if status == StatusCode::REQUEST_TIMEOUT => Again::Soon,
            FailureClass::Auth
            | FailureClass::Billing
            | FailureClass::Timeout
            | FailureClass::Format
            | FailureClass::ContextOverflow
            | FailureClass::BrokenOff
            | FailureClass::NotConfigured
            | FailureClass::Other => Again::No,
        };
        let message = if status.is_redirection() {
            format!(
                "the provider sent status {}, a way to another address; it is not followed: write the new address into `baseUrl`",
                status.as_u16()
            )
        } else {
            format!("the provider answered with status {}{}", status.as_u16(), told(code.as_ref()))
        };
        CallFailure { class, message, retry_after, again, partial: None }
    }
}

fn plain(class: FailureClass, message: String) -> CallFailure {
    CallFailure { class, message, retry_after: None, again: Again::No, partial: None }
}

fn silent(place: &str, after: Duration) -> CallFailure {
    plain(FailureClass::Timeout, format!("nothing came from {place} for {} s", after.as_secs()))
}

fn unreachable_place(place: &str, e: &reqwest::Error) -> CallFailure {
    let why = if e.is_timeout() { Some("no answer in time".to_owned()) } else { cause(e) };
    let why = why.unwrap_or_else(|| "the connection failed".to_owned());
    CallFailure {
        again: Again::Soon,
        ..plain(FailureClass::Timeout, format!("{place} cannot be reached: {why}"))
    }
}

fn broken(fault: &super::reading::Fault, partial: Option<Answer>) -> CallFailure {
    let class = fault.class();
    let again = match class {
        FailureClass::BrokenOff | FailureClass::Overloaded => Again::Soon,
        FailureClass::RateLimit => Again::Later,
        FailureClass::Auth
        | FailureClass::Billing
        | FailureClass::Timeout
        | FailureClass::Format
        | FailureClass::ContextOverflow
        | FailureClass::NotConfigured
        | FailureClass::Other => Again::No,
    };
    CallFailure {
        class,
        message: fault.to_string(),
        retry_after: None,
        again,
        partial: partial.map(Box::new),
    }
}

/// The innermost cause that is the system's or TLS's: those say nothing of the request.
fn cause(e: &reqwest::Error) -> Option<String> {
    let mut found = None;
    let mut next = e.source();
    while let Some(inner) = next {
        if let Some(tls) = inner.downcast_ref::<rustls::Error>() {
            found = Some(format!("TLS: {tls}"));
        } else if let Some(system) = inner.downcast_ref::<io::Error>() {
            found = match system.get_ref().and_then(|i| i.downcast_ref::<rustls::Error>()) {
                Some(tls) => Some(format!("TLS: {tls}")),
                None => Some(system.kind().to_string()),
            };
        }
        next = inner.source();
    }
    found
}

fn headers(call: &Call<'_>) -> Result<HeaderMap, CallFailure> {
    let mut out = call.headers.clone();
    out.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let anthropic = call.target.api == Api::AnthropicMessages;
    if anthropic {
        let version = HeaderName::from_static("anthropic-version");
        out.entry(version).or_insert(HeaderValue::from_static("2023-06-01"));
    }
    let (name, text) = match call.proof {
        None => return Ok(out),
        Some(Proof::ApiKey(key)) if anthropic && call.key_header == KeyHeader::Own => {
            (HeaderName::from_static("x-api-key"), key.expose().to_owned())
        }
        Some(Proof::ApiKey(key)) => (AUTHORIZATION, format!("Bearer {}", key.expose())),
        Some(Proof::Login(token)) => {
            if anthropic {
                let beta = HeaderName::from_static("anthropic-beta");
                out.entry(beta).or_insert(HeaderValue::from_static("oauth-2025-04-20"));
            }
            (AUTHORIZATION, format!("Bearer {}", token.expose()))
        }
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| {
        plain(FailureClass::Auth, "the credential holds characters that no header can carry".to_owned())
    })?;
    value.set_sensitive(true);
    out.insert(name, value);
    Ok(out)
}

/// The body without known credentials. Tools mask what they bring; this is the last door.
fn masked(body: String, secrets: &[Secret]) -> String {
    secrets.iter().fold(body, |body, secret| {
        let text = secret.expose().trim();
        if text.len() < SHORTEST_MASKED {
            return body;
        }
        // As it stands inside of a JSON text.
        let quoted = serde_json::Value::String(text.to_owned()).to_string();
        let inside = quoted.strip_prefix('"').and_then(|q| q.strip_suffix('"')).unwrap_or(text);
        if body.contains(inside) { body.replace(inside, MASK) } else { body }
    })
}
