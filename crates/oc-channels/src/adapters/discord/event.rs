//! A dispatch of the gateway as an event. Every kind has its place; what is not known becomes an unknown kind, which the door drops.

use oc_policy::inbound::{
    ConversationId, ConversationKind, EventKind, Inbound, Mentions, MutableNames, Place, Sender, SenderId,
};
use oc_types::ChannelId;
use serde_json::Value;

use super::room::Surroundings;
use crate::adapter::{Attachment, Destination, Event, MediaKind, Quoted, SelfIdentity};
use crate::json::Members as _;

/// Whose events they are.
#[derive(Clone, Debug)]
pub(super) struct Who<'a> {
    pub(super) channel: &'a ChannelId,
    pub(super) account: &'a str,
    pub(super) own: &'a SelfIdentity,
}

/// What says nothing about a conversation: state of servers, members and the connection itself.
pub(super) fn is_state(kind: &str) -> bool {
    let families = ["GUILD_", "THREAD_", "STAGE_INSTANCE_", "INVITE_", "INTEGRATION_", "ENTITLEMENT_"];
    let alone = [
        "READY",
        "RESUMED",
        "CHANNEL_CREATE",
        "CHANNEL_UPDATE",
        "CHANNEL_DELETE",
        "PRESENCE_UPDATE",
        "TYPING_START",
        "USER_UPDATE",
        "VOICE_SERVER_UPDATE",
        "WEBHOOKS_UPDATE",
        "APPLICATION_COMMAND_PERMISSIONS_UPDATE",
    ];
    let member = matches!(kind, "GUILD_MEMBER_ADD" | "GUILD_MEMBER_REMOVE");
    !member && (alone.contains(&kind) || families.iter().any(|f| kind.starts_with(f)))
}

/// Reads a dispatch. `None`: it is no event of a conversation, or has no id.
pub(super) fn read(kind: &str, d: &Value, who: &Who<'_>, around: &Surroundings) -> Option<Event> {
    if is_state(kind) {
        return None;
    }
    let reader = Reader { who, around };
    match kind {
        "MESSAGE_CREATE" => reader.message(d, None),
        // Without a time of change a preview was added, and nobody said anything.
        "MESSAGE_UPDATE" => {
            let at = d.text("edited_timestamp")?;
            let mut event = reader.message(d, Some(EventKind::Edit))?;
            event.id = format!("{}:{at}", event.id);
            Some(event)
        }
        "MESSAGE_DELETE" => reader.base(d, EventKind::Delete, &Value::Null, d.text("id")?.to_owned()),
        "MESSAGE_DELETE_BULK" => {
            let first = d.items("ids").first().and_then(Value::as_str)?;
            reader.base(d, EventKind::Delete, &Value::Null, format!("bulk:{first}"))
        }
        "MESSAGE_REACTION_ADD" | "MESSAGE_REACTION_REMOVE" => reader.reaction(d, kind.ends_with("_ADD")),
        "MESSAGE_REACTION_REMOVE_ALL" | "MESSAGE_REACTION_REMOVE_EMOJI" => {
            reader.base(d, EventKind::Reaction, &Value::Null, format!("{kind}:{}", d.text("message_id")?))
        }
        "MESSAGE_POLL_VOTE_ADD" | "MESSAGE_POLL_VOTE_REMOVE" => {
            let id = format!("{kind}:{}:{}:{}", d.text("message_id")?, d.text("user_id")?, d.at("answer_id"));
            reader.base(d, EventKind::Poll, &user_alone(d), id)
        }
        "CHANNEL_PINS_UPDATE" => {
            let at = d.text("last_pin_timestamp").unwrap_or("none");
            reader.base(d, EventKind::Pin, &Value::Null, format!("pin:{at}"))
        }
        "GUILD_MEMBER_ADD" | "GUILD_MEMBER_REMOVE" => {
            let at = d.text("joined_at").unwrap_or("left");
            let id = format!("{kind}:{}:{at}", d.at("user").text("id")?);
            reader.base(d, EventKind::Membership, d.at("user"), id)
        }
        "VOICE_STATE_UPDATE" => {
            let id = format!("voice:{}", d.text("session_id")?);
            reader.base(d, EventKind::Voice, &user_alone(d), id)
        }
        "INTERACTION_CREATE" => reader.interaction(d),
        _ => {
            let id = format!("{kind}:{}", d.text("id").unwrap_or("?"));
            reader.base(d, EventKind::Unknown, d.at("author"), id)
        }
    }
}

/// Where the event happened: ids of its channel and server.
pub(super) fn place_of(d: &Value) -> (Option<&str>, Option<&str>) {
    (d.text("channel_id"), d.text("guild_id"))
}

