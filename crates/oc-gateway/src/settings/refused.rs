//! What keeps the gateway from starting, in words for people.

use oc_config::setting::BindMode;
use thiserror::Error;

use super::AuthKind;

/// One reason not to start. The gateway starts with none of them, and a running one keeps its old snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StartRefused {
    /// Nothing says that the gateway runs here.
    #[error(
        "gateway.mode is not set; run `openclaw onboard --secure`, set it to \"local\", or start with --allow-unconfigured"
    )]
    Unconfigured,
    /// This machine uses another one's gateway.
    #[error(
        "gateway.mode is \"remote\": the gateway runs on another machine; set it to \"local\" to run one here"
    )]
    Remote,
    /// A word that is not known.
    #[error("{0}")]
    Invalid(String),
    /// A mode that this gateway does not have.
    #[error("gateway.auth.mode: \"{word}\" is not served; write \"token\" or \"password\"")]
    AuthMode {
        /// The word.
        word: String,
    },
    /// A reference that leads nowhere.
    #[error("{0}")]
    Credential(String),
    /// Nothing opens the door.
    #[error(
        "gateway.auth.{}: there is none, so nobody could connect; run `openclaw onboard --secure`, or set OPENCLAW_GATEWAY_{}",
        kind.word(), kind.word().to_ascii_uppercase()
    )]
    NoCredential {
        /// The mode.
        kind: AuthKind,
    },
    /// Reachable from outside without a credential.
    #[error("gateway.bind is \"{}\" and there is no credential: set gateway.auth first, or bind to \"loopback\"", bind.as_str_())]
    Exposed {
        /// Where it would listen.
        bind: BindMode,
    },
    /// Tailscale publishes what listens on loopback.
    #[error("gateway.tailscale.mode is \"{mode}\", which needs gateway.bind \"loopback\"")]
    TailscaleNeedsLoopback {
        /// The mode.
        mode: &'static str,
    },
    /// The whole internet may try.
    #[error(
        "gateway.tailscale.mode is \"funnel\", which is open to the internet and needs gateway.auth.mode \"password\""
    )]
    FunnelNeedsPassword,
    /// Hooks without a secret.
    #[error("hooks.enabled is true and hooks.token is missing: set it, or switch hooks off")]
    HooksToken,
    /// The secrets would be one.
    #[error("hooks.token is the gateway's own credential: give hooks one of their own")]
    HooksTokenShared,
    /// Hooks would answer everything.
    #[error("hooks.path must be a path below \"/\", such as \"/hooks\"")]
    HooksPath,
}

/// `Setting::as_str` without importing the trait where a message is written.
trait AsStr {
    fn as_str_(&self) -> &'static str;
}

impl AsStr for BindMode {
    fn as_str_(&self) -> &'static str {
        oc_config::setting::Setting::as_str(*self)
    }
}
