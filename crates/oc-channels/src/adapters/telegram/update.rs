//! An update of the Bot API as an event. Every kind has its place; what is not known becomes an unknown kind, which the door drops.

use oc_policy::inbound::{
    ConversationId, ConversationKind, EventKind, Inbound, Mentions, MutableNames, Place, Sender, SenderId,
};
use oc_types::ChannelId;
use serde_json::Value;

use crate::adapter::{Attachment, Destination, Event, MediaKind, Quoted};
use crate::json::Members as _;

/// The kinds of updates that are asked for.
pub(super) const WANTED: [&str; 9] = [
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "message_reaction",
    "callback_query",
    "poll_answer",
    "my_chat_member",
    "chat_member",
];

/// Whose updates they are.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub(super) channel: ChannelId,
    pub(super) account: String,
    /// The bot's own id: the first part of its token.
    pub(super) bot_id: String,
}

/// An update that was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) id: i64,
    pub(super) event: Event,
    /// The id of a press, to be acknowledged.
    pub(super) press: Option<String>,
}

/// Reads an update. `None`: it has no id.
pub(super) fn read(update: &Value, who: &Who, username: Option<&str>) -> Option<Read> {
    let id = update.at("update_id").as_i64()?;
    let reader = Reader { who, username, event_id: format!("u{id}") };
    let members = update.as_object()?;
    let (kind, body) = members.iter().find(|(k, _)| *k != "update_id")?;
    let mut press = None;
    let event = match kind.as_str() {
        "message" | "channel_post" => reader.message(body, None),
        "edited_message" | "edited_channel_post" => reader.message(body, Some(EventKind::Edit)),
        "message_reaction" => reader.reaction(body),
        "callback_query" => {
            press = body.at("id").as_str().map(str::to_owned);
            reader.button(body)
        }
        "my_chat_member" | "chat_member" | "chat_join_request" => reader.membership(body),
        "poll_answer" => reader.plain(body, EventKind::Poll, body.at("user")),
        "message_reaction_count" => reader.plain(body, EventKind::Reaction, &Value::Null),
        // Business accounts, inline queries, payments, boosts, and whatever comes later.
        _ => reader.plain(body, EventKind::Unknown, body.at("from")),
    };
    Some(Read { id, event, press })
}

struct Reader<'a> {
    who: &'a Who,
    username: Option<&'a str>,
    event_id: String,
}

