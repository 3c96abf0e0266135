//! Building keys: every `dmScope`, identity links, threads (sessions-routing 2, SP-419).

use std::collections::HashMap;

use oc_types::{AccountId, AgentId, Node};
use thiserror::Error;

use super::SessionKey;
use crate::inbound::ConversationKind;

/// `session.dmScope`: how direct chats are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DmScope {
    /// All direct chats of an agent share its main session.
    Main,
    /// One session a person id, whatever the channel.
    PerPeer,
    /// One a channel and person.
    PerChannelPeer,
    /// One an account, channel and person.
    PerAccountChannelPeer,
}

/// `session.dmScope` holds a word that is none (SP-119).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("session.dmScope is {0:?}; use main, per-peer, per-channel-peer or per-account-channel-peer")]
pub struct UnknownDmScope(String);

impl DmScope {
    /// Every value, loosest first.
    pub const ALL: [Self; 4] = [Self::Main, Self::PerPeer, Self::PerChannelPeer, Self::PerAccountChannelPeer];

    /// The configuration word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::PerPeer => "per-peer",
            Self::PerChannelPeer => "per-channel-peer",
            Self::PerAccountChannelPeer => "per-account-channel-peer",
        }
    }

    /// Reads `session.dmScope`; absent is `main` (seed A).
    ///
    /// # Errors
    /// [`UnknownDmScope`] for any other word or shape.
    pub fn from_config(config: &Node) -> Result<Self, UnknownDmScope> {
        let Some(node) = config.path(&["session", "dmScope"]) else { return Ok(Self::Main) };
        let word = node.as_str().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|s| s.word() == word)
            .ok_or_else(|| UnknownDmScope(node.as_str().unwrap_or("not a text").to_owned()))
    }
}

/// `session.identityLinks`, indexed: entry (lower case) to canonical name; the first canonical name in file order wins.
#[derive(Clone, Debug, Default)]
pub struct IdentityLinks(HashMap<String, (usize, String)>);

impl IdentityLinks {
    /// Reads the map. Blank canonical names and values that are no lists are skipped.
    #[must_use]
    pub fn from_config(config: &Node) -> Self {
        let mut index = HashMap::new();
        let links = config.path(&["session", "identityLinks"]).and_then(Node::as_object);
        for (rank, (name, ids)) in links.into_iter().flatten().enumerate() {
            let name = lower(name.trim());
            if name.is_empty() {
                continue;
            }
            for id in ids.entries().unwrap_or_default() {
                let id = lower(id.trim());
                if !id.is_empty() {
                    index.entry(id).or_insert_with(|| (rank, name.clone()));
                }
            }
        }
        Self(index)
    }

    /// Whether some person is linked under this name.
    fn names(&self, peer: &str) -> bool {
        // Without links there is nothing to look through.
        !self.0.is_empty() && {
            let peer = lower(peer);
            self.0.values().any(|(_, name)| *name == peer)
        }
    }

    /// The canonical name for a person on a channel, if one is linked.
    #[must_use]
    pub fn canonical(&self, channel: &str, peer: &str) -> Option<&str> {
        let peer = lower(peer);
        let bare = self.0.get(&peer);
        let scoped = self.0.get(&format!("{channel}:{peer}"));
        [bare, scoped].into_iter().flatten().min_by_key(|(rank, _)| *rank).map(|(_, name)| name.as_str())
    }
}

/// The part of the configuration that shapes keys.
#[derive(Clone, Debug)]
pub struct SessionSettings {
    /// `session.dmScope`.
    pub dm_scope: DmScope,
    /// `session.identityLinks`.
    pub links: IdentityLinks,
}

impl SessionSettings {
    /// Reads them once.
    ///
    /// # Errors
    /// [`UnknownDmScope`].
    pub fn from_config(config: &Node) -> Result<Self, UnknownDmScope> {
        Ok(Self { dm_scope: DmScope::from_config(config)?, links: IdentityLinks::from_config(config) })
    }
}

/// The parts of a key.
#[derive(Clone, Copy, Debug)]
pub struct SessionParts<'a> {
    /// The agent.
    pub agent: &'a AgentId,
    /// Channel name; blank is written `unknown`.
    pub channel: &'a str,
    /// Account of the channel.
    pub account: &'a AccountId,
    /// Direct or room.
    pub kind: ConversationKind,
    /// The other party of a direct chat, otherwise the room.
    pub peer: &'a str,
    /// Topic of a group (Telegram forum).
    pub topic: Option<&'a str>,
    /// Thread below the conversation.
    pub thread: Option<&'a str>,
}

