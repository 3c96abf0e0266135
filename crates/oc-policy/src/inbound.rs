//! What comes in: a message as data, with ids typed by kind (SP-403).
//!
//! An adapter fills an [`Inbound`] from its service's event; nothing has been downloaded or stored yet. A sender's id, its phone number
//! and the ids of conversations are different types, so that a list of senders cannot be compared with a chat. Names that their owner can
//! change sit behind [`MutableNames`], which opens only with the break-glass key (SP-402).

use oc_types::ChannelId;
use serde::{Deserialize, Serialize};

use crate::access::NameMatching;

/// The kind of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConversationKind {
    /// One other person.
    Direct,
    /// A group chat.
    Group,
    /// A channel or room of a server.
    Channel,
    /// The service did not say, or said a word we do not know: the strictest rule applies (SP-415).
    Unknown,
}

impl ConversationKind {
    /// Reads a service's word; `dm` is `direct`, anything unknown stays [`ConversationKind::Unknown`].
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word.trim().to_ascii_lowercase().as_str() {
            "direct" | "dm" => Self::Direct,
            "group" => Self::Group,
            "channel" => Self::Channel,
            _ => Self::Unknown,
        }
    }
}

/// What kind of event it is. Every kind passes the same gate (SP-401).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// A new message.
    Message,
    /// A changed message.
    Edit,
    /// A removed message.
    Delete,
    /// A reaction.
    Reaction,
    /// A pinned message.
    Pin,
    /// Somebody came or left.
    Membership,
    /// A button or another interactive element.
    Button,
    /// A slash command of the service.
    SlashCommand,
    /// A card.
    Card,
    /// A poll or an answer to one.
    Poll,
    /// A voice message or call event.
    Voice,
    /// A verification of the service.
    Verification,
    /// A kind the adapter does not know: dropped.
    Unknown,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::Message,
        Self::Edit,
        Self::Delete,
        Self::Reaction,
        Self::Pin,
        Self::Membership,
        Self::Button,
        Self::SlashCommand,
        Self::Card,
        Self::Poll,
        Self::Voice,
        Self::Verification,
        Self::Unknown,
    ];
}

/// The id of a conversation: a group, a room, a chat. Never compared with a sender.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConversationId(String);

/// The service's own, immutable id of a sender.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SenderId(String);

/// A telephone number: `+` and digits, nothing else (SP-425).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(String);

impl ConversationId {
    /// Takes over an id as the service gives it; spaces around it go.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.trim().to_owned())
    }

    /// The text; may be empty.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SenderId {
    /// Takes over an id as the service gives it; `None` when it is blank.
    #[must_use]
    pub fn new(id: &str) -> Option<Self> {
        let id = id.trim();
        (!id.is_empty()).then(|| Self(id.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is no id or number of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is blank or has another form")]
pub struct NotAnId;

impl TryFrom<String> for SenderId {
    type Error = NotAnId;

    fn try_from(text: String) -> Result<Self, NotAnId> {
        Self::new(&text).ok_or(NotAnId)
    }
}

impl From<SenderId> for String {
    fn from(id: SenderId) -> Self {
        id.0
    }
}

impl TryFrom<String> for Phone {
    type Error = NotAnId;

    fn try_from(text: String) -> Result<Self, NotAnId> {
        Self::parse(&text).ok_or(NotAnId)
    }
}

impl From<Phone> for String {
    fn from(phone: Phone) -> Self {
        phone.0
    }
}

impl Phone {
    /// Reads a number in any usual notation: `+1 (555) 111-0001`, `15551110001`. Anything with letters, a second `+` or no digit is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let body = text.strip_prefix('+').unwrap_or(text);
        let mut digits = String::with_capacity(body.len() + 1);
        digits.push('+');
        for c in body.chars() {
            match c {
                '0'..='9' => digits.push(c),
                ' ' | '\u{a0}' | '-' | '\u{2011}' | '(' | ')' | '.' | '/' => {}
                _ => return None,
            }
        }
        (digits.len() > 1).then_some(Self(digits))
    }

    /// `+` and digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Names that the sender or the service can change. Only readable with a [`NameMatching`], which only the break-glass key yields; as JSON
/// they go into the journal of what waits and come back from there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MutableNames {
    username: Option<String>,
    display: Option<String>,
    tag: Option<String>,
    email: Option<String>,
}

impl MutableNames {
    /// User name, display name, tag (`name#1234`) and e-mail address, as far as the service gives them.
    #[must_use]
    pub fn new(
        username: Option<&str>,
        display: Option<&str>,
        tag: Option<&str>,
        email: Option<&str>,
    ) -> Self {
        let own = |t: Option<&str>| t.map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
        Self { username: own(username), display: own(display), tag: own(tag), email: own(email) }
    }

    /// All names, user name first.
    pub fn all(&self, _key: &NameMatching) -> impl Iterator<Item = &str> {
        [&self.username, &self.display, &self.tag, &self.email].into_iter().flatten().map(String::as_str)
    }

    /// The user name alone.
    #[must_use]
    pub fn username(&self, _key: &NameMatching) -> Option<&str> {
        self.username.as_deref()
    }

    /// The e-mail address alone.
    #[must_use]
    pub fn email(&self, _key: &NameMatching) -> Option<&str> {
        self.email.as_deref()
    }
}

/// A name for showing: it can be written out and nothing else, so that nothing is decided by it. Control characters and line breaks are
/// left out, and it is at most 80 characters long.
#[derive(Clone, Copy, Debug)]
pub struct ShownName<'n>(&'n str);

impl std::fmt::Display for ShownName<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::fmt::Write as _;
        let hidden = |c: char| {
            c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        };
        self.0.chars().filter(|c| !hidden(*c)).take(80).try_for_each(|c| f.write_char(c))
    }
}

