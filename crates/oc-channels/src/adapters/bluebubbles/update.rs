//! What the server tells, as an event.

use oc_policy::inbound::{
    ConversationId, ConversationKind, EventKind, Inbound, Mentions, MutableNames, Phone, Place, Sender,
    SenderId,
};
use serde_json::Value;

use super::BlueBubbles;
use crate::adapter::{Attachment, Destination, Event, MediaKind};
use crate::json::Members as _;

/// Reads a notification. `None`: receipts, typing and news of the server itself.
pub(super) fn read(json: &Value, server: &BlueBubbles) -> Option<Event> {
    let data = json.at("data");
    let kind = match json.text("type").unwrap_or_default() {
        "new-message" if is_reaction(data) => EventKind::Reaction,
        // Group changes come as messages without text, of a type above 0.
        "new-message" if data.at("itemType").as_i64().is_some_and(|t| t > 0) => EventKind::Membership,
        "new-message" => EventKind::Message,
        "updated-message" if !data.at("dateRetracted").is_null() => EventKind::Delete,
        "updated-message" if !data.at("dateEdited").is_null() => EventKind::Edit,
        "updated-message"
        | "typing-indicator"
        | "chat-read-status-changed"
        | "server-update"
        | "new-server"
        | "hello-world"
        | "message-send-error" => return None,
        "participant-added" | "participant-removed" | "participant-left" => EventKind::Membership,
        "incoming-facetime" | "ft-call-status-changed" => EventKind::Voice,
        _ => EventKind::Unknown,
    };
    let mut event = base(data, server);
    event.message.event = kind;
    let guid = data.text("guid").unwrap_or_default();
    event.id = match kind {
        EventKind::Edit => format!("{guid}:edit:{}", data.at("dateEdited")),
        EventKind::Delete => format!("{guid}:delete"),
        EventKind::Membership if guid.is_empty() => String::new(),
        _ => guid.to_owned(),
    };
    if kind == EventKind::Reaction {
        event.reply.reply_to = data.text("associatedMessageGuid").map(str::to_owned);
    }
    Some(event)
}

/// A tapback names the message that it is about, and its kind as a word or a number from 2000.
fn is_reaction(data: &Value) -> bool {
    let kind = data.at("associatedMessageType");
    let word = kind.as_str().is_some_and(|w| !w.is_empty() && w != "0");
    data.text("associatedMessageGuid").is_some() && (word || kind.as_i64().is_some_and(|n| n >= 2000))
}

fn base(data: &Value, server: &BlueBubbles) -> Event {
    let address = data.at("handle").text("address");
    let chats = data.items("chats");
    // A message of several chats at once would be answered in one of them.
    let chat = if let [one] = chats { Some(one) } else { None };
    let guid = chat.and_then(|c| c.text("guid"));
    let kind = kind_of(chat, guid);
    let peer = match (kind, address) {
        (ConversationKind::Direct, Some(address)) => address,
        _ => guid.unwrap_or_default(),
    };
    let mut message = Inbound::new(server.channel.clone(), kind, ConversationId::new(peer));
    message.account.clone_from(&server.account);
    message.sender = Sender {
        id: address.and_then(SenderId::new),
        // Short numbers of services are ids, never telephone numbers (SP-425).
        phone: address.filter(|a| a.starts_with('+')).and_then(Phone::parse),
        names: MutableNames::default(),
        is_bot: false,
    };
    message.from_me = data.is_true("isFromMe");
    message.text = data.text("text").unwrap_or_default().replace('\u{fffc}', "").trim().to_owned();
    message.mentions = Mentions::default();
    message.sent_ms = data.at("dateCreated").as_i64();
    message.place = Place {
        name: chat.and_then(|c| c.text("displayName")).map(str::to_owned),
        chat_guid: guid.map(str::to_owned),
        chat_identifier: chat.and_then(|c| c.text("chatIdentifier")).map(str::to_owned),
        ..Place::default()
    };
    Event {
        id: String::new(),
        message,
        reply: Destination {
            conversation: ConversationId::new(guid.unwrap_or_default()),
            thread: None,
            reply_to: data.text("guid").map(str::to_owned),
        },
        attachments: data.items("attachments").iter().filter_map(attachment).collect(),
        quoted: None,
        payload: None,
    }
}

/// The sign in the chat's id and its style have to say the same.
fn kind_of(chat: Option<&Value>, guid: Option<&str>) -> ConversationKind {
    let by_guid = match guid.and_then(|g| g.split(';').nth(1)) {
        Some("-") => ConversationKind::Direct,
        Some("+") => ConversationKind::Group,
        _ => return ConversationKind::Unknown,
    };
    let by_style = match chat.and_then(|c| c.at("style").as_i64()) {
        Some(45) => ConversationKind::Direct,
        Some(43) => ConversationKind::Group,
        None => by_guid,
        Some(_) => ConversationKind::Unknown,
    };
    if by_guid == by_style { by_guid } else { ConversationKind::Unknown }
}

fn attachment(a: &Value) -> Option<Attachment> {
    let kind = MediaKind::of_type(a.text("mimeType"));
    Some(Attachment {
        kind,
        name: a.text("transferName").map(str::to_owned),
        media_type: a.text("mimeType").map(str::to_owned),
        bytes: a.at("totalBytes").as_u64(),
        handle: a.text("guid")?.to_owned(),
    })
}
