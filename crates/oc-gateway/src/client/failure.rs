//! Why a connection or a call failed, and where it was going.

use std::path::PathBuf;

use oc_fs::identity_store::IdentityFailure;
use serde_json::Value;
use thiserror::Error;

use super::target::{Target, TargetError};

/// Longest text of the other side that is quoted, in characters.
const MAX_QUOTED: usize = 300;

/// A close as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The code; 1005 when the other side gave none.
    pub code: u16,
    /// Its reason, fit to show.
    pub reason: String,
}

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "close code {}", self.code)?;
        if !self.reason.is_empty() {
            write!(f, ", {}", self.reason)?;
        }
        Ok(())
    }
}

/// An error response of the gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// `INVALID_REQUEST`, `NOT_PAIRED`, `UNAVAILABLE`, or whatever a newer gateway says.
    pub code: String,
    /// Its sentence, fit to show.
    pub message: String,
    /// Facts for programs; `null` when there are none.
    pub details: Value,
    /// Whether the same may succeed later.
    pub retryable: bool,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.code)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

/// What went wrong.
#[derive(Clone, Debug, Error)]
pub enum Reason {
    /// The target is not contacted at all.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The device identity cannot be used.
    #[error("{0}")]
    Identity(String),
    /// No connection.
    #[error("no gateway answers: {0}")]
    Unreachable(String),
    /// The TLS handshake failed.
    #[error("no TLS connection: {0}")]
    Tls(String),
    /// The certificate is not the pinned one.
    #[error(
        "the gateway's certificate is not the pinned one; nothing was sent. Expected SHA-256 {expected}, got {found}: check it on the gateway's host before changing `gateway.remote.tlsFingerprint`"
    )]
    WrongCertificate {
        /// The pin.
        expected: String,
        /// What came.
        found: String,
    },
    /// Something answers, but no WebSocket.
    #[error("what answers there is no gateway: {0}")]
    NoWebSocket(String),
    /// The handshake was refused.
    #[error("the gateway refused the connection: {refusal}{}", closing(close.as_ref()))]
    Refused {
        /// The answer.
        refusal: Box<Refusal>,
        /// The close that followed, when it came.
        close: Option<Closed>,
    },
    /// The connection was closed.
    #[error("the gateway closed the connection ({0})")]
    Closed(Closed),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The connection is over.
    #[error("the connection is over")]
    Gone,
    /// Nothing came for longer than the gateway promised.
    #[error("the gateway has been silent for {0} ms")]
    Silent(u64),
    /// No answer in time.
    #[error("no answer to `{what}` within {waited_ms} ms")]
    Timeout {
        /// What was waited for.
        what: String,
        /// How long.
        waited_ms: u64,
    },
    /// The other side does not keep to the protocol.
    #[error("the gateway does not speak this protocol: {0}")]
    Protocol(String),
    /// A method was refused.
    #[error("`{method}` was refused: {refusal}")]
    Method {
        /// The method.
        method: String,
        /// The answer.
        refusal: Box<Refusal>,
    },
}

fn closing(close: Option<&Closed>) -> String {
    close.map(|c| format!(" ({c})")).unwrap_or_default()
}

impl From<IdentityFailure> for Reason {
    fn from(e: IdentityFailure) -> Self {
        Self::Identity(e.to_string())
    }
}

impl Reason {
    /// The close that came with it.
    #[must_use]
    pub fn close(&self) -> Option<&Closed> {
        match self {
            Self::Refused { close, .. } => close.as_ref(),
            Self::Closed(close) => Some(close),
            Self::Target(_)
            | Self::Identity(_)
            | Self::Unreachable(_)
            | Self::Tls(_)
            | Self::WrongCertificate { .. }
            | Self::NoWebSocket(_)
            | Self::Broken(_)
            | Self::Gone
            | Self::Silent(_)
            | Self::Timeout { .. }
            | Self::Protocol(_)
            | Self::Method { .. } => None,
        }
    }

    /// The gateway's answer, when it gave one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { refusal, .. } | Self::Method { refusal, .. } => Some(refusal.as_ref()),
            Self::Target(_)
            | Self::Identity(_)
            | Self::Unreachable(_)
            | Self::Tls(_)
            | Self::WrongCertificate { .. }
            | Self::NoWebSocket(_)
            | Self::Closed(_)
            | Self::Broken(_)
            | Self::Gone
            | Self::Silent(_)
            | Self::Timeout { .. }
            | Self::Protocol(_) => None,
        }
    }
}

/// Where a connection was going.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The address, without user info and query.
    pub url: String,
    /// What named it.
    pub source: String,
    /// The configuration file in use.
    pub config: Option<PathBuf>,
}

impl Place {
    /// The place of a target.
    #[must_use]
    pub fn of(target: &Target) -> Self {
        Self { url: target.display.clone(), source: target.source.to_string(), config: target.config.clone() }
    }
}

/// A failure with its place. `Display` is the reason alone; [`ClientError::lines`] has everything.
#[derive(Clone, Debug, Error)]
#[error("{reason}")]
pub struct ClientError {
    /// What went wrong.
    pub reason: Box<Reason>,
    /// Where it was going.
    pub place: Place,
}

impl ClientError {
    /// A failure.
    #[must_use]
    pub fn new(reason: Reason, place: Place) -> Self {
        Self { reason: Box::new(reason), place }
    }

    /// The message for people, several lines: reason, target, source, configuration, what helps.
    #[must_use]
    pub fn lines(&self) -> String {
        let mut out =
            format!("{}\n  target  {}\n  source  {}", self.reason, self.place.url, self.place.source);
        if let Some(config) = &self.place.config {
            out.push_str(&format!("\n  config  {}", config.display()));
        }
        if let Some(help) = self.help() {
            out.push_str(&format!("\n  help    {help}"));
        }
        out
    }

    fn help(&self) -> Option<String> {
        if let Reason::Unreachable(_) = *self.reason {
            return Some("`openclaw gateway status` says what is installed and running".to_owned());
        }
        let Reason::Refused { refusal, close } = &*self.reason else { return None };
        if refusal.code == "NOT_PAIRED" {
            let id = refusal.details.get("requestId").and_then(Value::as_str);
            return Some(match id {
                Some(id) => format!("on the gateway's host: openclaw devices approve {}", quoted(id, &[])),
                None => {
                    "give a token or password, or pair this device: `openclaw devices list` there".to_owned()
                }
            });
        }
        let policy = close.as_ref().is_some_and(|c| c.code == 1008);
        policy.then(|| "compare the token or password with `gateway.auth` of the gateway".to_owned())
    }
}

/// Text of the other side, fit to show: no control characters, bounded, none of our credentials even if it echoes them.
pub(super) fn quoted(text: &str, masks: &[oc_types::Secret]) -> String {
    let mut text = text.to_owned();
    for secret in masks.iter().filter(|s| !s.expose().is_empty()) {
        text = text.replace(secret.expose(), "***");
    }
    oc_text::visible(&text, MAX_QUOTED)
}
