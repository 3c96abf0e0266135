//! What other people do, as events.

use oc_policy::inbound::{
    ConversationId, ConversationKind, EventKind, Inbound, Mentions, MutableNames, Sender, SenderId,
};
use oc_types::ChannelId;

use super::line::Line;
use super::link::Link;
use crate::adapter::{Destination, Event};

/// Makes events of lines. IRC gives messages no ids, so they are counted here.
#[derive(Debug)]
pub(super) struct Reader {
    channel: ChannelId,
    account: String,
    connected_ms: i64,
    count: u64,
}

impl Reader {
    pub(super) fn new(channel: ChannelId, account: String, connected_ms: i64) -> Self {
        Self { channel, account, connected_ms, count: 0 }
    }

    /// The event of a line; `None` for what the server itself says.
    pub(super) fn event(&mut self, line: &Line, link: &Link) -> Option<Event> {
        let (kind, place, text) = match line.command.as_str() {
            "PRIVMSG" => match ctcp(line.last()) {
                None => (EventKind::Message, line.param(0), line.last().to_owned()),
                Some(("ACTION", text)) => (EventKind::Message, line.param(0), text.to_owned()),
                // Questions about the client, file offers: not answered.
                Some(_) => (EventKind::Unknown, line.param(0), String::new()),
            },
            // By the protocol's rule a notice is never answered.
            "NOTICE" | "TAGMSG" => (EventKind::Unknown, line.param(0), line.last().to_owned()),
            "JOIN" | "PART" => (EventKind::Membership, line.param(0), line.command.to_ascii_lowercase()),
            "KICK" => (EventKind::Membership, line.param(0), format!("kick {}", line.param(1))),
            "INVITE" => (EventKind::Membership, line.param(1), format!("invite {}", line.param(0))),
            "QUIT" | "NICK" => (EventKind::Membership, "", line.command.to_ascii_lowercase()),
            "TOPIC" | "MODE" => (EventKind::Unknown, line.param(0), String::new()),
            _ => return None,
        };
        // A server or service of the network has no user and host.
        let person = line.prefix.split_once('!').is_some_and(|(_, rest)| rest.contains('@'));
        let id = line.prefix.to_ascii_lowercase();
        let (conversation_kind, conversation) = conversation(place, &id, link);
        let conversation = ConversationId::new(&conversation);
        let mut message = Inbound::new(self.channel.clone(), conversation_kind, conversation.clone());
        message.event = if person { kind } else { EventKind::Unknown };
        message.account.clone_from(&self.account);
        message.sender = Sender {
            id: person.then(|| SenderId::new(&id)).flatten(),
            phone: None,
            names: MutableNames::new(Some(line.nick()), None, None, None),
            is_bot: line.tag("bot").is_some(),
        };
        message.from_me = link.is_me(line.nick());
        let nick = link.nick();
        message.mentions = Mentions { bot: Some(names(&text, &nick)), ..Mentions::default() };
        message.bot_username = Some(nick);
        message.text = text;
        message.sent_ms =
            line.tag("time").and_then(|t| t.parse::<jiff::Timestamp>().ok()).map(|t| t.as_millisecond());
        message.connected_ms = Some(self.connected_ms);
        self.count = self.count.saturating_add(1);
        let own = || format!("{}-{}", self.connected_ms, self.count);
        let event_id = line.tag("msgid").filter(|id| !id.is_empty()).map_or_else(own, str::to_owned);
        Some(Event {
            id: event_id,
            message,
            reply: Destination { conversation, thread: None, reply_to: None },
            attachments: Vec::new(),
            quoted: None,
            payload: None,
        })
    }
}

/// A room, the sender's own mask, or nothing that is known.
fn conversation(place: &str, sender: &str, link: &Link) -> (ConversationKind, String) {
    let bare = place.trim_start_matches(|c: char| link.status_signs.contains(c));
    let is_room = |text: &str| text.starts_with(|c: char| link.room_signs.contains(c));
    if is_room(place) {
        (ConversationKind::Group, place.to_ascii_lowercase())
    } else if is_room(bare) {
        // To the operators of a room alone: the answer would go to all of it.
        (ConversationKind::Unknown, bare.to_ascii_lowercase())
    } else if link.is_me(place) {
        (ConversationKind::Direct, sender.to_owned())
    } else {
        (ConversationKind::Unknown, place.to_ascii_lowercase())
    }
}

/// `\x01WORD text\x01`.
fn ctcp(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('\u{1}')?;
    let inner = inner.strip_suffix('\u{1}').unwrap_or(inner);
    Some(inner.split_once(' ').unwrap_or((inner, "")))
}

/// Whether a nick stands in a text as a word of its own.
pub(super) fn names(text: &str, nick: &str) -> bool {
    let (text, nick) = (text.to_ascii_lowercase(), nick.to_ascii_lowercase());
    let part = |c: char| c.is_alphanumeric() || "[]\\`_^{|}-".contains(c);
    !nick.is_empty()
        && text.match_indices(&nick).any(|(at, _)| {
            let before = text.get(..at).and_then(|t| t.chars().next_back());
            let after = text.get(at.saturating_add(nick.len())..).and_then(|t| t.chars().next());
            !before.is_some_and(part) && !after.is_some_and(part)
        })
}
