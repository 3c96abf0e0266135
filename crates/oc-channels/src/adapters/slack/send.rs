//! What goes out.

use serde_json::{Map, Value, json};

use super::SERVICE;
use super::api::Api;
use super::mrkdwn::{Mrkdwn, escaped};
use crate::adapter::{AdapterFailure, Button, Destination, Outgoing, OutgoingFile, Sent};
use crate::json::Members as _;
use crate::markdown::{Plain, render};

/// Longest text of a section, and longest label and value of a button, in characters.
const SECTION: usize = 3000;
const LABEL: usize = 75;
const VALUE: usize = 2000;
/// Buttons of one message.
const MOST: usize = 25;

/// A conversation's id: never a name, which could change hands (SP-418).
fn conversation(text: &str) -> Option<&str> {
    let first = matches!(text.bytes().next(), Some(b'C' | b'D' | b'G'));
    let rest = text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    (first && rest && (2..=32).contains(&text.len())).then_some(text)
}

/// A message's stamp: `1234567890.123456`.
fn stamp(text: &str) -> Option<&str> {
    let shaped =
        !text.is_empty() && text.len() <= 32 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    shaped.then_some(text)
}

pub(super) async fn message(api: &Api, to: &Destination, message: &Outgoing) -> Result<Sent, AdapterFailure> {
    let refused = |why: &str| AdapterFailure::Refused { service: SERVICE, why: why.to_owned() };
    let channel = conversation(to.conversation.as_str())
        .ok_or_else(|| refused("the conversation is no conversation id"))?;
    let thread = to.thread.as_deref().and_then(stamp);
    let nothing = message.text.trim().is_empty();
    if nothing && message.file.is_none() {
        return Err(refused("there is nothing in it"));
    }
    let mut sent = Sent { id: None };
    if let Some(file) = &message.file {
        upload(api, channel, thread, file).await?;
    }
    if !nothing {
        let text = render(&message.text, &Mrkdwn);
        let mut body = Map::new();
        body.insert("channel".to_owned(), channel.into());
        body.insert("unfurl_links".to_owned(), false.into());
        body.insert("unfurl_media".to_owned(), false.into());
        if let Some(thread) = thread {
            body.insert("thread_ts".to_owned(), thread.into());
        }
        if let Some(blocks) = blocks(&text, &message.buttons)? {
            body.insert("blocks".to_owned(), blocks);
            // What notifications show: without marks, and written out as every text is.
            let shown = first(&render(&message.text, &Plain), SECTION);
            body.insert("text".to_owned(), escaped(&shown).into());
        } else {
            body.insert("text".to_owned(), text.into());
        }
        let done = api.call("chat.postMessage", &Value::Object(body)).await?;
        sent.id = done.text("ts").map(str::to_owned);
    }
    Ok(sent)
}

async fn upload(
    api: &Api,
    channel: &str,
    thread: Option<&str>,
    file: &OutgoingFile,
) -> Result<(), AdapterFailure> {
    let length = file.bytes.len().to_string();
    let place =
        api.form("files.getUploadURLExternal", &[("filename", &file.name), ("length", &length)]).await?;
    let (Some(address), Some(id)) = (place.text("upload_url"), place.text("file_id")) else {
        return Err(api.unavailable("it names no place for a file"));
    };
    api.upload(address, &file.bytes).await?;
    let mut body = json!({ "files": [{ "id": id, "title": file.name }], "channel_id": channel });
    if let (Some(thread), Some(o)) = (thread, body.as_object_mut()) {
        o.insert("thread_ts".to_owned(), thread.into());
    }
    api.call("files.completeUploadExternal", &body).await.map(|_| ())
}

fn blocks(text: &str, buttons: &[Button]) -> Result<Option<Value>, AdapterFailure> {
    if buttons.is_empty() {
        return Ok(None);
    }
    let fits = |b: &Button| !b.payload.is_empty() && b.payload.chars().count() <= VALUE;
    if buttons.len() > MOST || !buttons.iter().all(fits) {
        let why = format!("it has more than {MOST} buttons, or one whose payload is too long");
        return Err(AdapterFailure::Refused { service: SERVICE, why });
    }
    let chars: Vec<char> = text.chars().collect();
    let mut blocks: Vec<Value> = chars
        .chunks(SECTION)
        .map(|part| {
            let part: String = part.iter().collect();
            json!({ "type": "section", "text": { "type": "mrkdwn", "text": part } })
        })
        .collect();
    let button = |(i, b): (usize, &Button)| {
        json!({ "type": "button", "action_id": format!("oc-{i}"), "value": b.payload,
            "text": { "type": "plain_text", "text": first(&b.label, LABEL) } })
    };
    let elements: Vec<Value> = buttons.iter().enumerate().map(button).collect();
    blocks.push(json!({ "type": "actions", "elements": elements }));
    Ok(Some(blocks.into()))
}

fn first(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
