//! An event of the WebSocket as an event. What is not known becomes an unknown kind, which the door drops.

use oc_policy::inbound::{
    ConversationId, ConversationKind, EventKind, Inbound, Mentions, MutableNames, Place, Sender, SenderId,
};
use serde_json::Value;

use super::{Mattermost, Room};
use crate::adapter::{Attachment, Destination, Event, MediaKind, SelfIdentity};
use crate::json::Members as _;

/// Reads an event. `None`: it is none of a conversation, or holds no id.
pub(super) fn read(frame: &Value, bot: &Mattermost, own: &SelfIdentity) -> Option<Event> {
    let kind = frame.text("event")?;
    let (data, broadcast) = (frame.at("data"), frame.at("broadcast"));
    let reader =
        Reader { bot, own, data, channel: broadcast.text("channel_id"), team: broadcast.text("team_id") };
    let inner = |key: &str| -> Value {
        // Posts and reactions are JSON within JSON.
        data.at(key).as_str().and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default()
    };
    // Said by the server to the bot alone, or by something newer than this: never a message of somebody.
    let unknown =
        || reader.base(reader.channel, EventKind::Unknown, None, format!("{kind}:{}", frame.at("seq")));
    match kind {
        "posted" => reader.post(&inner("post"), None),
        "post_edited" => reader.post(&inner("post"), Some(EventKind::Edit)),
        "post_deleted" => reader.post(&inner("post"), Some(EventKind::Delete)),
        "reaction_added" | "reaction_removed" => {
            reader.reaction(&inner("reaction"), kind == "reaction_added")
        }
        "user_added" | "user_removed" => {
            let user = data.text("user_id")?;
            let id = format!("{kind}:{user}:{}", frame.at("seq"));
            Some(reader.base(reader.channel, EventKind::Membership, Some(user), id))
        }
        "ephemeral_message" | "new_user" => Some(unknown()),
        _ if kind.starts_with("post_") => Some(unknown()),
        // The state of screens, users, servers and plugins.
        _ => None,
    }
}

struct Reader<'a> {
    bot: &'a Mattermost,
    own: &'a SelfIdentity,
    data: &'a Value,
    channel: Option<&'a str>,
    team: Option<&'a str>,
}

