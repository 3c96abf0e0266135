//! Session keys: what a key says, and how one is built (sessions-routing 1, 2; tool-policy 3.3).
//!
//! A key names the lane a conversation runs in. Keys built here are an injective encoding of their parts (SP-419); keys that come
//! from outside are parsed and classified, and a malformed one is refused, never guessed (SP-120).

use oc_types::AgentId;
use thiserror::Error;

mod build;
mod class;
#[cfg(test)]
mod tests;

pub use build::{
    DmScope, IdentityLinks, SessionParts, SessionSettings, UnknownDmScope, main_key, session_key,
};
pub use class::{Class, Room, RoomKind};

/// Longest key accepted from outside, in bytes (sessions-routing 2).
pub const MAX_KEY: usize = 512;

/// The outer form of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// `agent:<id>:<rest>` with a well-formed id and a non-empty rest.
    Agent,
    /// Starts with `agent:` (any case) and is not of that form: refused.
    MalformedAgent,
    /// Anything else: `main`, `global`, `cron:<job>`, `node-1`, keys of older releases.
    LegacyOrAlias,
    /// Blank.
    Missing,
}

impl Shape {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::MalformedAgent => "malformed_agent",
            Self::LegacyOrAlias => "legacy_or_alias",
            Self::Missing => "missing",
        }
    }

    /// The shape of a text. Spaces around it do not count.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::Missing;
        }
        let is_agent = text.get(..6).is_some_and(|p| p.eq_ignore_ascii_case("agent:"));
        match (split_agent(text), is_agent) {
            (Some(_), _) => Self::Agent,
            (None, true) => Self::MalformedAgent,
            (None, false) => Self::LegacyOrAlias,
        }
    }
}

/// `agent:<id>:<rest>` taken apart; `None` for every other shape. The prefix is exact: `AGENT:` is malformed.
fn split_agent(text: &str) -> Option<(AgentId, &str)> {
    let (id, rest) = text.strip_prefix("agent:")?.split_once(':')?;
    let id = AgentId::strict(id).ok()?;
    (!rest.is_empty() && !rest.starts_with(':')).then_some((id, rest))
}

/// Why a text is no session key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidSessionKey {
    /// Blank.
    #[error("the session key is blank; give one such as agent:main:main")]
    Missing,
    /// Starts with `agent:` without a usable agent id and rest (SP-120).
    #[error("session key {0:?} is malformed; an agent key is agent:<id>:<rest>")]
    MalformedAgent(String),
    /// Longer than [`MAX_KEY`].
    #[error("the session key is longer than {MAX_KEY} bytes")]
    TooLong,
    /// Holds a control character.
    #[error("session key {0:?} holds a control character")]
    Control(String),
}

/// A key that has been read: trimmed, at most [`MAX_KEY`] bytes, no control characters, not malformed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionKey {
    text: String,
    agent: Option<AgentId>,
    rest: String,
}

impl SessionKey {
    /// Reads a key from outside.
    ///
    /// # Errors
    /// [`InvalidSessionKey`]: blank, malformed, too long, or with control characters.
    pub fn parse(text: &str) -> Result<Self, InvalidSessionKey> {
        let text = text.trim();
        if text.len() > MAX_KEY {
            return Err(InvalidSessionKey::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidSessionKey::Control(text.to_owned()));
        }
        if let Some((agent, rest)) = split_agent(text) {
            return Ok(Self { text: text.to_owned(), agent: Some(agent), rest: rest.to_owned() });
        }
        match Shape::of(text) {
            Shape::Missing => Err(InvalidSessionKey::Missing),
            Shape::Agent | Shape::MalformedAgent => Err(InvalidSessionKey::MalformedAgent(text.to_owned())),
            Shape::LegacyOrAlias => Ok(Self { text: text.to_owned(), agent: None, rest: text.to_owned() }),
        }
    }

    /// The text as given, trimmed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The agent inside `agent:<id>:...`; `None` for `main`, `global` and keys of older releases.
    #[must_use]
    pub fn agent(&self) -> Option<&AgentId> {
        self.agent.as_ref()
    }

    /// What follows `agent:<id>:`; the whole text of a key without that prefix.
    #[must_use]
    pub fn rest(&self) -> &str {
        &self.rest
    }

    /// What the key stands for.
    #[must_use]
    pub fn class(&self) -> Class {
        Class::of(&self.rest)
    }

    /// Whether this is a sub-agent's key (`subagent:` right after the agent part, any case).
    #[must_use]
    pub fn is_subagent(&self) -> bool {
        class::has_prefix(&self.rest, "subagent:")
    }

    /// Whether this is an ACP session's key.
    #[must_use]
    pub fn is_acp(&self) -> bool {
        class::has_prefix(&self.rest, "acp:")
    }

    /// The key before the last `:thread:` or `:topic:` (any case); `None` when there is none.
    #[must_use]
    pub fn thread_parent(&self) -> Option<&str> {
        class::thread_parent(&self.text)
    }

    /// The room the key names, if it names one: `<channel>:group:<id>` or `<channel>:channel:<id>`; a thread's parent is meant,
    /// and a leading `subagent` element is skipped (tool-policy 5.1).
    #[must_use]
    pub fn room(&self) -> Option<Room> {
        Room::of(&self.rest)
    }

    /// Whether this is the main session of `agent`: the alias `main`, or `agent:<agent>:main`; under `session.scope: global`
    /// also `global`. `session.mainKey` is accepted in the configuration and means `main` (tool-policy 3.3).
    #[must_use]
    pub fn is_main_of(&self, agent: &AgentId, scope: SessionScope) -> bool {
        let main = self.rest.eq_ignore_ascii_case("main") && self.agent.as_ref().is_none_or(|a| a == agent);
        main || (scope == SessionScope::Global && self.text.eq_ignore_ascii_case("global"))
    }
}

impl std::fmt::Display for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// `session.scope`: whether everyone's direct chats share one global session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionScope {
    /// Sessions per sender (default).
    PerSender,
    /// One session for all.
    Global,
}

impl SessionScope {
    /// Reads `session.scope`. An absent or unknown word is the strict [`SessionScope::PerSender`]: only the word `global` makes
    /// more keys count as the main session.
    #[must_use]
    pub fn from_config(config: &oc_types::Node) -> Self {
        match config.path(&["session", "scope"]).and_then(oc_types::Node::as_str) {
            Some("global") => Self::Global,
            _ => Self::PerSender,
        }
    }
}