struct Reader<'a> {
    who: &'a Who<'a>,
    around: &'a Surroundings,
}

impl Reader<'_> {
    fn message(&self, m: &Value, kind: Option<EventKind>) -> Option<Event> {
        let found = content_kind(m);
        let kind = kind.filter(|_| found != EventKind::Unknown).unwrap_or(found);
        let mut event = self.base(m, kind, m.at("author"), m.text("id")?.to_owned())?;
        let own = &self.who.own.id;
        if m.text("webhook_id").is_some() && m.at("author").text("id") != Some(own) {
            // Anybody with the webhook's address wrote it: a bot, and nobody in particular (SP-403).
            event.message.sender.id = None;
            event.message.sender.is_bot = true;
        }
        let content = m.at("content").as_str().unwrap_or_default();
        if m.at("message_reference").at("type").as_u64() == Some(1) {
            // Forwarded: somebody else's words, of whom the service does not say.
            let inner = m.items("message_snapshots").first().map(|s| s.at("message"));
            let text = inner.and_then(|i| i.at("content").as_str()).unwrap_or_default();
            event.quoted = (!text.is_empty()).then(|| Quoted { sender: None, text: text.to_owned() });
        } else {
            event.quoted = quoted(m.at("referenced_message"));
        }
        event.message.mentions = self.mentions(m);
        event.message.text = without_leading_mention(content, own).to_owned();
        if kind == EventKind::Poll && event.message.text.is_empty() {
            let question = m.at("poll").at("question").text("text").unwrap_or_default();
            event.message.text = format!("[poll {question}]");
        }
        event.message.sent_ms = m.text("id").and_then(stamp_of);
        event.attachments = m.items("attachments").iter().filter_map(attachment).collect();
        event.reply.reply_to = m.text("id").map(str::to_owned);
        Some(event)
    }

    fn mentions(&self, m: &Value) -> Mentions {
        let own = Some(self.who.own.id.as_str());
        let named = m.items("mentions");
        Mentions {
            bot: Some(named.iter().any(|u| u.text("id") == own)),
            others: named.iter().any(|u| u.text("id") != own)
                || !m.items("mention_roles").is_empty()
                || m.is_true("mention_everyone"),
            reply_to_bot: m.at("message_reference").at("type").as_u64() != Some(1)
                && m.at("referenced_message").at("author").text("id").is_some_and(|id| Some(id) == own),
        }
    }

    fn reaction(&self, r: &Value, added: bool) -> Option<Event> {
        let emoji = r.at("emoji");
        let name = emoji.text("name").or(emoji.text("id")).unwrap_or("?");
        let user = r.text("user_id")?;
        let sign = if added { '+' } else { '-' };
        let id = format!("{}:{user}:{sign}{name}", r.text("message_id")?);
        let full = r.at("member").at("user");
        let from = if full.text("id") == Some(user) { full.clone() } else { user_alone(r) };
        let mut event = self.base(r, EventKind::Reaction, &from, id)?;
        if added {
            event.message.text = name.to_owned();
        }
        event.reply.reply_to = r.text("message_id").map(str::to_owned);
        Some(event)
    }

    fn interaction(&self, i: &Value) -> Option<Event> {
        let data = i.at("data");
        let kind = match i.at("type").as_u64() {
            Some(2) => EventKind::SlashCommand,
            // Buttons (2) alone: the bot makes no menus.
            Some(3) if data.at("component_type").as_u64() == Some(2) => EventKind::Button,
            _ => EventKind::Unknown,
        };
        let member = i.at("member").at("user");
        let from = if member.is_object() { member } else { i.at("user") };
        let mut event = self.base(i, kind, from, i.text("id")?.to_owned())?;
        // Both are addressed to the bot by their nature.
        event.message.mentions.bot = Some(kind == EventKind::SlashCommand);
        match kind {
            EventKind::SlashCommand => event.message.text = slash(data)?,
            EventKind::Button => event.payload = data.text("custom_id").map(str::to_owned),
            _ => {}
        }
        event.message.sent_ms = i.text("id").and_then(stamp_of);
        Some(event)
    }

    /// What every kind has: channel, server, sender.
    fn base(&self, d: &Value, kind: EventKind, from: &Value, id: String) -> Option<Event> {
        let (channel, guild) = place_of(d);
        let room = &self.around.room;
        let conversation_kind = match channel {
            Some(_) => room.conversation_kind(guild),
            None => ConversationKind::Unknown,
        };
        let place = ConversationId::new(channel.unwrap_or_default());
        let sender = sender(from, d.at("member"));
        // A direct chat is its person; the channel in which it happens is where the answer goes.
        let peer = match (conversation_kind, &sender.id) {
            (ConversationKind::Direct, Some(person)) => ConversationId::new(person.as_str()),
            _ => place.clone(),
        };
        let mut message = Inbound::new(self.who.channel.clone(), conversation_kind, peer);
        message.event = kind;
        message.account = self.who.account.to_owned();
        message.from_me = sender.id.as_ref().is_some_and(|s| s.as_str() == self.who.own.id);
        message.sender = sender;
        message.bot_username.clone_from(&self.who.own.username);
        // Known and not there, until a mention is found: what cannot be seen is not counted as one.
        message.mentions = Mentions { bot: Some(false), ..Mentions::default() };
        let parent = room.parent.as_deref().filter(|_| room.is_thread());
        message.place = Place {
            name: room.name.clone(),
            thread_parent: parent.map(ConversationId::new),
            thread_parent_name: self.around.parent_name.clone().filter(|_| parent.is_some()),
            guild: guild.map(str::to_owned),
            guild_name: self.around.guild_name.clone(),
            ..Place::default()
        };
        Some(Event {
            id,
            message,
            reply: Destination { conversation: place, thread: None, reply_to: None },
            attachments: Vec::new(),
            quoted: None,
            payload: None,
        })
    }
}

