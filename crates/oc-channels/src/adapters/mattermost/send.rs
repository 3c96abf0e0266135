//! What goes out. Mattermost reads the same marks as models write, so the text goes as it is but for calls of whole channels.

use serde_json::{Map, Value, json};

use super::{Mattermost, SERVICE, id};
use crate::adapter::{AdapterFailure, Destination, Outgoing, Sent};
use crate::http_client::Form;
use crate::json::Members as _;

/// Words that call everybody of a channel or server.
const CALLS: [&str; 3] = ["all", "channel", "here"];

pub(super) async fn message(
    bot: &Mattermost,
    to: &Destination,
    message: &Outgoing,
    key: &str,
) -> Result<Sent, AdapterFailure> {
    let refused = |why: &str| AdapterFailure::Refused { service: SERVICE, why: why.to_owned() };
    let channel = id(to.conversation.as_str()).ok_or_else(|| refused("the conversation is no channel id"))?;
    if message.text.trim().is_empty() && message.file.is_none() {
        return Err(refused("there is nothing in it"));
    }
    let mut body = Map::new();
    body.insert("channel_id".to_owned(), channel.into());
    body.insert("message".to_owned(), quiet(&message.text).into());
    if let Some(root) = to.thread.as_deref().and_then(id) {
        body.insert("root_id".to_owned(), root.into());
    }
    if !key.is_empty() {
        body.insert("pending_post_id".to_owned(), format!("{}:{key}", bot.own.get().id).into());
    }
    if let Some(file) = &message.file {
        let form = Form::new().text("channel_id", channel);
        let form = form.file("files", &file.name, &file.media_type, &file.bytes);
        let done = bot.api.post_form("/files", form.body()).await?;
        let file = done.items("file_infos").first().and_then(|f| f.text("id"));
        let file = file.ok_or_else(|| bot.api.unavailable("it does not name the file that it was given"))?;
        body.insert("file_ids".to_owned(), json!([file]));
    }
    let done = bot.api.post("/posts", Value::Object(body)).await?;
    Ok(Sent { id: done.text("id").map(str::to_owned) })
}

pub(super) async fn typing(bot: &Mattermost, to: &Destination) {
    let Some(channel) = id(to.conversation.as_str()) else { return };
    let mut body = json!({ "channel_id": channel });
    if let (Some(root), Some(o)) = (to.thread.as_deref().and_then(id), body.as_object_mut()) {
        o.insert("parent_id".to_owned(), root.into());
    }
    let _ = bot.api.post("/users/me/typing", body).await;
}

/// The text with a mark that is not seen in `@all`, `@channel` and `@here`, so that they call nobody.
pub(super) fn quiet(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, tail) = rest.split_at(at);
        let word = tail.get(1..).unwrap_or_default();
        out.push_str(before);
        out.push('@');
        let low: String = word.chars().take(7).flat_map(char::to_lowercase).collect();
        if CALLS.iter().any(|c| low.starts_with(c)) {
            out.push('\u{200b}');
        }
        rest = word;
    }
    out.push_str(rest);
    out
}