impl Reader<'_> {
    fn message(&self, m: &Value, kind: Option<EventKind>) -> Event {
        let found = content_kind(m);
        let mut event =
            self.base(m, kind.filter(|_| found != EventKind::Unknown).unwrap_or(found), m.at("from"));
        if m.at("sender_chat").is_object() {
            // Written in the name of a chat: no person is known, and a chat's id is no sender (SP-403).
            event.message.sender.id = None;
            event.message.sender.names = MutableNames::default();
        }
        let text = text_of(m);
        let forwarded = m.at("forward_origin").is_object()
            || m.at("forward_from").is_object()
            || m.at("forward_date").is_i64();
        if forwarded {
            // Somebody else's words: they are quoted, never said by the one who passes them on.
            let sender = id_text(m.at("forward_origin").at("sender_user").at("id"))
                .or_else(|| id_text(m.at("forward_from").at("id")));
            event.quoted = Some(Quoted { sender, text });
        } else {
            event.message.mentions = self.mentions(m, &text);
            event.message.text = text;
            event.quoted = quoted(m);
        }
        event.message.sent_ms =
            m.at("edit_date").as_i64().or(m.at("date").as_i64()).map(|s| s.saturating_mul(1000));
        event.attachments = attachments(m);
        event
    }

    fn button(&self, q: &Value) -> Event {
        // The message is the bot's own; who pressed stands beside it.
        let mut event = self.base(q.at("message"), EventKind::Button, q.at("from"));
        event.payload = q.at("data").as_str().map(str::to_owned);
        event
    }

    fn reaction(&self, r: &Value) -> Event {
        let mut event = self.base(r, EventKind::Reaction, r.at("user"));
        let emoji = |list: &Value| -> Vec<String> {
            let name = |r: &Value| {
                let id = r.at("custom_emoji_id").as_str().or(r.at("type").as_str());
                r.at("emoji").as_str().or(id).unwrap_or("?").to_owned()
            };
            list.as_array().into_iter().flatten().map(name).collect()
        };
        let before = emoji(r.at("old_reaction"));
        let added: Vec<String> =
            emoji(r.at("new_reaction")).into_iter().filter(|e| !before.contains(e)).collect();
        event.message.text = added.join(" ");
        event.message.sent_ms = r.at("date").as_i64().map(|s| s.saturating_mul(1000));
        event
    }

    fn membership(&self, c: &Value) -> Event {
        let mut event = self.base(c, EventKind::Membership, c.at("from"));
        let word = |m: &Value| m.at("status").as_str().unwrap_or("unknown").to_owned();
        if c.at("new_chat_member").is_object() {
            event.message.text =
                format!("{} -> {}", word(c.at("old_chat_member")), word(c.at("new_chat_member")));
        }
        event.message.sent_ms = c.at("date").as_i64().map(|s| s.saturating_mul(1000));
        event
    }

    fn plain(&self, body: &Value, kind: EventKind, from: &Value) -> Event {
        self.base(body, kind, from)
    }

    /// What every kind has: chat, topic, sender.
    fn base(&self, body: &Value, kind: EventKind, from: &Value) -> Event {
        let chat = body.at("chat");
        let conversation = ConversationId::new(&id_text(chat.at("id")).unwrap_or_default());
        let mut message =
            Inbound::new(self.who.channel.clone(), conversation_kind(chat), conversation.clone());
        message.event = kind;
        message.account.clone_from(&self.who.account);
        message.sender = sender(from);
        message.from_me = message.sender.id.as_ref().is_some_and(|id| id.as_str() == self.who.bot_id);
        message.bot_username = self.username.map(str::to_owned);
        // Known and not there, until a mention is found: what cannot be seen is not counted as one.
        message.mentions = Mentions { bot: Some(false), ..Mentions::default() };
        let topic = topic(body);
        message.place = Place {
            name: chat.at("title").as_str().map(str::to_owned),
            topic: topic.clone(),
            ..Place::default()
        };
        let reply_to = id_text(body.at("message_id"));
        Event {
            id: self.event_id.clone(),
            message,
            reply: Destination { conversation, thread: topic, reply_to },
            attachments: Vec::new(),
            quoted: None,
            payload: None,
        }
    }

    fn mentions(&self, m: &Value, text: &str) -> Mentions {
        let entities = m.at("entities").as_array().or(m.at("caption_entities").as_array());
        let (mut bot, mut others) = (false, false);
        for e in entities.into_iter().flatten() {
            let named = || utf16_part(text, e.at("offset").as_u64()?, e.at("length").as_u64()?);
            let is_bot = |name: &str| self.username.is_some_and(|own| own.eq_ignore_ascii_case(name));
            match e.at("type").as_str() {
                Some("mention") => match named() {
                    Some(name) if is_bot(name.trim_start_matches('@')) => bot = true,
                    _ => others = true,
                },
                Some("text_mention")
                    if id_text(e.at("user").at("id")).as_deref() == Some(&self.who.bot_id) =>
                {
                    bot = true
                }
                Some("text_mention") => others = true,
                // `/command@bot` names the bot.
                Some("bot_command") => {
                    if let Some(name) = named().as_deref().and_then(|n| n.split_once('@')).map(|(_, n)| n) {
                        if is_bot(name) { bot = true } else { others = true }
                    }
                }
                _ => {}
            }
        }
        let answered = answered(m);
        let reply_to_bot =
            answered.is_some_and(|a| id_text(a.at("from").at("id")).as_deref() == Some(&self.who.bot_id));
        Mentions { bot: Some(bot), others, reply_to_bot }
    }
}

/// The message that is answered. In a topic every message answers the one that opened it: that says nothing.
fn answered(m: &Value) -> Option<&Value> {
    let answered = m.at("reply_to_message");
    let opens_topic = answered.at("forum_topic_created").is_object()
        || (m.is_true("is_topic_message") && answered.at("message_id") == m.at("message_thread_id"));
    (answered.is_object() && !opens_topic).then_some(answered)
}

fn quoted(m: &Value) -> Option<Quoted> {
    let part = m.at("quote").at("text").as_str();
    if let Some(answered) = answered(m) {
        let chat = answered.at("sender_chat").is_object();
        let sender = (!chat).then(|| id_text(answered.at("from").at("id"))).flatten();
        let text = part.map_or_else(|| text_of(answered), str::to_owned);
        return (!text.is_empty()).then_some(Quoted { sender, text });
    }
    let sender = id_text(m.at("external_reply").at("origin").at("sender_user").at("id"));
    part.map(|text| Quoted { sender, text: text.to_owned() })
}

fn conversation_kind(chat: &Value) -> ConversationKind {
    match chat.at("type").as_str() {
        Some("private") => ConversationKind::Direct,
        Some("group" | "supergroup") => ConversationKind::Group,
        Some("channel") => ConversationKind::Channel,
        _ => ConversationKind::Unknown,
    }
}

