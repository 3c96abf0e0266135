//! An event of a room as ours. Nothing is fetched for it.

use oc_policy::inbound::{
    ConversationId, ConversationKind, EventKind, Inbound, Mentions, MutableNames, Place, Sender, SenderId,
};
use serde_json::Value;

use super::{Matrix, Threads, is_user};
use crate::adapter::{Attachment, Destination, Event, MediaKind, Quoted};
use crate::json::Members as _;

/// Who looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) matrix: &'a Matrix,
    pub(super) own_id: &'a str,
}

/// Reads an event. `members` is how many have joined the room, when that is known.
pub(super) fn read(view: &View<'_>, room: &str, e: &Value, members: Option<usize>) -> Event {
    let kind = kind_of(e);
    let mut event = base(view, room, e.text("sender"), members);
    event.id = e.text("event_id").unwrap_or_default().to_owned();
    event.message.event = kind;
    event.message.sent_ms = e.at("origin_server_ts").as_i64();
    event.reply.reply_to = Some(event.id.clone());
    let relation = e.at("content").at("m.relates_to");
    thread(view, &mut event, relation);
    match kind {
        EventKind::Message => content(view, &mut event, e.at("content"), relation),
        EventKind::Edit => {
            content(view, &mut event, e.at("content").at("m.new_content"), relation);
            event.reply.reply_to = relation.text("event_id").map(str::to_owned);
        }
        EventKind::Reaction => {
            event.message.text = relation.text("key").unwrap_or_default().to_owned();
            event.reply.reply_to = relation.text("event_id").map(str::to_owned);
        }
        EventKind::Membership => {
            let word = e.at("content").text("membership").unwrap_or("unknown");
            event.message.text = format!("{word} {}", e.text("state_key").unwrap_or_default());
        }
        EventKind::Poll => {
            let question = ["m.poll", "org.matrix.msc3381.poll.start"].iter().find_map(|k| {
                let question = e.at("content").at(k).at("question");
                question.text("org.matrix.msc1767.text").or_else(|| question.text("body"))
            });
            event.message.text = question.map(|q| format!("[poll {q}]")).unwrap_or_default();
        }
        EventKind::Delete
        | EventKind::Pin
        | EventKind::Button
        | EventKind::SlashCommand
        | EventKind::Card
        | EventKind::Voice
        | EventKind::Verification
        | EventKind::Unknown => {}
    }
    // By the protocol's rule a notice is what a bot says, and bots do not answer it.
    event.message.sender.is_bot = e.at("content").text("msgtype") == Some("m.notice");
    event
}

/// An invitation, which is not yet an event of a room.
pub(super) fn invitation(view: &View<'_>, room: &str, inviter: Option<&str>, id: &str) -> Event {
    let mut event = base(view, room, inviter, None);
    id.clone_into(&mut event.id);
    event.message.event = EventKind::Membership;
    event.message.text = "invite".to_owned();
    event
}

fn base(view: &View<'_>, room: &str, sender: Option<&str>, members: Option<usize>) -> Event {
    let matrix = view.matrix;
    let kind = match members {
        Some(2) => ConversationKind::Direct,
        Some(_) => ConversationKind::Group,
        None => ConversationKind::Unknown,
    };
    let sender = sender.filter(|s| is_user(s));
    // A direct chat is with a person; answers go to the room in every case.
    let peer = match (kind, sender) {
        (ConversationKind::Direct, Some(sender)) => sender,
        _ => room,
    };
    let mut message = Inbound::new(matrix.channel.clone(), kind, ConversationId::new(peer));
    message.account.clone_from(&matrix.account);
    message.sender = Sender {
        id: sender.and_then(SenderId::new),
        phone: None,
        names: MutableNames::default(),
        is_bot: false,
    };
    message.from_me = sender == Some(view.own_id);
    message.bot_username = Some(view.own_id.to_owned());
    message.mentions = Mentions { bot: Some(false), ..Mentions::default() };
    message.place = Place { name: matrix.state().aliases.get(room).cloned(), ..Place::default() };
    Event {
        id: String::new(),
        message,
        reply: Destination { conversation: ConversationId::new(room), thread: None, reply_to: None },
        attachments: Vec::new(),
        quoted: None,
        payload: None,
    }
}