fn user_alone(d: &Value) -> Value {
    serde_json::json!({ "id": d.at("user_id") })
}

fn sender(from: &Value, member: &Value) -> Sender {
    let display = member.text("nick").or(from.text("global_name"));
    let tag = from
        .text("discriminator")
        .filter(|d| *d != "0")
        .and_then(|d| from.text("username").map(|name| format!("{name}#{d}")));
    Sender {
        id: from.text("id").and_then(SenderId::new),
        phone: None,
        names: MutableNames::new(from.text("username"), display, tag.as_deref(), None),
        is_bot: from.is_true("bot") || from.is_true("system"),
    }
}

fn content_kind(m: &Value) -> EventKind {
    match m.at("type").as_u64() {
        Some(0 | 19) if m.at("poll").is_object() => EventKind::Poll,
        Some(0 | 19) => EventKind::Message,
        Some(46) => EventKind::Poll,
        Some(1 | 2 | 7) => EventKind::Membership,
        Some(3) => EventKind::Voice,
        Some(6) => EventKind::Pin,
        // Changed messages may come without their type.
        None if m.at("author").is_object() && m.at("content").is_string() => EventKind::Message,
        _ => EventKind::Unknown,
    }
}

fn quoted(answered: &Value) -> Option<Quoted> {
    let text = answered.at("content").as_str().filter(|t| !t.is_empty())?;
    let webhook = answered.text("webhook_id").is_some();
    let sender = answered.at("author").text("id").filter(|_| !webhook);
    Some(Quoted { sender: sender.map(str::to_owned), text: text.to_owned() })
}

fn attachment(a: &Value) -> Option<Attachment> {
    let media = a.text("content_type").map(str::to_owned);
    let kind = MediaKind::of_type(media.as_deref());
    Some(Attachment {
        kind,
        name: a.text("filename").map(str::to_owned),
        media_type: media,
        bytes: a.at("size").as_u64(),
        handle: a.text("url")?.to_owned(),
    })
}

/// `/name words`, from a slash command and its options.
fn slash(data: &Value) -> Option<String> {
    fn words(options: &[Value], depth: usize, out: &mut String) {
        for option in options.iter().take(32) {
            let value = match option.at("value") {
                Value::String(text) => text.clone(),
                Value::Null => option.text("name").unwrap_or_default().to_owned(),
                other => other.to_string(),
            };
            out.push(' ');
            out.push_str(value.trim());
            if depth < 3 {
                words(option.items("options"), depth + 1, out);
            }
        }
    }
    let mut out = format!("/{}", data.text("name")?);
    words(data.items("options"), 0, &mut out);
    Some(out)
}

/// The text without the bot's own mention in front of it: `<@1> /status` is `/status`.
fn without_leading_mention<'a>(text: &'a str, own: &str) -> &'a str {
    let trimmed = text.trim_start();
    let inner = trimmed.strip_prefix("<@").map(|t| t.strip_prefix('!').unwrap_or(t));
    let after = inner.and_then(|t| t.strip_prefix(own)).and_then(|t| t.strip_prefix('>'));
    match after {
        Some(rest) if !own.is_empty() => rest.trim_start(),
        _ => text,
    }
}

/// The time in an id, Unix milliseconds.
fn stamp_of(id: &str) -> Option<i64> {
    let id: u64 = id.parse().ok()?;
    i64::try_from((id >> 22).saturating_add(1_420_070_400_000)).ok()
}
