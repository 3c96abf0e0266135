//! Comparing senders with list entries, channel by channel (channels 2 and 3, "Sender matching").
//!
//! Every comparison is between normalised texts of one kind: id with id, number with number, chat with chat, and - only with the
//! break-glass key - name with name (SP-402, SP-403, SP-108).

use oc_types::ChannelId;

use super::NameMatching;
use crate::inbound::{Inbound, Phone};

/// How a channel writes its ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Family {
    WhatsApp,
    Signal,
    Telegram,
    Discord,
    Slack,
    IMessage,
    Matrix,
    Mattermost,
    GoogleChat,
    Teams,
    Line,
    Other,
}

impl Family {
    pub(crate) fn of(channel: &ChannelId) -> Self {
        match channel.as_str() {
            "whatsapp" => Self::WhatsApp,
            "signal" => Self::Signal,
            "telegram" => Self::Telegram,
            "discord" => Self::Discord,
            "slack" => Self::Slack,
            "imessage" | "bluebubbles" => Self::IMessage,
            "matrix" => Self::Matrix,
            "mattermost" => Self::Mattermost,
            "googlechat" => Self::GoogleChat,
            "msteams" => Self::Teams,
            "line" => Self::Line,
            _ => Self::Other,
        }
    }

    /// The prefixes that may stand before an id, lower case.
    fn prefixes(self) -> &'static [&'static str] {
        match self {
            Self::WhatsApp => &["whatsapp:"],
            Self::Signal => &["signal:"],
            Self::Telegram => &["telegram:", "tg:"],
            Self::Discord => &["discord:", "user:", "pk:"],
            Self::Slack => &["slack:", "user:"],
            Self::IMessage => &["imessage:", "sms:", "auto:", "bluebubbles:"],
            Self::Matrix => &["matrix:", "user:"],
            Self::Mattermost => &["mattermost:", "user:"],
            Self::GoogleChat => &["googlechat:", "google-chat:", "gchat:", "user:", "users/"],
            Self::Teams => &["msteams:", "user:"],
            Self::Line => &["line:", "user:"],
            Self::Other => &[],
        }
    }

    /// Removes prefixes, any case, in the order they may nest (`googlechat:users/1`).
    fn bare(self, text: &str) -> &str {
        let mut text = text.trim();
        for prefix in self.prefixes() {
            if let Some(rest) = strip_prefix_any_case(text, prefix) {
                text = rest.trim();
            }
        }
        text
    }
}

/// `text` without `prefix` (ASCII, lower case), compared in any case.
pub(crate) fn strip_prefix_any_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| text.get(prefix.len()..)).flatten()
}

/// A list entry, read for a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Nothing in it.
    Blank,
    /// `*`.
    Everybody,
    /// A conversation of iMessage, as `chat_id:7`, `chat_guid:...` or `chat_identifier:...`.
    Chat(String),
    /// Somebody.
    Person {
        /// As an id, when it can be one.
        id: Option<String>,
        /// As a name.
        name: Option<String>,
        /// Whether it looks like an id of this channel; if not, it is a name that does nothing without the break-glass key.
        id_shaped: bool,
    },
}

impl Entry {
    pub(crate) fn read(family: Family, text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::Blank;
        }
        if text == "*" {
            return Self::Everybody;
        }
        if family == Family::IMessage
            && let Some(chat) = chat_entry(family.bare(text))
        {
            return Self::Chat(chat);
        }
        let bare = family.bare(text);
        if bare.is_empty() {
            return Self::Blank;
        }
        let id = id_key(family, bare);
        let id_shaped = id.as_deref().is_some_and(|id| looks_like_id(family, id));
        // Typed by its spelling: what is written like an id is no name, so nobody can take it as one (SP-108).
        let name = name_key(family, bare).filter(|_| !id_shaped);
        Self::Person { id, name, id_shaped }
    }
}

/// `chat_id:7` and its other spellings in one form.
fn chat_entry(text: &str) -> Option<String> {
    let kinds: [(&str, &[&str]); 3] = [
        ("chat_id", &["chat_id:", "chatid:", "chat:"]),
        ("chat_guid", &["chat_guid:", "chatguid:", "guid:"]),
        ("chat_identifier", &["chat_identifier:", "chatidentifier:", "chatident:"]),
    ];
    kinds.iter().find_map(|(kind, spellings)| {
        let rest = spellings.iter().find_map(|s| strip_prefix_any_case(text, s))?.trim();
        (!rest.is_empty()).then(|| format!("{kind}:{rest}"))
    })
}

