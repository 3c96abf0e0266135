//! What goes out: HTML beside plain text, each under a transaction of its own, so that a second try is not a second message.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::{Value, json};

use super::{Matrix, SERVICE, UNCERTAIN, is_room};
use crate::adapter::{AdapterFailure, Destination, Outgoing, OutgoingFile, Sent};
use crate::http_client::encoded;
use crate::json::Members as _;
use crate::markdown::{Html, Mark, Plain, Style, render};

/// How long the sign of typing stands, in milliseconds.
const TYPING_MS: u64 = 20_000;

pub(super) async fn message(
    matrix: &Matrix,
    to: &Destination,
    message: &Outgoing,
) -> Result<Sent, AdapterFailure> {
    let refused = |why: &str| AdapterFailure::Refused { service: SERVICE, why: why.to_owned() };
    if !is_room(to.conversation.as_str()) {
        return Err(refused("the conversation is no room id"));
    }
    let has_text = !message.text.trim().is_empty();
    if !has_text && message.file.is_none() {
        return Err(refused("there is nothing in it"));
    }
    let mut sent = Sent { id: None };
    if has_text {
        let body = json!({
            "msgtype": "m.text",
            "body": render(&message.text, &Plain),
            "format": "org.matrix.custom.html",
            "formatted_body": render(&message.text, &Rich),
        });
        sent = one(matrix, to, body, &message.text).await?;
    }
    if let Some(file) = &message.file {
        let body = file_body(matrix, file).await?;
        sent = one(matrix, to, body, &file.name).await?;
    }
    Ok(sent)
}

async fn file_body(matrix: &Matrix, file: &OutgoingFile) -> Result<Value, AdapterFailure> {
    let kind = match file.media_type.split('/').next() {
        Some("image") => "m.image",
        Some("audio") => "m.audio",
        Some("video") => "m.video",
        _ => "m.file",
    };
    let url = matrix.api.upload(&file.name, &file.media_type, file.bytes.clone()).await?;
    let info = json!({ "mimetype": file.media_type, "size": file.bytes.len() });
    Ok(json!({ "msgtype": kind, "body": file.name, "filename": file.name, "url": url, "info": info }))
}

async fn one(matrix: &Matrix, to: &Destination, mut body: Value, mark: &str) -> Result<Sent, AdapterFailure> {
    if let Some(o) = body.as_object_mut() {
        // Nobody is notified because a text happens to hold a name.
        o.insert("m.mentions".to_owned(), json!({}));
        if let Some(relation) = relation(to) {
            o.insert("m.relates_to".to_owned(), relation);
        }
    }
    let print = {
        let mut hasher = DefaultHasher::new();
        (to, mark).hash(&mut hasher);
        hasher.finish()
    };
    let transaction = transaction(matrix, print);
    let room = encoded(to.conversation.as_str());
    let path = format!("/_matrix/client/v3/rooms/{room}/send/m.room.message/{}", encoded(&transaction));
    match matrix.api.put(&path, body).await {
        Ok(answer) => {
            let id = answer.text("event_id").map(str::to_owned);
            if let Some(id) = &id {
                matrix.state().sent(id);
            }
            Ok(Sent { id })
        }
        Err(e @ (AdapterFailure::Unavailable { .. } | AdapterFailure::RateLimited { .. })) => {
            // It may have arrived: the next try of the same message is the same transaction.
            let mut state = matrix.state();
            if state.uncertain.len() >= UNCERTAIN {
                state.uncertain.pop_front();
            }
            state.uncertain.push_back((print, transaction));
            Err(e)
        }
        Err(e) => Err(e),
    }
}

fn transaction(matrix: &Matrix, print: u64) -> String {
    let mut state = matrix.state();
    if let Some(at) = state.uncertain.iter().position(|(p, _)| *p == print)
        && let Some((_, transaction)) = state.uncertain.remove(at)
    {
        return transaction;
    }
    state.count = state.count.saturating_add(1);
    // Unique over restarts: the server remembers transactions of the same session.
    let random = oc_fs::random::token_hex(16).map(|t| t.expose().to_owned()).unwrap_or_default();
    format!("oc-{}-{random}", state.count)
}

fn relation(to: &Destination) -> Option<Value> {
    let answered = to.reply_to.as_deref().filter(|id| id.starts_with('$'));
    match (to.thread.as_deref().filter(|id| id.starts_with('$')), answered) {
        (Some(root), answered) => Some(json!({
            "rel_type": "m.thread",
            "event_id": root,
            "is_falling_back": answered.is_none(),
            "m.in_reply_to": { "event_id": answered.unwrap_or(root) },
        })),
        (None, Some(answered)) => Some(json!({ "m.in_reply_to": { "event_id": answered } })),
        (None, None) => None,
    }
}

pub(super) async fn typing(matrix: &Matrix, to: &Destination) {
    let room = to.conversation.as_str();
    let Ok(own) = matrix.api.own_id().await else { return };
    if is_room(room) {
        let path = format!("/_matrix/client/v3/rooms/{}/typing/{}", encoded(room), encoded(&own));
        let _ = matrix.api.put(&path, json!({ "typing": true, "timeout": TYPING_MS })).await;
    }
}

/// HTML with line breaks written out.
struct Rich;

impl Style for Rich {
    fn text(&self, out: &mut String, text: &str) {
        Html.text(out, text);
    }

    fn open(&self, out: &mut String, mark: Mark) {
        match mark {
            Mark::Strike => out.push_str("<del>"),
            Mark::Bold | Mark::Italic => Html.open(out, mark),
        }
    }

    fn close(&self, out: &mut String, mark: Mark) {
        match mark {
            Mark::Strike => out.push_str("</del>"),
            Mark::Bold | Mark::Italic => Html.close(out, mark),
        }
    }

    fn code(&self, out: &mut String, text: &str) {
        Html.code(out, text);
    }

    fn block(&self, out: &mut String, language: Option<&str>, text: &str) {
        Html.block(out, language, text);
    }

    fn line_break(&self, out: &mut String) {
        out.push_str("<br>\n");
    }

    fn link(&self, out: &mut String, label: &str, address: &str) {
        Html.link(out, label, address);
    }
}
