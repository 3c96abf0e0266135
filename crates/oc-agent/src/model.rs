//! What a model client is, and how it fails; below it the clients of providers (agent-runtime 2).
//!
//! * [`wire`]: the formats; [`reading`] an answer from a stream, [`event_stream`] the stream's own form. No I/O.
//! * [`settings`]: which providers and models there are; [`catalogue`]: those that need no configuration.
//! * [`client`]: one request; [`endpoint`]: where it goes.
//! * [`failover`]: a [`Model`] that tries credentials and models in turn; [`retry`]: how long it waits; [`clock`]: what tells it the time.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use thiserror::Error;

use crate::message::{Answer, Request};

mod anthropic_messages;
pub mod catalogue;
pub mod client;
pub mod clock;
mod collect;
mod conversation;
pub mod endpoint;
pub mod event_stream;
pub mod failover;
mod failure;
mod openai_completions;
mod openai_responses;
pub mod reading;
pub mod retry;
pub mod settings;
pub mod wire;

/// A future of this crate.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A piece of an answer as it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    /// Text.
    Text(String),
    /// Thinking.
    Thinking(String),
    /// What was handed on so far is void: the answer broke off before it was whole, and the model is asked again.
    Restart,
}

/// What is known about a model before it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Id of the provider in the configuration.
    pub provider: String,
    /// Id of the model at the provider.
    pub model: String,
    /// Tokens it can read and write in one request.
    pub context_window: u64,
    /// Most tokens of one answer.
    pub max_tokens: u32,
    /// Whether it can be shown pictures.
    pub images: bool,
    /// Whether it can think.
    pub reasoning: bool,
}

/// Tokens of a model whose window nobody names.
pub const DEFAULT_CONTEXT_WINDOW: u64 = 128_000;
/// Most tokens of an answer of a model whose limit nobody names.
pub const DEFAULT_MAX_TOKENS: u32 = 8_192;

impl Default for About {
    fn default() -> Self {
        Self {
            provider: "none".to_owned(),
            model: "none".to_owned(),
            context_window: DEFAULT_CONTEXT_WINDOW,
            max_tokens: DEFAULT_MAX_TOKENS,
            images: false,
            reasoning: false,
        }
    }
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

impl FailureClass {
    /// The word in records.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Billing => "billing",
            Self::RateLimit => "rateLimit",
            Self::Timeout => "timeout",
            Self::Format => "format",
            Self::Overloaded => "overloaded",
            Self::ContextOverflow => "contextOverflow",
            Self::BrokenOff => "brokenOff",
            Self::NotConfigured => "notConfigured",
            Self::Other => "other",
        }
    }

    /// What the person in the chat is told: no path, no key, nothing that the provider wrote (agent-runtime 7).
    #[must_use]
    pub fn chat_text(self) -> &'static str {
        match self {
            Self::Auth => "The model provider did not accept the credential. The owner has to look at it.",
            Self::Billing => "The model provider wants to be paid. The owner has to look at it.",
            Self::RateLimit => "The model provider has had too many requests. Try again in a few minutes.",
            Self::Timeout => "The model did not answer in time. Try again.",
            Self::Format => "The model provider did not understand the request. A new session may help.",
            Self::Overloaded => "The model provider is busy. Try again in a few minutes.",
            Self::ContextOverflow => "This conversation is too long for the model. Start a new session.",
            Self::BrokenOff => "The model's answer broke off. Try again.",
            Self::NotConfigured => "No model is set up that could answer. The owner has to look at it.",
            Self::Other => "The model gave no answer. Try again.",
        }
    }
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
    /// What is known about the model that is asked next.
    fn about(&self) -> About {
        About::default()
    }

    /// Asks; pieces are handed on as they come. It may ask again by itself (a connection that failed, another credential, another
    /// model): never after it has given an answer, so no tool call of an answer has run when it does.
    fn ask<'a>(
        &'a self,
        request: &'a Request,
        on_delta: &'a mut (dyn FnMut(Delta) + Send),
    ) -> Pending<'a, Result<Answer, ModelFailure>>;
}
