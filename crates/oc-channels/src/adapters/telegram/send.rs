//! What goes out: HTML, and plain text once when Telegram does not take it.

use serde_json::{Map, Value, json};

use super::{Buttons, SERVICE, Telegram};
use crate::adapter::{AdapterFailure, Button, Destination, Outgoing, OutgoingFile, Sent};
use crate::http_client::{CALL_TIMEOUT, Form};
use crate::json::Members as _;
use crate::markdown::{Html, Plain, render};

/// Longest text below a file, in UTF-16 units, as the service counts.
const CAPTION: usize = 1024;
/// Longest payload of a button, in bytes.
const PAYLOAD: usize = 64;
/// Buttons in a row.
const ROW: usize = 3;

/// The members that say where a message goes. `None` when the conversation is no chat id: a name could change hands (SP-418).
pub(super) fn addressed(to: &Destination) -> Option<Map<String, Value>> {
    let chat: i64 = to.conversation.as_str().parse().ok()?;
    let mut out = Map::new();
    out.insert("chat_id".to_owned(), chat.into());
    // Topic 1 is the general one, which is not named.
    if let Some(topic) = to.thread.as_deref().and_then(|t| t.parse::<i64>().ok()).filter(|t| *t != 1) {
        out.insert("message_thread_id".to_owned(), topic.into());
    }
    if let Some(answered) = to.reply_to.as_deref().and_then(|m| m.parse::<i64>().ok()) {
        let reply = json!({ "message_id": answered, "allow_sending_without_reply": true });
        out.insert("reply_parameters".to_owned(), reply);
    }
    Some(out)
}

pub(super) async fn message(
    bot: &Telegram,
    to: &Destination,
    message: &Outgoing,
) -> Result<Sent, AdapterFailure> {
    let refused = |why: &str| AdapterFailure::Refused { service: SERVICE, why: why.to_owned() };
    let mut base = addressed(to).ok_or_else(|| refused("the conversation is no chat id"))?;
    let direct = !to.conversation.as_str().starts_with('-');
    let keyboard = keyboard(&message.buttons, bot.buttons, direct)?;
    let Some(file) = &message.file else {
        if message.text.trim().is_empty() {
            return Err(refused("there is nothing in it"));
        }
        return text(bot, &base, &message.text, keyboard).await;
    };
    if render(&message.text, &Plain).encode_utf16().count() <= CAPTION {
        return with_file(bot, &base, file, &message.text, keyboard).await;
    }
    // Too long to stand below the file: the file first, so that the buttons come last.
    with_file(bot, &base, file, "", None).await?;
    base.remove("reply_parameters");
    text(bot, &base, &message.text, keyboard).await
}

async fn text(
    bot: &Telegram,
    base: &Map<String, Value>,
    text: &str,
    keyboard: Option<Value>,
) -> Result<Sent, AdapterFailure> {
    let mut body = base.clone();
    if let Some(keyboard) = keyboard {
        body.insert("reply_markup".to_owned(), keyboard);
    }
    if !bot.link_preview {
        body.insert("link_preview_options".to_owned(), json!({ "is_disabled": true }));
    }
    body.insert("text".to_owned(), render(text, &Html).into());
    body.insert("parse_mode".to_owned(), "HTML".into());
    let done = match bot.api.call("sendMessage", Value::Object(body.clone())).await {
        Err(AdapterFailure::Formatting { .. }) => {
            body.remove("parse_mode");
            body.insert("text".to_owned(), render(text, &Plain).into());
            bot.api.call("sendMessage", Value::Object(body)).await?
        }
        other => other?,
    };
    Ok(sent(&done))
}

async fn with_file(
    bot: &Telegram,
    base: &Map<String, Value>,
    file: &OutgoingFile,
    caption: &str,
    keyboard: Option<Value>,
) -> Result<Sent, AdapterFailure> {
    let (method, field) = match file.media_type.as_str() {
        "image/png" | "image/jpeg" | "image/webp" => ("sendPhoto", "photo"),
        _ => ("sendDocument", "document"),
    };
    let form = |html: bool| {
        let mut form = Form::new();
        for (name, value) in base {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            form = form.text(name, &value);
        }
        if let Some(keyboard) = &keyboard {
            form = form.text("reply_markup", &keyboard.to_string());
        }
        if html && !caption.trim().is_empty() {
            form = form.text("caption", &render(caption, &Html)).text("parse_mode", "HTML");
        } else if !caption.trim().is_empty() {
            form = form.text("caption", &render(caption, &Plain));
        }
        form.file(field, &file.name, &file.media_type, &file.bytes).body()
    };
    let limit = CALL_TIMEOUT * 4;
    let done = match bot.api.exchange(method, form(true), limit).await {
        Err(AdapterFailure::Formatting { .. }) => bot.api.exchange(method, form(false), limit).await?,
        other => other?,
    };
    Ok(sent(&done))
}

fn keyboard(buttons: &[Button], allowed: Buttons, direct: bool) -> Result<Option<Value>, AdapterFailure> {
    let here = match allowed {
        Buttons::Nowhere => false,
        Buttons::Direct => direct,
        Buttons::Rooms => !direct,
        Buttons::Everywhere => true,
    };
    if buttons.is_empty() || !here {
        return Ok(None);
    }
    if buttons.iter().any(|b| b.payload.len() > PAYLOAD || b.payload.is_empty()) {
        let why = format!("a button's payload has 1 to {PAYLOAD} bytes");
        return Err(AdapterFailure::Refused { service: SERVICE, why });
    }
    let row = |row: &[Button]| -> Value {
        row.iter().map(|b| json!({ "text": b.label, "callback_data": b.payload })).collect::<Vec<_>>().into()
    };
    Ok(Some(json!({ "inline_keyboard": buttons.chunks(ROW).map(row).collect::<Vec<_>>() })))
}

fn sent(result: &Value) -> Sent {
    Sent { id: result.at("message_id").as_i64().map(|id| id.to_string()) }
}
