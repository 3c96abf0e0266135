//! The wire formats: which are spoken, which are known and refused.

use std::fmt;

use serde_json::Value;
use thiserror::Error;

use super::{anthropic_messages, openai_completions, openai_responses};
use crate::message::{Answer, Request};

/// A wire format that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Api {
    /// Anthropic's messages.
    AnthropicMessages,
    /// OpenAI's chat completions, which most other servers speak too.
    OpenAiCompletions,
    /// OpenAI's responses.
    OpenAiResponses,
}

/// A word of `api` that is not spoken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotSpoken {
    /// Known, and not built.
    #[error(
        "the wire format `{0}` is not built; use a provider with `anthropic-messages`, `openai-completions` or `openai-responses`"
    )]
    NotBuilt(&'static str),
    /// No such word.
    #[error(
        "there is no wire format of this name; use `anthropic-messages`, `openai-completions` or `openai-responses`"
    )]
    Unknown,
}

/// Known words that are refused.
const NOT_BUILT: [&str; 3] = ["google-generative-ai", "github-copilot", "bedrock-converse-stream"];

impl Api {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::AnthropicMessages, Self::OpenAiCompletions, Self::OpenAiResponses];

    /// The word in the configuration and in transcripts.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::AnthropicMessages => "anthropic-messages",
            Self::OpenAiCompletions => "openai-completions",
            Self::OpenAiResponses => "openai-responses",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// [`NotSpoken`].
    pub fn parse(word: &str) -> Result<Self, NotSpoken> {
        if let Some(api) = Self::ALL.into_iter().find(|a| a.word() == word) {
            return Ok(api);
        }
        Err(NOT_BUILT.into_iter().find(|w| *w == word).map_or(NotSpoken::Unknown, NotSpoken::NotBuilt))
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A model as the encoders need to know it.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The wire format.
    pub api: Api,
    /// Id of the provider in the configuration.
    pub provider: String,
    /// Id of the model at the provider.
    pub model: String,
    /// Whether it can be shown pictures.
    pub images: bool,
    /// Whether it can think.
    pub reasoning: bool,
    /// Most tokens of one answer.
    pub max_tokens: u32,
    /// How freely it chooses words, when the configuration says so.
    pub temperature: Option<f64>,
    /// What this server does otherwise than the format's inventor.
    pub quirks: Quirks,
}

/// `models.providers.*.models[].compat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quirks {
    /// How the limit of an answer is called in chat completions.
    pub max_tokens_field: MaxTokensField,
    /// Whether `reasoning_effort` is understood.
    pub reasoning_effort: Understood,
}

/// How the limit of an answer is called in chat completions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxTokensField {
    /// `max_tokens`: what most servers understand.
    MaxTokens,
    /// `max_completion_tokens`: what OpenAI's own understands.
    MaxCompletionTokens,
}

/// Whether a server understands a member of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Understood {
    /// It does.
    Yes,
    /// It does not: the member is left out.
    No,
}

impl Default for Quirks {
    fn default() -> Self {
        Self { max_tokens_field: MaxTokensField::MaxTokens, reasoning_effort: Understood::Yes }
    }
}

impl Target {
    /// The body of a request.
    #[must_use]
    pub fn body(&self, request: &Request) -> Value {
        match self.api {
            Api::AnthropicMessages => anthropic_messages::body(self, request),
            Api::OpenAiCompletions => openai_completions::body(self, request),
            Api::OpenAiResponses => openai_responses::body(self, request),
        }
    }

    /// Most tokens of the answer to a request.
    #[must_use]
    pub(super) fn limit(&self, asked: u32) -> u32 {
        asked.clamp(1, self.max_tokens.max(1))
    }

    /// Whether an answer came from this very model: only then does its thinking go back.
    #[must_use]
    pub(super) fn wrote(&self, answer: &Answer) -> bool {
        answer.api == self.api.word() && answer.provider == self.provider && answer.model == self.model
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_that_are_not_built_are_refused_by_name() {
        for api in Api::ALL {
            assert_eq!(Api::parse(api.word()), Ok(api));
        }
        for word in NOT_BUILT {
            assert_eq!(Api::parse(word), Err(NotSpoken::NotBuilt(word)));
            assert!(NotSpoken::NotBuilt(word).to_string().contains(word));
        }
        assert_eq!(Api::parse("anthropic"), Err(NotSpoken::Unknown));
        assert_eq!(Api::parse(""), Err(NotSpoken::Unknown));
    }
}
