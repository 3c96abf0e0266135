//! What signal-cli tells, as events.

use oc_policy::inbound::{
    ConversationId, ConversationKind, EventKind, Inbound, Mentions, MutableNames, Sender, SenderId,
};
use serde_json::Value;

use super::{Signal, full_number};
use crate::adapter::{Attachment, Destination, Event, MediaKind, Quoted};
use crate::json::Members as _;

/// Reads a notification. `None`: receipts and typing, which say nothing, and what is of another account.
pub(super) fn read(notification: &Value, signal: &Signal) -> Option<Event> {
    // The stream gives the parameters bare, the socket inside a request.
    let outer = if notification.at("params").is_object() { notification.at("params") } else { notification };
    if outer.text("account").is_some_and(|a| a != signal.number.as_str()) {
        return None;
    }
    let envelope = outer.at("envelope");
    let has = |key: &str| envelope.at(key).is_object();
    let (kind, data) = if has("editMessage") {
        (Some(EventKind::Edit), envelope.at("editMessage").at("dataMessage"))
    } else if has("dataMessage") {
        (None, envelope.at("dataMessage"))
    } else if has("syncMessage") {
        (None, envelope.at("syncMessage").at("sentMessage"))
    } else if has("callMessage") {
        (Some(EventKind::Voice), envelope.at("callMessage"))
    } else if has("receiptMessage") || has("typingMessage") {
        return None;
    } else {
        (Some(EventKind::Unknown), envelope)
    };
    let mut event = base(envelope, data, signal);
    event.message.event = kind.unwrap_or_else(|| kind_of(data));
    // What our own other devices sent.
    event.message.from_me |= has("syncMessage");
    Some(event)
}

fn kind_of(data: &Value) -> EventKind {
    let group_change = matches!(data.at("groupInfo").text("type"), Some("UPDATE" | "QUIT"));
    if data.at("reaction").is_object() {
        EventKind::Reaction
    } else if data.at("remoteDelete").is_object() {
        EventKind::Delete
    } else if data.at("pollCreate").is_object() || data.at("pollVote").is_object() {
        EventKind::Poll
    } else if data.at("pinMessage").is_object() {
        EventKind::Pin
    } else if data.text("message").is_some()
        || !data.items("attachments").is_empty()
        || data.at("sticker").is_object()
    {
        EventKind::Message
    } else if group_change {
        EventKind::Membership
    } else {
        EventKind::Unknown
    }
}

fn base(envelope: &Value, data: &Value, signal: &Signal) -> Event {
    let phone = envelope.text("sourceNumber").and_then(full_number);
    let uuid = envelope.text("sourceUuid").or_else(|| envelope.text("source").filter(|s| s.len() == 36));
    // Of somebody without an account's id the number is the id: commands and answers to approvals need one.
    let number = || phone.as_ref().and_then(|p| SenderId::new(p.as_str()));
    let sender = Sender {
        id: uuid.and_then(SenderId::new).or_else(number),
        phone: phone.clone(),
        names: MutableNames::new(None, envelope.text("sourceName"), None, None),
        is_bot: false,
    };
    let from_me = phone.as_ref() == Some(&signal.number);
    let group = ["groupInfo", "groupV2"].iter().find_map(|k| {
        let info = data.at(k);
        info.is_object().then(|| info.text("groupId").or_else(|| info.text("id")))
    });
    let person = phone.as_ref().map(|p| p.as_str().to_owned()).or_else(|| uuid.map(|u| format!("uuid:{u}")));
    let (kind, conversation) = match (group, &person) {
        (Some(Some(id)), _) => (ConversationKind::Group, id.to_owned()),
        // A group without an id.
        (Some(None), _) => (ConversationKind::Unknown, String::new()),
        (None, Some(person)) => (ConversationKind::Direct, person.clone()),
        (None, None) => (ConversationKind::Unknown, String::new()),
    };
    let conversation = ConversationId::new(&conversation);
    let mut message = Inbound::new(signal.channel.clone(), kind, conversation.clone());
    message.account.clone_from(&signal.account);
    message.sender = sender;
    message.from_me = from_me;
    message.self_phone = Some(signal.number.clone());
    let reaction = data.at("reaction");
    message.text = if reaction.is_object() {
        let removed = reaction.is_true("isRemove");
        reaction.text("emoji").filter(|_| !removed).unwrap_or_default().to_owned()
    } else {
        data.text("message").unwrap_or_default().to_owned()
    };
    message.mentions = mentions(data, signal);
    let stamp = data.at("timestamp").as_i64().or(envelope.at("timestamp").as_i64());
    message.sent_ms = stamp;
    message.place.name = data.at("groupInfo").text("groupName").map(str::to_owned);
    let quote = data.at("quote");
    let quoted = quote.text("text").map(|text| Quoted {
        sender: quote.text("authorNumber").or_else(|| quote.text("authorUuid")).map(str::to_owned),
        text: text.to_owned(),
    });
    let attachments =
        if signal.ignore_attachments { Vec::new() } else { attachments(data, conversation.as_str()) };
    let id = match (&person, stamp) {
        (Some(person), Some(stamp)) => format!("{person}:{stamp}"),
        _ => String::new(),
    };
    Event {
        id,
        message,
        reply: Destination { conversation, thread: None, reply_to: stamp.map(|s| s.to_string()) },
        attachments,
        quoted,
        payload: None,
    }
}

/// Somebody who hides the number is mentioned by an id that says nothing of us, so only a mention that is seen counts as known; the
/// patterns decide otherwise (channels 5).
fn mentions(data: &Value, signal: &Signal) -> Mentions {
    let own = |v: &Value, key: &str| v.text(key).and_then(full_number).as_ref() == Some(&signal.number);
    let list = data.items("mentions");
    let bot = list.iter().any(|m| own(m, "number"));
    let others = list.iter().any(|m| !own(m, "number"));
    let quote = data.at("quote");
    Mentions {
        bot: bot.then_some(true),
        others,
        reply_to_bot: own(quote, "authorNumber") || own(quote, "author"),
    }
}

fn attachments(data: &Value, place: &str) -> Vec<Attachment> {
    let one = |a: &Value| {
        let kind = MediaKind::of_type(a.text("contentType"));
        let id = a.text("id").filter(|id| !id.contains(['|', '/']) && !id.contains(".."))?;
        Some(Attachment {
            kind,
            name: a.text("filename").map(str::to_owned),
            media_type: a.text("contentType").map(str::to_owned),
            bytes: a.at("size").as_u64(),
            handle: format!("{id}|{place}"),
        })
    };
    data.items("attachments").iter().filter_map(one).collect()
}
