//! `sessions.preview`: the last words of several sessions.

use serde::Deserialize;
use serde_json::{Value, json};

use super::entry::{Listed, find};
use super::message::{cut, messages, role, text};
use crate::methods::Place;
use crate::methods::params::{invalid, read};
use crate::protocol::frame::Failure;

/// Most sessions of one request.
const MAX_KEYS: usize = 64;
/// Bytes of a transcript that are read.
const GLANCE: u64 = 256 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Preview {
    keys: Vec<String>,
    #[serde(default = "limit")]
    limit: usize,
    #[serde(default = "max_chars")]
    max_chars: usize,
}

fn limit() -> usize {
    12
}

fn max_chars() -> usize {
    240
}

/// `sessions.preview`.
///
/// # Errors
/// Parameters that are not right. What is wrong with one session stands in its row.
pub fn preview(place: &Place, params: Value) -> Result<Value, Failure> {
    let wanted: Preview = read(params)?;
    if wanted.keys.is_empty() || wanted.keys.len() > MAX_KEYS {
        return Err(invalid(&format!("keys takes 1 to {MAX_KEYS} session keys")));
    }
    if wanted.limit == 0 || wanted.max_chars < 20 {
        return Err(invalid("limit is at least 1, maxChars at least 20"));
    }
    let previews: Vec<Value> = wanted.keys.iter().map(|key| one(place, key, &wanted)).collect();
    Ok(json!({ "ts": place.now_ms, "previews": previews }))
}

fn one(place: &Place, key: &str, wanted: &Preview) -> Value {
    let found = place.session(key).ok().map(|(agent, key)| find(place, &agent, &key));
    let (status, items) = match found {
        None | Some(Ok(None)) => ("missing", Vec::new()),
        Some(Err(_)) => ("error", Vec::new()),
        Some(Ok(Some(session))) => match items(place, &session, wanted) {
            None => ("error", Vec::new()),
            Some(items) if items.is_empty() => ("empty", items),
            Some(items) => ("ok", items),
        },
    };
    json!({ "key": key, "status": status, "items": items })
}

fn items(place: &Place, session: &Listed, wanted: &Preview) -> Option<Vec<Value>> {
    let lines = session.store.tail(&session.entry, GLANCE).ok()?.lines;
    let said = messages(&lines).rev().filter_map(|m| {
        let text = text(&m);
        // Masked before it is cut: half a key has no shape.
        let shown = cut(&place.redactor.redact(&text), wanted.max_chars);
        (!text.is_empty()).then(|| json!({ "role": role(&m), "text": shown }))
    });
    let mut items: Vec<Value> = said.take(wanted.limit).collect();
    items.reverse();
    Some(items)
}
