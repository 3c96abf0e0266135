//! Why no tool decision is made at all; the caller offers nothing and runs nothing.

use thiserror::Error;

use crate::sandbox::SandboxError;
use crate::session_key::InvalidSessionKey;

/// Why an evaluation is refused.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Refusal {
    /// The session key, or the key of the session that spawned it, is malformed (SP-120).
    #[error(transparent)]
    SessionKey(#[from] InvalidSessionKey),
    /// A caller named a room or channel that its session does not belong to (SP-109).
    #[error(
        "{what} {given:?} is not the one of the session ({known:?}); leave it out or name the session's own"
    )]
    ForeignRoom {
        /// `group id` or `channel`.
        what: &'static str,
        /// What the caller named.
        given: String,
        /// What the session says; empty when it names none.
        known: String,
    },
    /// A sandbox setting that cannot be read, so that it is not known which tools are open (SP-119).
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

impl Refusal {
    /// The stable word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::SessionKey(e) | Self::Sandbox(SandboxError::SessionKey(e)) => match e {
                InvalidSessionKey::MalformedAgent(_) => "malformed_agent",
                InvalidSessionKey::Missing => "missing_session_key",
                InvalidSessionKey::TooLong => "session_key_too_long",
                InvalidSessionKey::Control(_) => "session_key_control_character",
            },
            Self::ForeignRoom { .. } => "foreign_room",
            Self::Sandbox(SandboxError::UnknownWord { .. } | SandboxError::WrongType { .. }) => {
                "config_invalid"
            }
        }
    }
}