fn kind_of(e: &Value) -> EventKind {
    let relation = e.at("content").at("m.relates_to").text("rel_type");
    match e.text("type").unwrap_or_default() {
        "m.room.message" if e.at("content").text("msgtype") == Some("m.key.verification.request") => {
            EventKind::Verification
        }
        // A message whose content was removed says nothing any more.
        "m.room.message" if e.at("content").text("msgtype").is_none() => EventKind::Delete,
        "m.room.message" if relation == Some("m.replace") => EventKind::Edit,
        "m.room.message" | "m.sticker" => EventKind::Message,
        "m.reaction" => EventKind::Reaction,
        "m.room.redaction" => EventKind::Delete,
        "m.room.member" => EventKind::Membership,
        "m.room.pinned_events" => EventKind::Pin,
        t if t.starts_with("m.poll.") || t.starts_with("org.matrix.msc3381.poll.") => EventKind::Poll,
        t if t.starts_with("m.call.") || t.starts_with("m.rtc.") => EventKind::Voice,
        t if t.starts_with("m.key.verification.") => EventKind::Verification,
        // Encrypted messages among them.
        _ => EventKind::Unknown,
    }
}

fn thread(view: &View<'_>, event: &mut Event, relation: &Value) {
    let root = (relation.text("rel_type") == Some("m.thread")).then(|| relation.text("event_id")).flatten();
    let root = match view.matrix.threads {
        Threads::Off => None,
        Threads::Inbound => root,
        Threads::Always => root.or(Some(event.id.as_str()).filter(|id| !id.is_empty())),
    };
    let root = root.map(str::to_owned);
    event.message.place.thread.clone_from(&root);
    event.reply.thread = root;
}

fn content(view: &View<'_>, event: &mut Event, content: &Value, relation: &Value) {
    let body = content.text("body").unwrap_or_default();
    let answered = relation.at("m.in_reply_to").text("event_id");
    // In a thread, clients without threads see every message as an answer to the one before: that says nothing.
    let fallback = relation.is_true("is_falling_back");
    let (quote, own) = if answered.is_some() { without_fallback(body) } else { (None, body) };
    let kind = match content.text("msgtype") {
        Some("m.image") | None => Some(MediaKind::Image),
        Some("m.audio") => Some(MediaKind::Audio),
        Some("m.video") => Some(MediaKind::Video),
        Some("m.file") => Some(MediaKind::Document),
        Some(_) => None,
    };
    match kind {
        None => own.clone_into(&mut event.message.text),
        Some(kind) => {
            let name = content.text("filename");
            // Without a name of its own the body is the name and no caption.
            if name.is_some_and(|n| n != own) {
                own.clone_into(&mut event.message.text);
            }
            event.attachments.extend(attachment(kind, content, name.or(Some(own))));
        }
    }
    event.quoted = quote.map(|text| Quoted { sender: None, text });
    event.message.mentions = mentions(view, content);
    event.message.mentions.reply_to_bot =
        !fallback && answered.is_some_and(|id| view.matrix.state().own_set.contains(id));
}

fn attachment(kind: MediaKind, content: &Value, name: Option<&str>) -> Option<Attachment> {
    let handle = content.text("url").filter(|u| super::api::media_parts(u).is_some())?;
    let info = content.at("info");
    Some(Attachment {
        kind,
        name: name.map(str::to_owned),
        media_type: info.text("mimetype").map(str::to_owned),
        bytes: info.at("size").as_u64(),
        handle: handle.to_owned(),
    })
}

fn mentions(view: &View<'_>, content: &Value) -> Mentions {
    let own = view.own_id;
    let named = content.at("m.mentions");
    if named.is_object() {
        let users = named.items("user_ids");
        let bot = users.iter().any(|u| u.as_str() == Some(own));
        let others = users.iter().any(|u| u.as_str() != Some(own)) || named.is_true("room");
        return Mentions { bot: Some(bot), others, reply_to_bot: false };
    }
    // Clients from before that list make a link to the user.
    let html = content.text("formatted_body").unwrap_or_default();
    let link = |id: &str| format!("https://matrix.to/#/{id}\"");
    let encoded = own.replacen('@', "%40", 1).replacen(':', "%3A", 1);
    let body = content.text("body").unwrap_or_default();
    let bot = html.contains(&link(own)) || html.contains(&link(&encoded)) || is_word(body, own);
    let links =
        html.matches("https://matrix.to/#/@").count() + html.matches("https://matrix.to/#/%40").count();
    Mentions { bot: Some(bot), others: links > usize::from(bot), reply_to_bot: false }
}

/// Whether an id stands in a text with nothing of an id around it.
fn is_word(text: &str, id: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || ".-_=/+@".contains(c);
    text.match_indices(id).any(|(at, _)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at.saturating_add(id.len())..).and_then(|t| t.chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

/// The quoted lines that older clients put before an answer, and the answer.
pub(super) fn without_fallback(body: &str) -> (Option<String>, &str) {
    if !body.starts_with("> ") {
        return (None, body);
    }
    let mut quote: Vec<&str> = Vec::new();
    let mut rest = body;
    while let Some(line) = rest.strip_prefix('>') {
        let (line, after) = line.split_once('\n').unwrap_or((line, ""));
        quote.push(line.trim_start());
        rest = after;
    }
    (Some(quote.join("\n")), rest.trim_start_matches('\n'))
}
