//! A message of the helper as an event.

use std::path::Path;

use oc_policy::inbound::{
    ConversationId, ConversationKind, EventKind, Inbound, Mentions, MutableNames, Phone, Place, Sender,
    SenderId,
};
use serde_json::Value;

use super::{IMessage, SERVICE};
use crate::adapter::{AdapterFailure, Attachment, Destination, Event, MediaKind, Quoted};
use crate::json::Members as _;

/// Where Messages keeps its files, below the home directory. Nothing else is read.
const FOLDER: &str = "Library/Messages/Attachments";

/// Reads a message.
pub(super) fn read(m: &Value, account: &IMessage) -> Event {
    let chat_id = m.at("chat_id").as_i64().filter(|id| *id > 0).map(|id| id.to_string());
    let kind = match (m.at("is_group").as_bool(), &chat_id) {
        (Some(true), Some(_)) => ConversationKind::Group,
        (Some(false), _) => ConversationKind::Direct,
        (Some(true), None) | (None, _) => ConversationKind::Unknown,
    };
    let address = m.text("sender").map(str::trim);
    let room = chat_id.clone().unwrap_or_default();
    let peer = match (kind, address) {
        (ConversationKind::Direct, Some(address)) => address,
        _ => room.as_str(),
    };
    let mut message = Inbound::new(account.channel.clone(), kind, ConversationId::new(peer));
    message.account.clone_from(&account.account);
    message.event = kind_of(m);
    message.sender = Sender {
        id: address.and_then(SenderId::new),
        // Short numbers of services are ids, never telephone numbers (SP-425).
        phone: address.filter(|a| a.starts_with('+')).and_then(Phone::parse),
        names: MutableNames::default(),
        is_bot: false,
    };
    message.from_me = m.is_true("is_from_me");
    message.text = m.text("text").unwrap_or_default().replace('\u{fffc}', "").trim().to_owned();
    message.mentions = Mentions::default();
    message.sent_ms =
        m.text("created_at").and_then(|t| t.parse::<jiff::Timestamp>().ok()).map(|t| t.as_millisecond());
    message.place = Place {
        name: m.text("chat_name").map(str::to_owned),
        chat_id: chat_id.clone(),
        chat_guid: m.text("chat_guid").map(str::to_owned),
        chat_identifier: m.text("chat_identifier").map(str::to_owned),
        ..Place::default()
    };
    let reply = chat_id.map_or_else(|| peer.to_owned(), |id| format!("chat_id:{id}"));
    let id = m.text("guid").map(str::to_owned).or_else(|| m.at("id").as_i64().map(|id| id.to_string()));
    Event {
        id: id.unwrap_or_default(),
        message,
        reply: Destination { conversation: ConversationId::new(&reply), thread: None, reply_to: None },
        attachments: m.items("attachments").iter().filter_map(attachment).collect(),
        quoted: m.text("reply_to_text").map(|text| Quoted {
            sender: m.text("reply_to_sender").map(str::to_owned),
            text: text.to_owned(),
        }),
        payload: None,
    }
}

fn kind_of(m: &Value) -> EventKind {
    if m.is_true("is_reaction") || m.text("reaction_type").is_some() {
        EventKind::Reaction
    } else if m.is_true("is_retracted") {
        EventKind::Delete
    } else if m.is_true("is_edited") {
        EventKind::Edit
    } else if m.text("text").is_some() || !m.items("attachments").is_empty() {
        EventKind::Message
    } else {
        EventKind::Unknown
    }
}

fn attachment(a: &Value) -> Option<Attachment> {
    if a.is_true("missing") {
        return None;
    }
    let kind = MediaKind::of_type(a.text("mime_type"));
    Some(Attachment {
        kind,
        name: a.text("transfer_name").map(str::to_owned),
        media_type: a.text("mime_type").map(str::to_owned),
        bytes: a.at("total_bytes").as_u64(),
        handle: a.text("original_path")?.to_owned(),
    })
}

/// Reads a file of Messages: below its own folder, a regular file, no link on the way.
pub(super) fn file(attachment: &Attachment, most: u64) -> Result<Vec<u8>, AdapterFailure> {
    let refused = |why: &str| AdapterFailure::Refused { service: SERVICE, why: why.to_owned() };
    let folder =
        std::env::home_dir().map(|h| h.join(FOLDER)).ok_or_else(|| refused("there is no home directory"))?;
    below(&folder, &attachment.handle, most)
}

pub(super) fn below(folder: &Path, name: &str, most: u64) -> Result<Vec<u8>, AdapterFailure> {
    let refused = |why: String| AdapterFailure::Refused { service: SERVICE, why };
    let outside = || refused("the file does not lie in the folder of Messages".to_owned());
    let path = match name.strip_prefix("~/") {
        Some(rest) => Path::new(rest).strip_prefix(FOLDER).map_err(|_| outside())?,
        None => Path::new(name).strip_prefix(folder).map_err(|_| outside())?,
    };
    let root = oc_fs::root::Root::open(folder)
        .map_err(|_| refused("the folder of Messages cannot be opened".to_owned()))?;
    // Names of the file and its folders are the sender's: they are not repeated.
    root.read(path, most).map_err(|e| {
        refused(match e {
            oc_fs::root::Refused::TooLarge { .. } => format!("it is larger than {most} bytes"),
            oc_fs::root::Refused::Escapes(_) => "the file does not lie in the folder of Messages".to_owned(),
            _ => "it is not there, or cannot be read".to_owned(),
        })
    })
}
