//! What goes out.

use oc_policy::inbound::Phone;
use serde_json::{Map, Value, json};

use super::style::Marks;
use super::{SERVICE, WhatsApp};
use crate::adapter::{AdapterFailure, Button, Destination, Outgoing, OutgoingFile, Sent};
use crate::http_client::Form;
use crate::json::Members as _;
use crate::markdown::render;

/// Most buttons, longest label, payload and text beside them, in characters.
const MOST: usize = 3;
const LABEL: usize = 20;
const PAYLOAD: usize = 256;
const BESIDE: usize = 1024;

/// The members that say where a message goes; only a full number is somewhere (SP-425).
fn addressed(to: &Destination) -> Option<Map<String, Value>> {
    let text = to.conversation.as_str();
    let phone = Phone::parse(text).filter(|p| p.as_str() == text && (7..=16).contains(&text.len()))?;
    let mut out = Map::new();
    out.insert("messaging_product".to_owned(), "whatsapp".into());
    out.insert("recipient_type".to_owned(), "individual".into());
    out.insert("to".to_owned(), phone.as_str().trim_start_matches('+').into());
    if let Some(answered) = to.reply_to.as_deref().filter(|id| is_message_id(id)) {
        out.insert("context".to_owned(), json!({ "message_id": answered }));
    }
    Some(out)
}

fn is_message_id(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'=' | b'+' | b'/');
    !id.is_empty() && id.len() <= 256 && id.bytes().all(plain)
}

pub(super) async fn message(
    own: &WhatsApp,
    to: &Destination,
    message: &Outgoing,
) -> Result<Sent, AdapterFailure> {
    let refused = |why: &str| AdapterFailure::Refused { service: SERVICE, why: why.to_owned() };
    let mut base = addressed(to).ok_or_else(|| refused("the conversation is no full number"))?;
    let text = render(&message.text, &Marks);
    let nothing = text.trim().is_empty();
    if nothing && message.file.is_none() {
        return Err(refused("there is nothing in it"));
    }
    let mut sent = Sent { id: None };
    if let Some(file) = &message.file {
        sent = with_file(own, &base, file).await?;
        base.remove("context");
    }
    if nothing {
        return Ok(sent);
    }
    let buttons = &message.buttons;
    let fits = |b: &Button| !b.payload.is_empty() && b.payload.chars().count() <= PAYLOAD;
    if !buttons.iter().all(fits) {
        return Err(refused("a button's payload is too long"));
    }
    // More buttons than there may be: the text says the same.
    if buttons.is_empty() || buttons.len() > MOST {
        return say(own, &base, "text", json!({ "body": text, "preview_url": false })).await;
    }
    let mut beside = text.as_str();
    if text.chars().count() > BESIDE {
        say(own, &base, "text", json!({ "body": text, "preview_url": false })).await?;
        base.remove("context");
        beside = "Choose:";
    }
    let reply = |b: &Button| {
        let title: String = b.label.chars().take(LABEL).collect();
        json!({ "type": "reply", "reply": { "id": b.payload, "title": title } })
    };
    let body = json!({ "type": "button", "body": { "text": beside },
        "action": { "buttons": buttons.iter().map(reply).collect::<Vec<_>>() } });
    say(own, &base, "interactive", body).await
}

async fn say(
    own: &WhatsApp,
    base: &Map<String, Value>,
    kind: &str,
    content: Value,
) -> Result<Sent, AdapterFailure> {
    let mut body = base.clone();
    body.insert("type".to_owned(), kind.into());
    body.insert(kind.to_owned(), content);
    let done = own.api.post(&format!("/{}/messages", own.number_id), Value::Object(body)).await?;
    let id = done.items("messages").first().and_then(|m| m.text("id"));
    Ok(Sent { id: id.map(str::to_owned) })
}

async fn with_file(
    own: &WhatsApp,
    base: &Map<String, Value>,
    file: &OutgoingFile,
) -> Result<Sent, AdapterFailure> {
    let form = Form::new().text("messaging_product", "whatsapp").text("type", &file.media_type);
    let form = form.file("file", &file.name, &file.media_type, &file.bytes);
    let done = own.api.post_form(&format!("/{}/media", own.number_id), form.body()).await?;
    let id =
        done.text("id").ok_or_else(|| own.api.unavailable("it does not name the file that it was given"))?;
    match file.media_type.as_str() {
        "image/png" | "image/jpeg" => say(own, base, "image", json!({ "id": id })).await,
        _ => say(own, base, "document", json!({ "id": id, "filename": file.name })).await,
    }
}

/// Typing is shown below a message that was read; it marks that one as read.
pub(super) async fn typing(own: &WhatsApp, to: &Destination) {
    let Some(answered) = to.reply_to.as_deref().filter(|id| is_message_id(id) && own.receipts) else {
        return;
    };
    let body = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": answered,
        "typing_indicator": { "type": "text" } });
    let _ = own.api.post(&format!("/{}/messages", own.number_id), body).await;
}
