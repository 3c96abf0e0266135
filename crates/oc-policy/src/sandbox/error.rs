//! Why a sandbox question has no answer.

use oc_types::{KeyPath, Node, Origin};
use thiserror::Error;

use crate::session_key::InvalidSessionKey;

/// Why a sandbox question has no answer; the caller refuses the call.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum SandboxError {
    /// The session key is malformed (SP-120).
    #[error(transparent)]
    SessionKey(#[from] InvalidSessionKey),
    /// A value that is none of the words of its key (SP-119).
    #[error("{key} is {found} at {origin}; use {}", .expected.join(", "))]
    UnknownWord {
        /// The key.
        key: KeyPath,
        /// What stands there, shortened.
        found: String,
        /// Where it stands.
        origin: Origin,
        /// The words that are accepted.
        expected: Vec<&'static str>,
    },
    /// A value of the wrong type.
    #[error("{key} is a {found} at {origin}; use {expected}")]
    WrongType {
        /// The key.
        key: KeyPath,
        /// The type that stands there.
        found: &'static str,
        /// Where it stands.
        origin: Origin,
        /// What to write.
        expected: &'static str,
    },
}

impl SandboxError {
    pub(super) fn unknown_word(node: &Node, key: &KeyPath, expected: &[&'static str]) -> Self {
        let found = match node.as_str() {
            Some(text) => format!("{:?}", text.chars().take(40).collect::<String>()),
            None => format!("a {}", node.value.type_name()),
        };
        Self::UnknownWord {
            key: key.clone(),
            found,
            origin: node.origin.clone(),
            expected: expected.to_vec(),
        }
    }
}
