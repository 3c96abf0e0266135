//! Who asks, and whether an entry of a list means them.

use crate::inbound::ConversationKind;

/// The sender of the message that asks for elevation. There is no field for the recipient: it never counts.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// The service's stable id.
    pub id: Option<&'a str>,
    /// The phone number.
    pub e164: Option<&'a str>,
    /// The address the message came from; identity in direct chats only, elsewhere it names the room.
    pub from: Option<&'a str>,
    /// Display name: chosen by its owner.
    pub name: Option<&'a str>,
    /// User name: chosen by its owner.
    pub username: Option<&'a str>,
    /// Tag such as `al#0001`: chosen by its owner.
    pub tag: Option<&'a str>,
    /// The kind of the conversation.
    pub conversation: ConversationKind,
}

/// What of the sender an entry named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdentityKind {
    /// The entry is `*`: everybody.
    Anybody,
    /// The stable id.
    Id,
    /// The phone number.
    E164,
    /// The address of a direct chat.
    From,
    /// The display name, through `name:`.
    Name,
    /// The user name, through `username:`.
    Username,
    /// The tag, through `tag:`.
    Tag,
}

impl IdentityKind {
    /// Whether the sender can change it.
    #[must_use]
    pub fn is_mutable(self) -> bool {
        match self {
            Self::Name | Self::Username | Self::Tag => true,
            Self::Anybody | Self::Id | Self::E164 | Self::From => false,
        }
    }

    /// The word for messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Anybody => "anybody",
            Self::Id => "sender id",
            Self::E164 => "phone number",
            Self::From => "direct-chat address",
            Self::Name => "display name",
            Self::Username => "user name",
            Self::Tag => "tag",
        }
    }
}

/// Prefixes of which one is dropped from an entry or an address before comparing.
const CHANNEL_PREFIXES: [&str; 9] = [
    "telegram:",
    "whatsapp:",
    "discord:",
    "googlechat:",
    "slack:",
    "signal:",
    "imessage:",
    "webchat:",
    "user:",
];

/// Words that say the rest names a conversation, not a person (SP-114).
const CONVERSATION_PREFIXES: [&str; 8] =
    ["group:", "channel:", "room:", "conversation:", "chat:", "thread:", "topic:", "guild:"];

/// The kinds an entry can be limited to.
const TYPED: [(&str, IdentityKind); 6] = [
    ("id:", IdentityKind::Id),
    ("from:", IdentityKind::From),
    ("e164:", IdentityKind::E164),
    ("name:", IdentityKind::Name),
    ("username:", IdentityKind::Username),
    ("tag:", IdentityKind::Tag),
];

fn strip<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| text.get(prefix.len()..).unwrap_or_default().trim())
}

fn without_prefix(text: &str) -> &str {
    CHANNEL_PREFIXES.iter().find_map(|p| strip(text, p)).unwrap_or(text)
}

fn names_conversation(text: &str) -> bool {
    CONVERSATION_PREFIXES.iter().any(|p| strip(text, p).is_some())
}

fn same(a: &str, b: &str) -> bool {
    !a.is_empty() && a.to_lowercase() == b.to_lowercase()
}

impl<'a> Sender<'a> {
    /// The address, where it stands for a person.
    fn direct_from(&self) -> Option<&'a str> {
        let from = self.from?.trim();
        let person = self.conversation == ConversationKind::Direct
            && !names_conversation(from)
            && !names_conversation(without_prefix(from));
        person.then_some(from)
    }

    fn field(&self, kind: IdentityKind) -> Option<&'a str> {
        match kind {
            IdentityKind::Anybody => None,
            IdentityKind::Id => self.id,
            IdentityKind::E164 => self.e164,
            IdentityKind::From => self.direct_from(),
            IdentityKind::Name => self.name,
            IdentityKind::Username => self.username,
            IdentityKind::Tag => self.tag,
        }
        .map(str::trim)
    }
}

/// Whether an entry of an elevated list means this sender, and by what. Blank entries mean nobody.
#[must_use]
pub fn entry_matches(entry: &str, sender: &Sender<'_>) -> Option<IdentityKind> {
    let entry = entry.trim();
    if entry == "*" {
        return Some(IdentityKind::Anybody);
    }
    if let Some((rest, kind)) = TYPED.iter().find_map(|(p, kind)| Some((strip(entry, p)?, *kind))) {
        let value = sender.field(kind)?;
        let hit = match kind {
            IdentityKind::Username => same(rest.trim_start_matches('@'), value.trim_start_matches('@')),
            IdentityKind::From => same(rest, value) || same(rest, without_prefix(value)),
            IdentityKind::Anybody
            | IdentityKind::Id
            | IdentityKind::E164
            | IdentityKind::Name
            | IdentityKind::Tag => same(rest, value),
        };
        return hit.then_some(kind);
    }
    let bare = without_prefix(entry);
    if names_conversation(entry) || names_conversation(bare) {
        return None;
    }
    [IdentityKind::Id, IdentityKind::E164, IdentityKind::From].into_iter().find(|kind| {
        sender.field(*kind).is_some_and(|value| {
            let plain = if *kind == IdentityKind::From { without_prefix(value) } else { value };
            [entry, bare].into_iter().any(|e| same(e, value) || same(e, plain))
        })
    })
}
