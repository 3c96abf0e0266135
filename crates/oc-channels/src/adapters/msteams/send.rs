//! What goes out: to the address at which the conversation said it is answered.

use serde_json::{Map, Value, json};

use super::{SERVICE, Teams};
use crate::adapter::{AdapterFailure, Button, Destination, Outgoing, Sent};
use crate::http_client::encoded;
use crate::json::Members as _;

/// The member of a button's data that holds the payload.
pub(super) const PAYLOAD: &str = "openclaw";
/// Buttons of a card.
const MOST: usize = 6;

/// Whether it is a conversation's id: `19:...@thread.tacv2`, `a:...`; never a name (SP-418).
fn is_conversation(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.@:=+/".contains(&b);
    let shaped = text.split_once(':').is_some_and(|(kind, rest)| {
        (1..=8).contains(&kind.len()) && kind.bytes().all(|b| b.is_ascii_alphanumeric()) && !rest.is_empty()
    });
    shaped && text.len() <= 512 && text.bytes().all(plain)
}

/// The address of a conversation's activities. `None` for what is no conversation id.
fn address(teams: &Teams, to: &Destination) -> Option<String> {
    let conversation = to.conversation.as_str();
    if !is_conversation(conversation) {
        return None;
    }
    let known = teams.places().get(conversation).cloned();
    let base = known.unwrap_or_else(|| teams.api.root().below(""));
    let place = match to.thread.as_deref().filter(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit()))
    {
        Some(thread) => format!("{conversation};messageid={thread}"),
        None => conversation.to_owned(),
    };
    Some(format!("{}/v3/conversations/{}/activities", base.trim_end_matches('/'), encoded(&place)))
}

pub(super) async fn message(
    teams: &Teams,
    to: &Destination,
    message: &Outgoing,
) -> Result<Sent, AdapterFailure> {
    let refused = |why: &str| AdapterFailure::Refused { service: SERVICE, why: why.to_owned() };
    let address = address(teams, to).ok_or_else(|| refused("the conversation is no conversation id"))?;
    if message.file.is_some() {
        return Err(refused("files are not sent to Teams"));
    }
    if message.text.trim().is_empty() {
        return Err(refused("there is nothing in it"));
    }
    let mut body = Map::new();
    body.insert("type".to_owned(), "message".into());
    match card(&message.text, &message.buttons)? {
        Some(card) => body.insert("attachments".to_owned(), json!([card])),
        None => {
            body.insert("textFormat".to_owned(), "markdown".into());
            body.insert("text".to_owned(), plain_tags(&message.text).into())
        }
    };
    let done = teams.api.post(&address, &teams.hosts(), Value::Object(body)).await?;
    Ok(Sent { id: done.text("id").map(str::to_owned) })
}

pub(super) async fn typing(teams: &Teams, to: &Destination) {
    if let Some(address) = address(teams, to) {
        let _ = teams.api.post(&address, &teams.hosts(), json!({ "type": "typing" })).await;
    }
}

/// Text in which no tag is one: `<at>` would name somebody.
fn plain_tags(text: &str) -> String {
    text.replace('<', "&lt;")
}

fn card(text: &str, buttons: &[Button]) -> Result<Option<Value>, AdapterFailure> {
    if buttons.is_empty() {
        return Ok(None);
    }
    if buttons.len() > MOST || buttons.iter().any(|b| b.payload.is_empty()) {
        let why = format!("it has more than {MOST} buttons, or one without a payload");
        return Err(AdapterFailure::Refused { service: SERVICE, why });
    }
    let action = |b: &Button| {
        let mut data = Map::new();
        data.insert(PAYLOAD.to_owned(), b.payload.clone().into());
        json!({ "type": "Action.Submit", "title": b.label, "data": data })
    };
    let content = json!({
        "type": "AdaptiveCard", "version": "1.4",
        "body": [{ "type": "TextBlock", "text": plain_tags(text), "wrap": true }],
        "actions": buttons.iter().map(action).collect::<Vec<_>>(),
    });
    Ok(Some(json!({ "contentType": "application/vnd.microsoft.card.adaptive", "content": content })))
}