fn sender(from: &Value) -> Sender {
    let text = |key: &str| from.at(key).as_str();
    let display = [text("first_name"), text("last_name")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    Sender {
        id: id_text(from.at("id")).and_then(|id| SenderId::new(&id)),
        phone: None,
        names: MutableNames::new(text("username"), Some(&display), None, None),
        is_bot: from.is_true("is_bot"),
    }
}

fn id_text(id: &Value) -> Option<String> {
    id.as_i64().map(|id| id.to_string())
}

/// The topic of a forum. In ordinary groups a thread id only marks a chain of answers.
fn topic(body: &Value) -> Option<String> {
    let forum = body.is_true("is_topic_message");
    match body.at("message_thread_id").as_i64().filter(|_| forum) {
        Some(topic) => Some(topic.to_string()),
        None => (body.at("chat").is_true("is_forum")).then(|| "1".to_owned()),
    }
}

const CONTENT: [&str; 16] = [
    "text",
    "caption",
    "photo",
    "document",
    "audio",
    "voice",
    "video",
    "video_note",
    "animation",
    "sticker",
    "location",
    "venue",
    "contact",
    "dice",
    "story",
    "paid_media",
];

fn content_kind(m: &Value) -> EventKind {
    let has = |key: &str| m.get(key).is_some_and(|v| !v.is_null());
    let any = |keys: &[&str]| keys.iter().any(|k| has(k));
    if any(&CONTENT) {
        EventKind::Message
    } else if has("poll") {
        EventKind::Poll
    } else if has("pinned_message") {
        EventKind::Pin
    } else if any(&[
        "new_chat_members",
        "left_chat_member",
        "group_chat_created",
        "supergroup_chat_created",
        "channel_chat_created",
        "migrate_to_chat_id",
        "migrate_from_chat_id",
    ]) {
        EventKind::Membership
    } else if any(&[
        "video_chat_scheduled",
        "video_chat_started",
        "video_chat_ended",
        "video_chat_participants_invited",
    ]) {
        EventKind::Voice
    } else {
        EventKind::Unknown
    }
}

fn text_of(m: &Value) -> String {
    if let Some(text) = m.at("text").as_str().or(m.at("caption").as_str()) {
        return text.to_owned();
    }
    let (lat, lon) = (m.at("location").at("latitude"), m.at("location").at("longitude"));
    if let (Some(lat), Some(lon)) = (lat.as_f64(), lon.as_f64()) {
        return format!("[location {lat:.6}, {lon:.6}]");
    }
    if let Some(phone) = m.at("contact").at("phone_number").as_str() {
        return format!(
            "[contact {} {phone}]",
            m.at("contact").at("first_name").as_str().unwrap_or_default()
        );
    }
    m.at("poll").at("question").as_str().map(|q| format!("[poll {q}]")).unwrap_or_default()
}

fn attachments(m: &Value) -> Vec<Attachment> {
    let one = |kind: MediaKind, f: &Value, kind_type: Option<&str>| {
        Some(Attachment {
            kind,
            name: f.at("file_name").as_str().map(str::to_owned),
            media_type: f.at("mime_type").as_str().or(kind_type).map(str::to_owned),
            bytes: f.at("file_size").as_u64(),
            handle: f.at("file_id").as_str().filter(|id| !id.is_empty())?.to_owned(),
        })
    };
    let mut out = Vec::new();
    // One picture in several sizes: the largest.
    let photo = m
        .at("photo")
        .as_array()
        .and_then(|p| p.iter().max_by_key(|s| (s.at("width").as_u64(), s.at("height").as_u64())));
    out.extend(photo.and_then(|p| one(MediaKind::Image, p, Some("image/jpeg"))));
    for (key, kind) in [
        ("voice", MediaKind::Audio),
        ("audio", MediaKind::Audio),
        ("video", MediaKind::Video),
        ("video_note", MediaKind::Video),
        ("animation", MediaKind::Video),
    ] {
        out.extend(one(kind, m.at(key), None));
    }
    if !m.at("animation").is_object() {
        out.extend(one(MediaKind::Document, m.at("document"), None));
    }
    let moving = m.at("sticker").is_true("is_animated") || m.at("sticker").is_true("is_video");
    if !moving {
        out.extend(one(MediaKind::Image, m.at("sticker"), Some("image/webp")));
    }
    out
}

/// A part of a text, counted in UTF-16 units as the service does.
fn utf16_part(text: &str, offset: u64, length: u64) -> Option<String> {
    let end = offset.checked_add(length)?;
    let mut at = 0u64;
    let mut out = String::new();
    for c in text.chars() {
        if at >= offset && at < end {
            out.push(c);
        }
        at = at.saturating_add(u64::try_from(c.len_utf16()).ok()?);
    }
    (!out.is_empty()).then_some(out)
}