/// The main key of an agent.
#[must_use]
pub fn main_key(agent: &AgentId) -> SessionKey {
    from_rest(agent, "main".to_owned())
}

fn from_rest(agent: &AgentId, rest: String) -> SessionKey {
    SessionKey { text: format!("agent:{agent}:{rest}"), agent: Some(agent.clone()), rest }
}

/// The key for a conversation, and the parent key when it is a thread.
///
/// Everything is lower case. A direct chat without a peer falls back to the main key; a room without an id and a message without a
/// channel are written `unknown`. A conversation of unknown kind is kept apart like a room (SP-415).
#[must_use]
pub fn session_key(settings: &SessionSettings, parts: &SessionParts<'_>) -> (SessionKey, Option<SessionKey>) {
    let channel = or_unknown(encode_part(parts.channel.trim()));
    let base = match parts.kind {
        ConversationKind::Direct => direct_rest(settings, parts, &channel),
        ConversationKind::Group | ConversationKind::Channel | ConversationKind::Unknown => {
            let word = if parts.kind == ConversationKind::Channel { "channel" } else { "group" };
            let mut rest = format!("{channel}:{word}:{}", or_unknown(encode_room(parts.peer.trim())));
            if let Some(topic) = present(parts.topic) {
                rest = format!("{rest}:topic:{}", encode_part(topic));
            }
            rest
        }
    };
    match present(parts.thread) {
        Some(thread) => {
            let key = from_rest(parts.agent, format!("{base}:thread:{}", encode_part(thread)));
            (key, Some(from_rest(parts.agent, base)))
        }
        None => (from_rest(parts.agent, base), None),
    }
}

fn direct_rest(settings: &SessionSettings, parts: &SessionParts<'_>, channel: &str) -> String {
    let peer = parts.peer.trim();
    if peer.is_empty() || settings.dm_scope == DmScope::Main {
        return "main".to_owned();
    }
    let peer = match settings.links.canonical(&lower(parts.channel.trim()), peer) {
        Some(name) => encode(name),
        // Whoever has the name of a linked person as an id is somebody else all the same (SP-419).
        None if settings.links.names(peer) => escape_first(&encode(peer)),
        None => encode(peer),
    };
    match settings.dm_scope {
        DmScope::Main => "main".to_owned(),
        DmScope::PerPeer => format!("direct:{peer}"),
        DmScope::PerChannelPeer => format!("{channel}:direct:{peer}"),
        DmScope::PerAccountChannelPeer => format!("{channel}:{}:direct:{peer}", parts.account),
    }
}

fn present(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|t| !t.is_empty())
}

fn or_unknown(text: String) -> String {
    if text.is_empty() { "unknown".to_owned() } else { text }
}

/// Lower case, but a letter outside ASCII never becomes an ASCII one (the Kelvin sign stays apart from `k`, SP-019).
fn lower(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() || c.to_lowercase().any(|l| l.is_ascii()) {
            out.push(c.to_ascii_lowercase());
        } else {
            out.extend(c.to_lowercase());
        }
    }
    out
}

/// Lower case; `:thread:` and `:topic:`, which have a meaning inside a key, lose their colons, control characters are written `%XX`,
/// and a `%` that would read as such an escape is written `%25`. Ids of the real services pass unchanged.
fn encode(text: &str) -> String {
    escape(&lower(text)).replace(":thread:", "%3athread%3a").replace(":topic:", "%3atopic%3a")
}

/// Like [`encode`], without any colon left: for the parts that end a key or stand in front of one.
fn encode_part(text: &str) -> String {
    escape(&lower(text)).replace(':', "%3a")
}

/// Like [`encode`], but `<chat>:topic:<number>` is how a room id of a topic arrives.
fn encode_room(text: &str) -> String {
    match text.rsplit_once(":topic:") {
        Some((chat, topic))
            if !chat.is_empty() && !topic.is_empty() && topic.chars().all(|c| c.is_ascii_digit()) =>
        {
            format!("{}:topic:{topic}", encode(chat))
        }
        _ => encode(text),
    }
}

/// The first character as `%XX`, which [`escape`] leaves to nobody else.
fn escape_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(c) => format!("%{:02x}{}", u32::from(c), chars.as_str()),
        None => String::new(),
    }
}

fn escape(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for (i, c) in text.char_indices() {
        let hex_follows = || text.get(i + 1..i + 3).is_some_and(|t| t.chars().all(|c| c.is_ascii_hexdigit()));
        if c.is_control() || (c == '%' && hex_follows()) {
            let _ = write!(out, "%{:02x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}
