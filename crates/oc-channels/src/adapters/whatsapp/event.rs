//! What a call tells, as events. What is not known becomes an unknown kind, which the door drops.

use oc_policy::inbound::{
    ConversationId, ConversationKind, EventKind, Inbound, Mentions, MutableNames, Phone, Sender, SenderId,
};
use serde_json::Value;

use super::{WhatsApp, digits};
use crate::adapter::{Attachment, Destination, Event, MediaKind, Quoted};
use crate::json::Members as _;

/// Reads the messages of our own number; an app may have several, and each is an account of its own (SP-405).
pub(super) fn read(body: &Value, own: &WhatsApp) -> Vec<Event> {
    let changes = body.items("entry").iter().flat_map(|e| e.items("changes"));
    let ours = changes.map(|c| (c.text("field"), c.at("value"))).filter(|(field, value)| {
        *field == Some("messages")
            && value.at("metadata").text("phone_number_id") == Some(own.number_id.as_str())
    });
    ours.flat_map(|(_, value)| value.items("messages").iter().filter_map(move |m| message(m, value, own)))
        .collect()
}

fn message(m: &Value, value: &Value, own: &WhatsApp) -> Option<Event> {
    let id = m.text("id")?.to_owned();
    // A number in full, as `+` and digits (SP-425); anything else is nobody.
    let phone = m.text("from").and_then(digits).and_then(Phone::parse);
    let group = m.text("group_id");
    // A group that is there and cannot be read is no direct chat (SP-415).
    let kind = match (&phone, group, m.at("group_id").is_null()) {
        (_, Some(_), _) => ConversationKind::Group,
        (Some(_), None, true) => ConversationKind::Direct,
        (Some(_), None, false) | (None, None, _) => ConversationKind::Unknown,
    };
    let place = group.or(phone.as_ref().map(Phone::as_str)).unwrap_or_default();
    let conversation = ConversationId::new(place);
    let (event_kind, text) = content(m);
    let mut message = Inbound::new(own.channel.clone(), kind, conversation.clone());
    message.event = event_kind;
    message.account.clone_from(&own.account);
    message.self_phone = value.at("metadata").text("display_phone_number").and_then(Phone::parse);
    message.from_me = phone.is_some() && phone == message.self_phone;
    let profile = value.items("contacts").iter().find(|c| c.text("wa_id") == m.text("from"));
    let name = profile.and_then(|c| c.at("profile").text("name"));
    message.sender = Sender {
        id: phone.as_ref().and_then(|p| SenderId::new(p.as_str())),
        phone,
        names: MutableNames::new(None, name, None, None),
        is_bot: false,
    };
    message.sent_ms = m.text("timestamp").and_then(|t| t.parse::<i64>().ok()).map(|s| s.saturating_mul(1000));
    let mut event = Event {
        id,
        message,
        reply: Destination { conversation, thread: None, reply_to: m.text("id").map(str::to_owned) },
        attachments: attachment(m).into_iter().collect(),
        quoted: None,
        payload: payload(m),
    };
    let context = m.at("context");
    let answers_us = context
        .text("from")
        .and_then(Phone::parse)
        .is_some_and(|p| event.message.self_phone.as_ref() == Some(&p));
    // The service tells no mentions; an answer to the bot's message is seen.
    event.message.mentions = Mentions { bot: Some(false), others: false, reply_to_bot: answers_us };
    if context.is_true("forwarded") || context.is_true("frequently_forwarded") {
        // Somebody else's words: they are quoted, never said by the one who passes them on.
        event.quoted = (!text.is_empty()).then_some(Quoted { sender: None, text });
    } else {
        event.message.text = text;
    }
    Some(event)
}

/// Kind and words of a message.
fn content(m: &Value) -> (EventKind, String) {
    let said = |key: &str, inner: &str| m.at(key).text(inner).unwrap_or_default().to_owned();
    match m.text("type") {
        Some("text") => (EventKind::Message, said("text", "body")),
        Some(kind @ ("image" | "video" | "document" | "audio" | "sticker" | "voice")) => {
            (EventKind::Message, said(kind, "caption"))
        }
        Some("location") => {
            let at = |key: &str| m.at("location").at(key).as_f64();
            match (at("latitude"), at("longitude")) {
                (Some(lat), Some(lon)) => (EventKind::Message, format!("[location {lat:.6}, {lon:.6}]")),
                _ => (EventKind::Message, String::new()),
            }
        }
        Some("contacts") => {
            let first = m.items("contacts").first();
            let name = first.and_then(|c| c.at("name").text("formatted_name")).unwrap_or_default();
            (EventKind::Message, format!("[contact {name}]"))
        }
        Some("reaction") => (EventKind::Reaction, said("reaction", "emoji")),
        Some("button") => (EventKind::Button, String::new()),
        Some("interactive") if m.at("interactive").text("type") == Some("button_reply") => {
            (EventKind::Button, String::new())
        }
        Some("interactive" | "order") => (EventKind::Card, String::new()),
        Some("system") => (EventKind::Membership, String::new()),
        _ => (EventKind::Unknown, String::new()),
    }
}

/// What a button sent.
fn payload(m: &Value) -> Option<String> {
    let found = match m.text("type") {
        Some("interactive") => m.at("interactive").at("button_reply").text("id"),
        Some("button") => m.at("button").text("payload"),
        _ => None,
    };
    found.map(str::to_owned)
}

fn attachment(m: &Value) -> Option<Attachment> {
    let word = m.text("type")?;
    let kind = match word {
        "image" | "sticker" => MediaKind::Image,
        "audio" | "voice" => MediaKind::Audio,
        "video" => MediaKind::Video,
        "document" => MediaKind::Document,
        _ => return None,
    };
    let file = m.at(word);
    Some(Attachment {
        kind,
        name: file.text("filename").map(str::to_owned),
        media_type: file.text("mime_type").map(str::to_owned),
        bytes: None,
        handle: file.text("id").and_then(digits)?.to_owned(),
    })
}
