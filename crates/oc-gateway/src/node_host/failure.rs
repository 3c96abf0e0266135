//! Why a command was not carried out, as the gateway is told.

use serde_json::{Value, json};

/// A failure: a stable word and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NodeFailure {
    /// `SYSTEM_RUN_DENIED`, `INVALID_REQUEST` and the like.
    pub(super) code: &'static str,
    /// The sentence. Upstream's callers look for the word in it.
    pub(super) message: String,
}

impl NodeFailure {
    pub(super) fn new(code: &'static str, message: impl std::fmt::Display) -> Self {
        let message = oc_text::Redactor::standard().redact(&message.to_string());
        Self { code, message: format!("{code}: {}", oc_text::visible(&message, 600)) }
    }

    pub(super) fn invalid(message: impl std::fmt::Display) -> Self {
        Self::new("INVALID_REQUEST", message)
    }

    pub(super) fn unavailable(message: impl std::fmt::Display) -> Self {
        Self::new("UNAVAILABLE", message)
    }

    /// The sentence without the word.
    pub(super) fn sentence(&self) -> &str {
        let rest = self.message.strip_prefix(self.code).and_then(|m| m.strip_prefix(": "));
        rest.unwrap_or(&self.message)
    }

    /// As it is sent.
    pub(super) fn as_json(&self) -> Value {
        json!({ "code": self.code, "message": self.message })
    }
}
