//! What is said between a session and a model, in one form for every provider (agent-runtime 2, sessions-routing 5).

use serde_json::{Map, Value};

/// A piece of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// Text.
    Text(String),
    /// A picture.
    Image {
        /// Its type, by its first bytes.
        media_type: String,
        /// Its bytes in base64.
        data: String,
    },
    /// What the model thought. Goes back to the provider it came from, and to nobody else.
    Thinking {
        /// The text.
        text: String,
        /// The provider's seal, which must come back unchanged.
        signature: Option<String>,
    },
    /// The model asks for a tool.
    ToolCall(ToolCall),
}

/// A request of the model for a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    /// The provider's id; the result names it.
    pub id: String,
    /// The tool, as the model spells it: untrusted.
    pub name: String,
    /// The arguments.
    pub arguments: Arguments,
}

/// The arguments of a call as they arrived.
#[derive(Clone, Debug, PartialEq)]
pub enum Arguments {
    /// An object.
    Object(Map<String, Value>),
    /// Anything else, cut off or no JSON: it becomes an error result, never a guess.
    Invalid {
        /// What arrived.
        text: String,
        /// What is wrong with it.
        why: String,
    },
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StopReason {
    /// It had finished.
    EndTurn,
    /// It waits for results of tools.
    ToolUse,
    /// The answer reached its limit.
    MaxTokens,
    /// A stop text came.
    StopSequence,
    /// The provider or the model refused.
    Refusal,
    /// The turn was stopped from outside.
    Aborted,
    /// The stream broke off or the provider failed.
    Error,
}

impl StopReason {
    /// The word that transcripts hold.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::EndTurn => "stop",
            Self::ToolUse => "toolUse",
            Self::MaxTokens => "length",
            Self::StopSequence => "stopSequence",
            Self::Refusal => "refusal",
            Self::Aborted => "aborted",
            Self::Error => "error",
        }
    }
}

/// Tokens of one answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Read for the first time.
    pub input: u64,
    /// Written.
    pub output: u64,
    /// Read from a cache.
    pub cache_read: u64,
    /// Put into a cache.
    pub cache_write: u64,
}

impl Usage {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        [self.input, self.output, self.cache_read, self.cache_write].into_iter().fold(0, u64::saturating_add)
    }
}

/// What a model answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Its pieces, in order.
    pub blocks: Vec<Block>,
    /// Why it stopped.
    pub stop: StopReason,
    /// What it took.
    pub usage: Usage,
    /// The wire format (`anthropic-messages` ...).
    pub api: &'static str,
    /// Id of the provider in the configuration.
    pub provider: String,
    /// Id of the model at the provider.
    pub model: String,
}

impl Answer {
    /// The calls in it.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.blocks.iter().filter_map(|b| match b {
            Block::ToolCall(call) => Some(call),
            Block::Text(_) | Block::Image { .. } | Block::Thinking { .. } => None,
        })
    }

    /// The text in it, without thinking.
    #[must_use]
    pub fn text(&self) -> String {
        let texts = self.blocks.iter().filter_map(|b| match b {
            Block::Text(text) => Some(text.as_str()),
            Block::Image { .. } | Block::Thinking { .. } | Block::ToolCall(_) => None,
        });
        texts.collect::<Vec<_>>().join("\n")
    }
}

/// A message of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// From outside: a person, a hook, a job. Text and pictures.
    User(Vec<Block>),
    /// From the model.
    Assistant(Answer),
    /// What a tool brought, or why it did not run.
    ToolResult {
        /// The call's id.
        call_id: String,
        /// The tool.
        tool: String,
        /// Text and pictures.
        content: Vec<Block>,
        /// Whether it is an error.
        is_error: bool,
    },
}

/// A tool as a model is told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolDefinition {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// JSON Schema of its arguments: an object.
    pub schema: Value,
}

/// How much a model may think.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thinking {
    /// Not at all.
    #[default]
    Off,
    /// `minimal`
    Minimal,
    /// `low`
    Low,
    /// `medium`
    Medium,
    /// `high`
    High,
    /// `xhigh`
    ExtraHigh,
}

/// What a model is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The system prompt: our own words and the workspace's files, nothing from outside.
    pub system: String,
    /// The conversation.
    pub messages: Vec<Message>,
    /// The effective tools, and no others.
    pub tools: Vec<ToolDefinition>,
    /// Most tokens of the answer.
    pub max_tokens: u32,
    /// How much it may think.
    pub thinking: Thinking,
}