/// The id form of an entry or of a sender's own id, prefixes already removed; `None` when the text cannot be an id here.
fn id_key(family: Family, bare: &str) -> Option<String> {
    let low = || bare.to_lowercase();
    match family {
        Family::WhatsApp => whatsapp_number(bare),
        Family::Signal => Phone::parse(bare).map(|p| p.as_str().to_owned()).or_else(|| {
            let id = strip_prefix_any_case(bare, "uuid:").unwrap_or(bare).trim();
            (!id.is_empty()).then(|| format!("uuid:{id}"))
        }),
        Family::Telegram => digits(bare),
        Family::Discord => {
            let id = bare.strip_prefix("<@").and_then(|t| t.strip_suffix('>'));
            let id = id.map_or(bare, |t| t.strip_prefix('!').unwrap_or(t));
            Some(id.to_owned())
        }
        Family::IMessage if bare.contains('@') => Some(low()),
        Family::IMessage => Phone::parse(bare).map_or_else(
            || Some(bare.split_whitespace().collect::<String>().to_lowercase()),
            |p| Some(p.as_str().to_owned()),
        ),
        Family::Matrix => {
            let full = bare.starts_with('@')
                && bare.split_once(':').is_some_and(|(l, s)| l.len() > 1 && !s.is_empty());
            full.then(low)
        }
        // An `@` makes it a name.
        Family::Slack | Family::Mattermost | Family::Teams => (!bare.starts_with('@')).then(low),
        Family::GoogleChat => (!bare.contains('@')).then(low),
        Family::Line | Family::Other => Some(bare.to_owned()),
    }
}

fn digits(text: &str) -> Option<String> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.to_owned())
}

/// A number, also as `<digits>[:device]@s.whatsapp.net`. Groups and hidden ids (`@g.us`, `@lid`) are no numbers.
pub(crate) fn whatsapp_number(text: &str) -> Option<String> {
    let number = match text.split_once('@') {
        Some((user, server)) => {
            let known = matches!(server.to_ascii_lowercase().as_str(), "s.whatsapp.net" | "c.us");
            known.then(|| user.split_once(':').map_or(user, |(u, _)| u))?
        }
        None => text,
    };
    Phone::parse(number).map(|p| p.as_str().to_owned())
}

/// The number in an address of a direct chat, on WhatsApp.
pub(crate) fn phone_of(family: Family, address: &str) -> Option<Phone> {
    whatsapp_number(family.bare(address)).and_then(|n| Phone::parse(&n))
}

/// The name form of an entry or of a sender's name; only compared behind the break-glass key.
fn name_key(family: Family, bare: &str) -> Option<String> {
    let key = match family {
        Family::WhatsApp | Family::Signal | Family::IMessage | Family::Matrix | Family::Line => return None,
        Family::Telegram | Family::Mattermost | Family::Other => bare.trim_start_matches('@').to_lowercase(),
        Family::Discord | Family::Slack => slug(bare),
        Family::GoogleChat | Family::Teams => bare.to_lowercase(),
    };
    (!key.is_empty()).then_some(key)
}

/// Lower case, everything but letters and digits as single dashes, none at the ends.
pub(crate) fn slug(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim().trim_start_matches(['@', '#']).chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            out.push(c);
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    out.trim_matches('-').to_owned()
}

/// Whether a normalised text has the form of this channel's ids; if not, it is read as a name.
fn looks_like_id(family: Family, id: &str) -> bool {
    let all = |ok: fn(u8) -> bool| !id.is_empty() && id.bytes().all(ok);
    match family {
        Family::Discord => all(|b| b.is_ascii_digit()) || id.len() >= 32,
        Family::Slack => {
            matches!(id.bytes().next(), Some(b'u' | b'w' | b'b'))
                && all(|b| b.is_ascii_alphanumeric())
                && id.bytes().any(|b| b.is_ascii_digit())
        }
        Family::GoogleChat => all(|b| b.is_ascii_digit()),
        Family::Mattermost => id.len() == 26 || id.bytes().any(|b| b.is_ascii_digit()),
        Family::Teams => id.contains(['-', ':']),
        Family::Signal => id.starts_with('+') || id.len() >= 32,
        Family::WhatsApp | Family::Telegram | Family::IMessage | Family::Matrix | Family::Line => true,
        Family::Other => !id.starts_with('@'),
    }
}