impl MutableNames {
    /// The display name, else the user name, for showing.
    #[must_use]
    pub fn shown(&self) -> Option<ShownName<'_>> {
        self.display.as_deref().or(self.username.as_deref()).map(ShownName)
    }
}

/// Who sent it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Sender {
    /// The service's id.
    pub id: Option<SenderId>,
    /// The telephone number, on channels that have one.
    pub phone: Option<Phone>,
    /// What can be changed at will.
    pub names: MutableNames,
    /// Whether the service says it is a bot.
    pub is_bot: bool,
}

/// What the service says about mentions in the message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mentions {
    /// The service's own mention of the bot: known and there, known and not there, or not known at all.
    pub bot: Option<bool>,
    /// Somebody else is mentioned.
    pub others: bool,
    /// It answers a message of the bot.
    pub reply_to_bot: bool,
}

/// Where it was said, beyond the conversation's id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// Name of the room.
    pub name: Option<String>,
    /// Topic of a forum group.
    pub topic: Option<String>,
    /// Thread.
    pub thread: Option<String>,
    /// The channel a thread belongs to.
    pub thread_parent: Option<ConversationId>,
    /// Name of that channel.
    pub thread_parent_name: Option<String>,
    /// Server (Discord).
    pub guild: Option<String>,
    /// Name of the server.
    pub guild_name: Option<String>,
    /// Team (Slack, MS Teams).
    pub team: Option<String>,
    /// Chat ids of iMessage: row id, GUID, identifier.
    pub chat_id: Option<String>,
    /// GUID of the chat.
    pub chat_guid: Option<String>,
    /// Identifier of the chat.
    pub chat_identifier: Option<String>,
}

/// One message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Inbound {
    /// What kind of event it is.
    pub event: EventKind,
    /// The channel.
    pub channel: ChannelId,
    /// The account of the channel that received it, as configured (routing compares it exactly).
    pub account: String,
    /// Direct chat or room.
    pub kind: ConversationKind,
    /// The other party's address (direct) or the room.
    pub conversation: ConversationId,
    /// Who sent it.
    pub sender: Sender,
    /// The text.
    pub text: String,
    /// Mentions.
    pub mentions: Mentions,
    /// Further ids of the place.
    pub place: Place,
    /// Sent by the bot's own account.
    pub from_me: bool,
    /// The bot's own number.
    pub self_phone: Option<Phone>,
    /// The bot's user name.
    pub bot_username: Option<String>,
    /// When it was sent, Unix milliseconds.
    pub sent_ms: Option<i64>,
    /// When the connection was made, Unix milliseconds.
    pub connected_ms: Option<i64>,
    /// Mention rule set in this session with `/activation`: `Some(true)` means a mention is needed.
    pub activation: Option<bool>,
}

impl Inbound {
    /// A message with nothing in it yet; the account is `default`.
    #[must_use]
    pub fn new(channel: ChannelId, kind: ConversationKind, conversation: ConversationId) -> Self {
        Self {
            event: EventKind::Message,
            channel,
            account: oc_types::AccountId::DEFAULT.to_owned(),
            kind,
            conversation,
            sender: Sender::default(),
            text: String::new(),
            mentions: Mentions::default(),
            place: Place::default(),
            from_me: false,
            self_phone: None,
            bot_username: None,
            sent_ms: None,
            connected_ms: None,
            activation: None,
        }
    }
}
