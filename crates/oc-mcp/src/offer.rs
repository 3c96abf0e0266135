//! What is offered to an MCP client and what comes back, in this crate's own words.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use serde_json::{Map, Value as Json};
use thiserror::Error;
use tokio::sync::watch;

/// A tool as a client sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolOffer {
    /// Its name.
    pub name: String,
    /// A name for people.
    pub title: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// JSON Schema of its arguments.
    pub input_schema: Map<String, Json>,
    /// JSON Schema of its structured result.
    pub output_schema: Option<Map<String, Json>>,
    /// Hints of the server; nobody decides by them.
    pub annotations: Option<Json>,
}

/// What a call brought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// Its pieces, as the protocol writes content blocks.
    pub content: Vec<Json>,
    /// The structured result.
    pub structured: Option<Json>,
    /// Whether it failed or was refused.
    pub failed: bool,
    /// Facts beside it (`_meta`).
    pub meta: Map<String, Json>,
}

impl Reply {
    /// A reply of one text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { content: vec![text_block(text)], ..Self::default() }
    }

    /// A failure in one sentence.
    #[must_use]
    pub fn failure(sentence: impl Into<String>) -> Self {
        Self { failed: true, ..Self::text(sentence) }
    }
}

/// A piece of text as the protocol writes it.
#[must_use]
pub fn text_block(text: impl Into<String>) -> Json {
    serde_json::json!({"type": "text", "text": text.into()})
}

/// What is asked about besides tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// `resources/list`
    Resources,
    /// `resources/templates/list`
    ResourceTemplates,
    /// `resources/read`
    ReadResource,
    /// `prompts/list`
    Prompts,
    /// `prompts/get`
    GetPrompt,
}

impl Ask {
    /// The method of the protocol.
    #[must_use]
    pub fn method(self) -> &'static str {
        match self {
            Self::Resources => "resources/list",
            Self::ResourceTemplates => "resources/templates/list",
            Self::ReadResource => "resources/read",
            Self::Prompts => "prompts/list",
            Self::GetPrompt => "prompts/get",
        }
    }
}

/// Why a request has no reply: an error of the protocol.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// There is no such tool for this client: unknown, or denied.
    #[error("unknown tool: {0}")]
    NoSuchTool(String),
    /// There is no such thing here.
    #[error("not found: {0}")]
    NotFound(String),
    /// This is not offered.
    #[error("{0} is not offered here")]
    NotOffered(&'static str),
    /// It cannot be answered now.
    #[error("{0}")]
    Unavailable(String),
}

/// What is offered besides tools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    /// Resources.
    pub resources: bool,
    /// Prompts.
    pub prompts: bool,
}

/// Ends when nobody wants the answer any more.
pub type GivenUp = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What stands behind an MCP server of ours.
pub trait Offers: fmt::Debug + Send + Sync + 'static {
    /// The sentence that clients show their model about the whole server; `None` for none.
    fn instructions(&self) -> Option<String>;

    /// What there is besides tools.
    fn kinds(&self) -> Kinds;

    /// The tools, in a steady order.
    ///
    /// # Errors
    /// [`Fault::Unavailable`].
    fn tools(&self) -> impl Future<Output = Result<Vec<ToolOffer>, Fault>> + Send;

    /// Calls a tool. When `given_up` ends, what was begun ends too, and what was asked of a person is denied.
    ///
    /// # Errors
    /// See [`Fault`].
    fn call(
        &self,
        name: String,
        arguments: Map<String, Json>,
        given_up: GivenUp,
    ) -> impl Future<Output = Result<Reply, Fault>> + Send;

    /// Answers about resources and prompts, in the protocol's own members.
    ///
    /// # Errors
    /// See [`Fault`].
    fn ask(
        &self,
        ask: Ask,
        parameters: Map<String, Json>,
        given_up: GivenUp,
    ) -> impl Future<Output = Result<Json, Fault>> + Send;

    /// What a call that still goes on waits for, in one sentence.
    fn waiting(&self) -> String;

    /// Changes when the tools have changed; `None` when they never do by themselves.
    fn changes(&self) -> Option<watch::Receiver<u64>> {
        None
    }
}
