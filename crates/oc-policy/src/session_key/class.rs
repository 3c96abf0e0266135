//! What a key stands for: main, sub-agent, ACP, room, direct chat.

use oc_types::ChannelId;

/// The class of a key, from the part after `agent:<id>:`. A thread has the class of its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// `main`.
    Main,
    /// `subagent:<id>`.
    Subagent,
    /// `acp:<id>`.
    Acp,
    /// `<channel>:group:<id>` or `<channel>:channel:<id>`.
    Group,
    /// `direct:<peer>`, `<channel>:direct:<peer>`, `<channel>:<account>:direct:<peer>`; `dm` as older stores write it.
    Dm,
    /// Cron, hook, node, slash and everything else.
    Other,
}

/// Whether `text` starts with `prefix` (ASCII, lower case), any case.
pub(super) fn has_prefix(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|t| t.eq_ignore_ascii_case(prefix))
}

/// The text before the last `:thread:` or `:topic:`, if there is one and it is not empty.
pub(super) fn thread_parent(text: &str) -> Option<&str> {
    // ASCII lower-casing keeps byte offsets.
    let low = text.to_ascii_lowercase();
    let at = low.rfind(":thread:").max(low.rfind(":topic:"))?;
    text.get(..at).filter(|t| !t.trim().is_empty())
}

fn is_direct(word: &str) -> bool {
    word.eq_ignore_ascii_case("direct") || word.eq_ignore_ascii_case("dm")
}

impl Class {
    pub(super) fn of(rest: &str) -> Self {
        if has_prefix(rest, "subagent:") {
            return Self::Subagent;
        }
        if has_prefix(rest, "acp:") {
            return Self::Acp;
        }
        let base = thread_parent(rest).unwrap_or(rest);
        if base.eq_ignore_ascii_case("main") {
            return Self::Main;
        }
        if Room::of(base).is_some() {
            return Self::Group;
        }
        let mut parts = base.splitn(4, ':');
        let (a, b, c, d) = (parts.next(), parts.next(), parts.next(), parts.next());
        let direct = |w: Option<&str>, peer: Option<&str>| {
            w.is_some_and(is_direct) && peer.is_some_and(|p| !p.is_empty())
        };
        if direct(a, b) || direct(b, c) || direct(c, d) {
            return Self::Dm;
        }
        Self::Other
    }

    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Subagent => "subagent",
            Self::Acp => "acp",
            Self::Group => "group",
            Self::Dm => "dm",
            Self::Other => "other",
        }
    }
}

/// Group or channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RoomKind {
    /// A group chat.
    Group,
    /// A channel or room of a server.
    Channel,
}

/// The room a key names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Room {
    /// The channel, aliases resolved.
    pub channel: ChannelId,
    /// Group or channel.
    pub kind: RoomKind,
    /// The id, as it stands in the key; of a thread or topic the parent's.
    pub id: String,
}

impl Room {
    pub(super) fn of(rest: &str) -> Option<Self> {
        let rest = if has_prefix(rest, "subagent:") { rest.split_once(':')?.1 } else { rest };
        let rest = thread_parent(rest).unwrap_or(rest);
        let mut parts = rest.splitn(3, ':');
        let (channel, kind, id) = (parts.next()?, parts.next()?, parts.next()?);
        let kind = match kind.to_ascii_lowercase().as_str() {
            "group" => RoomKind::Group,
            "channel" => RoomKind::Channel,
            _ => return None,
        };
        let channel = ChannelId::parse(channel).ok()?;
        (!id.is_empty()).then(|| Self { channel, kind, id: id.to_owned() })
    }
}