/// The sender of one message, as the texts that entries are compared with.
#[derive(Clone, Debug, Default)]
pub(crate) struct SenderKeys {
    /// Ids and numbers.
    pub(crate) ids: Vec<String>,
    /// Names; empty without the break-glass key.
    pub(crate) names: Vec<String>,
    /// The chats of an iMessage event.
    pub(crate) chats: Vec<String>,
}

impl SenderKeys {
    /// Reads a message's sender. Names are read only with `matching`.
    pub(crate) fn of(family: Family, message: &Inbound, matching: Option<&NameMatching>) -> Self {
        let sender = &message.sender;
        let mut ids: Vec<String> = Vec::new();
        if let Some(phone) = &sender.phone {
            ids.push(phone.as_str().to_owned());
        }
        if let Some(id) = sender.id.as_ref().and_then(|id| id_key(family, family.bare(id.as_str())))
            && !ids.contains(&id)
        {
            ids.push(id);
        }
        let mut names = Vec::new();
        if let Some(key) = matching {
            // Telegram and Mattermost know user names alone; a display name never stands for anybody there.
            let known: Vec<&str> = match family {
                Family::Telegram => sender.names.username(key).into_iter().collect(),
                Family::GoogleChat => sender.names.email(key).into_iter().collect(),
                _ => sender.names.all(key).collect(),
            };
            names = known.into_iter().filter_map(|n| name_key(family, n)).collect();
        }
        Self { ids, names, chats: chats(family, message) }
    }

    /// Whether anything stable is known about the sender.
    pub(crate) fn is_known(&self) -> bool {
        !self.ids.is_empty()
    }
}

fn chats(family: Family, message: &Inbound) -> Vec<String> {
    if family != Family::IMessage {
        return Vec::new();
    }
    let place = &message.place;
    let room =
        (message.kind != crate::inbound::ConversationKind::Direct).then(|| message.conversation.as_str());
    let mut out: Vec<String> =
        place.chat_id.as_deref().or(room).map(|id| format!("chat_id:{id}")).into_iter().collect();
    out.extend(place.chat_guid.iter().map(|id| format!("chat_guid:{id}")));
    out.extend(place.chat_identifier.iter().map(|id| format!("chat_identifier:{id}")));
    out
}

/// The id under which a pairing request of this sender is kept.
pub(crate) fn pairing_id(family: Family, message: &Inbound) -> Option<String> {
    let sender = &message.sender;
    let raw = || sender.id.as_ref().map(|id| id.as_str().to_owned());
    match family {
        Family::WhatsApp => sender
            .phone
            .as_ref()
            .map(|p| p.as_str().to_owned())
            .or_else(|| id_key(family, sender.id.as_ref()?.as_str())),
        Family::Signal | Family::IMessage => sender
            .phone
            .as_ref()
            .map(|p| p.as_str().to_owned())
            .or_else(|| id_key(family, family.bare(sender.id.as_ref()?.as_str()))),
        _ => raw(),
    }
}

/// An entry of the approved store in its normal form (channels 2); `None` for what is ignored: blank and `*`.
#[must_use]
pub fn store_entry(channel: &ChannelId, text: &str) -> Option<String> {
    let text = text.trim();
    let family = Family::of(channel);
    let bare = match family {
        Family::WhatsApp | Family::IMessage | Family::Other => text,
        Family::Mattermost => family.bare(text).trim_start_matches('@'),
        Family::Signal
        | Family::Telegram
        | Family::Discord
        | Family::Slack
        | Family::Matrix
        | Family::GoogleChat
        | Family::Teams
        | Family::Line => family.bare(text),
    };
    let out = match family {
        Family::GoogleChat | Family::Mattermost => bare.to_lowercase(),
        _ => bare.to_owned(),
    };
    (!out.is_empty() && out != "*").then_some(out)
}
