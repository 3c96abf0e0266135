//! What goes out. Discord reads the same marks as models write, so the text goes as it is.

use ring::digest;
use serde_json::{Map, Value, json};

use super::api::Api;
use super::{SERVICE, snowflake};
use crate::adapter::{AdapterFailure, Button, Destination, Outgoing, Sent};
use crate::http_client::Form;
use crate::json::Members as _;

/// Longest payload and label of a button, in characters.
const PAYLOAD: usize = 100;
const LABEL: usize = 80;
/// Buttons in a row, and rows.
const ROW: usize = 5;
/// Longest nonce, in characters.
const NONCE: usize = 25;

pub(super) async fn message(
    api: &Api,
    to: &Destination,
    message: &Outgoing,
    key: &str,
) -> Result<Sent, AdapterFailure> {
    let refused = |why: &str| AdapterFailure::Refused { service: SERVICE, why: why.to_owned() };
    let channel =
        snowflake(to.conversation.as_str()).ok_or_else(|| refused("the conversation is no channel id"))?;
    if message.text.trim().is_empty() && message.file.is_none() {
        return Err(refused("there is nothing in it"));
    }
    let mut body = Map::new();
    body.insert("content".to_owned(), message.text.clone().into());
    body.insert("allowed_mentions".to_owned(), json!({ "parse": [], "replied_user": false }));
    if let Some(answered) = to.reply_to.as_deref().and_then(snowflake) {
        let reference = json!({ "message_id": answered, "fail_if_not_exists": false });
        body.insert("message_reference".to_owned(), reference);
    }
    if !key.is_empty() {
        body.insert("nonce".to_owned(), nonce(key).into());
        body.insert("enforce_nonce".to_owned(), true.into());
    }
    if let Some(rows) = rows(&message.buttons)? {
        body.insert("components".to_owned(), rows);
    }
    let path = format!("/channels/{channel}/messages");
    let done = match &message.file {
        None => api.post(&path, Value::Object(body)).await?,
        Some(file) => {
            body.insert("attachments".to_owned(), json!([{ "id": 0, "filename": file.name }]));
            let form = Form::new().text("payload_json", &Value::Object(body).to_string());
            let form = form.file("files[0]", &file.name, &file.media_type, &file.bytes);
            api.post_form(&path, form.body()).await?
        }
    };
    Ok(Sent { id: done.text("id").map(str::to_owned) })
}

/// The key in a form that fits: equal keys give equal nonces.
pub(super) fn nonce(key: &str) -> String {
    let hash = digest::digest(&digest::SHA256, key.as_bytes());
    data_encoding::HEXLOWER.encode(hash.as_ref()).chars().take(NONCE).collect()
}

fn rows(buttons: &[Button]) -> Result<Option<Value>, AdapterFailure> {
    if buttons.is_empty() {
        return Ok(None);
    }
    let fits = |b: &Button| !b.payload.is_empty() && b.payload.chars().count() <= PAYLOAD;
    if !buttons.iter().all(fits) || buttons.len() > ROW * ROW {
        let why = format!("it has more than {} buttons, or one whose payload is too long", ROW * ROW);
        return Err(AdapterFailure::Refused { service: SERVICE, why });
    }
    let button = |b: &Button| {
        let label: String = b.label.chars().take(LABEL).collect();
        json!({ "type": 2, "style": 2, "label": label, "custom_id": b.payload })
    };
    let row = |row: &[Button]| json!({ "type": 1, "components": row.iter().map(button).collect::<Vec<_>>() });
    Ok(Some(buttons.chunks(ROW).map(row).collect::<Vec<_>>().into()))
}
