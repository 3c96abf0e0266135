//! A session in a list.

use oc_fs::session_store::{session_id, updated_at};
use serde_json::{Map, Value, json};

use super::entry::{Listed, masked};
use super::message::{cut, messages, role, text};
use crate::methods::Place;
use crate::methods::model::Model;

/// Bytes of a transcript that are read for a title or a last message.
const GLANCE: u64 = 64 * 1024;
/// Longest title and preview, in characters.
const MAX_TITLE: usize = 60;
const MAX_LAST: usize = 160;

/// What a row shows beside the entry.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Glances {
    pub(super) title: bool,
    pub(super) last: bool,
}

/// Members of the entry that a row shows as they are.
const SHOWN: [&str; 25] = [
    "label",
    "channel",
    "subject",
    "groupChannel",
    "space",
    "chatType",
    "origin",
    "spawnedBy",
    "systemSent",
    "abortedLastRun",
    "thinkingLevel",
    "verboseLevel",
    "reasoningLevel",
    "elevatedLevel",
    "sendPolicy",
    "inputTokens",
    "outputTokens",
    "responseUsage",
    "contextTokens",
    "compactionCount",
    "deliveryContext",
    "lastChannel",
    "lastTo",
    "lastAccountId",
    "groupActivation",
];

/// `global`, `unknown`, `group` or `direct`.
pub(super) fn kind(session: &Listed) -> &'static str {
    let room = [":group:", ":channel:"].iter().any(|w| session.key.contains(w));
    let said = session.text("chatType").is_some_and(|t| matches!(t, "group" | "channel" | "room"));
    match session.key.as_str() {
        "global" => "global",
        "unknown" => "unknown",
        _ if room || said => "group",
        _ => "direct",
    }
}

/// The name of a session for people.
pub(super) fn display_name(session: &Listed) -> Option<&str> {
    let origin = session.entry.get("origin").and_then(|o| o.get("label")).and_then(Value::as_str);
    session
        .text("displayName")
        .or_else(|| session.text("label"))
        .or_else(|| session.text("groupChannel"))
        .or_else(|| session.text("subject"))
        .or(origin.filter(|s| !s.is_empty()))
}

/// The row.
pub(super) fn row(place: &Place, session: &Listed, glances: Glances) -> Value {
    let entry = &session.entry;
    let mut out = Map::new();
    out.insert("key".to_owned(), json!(session.key));
    out.insert("kind".to_owned(), json!(kind(session)));
    if let Some(name) = display_name(session) {
        out.insert("displayName".to_owned(), json!(name));
    }
    for name in SHOWN {
        if let Some(value) = entry.get(name).filter(|v| !v.is_null()) {
            out.insert(name.to_owned(), value.clone());
        }
    }
    out.insert("updatedAt".to_owned(), at(entry));
    if let Some(id) = session_id(entry) {
        out.insert("sessionId".to_owned(), json!(id));
    }
    let sum = entry.get("totalTokens").and_then(Value::as_u64);
    let parts = ["inputTokens", "outputTokens"].map(|k| entry.get(k).and_then(Value::as_u64).unwrap_or(0));
    out.insert("totalTokens".to_owned(), json!(sum.unwrap_or_else(|| parts.iter().sum())));
    let model = Model::of_session(&place.config, &session.agent, entry);
    out.insert("modelProvider".to_owned(), json!(model.provider));
    out.insert("model".to_owned(), json!(model.model));
    if glances.title {
        out.insert("derivedTitle".to_owned(), json!(title(session)));
    }
    if glances.last
        && let Some(last) = last_message(session)
    {
        out.insert("lastMessagePreview".to_owned(), json!(last));
    }
    masked(place, &Value::Object(out))
}

/// When it was updated last; `null` when it does not say.
fn at(entry: &Map<String, Value>) -> Value {
    match updated_at(entry) {
        0 => Value::Null,
        ms => json!(ms),
    }
}

/// Its name, else what was said first, else its id.
fn title(session: &Listed) -> String {
    if let Some(name) = display_name(session) {
        return cut(name, MAX_TITLE);
    }
    let lines = session.store.tail(&session.entry, GLANCE).unwrap_or_default().lines;
    let first = messages(&lines).find(|m| role(m) == "user").map(|m| text(&m)).filter(|t| !t.is_empty());
    let line = first.and_then(|t| t.lines().next().map(|l| cut(l, MAX_TITLE)));
    line.unwrap_or_else(|| session_id(&session.entry).unwrap_or(&session.key).chars().take(8).collect())
}

fn last_message(session: &Listed) -> Option<String> {
    let lines = session.store.tail(&session.entry, GLANCE).unwrap_or_default().lines;
    let spoken = |m: &Value| matches!(role(m), "user" | "assistant");
    let last = messages(&lines).rev().filter(spoken).map(|m| text(&m)).find(|t| !t.is_empty());
    last.map(|t| cut(&t, MAX_LAST))
}

/// The youngest sessions as `health` shows them: `{key, updatedAt, age}`.
pub(in crate::methods) fn recent(place: &Place, sessions: &[Listed], most: usize) -> Vec<Value> {
    let shown = |s: &Listed| {
        let updated = at(&s.entry);
        let age = updated.as_u64().map(|ms| place.now_ms.saturating_sub(ms));
        json!({ "key": s.key, "updatedAt": updated, "age": age })
    };
    sessions.iter().take(most).map(shown).collect()
}
