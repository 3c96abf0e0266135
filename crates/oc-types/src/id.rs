//! Agent, account and channel ids (SP-018): they become map keys and path components, so they are normalised once, here.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest id, in bytes.
pub const MAX_ID: usize = 64;

/// Why a text is no id.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind} id {text:?} is not usable: {why}")]
pub struct InvalidId {
    kind: &'static str,
    text: String,
    why: &'static str,
}

/// The id of an agent, normalised: lower case, `[a-z0-9][a-z0-9_-]{0,63}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct AgentId(String);

/// The id of an account of a channel, normalised like an agent id; blank is `default`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct AccountId(String);

/// The id of a channel: trimmed, lower case, `[a-z][a-z0-9_-]{0,63}`, aliases resolved (`imsg`, `gchat`, `google-chat`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChannelId(String);

impl TryFrom<String> for ChannelId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        Self::parse(&text)
    }
}

impl From<ChannelId> for String {
    fn from(id: ChannelId) -> Self {
        id.0
    }
}

/// Lower-cases; keeps `[a-z0-9_-]`; every run of other characters becomes one `-`; dashes at the ends go; at most 64 characters.
/// A text that is an id already (any case) only changes case. Blank stays blank.
#[must_use]
pub fn normalize_id(text: &str) -> String {
    let text = text.trim().to_lowercase();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let well_formed = text.len() <= MAX_ID
        && text.chars().all(plain)
        && text.chars().next().is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if well_formed {
        return text;
    }
    let mut out = String::with_capacity(text.len().min(MAX_ID));
    let mut gap = false;
    for c in text.chars() {
        if plain(c) {
            if gap {
                out.push('-');
            }
            gap = false;
            out.push(c);
        } else {
            gap = true;
        }
    }
    out.trim_matches('-').chars().take(MAX_ID).collect()
}

impl AgentId {
    /// The id every setup has.
    pub const MAIN: &'static str = "main";

    /// Normalises as upstream does: blank becomes `main`. For ids that the operator's configuration lists.
    #[must_use]
    pub fn normalized(text: &str) -> Self {
        let id = normalize_id(text);
        Self(if id.is_empty() { Self::MAIN.to_owned() } else { id })
    }

    /// Takes an id from outside: it must already be well-formed (any case).
    ///
    /// # Errors
    /// When the text is blank, too long or holds other characters (SP-120).
    pub fn strict(text: &str) -> Result<Self, InvalidId> {
        let t = text.trim();
        let refuse = |why| Err(InvalidId { kind: "agent", text: text.chars().take(80).collect(), why });
        if t.is_empty() {
            return refuse("it is blank");
        }
        if normalize_id(t) != t.to_lowercase() {
            return refuse("use letters, digits, '-' and '_', at most 64, starting with a letter or digit");
        }
        Ok(Self(t.to_lowercase()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AccountId {
    /// The id used when none is given.
    pub const DEFAULT: &'static str = "default";

    /// Normalises; blank becomes `default`.
    #[must_use]
    pub fn normalized(text: &str) -> Self {
        let id = normalize_id(text);
        Self(if id.is_empty() { Self::DEFAULT.to_owned() } else { id })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ChannelId {
    /// Normalises a channel name and resolves its aliases.
    ///
    /// # Errors
    /// When the text is not `[a-z][a-z0-9_-]{0,63}` after trimming and lower-casing.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let t = text.trim().to_lowercase();
        let ok = t.len() <= MAX_ID
            && t.chars().next().is_some_and(|c| c.is_ascii_lowercase())
            && t.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-');
        if !ok {
            return Err(InvalidId {
                kind: "channel",
                text: text.chars().take(80).collect(),
                why: "use a letter, then letters, digits, '-' and '_', at most 64",
            });
        }
        Ok(Self(match t.as_str() {
            "imsg" => "imessage".to_owned(),
            "gchat" | "google-chat" => "googlechat".to_owned(),
            _ => t,
        }))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! shown_as_text {
    ($($t:ty),*) => {$(
        impl std::fmt::Display for $t {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}
shown_as_text!(AgentId, AccountId, ChannelId);
