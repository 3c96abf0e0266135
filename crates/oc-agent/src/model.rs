//! What a model client is, and how it fails.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use thiserror::Error;

use crate::message::{Answer, Request};

/// A future of this crate.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A piece of an answer as it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    /// Text.
    Text(String),
    /// Thinking.
    Thinking(String),
}

/// What a failure means for what is tried next (agent-runtime 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// The credential was refused (401, 403).
    Auth,
    /// Nothing is paid for (402).
    Billing,
    /// Too many requests (429).
    RateLimit,
    /// No answer in time, or no connection (408).
    Timeout,
    /// The request was not understood (400).
    Format,
    /// The provider is busy (503, 529).
    Overloaded,
    /// The conversation is longer than the model can read.
    ContextOverflow,
    /// The answer broke off.
    BrokenOff,
    /// Nothing is configured that could answer.
    NotConfigured,
    /// Anything else.
    Other,
}

/// Why a model gave no whole answer. Holds no key and no body of the provider.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{provider}/{model}: {message}")]
pub struct ModelFailure {
    /// Provider.
    pub provider: String,
    /// Model.
    pub model: String,
    /// What it means.
    pub class: FailureClass,
    /// What happened, for the owner.
    pub message: String,
    /// When the provider wants to be asked again.
    pub retry_after: Option<Duration>,
    /// What had arrived. A call in it is never carried out.
    pub partial: Option<Box<Answer>>,
}

/// A model that can be asked. Dropping the future ends the request.
pub trait Model: fmt::Debug + Send + Sync {
    /// Asks; pieces are handed on as they come.
    fn ask<'a>(
        &'a self,
        request: &'a Request,
        on_delta: &'a mut (dyn FnMut(Delta) + Send),
    ) -> Pending<'a, Result<Answer, ModelFailure>>;
}