impl Reader<'_> {
    fn post(&self, p: &Value, kind: Option<EventKind>) -> Option<Event> {
        let id = p.text("id")?;
        let channel = p.text("channel_id").or(self.channel)?;
        let found = kind_of_post(p.at("type").as_str());
        let kind = kind.filter(|_| found == EventKind::Message).unwrap_or(found);
        let id = match kind {
            EventKind::Edit => format!("{id}:{}", p.at("edit_at")),
            _ => id.to_owned(),
        };
        // Of a deletion it is not said who did it.
        let user = p.text("user_id").filter(|_| kind != EventKind::Delete);
        let mut event = self.base(Some(channel), kind, user, id);
        let props = p.at("props");
        let made = |key: &str| matches!(props.at(key).as_str(), Some("true")) || props.is_true(key);
        event.message.sender.is_bot = made("from_bot") || made("from_webhook");
        if made("from_webhook") {
            // In the name of whoever made the webhook, by anybody who has its address (SP-403).
            event.message.sender.id = None;
        }
        if !matches!(kind, EventKind::Message | EventKind::Edit) {
            return Some(event);
        }
        let name = self.data.text("sender_name").map(|n| n.trim_start_matches('@'));
        event.message.sender.names = MutableNames::new(name, None, None, None);
        let text = p.at("message").as_str().unwrap_or_default();
        event.message.mentions = self.mentions(text);
        event.message.text = self.without_leading_mention(text).to_owned();
        event.message.sent_ms = p.at("create_at").as_i64();
        event.attachments = p.at("metadata").items("files").iter().filter_map(attachment).collect();
        event.reply.reply_to = p.text("id").map(str::to_owned);
        if let Some(root) = p.text("root_id") {
            event.message.place.thread = Some(root.to_owned());
            event.reply.thread = Some(root.to_owned());
        }
        Some(event)
    }

    fn reaction(&self, r: &Value, added: bool) -> Option<Event> {
        let (user, post, name) = (r.text("user_id")?, r.text("post_id")?, r.text("emoji_name")?);
        let sign = if added { '+' } else { '-' };
        let id = format!("{post}:{user}:{sign}{name}:{}", r.at("create_at"));
        let mut event = self.base(self.channel, EventKind::Reaction, Some(user), id);
        if added {
            event.message.text = format!(":{name}:");
        }
        Some(event)
    }

    /// Mentions that the server found; those of others from the text, since it lists only whom it notifies.
    fn mentions(&self, text: &str) -> Mentions {
        let listed: Vec<String> =
            self.data.at("mentions").as_str().and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default();
        let named = self.own.username.as_deref().is_some_and(|own| names(text).any(|n| n == own));
        let others = listed.iter().any(|id| *id != self.own.id)
            || names(text).any(|n| self.own.username.as_deref() != Some(n.as_str()));
        Mentions { bot: Some(named || listed.contains(&self.own.id)), others, reply_to_bot: false }
    }

    fn without_leading_mention<'t>(&self, text: &'t str) -> &'t str {
        let Some(own) = &self.own.username else { return text };
        let rest = text.trim_start().strip_prefix('@');
        let named =
            rest.and_then(|t| t.split_at_checked(own.len())).filter(|(n, _)| n.eq_ignore_ascii_case(own));
        match named {
            Some((_, after)) if !after.starts_with(is_name) => after.trim_start_matches(':').trim_start(),
            _ => text,
        }
    }

    fn base(&self, channel: Option<&str>, kind: EventKind, user: Option<&str>, id: String) -> Event {
        let channel = channel.unwrap_or_default();
        let room = self.room(channel);
        let place = ConversationId::new(channel);
        let sender = user.and_then(SenderId::new);
        // A direct chat is its person; the channel in which it happens is where the answer goes.
        let peer = match (room.kind, &sender) {
            (ConversationKind::Direct, Some(person)) => ConversationId::new(person.as_str()),
            _ => place.clone(),
        };
        let mut message = Inbound::new(self.bot.channel.clone(), room.kind, peer);
        message.event = kind;
        message.account.clone_from(&self.bot.account);
        message.from_me = sender.as_ref().is_some_and(|s| s.as_str() == self.own.id);
        message.sender = Sender { id: sender, ..Sender::default() };
        message.bot_username.clone_from(&self.own.username);
        message.mentions = Mentions { bot: Some(false), ..Mentions::default() };
        message.place = Place { name: room.name, team: self.team.map(str::to_owned), ..Place::default() };
        Event {
            id,
            message,
            reply: Destination { conversation: place, thread: None, reply_to: None },
            attachments: Vec::new(),
            quoted: None,
            payload: None,
        }
    }

    /// What the event says of its channel, else what was said before, else nothing (SP-415).
    fn room(&self, channel: &str) -> Room {
        let mut rooms = self.bot.rooms();
        if let Some(word) = self.data.text("channel_type") {
            let kind = match word {
                "D" => ConversationKind::Direct,
                "G" => ConversationKind::Group,
                "O" | "P" => ConversationKind::Channel,
                _ => ConversationKind::Unknown,
            };
            let room = Room { kind, name: self.data.text("channel_name").map(str::to_owned) };
            if kind != ConversationKind::Unknown && !channel.is_empty() {
                rooms.put(channel, room.clone());
            }
            return room;
        }
        rooms.get(channel).cloned().unwrap_or(Room { kind: ConversationKind::Unknown, name: None })
    }
}

fn kind_of_post(word: Option<&str>) -> EventKind {
    match word {
        None | Some("" | "slack_attachment" | "me") => EventKind::Message,
        Some(
            "system_join_channel"
            | "system_leave_channel"
            | "system_add_to_channel"
            | "system_remove_from_channel"
            | "system_join_team"
            | "system_leave_team"
            | "system_add_to_team"
            | "system_remove_from_team",
        ) => EventKind::Membership,
        Some(_) => EventKind::Unknown,
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')
}

/// The names after `@` signs, lower case, without the dots that end a sentence.
fn names(text: &str) -> impl Iterator<Item = String> {
    let mut before: Option<char> = None;
    let mut out = Vec::new();
    for (at, c) in text.char_indices() {
        let begins = c == '@' && !before.is_some_and(|b| b.is_alphanumeric());
        before = Some(c);
        if !begins {
            continue;
        }
        let tail = text.get(at + 1..).unwrap_or_default();
        let name: String = tail.chars().take_while(|c| is_name(*c)).collect();
        let name = name.trim_end_matches(['.', '-', '_']).to_ascii_lowercase();
        if !name.is_empty() {
            out.push(name);
        }
    }
    out.into_iter()
}

fn attachment(f: &Value) -> Option<Attachment> {
    let media = f.text("mime_type").map(str::to_owned);
    let kind = MediaKind::of_type(media.as_deref());
    Some(Attachment {
        kind,
        name: f.text("name").map(str::to_owned),
        media_type: media,
        bytes: f.at("size").as_u64(),
        handle: f.text("id")?.to_owned(),
    })
}
