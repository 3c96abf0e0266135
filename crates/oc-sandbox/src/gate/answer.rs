//! What a call brought.

use oc_fs::ledger::LedgerFailure;
use serde::Serialize;
use serde_json::{Map, Value as Json};
use thiserror::Error;

use super::refused::Refused;
use crate::executor::{ExecutorError, Place};

/// A piece of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Content {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// A picture.
    Image {
        /// Its bytes in base64.
        data: String,
        /// Its type, by its first bytes.
        #[serde(rename = "mimeType")]
        mime_type: &'static str,
    },
}

/// Whether the tool did what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It did.
    Done,
    /// It ran and failed: exit code, missing file, text not found.
    Failed,
}

impl Outcome {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// The result of a call that acted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ToolResult {
    /// Whether it did what was asked.
    pub outcome: Outcome,
    /// What the model reads.
    pub content: Vec<Content>,
    /// Facts of the tool, by name.
    pub details: Map<String, Json>,
}

impl ToolResult {
    /// A result of one text.
    #[must_use]
    pub fn text(outcome: Outcome, text: impl Into<String>) -> Self {
        Self { outcome, content: vec![Content::Text { text: text.into() }], details: Map::new() }
    }

    /// With one more fact.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }
}

/// A result with where and under which number it is recorded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The call's id in the ledger.
    pub call: String,
    /// Where it acted.
    pub place: Place,
    /// Remarks about the place: a fall-back to the host that policy allows, the sandbox that was chosen and why.
    pub notes: Vec<String>,
    /// What it brought, credentials masked.
    #[serde(flatten)]
    pub result: ToolResult,
}

/// Why a call brought no result.
#[derive(Debug, Error)]
pub enum GateError {
    /// It was refused; nothing was done.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It was refused because its decision could not be recorded.
    #[error("nothing was done, because it could not be recorded: {0}")]
    NotRecorded(#[from] LedgerFailure),
    /// It was allowed, and its place could not carry it out.
    #[error(transparent)]
    Place(#[from] ExecutorError),
}
