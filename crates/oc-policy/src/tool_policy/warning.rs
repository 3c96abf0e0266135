//! What is wrong with a tool policy as written: nothing in it is silently ignored (SP-103).

use oc_types::{KeyPath, Origin};
use serde::Serialize;

/// The kind of a [`Warning`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WarningKind {
    /// An entry names no tool, group, plugin or channel that is known.
    UnknownEntry,
    /// No entry of an allow list names anything known: it blocks every tool at its level.
    NothingKnown,
    /// `allow` and `alsoAllow` in one scope.
    AllowAndAlsoAllow,
    /// Two spellings of one setting, or of one key; the stricter reading is in force.
    ConflictingSpellings,
    /// A value of the wrong shape; it is read as the stricter thing.
    WrongShape,
    /// A word that is none of those the key takes; everything is refused at that level.
    UnknownWord,
    /// An agent entry without a usable id; it applies to nobody.
    BlankAgentId,
    /// An empty list that blocks although it looks as if it allowed everything.
    EmptyList,
}

impl WarningKind {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::UnknownEntry => "unknown-entry",
            Self::NothingKnown => "nothing-known",
            Self::AllowAndAlsoAllow => "allow-and-also-allow",
            Self::ConflictingSpellings => "conflicting-spellings",
            Self::WrongShape => "wrong-shape",
            Self::UnknownWord => "unknown-word",
            Self::BlankAgentId => "blank-agent-id",
            Self::EmptyList => "empty-list",
        }
    }
}

/// Something the operator should know about the policy as written.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// What kind of thing.
    pub kind: WarningKind,
    /// The key concerned, down to the list element where there is one.
    pub key_path: KeyPath,
    /// Where it stands.
    pub source: Origin,
    /// One sentence: what, and what it means.
    pub message: String,
    /// The nearest known name, for an unknown entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}): {}", self.key_path, self.source, self.message)?;
        match &self.nearest {
            Some(word) => write!(f, "; nearest known name: {word}"),
            None => Ok(()),
        }
    }
}
