//! What can go wrong between us and the engine, each with what to do.

use bollard::errors::Error as Api;
use thiserror::Error;

use crate::executor::{ExecutorError, Place};

/// Why the engine did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EngineError {
    /// `DOCKER_HOST` cannot be used.
    #[error("DOCKER_HOST={address} cannot be used: {why}")]
    Address {
        /// What stands there.
        address: String,
        /// Why not.
        why: String,
    },
    /// Nothing answers.
    #[error(
        "no container engine answers at {address} ({cause}); start it, or set sandbox.backend to auto or native"
    )]
    NoEngine {
        /// Where it was looked for.
        address: String,
        /// What the system said.
        cause: String,
    },
    /// It speaks an API that is too old.
    #[error("the container engine speaks API {found}, at least {needed} is needed; update the engine")]
    TooOld {
        /// What it speaks.
        found: String,
        /// What is needed.
        needed: &'static str,
    },
    /// The image is not there.
    #[error(
        "image {0} is not on the engine; build it with `openclaw sandbox image build`, or correct docker.image"
    )]
    ImageMissing(String),
    /// No such object.
    #[error("the engine knows no {0}")]
    NotFound(String),
    /// The name is in use.
    #[error("the engine says: {0}")]
    Conflict(String),
    /// It refused.
    #[error("the engine refused to {what}: {message}")]
    Refused {
        /// What was asked.
        what: &'static str,
        /// Its answer.
        message: String,
    },
    /// It did not answer in time.
    #[error("the engine did not {0} in time")]
    TimedOut(&'static str),
    /// The connection broke.
    #[error("the connection to the engine broke while it had to {what}: {cause}")]
    Broken {
        /// What was asked.
        what: &'static str,
        /// What was seen.
        cause: String,
    },
    /// A setting of the container has no meaning for the engine.
    #[error("{0}")]
    Setting(#[from] super::spec::SpecError),
}

impl EngineError {
    /// Translates an error of the client library.
    pub(super) fn from_api(what: &'static str, error: &Api) -> Self {
        match error {
            Api::DockerResponseServerError { status_code: 404, message } => {
                Self::NotFound(first_line(message))
            }
            Api::DockerResponseServerError { status_code: 409, message } => {
                Self::Conflict(first_line(message))
            }
            Api::DockerResponseServerError { message, .. } => {
                Self::Refused { what, message: first_line(message) }
            }
            Api::RequestTimeoutError => Self::TimedOut(what),
            other => Self::Broken { what, cause: with_sources(other) },
        }
    }

    /// The executor's form.
    pub(super) fn unavailable(&self) -> ExecutorError {
        ExecutorError::Unavailable { place: Place::Container, cause: self.to_string() }
    }

    /// The executor's form for a call that ran already.
    pub(super) fn lost(&self) -> ExecutorError {
        ExecutorError::Lost { place: Place::Container, cause: self.to_string() }
    }
}

/// The engine's messages end in a newline and may be long.
fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().chars().take(300).collect()
}

/// An error with its causes; the client's own text often names only its layer.
pub(super) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}
