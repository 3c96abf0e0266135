//! `chat.history`: the last messages of a session.

use oc_fs::session_store::session_id;
use oc_types::Node;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::entry::{find, masked};
use super::message::messages;
use crate::methods::Place;
use crate::methods::params::{invalid, read, unavailable};
use crate::protocol::frame::Failure;

/// Most messages of one answer.
pub const MAX_MESSAGES: usize = 1000;
/// Messages of an answer when the caller names no number.
const DEFAULT_MESSAGES: usize = 200;
/// Most bytes of messages in one answer.
pub const MAX_BYTES: usize = 6 * 1024 * 1024;
/// Bytes of the transcript that are looked at: beyond the answer, because lines carry more than messages.
const WINDOW: u64 = 2 * 6 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct History {
    session_key: String,
    limit: Option<usize>,
}

/// `chat.history`: the last messages in the order of the transcript, credentials in them masked. When they do not fit, the oldest go.
///
/// # Errors
/// Parameters that are not right; a store or transcript that cannot be read.
pub fn history(place: &Place, params: Value) -> Result<Value, Failure> {
    let wanted: History = read(params)?;
    let limit = wanted.limit.unwrap_or(DEFAULT_MESSAGES);
    if limit == 0 || limit > MAX_MESSAGES {
        return Err(invalid(&format!("limit is 1 to {MAX_MESSAGES}")));
    }
    let (agent, key) = place.session(&wanted.session_key)?;
    let session = find(place, &agent, &key)?;
    let mut out = Map::new();
    out.insert("sessionKey".to_owned(), json!(wanted.session_key));
    if let Some(id) = session.as_ref().and_then(|s| session_id(&s.entry)) {
        out.insert("sessionId".to_owned(), json!(id));
    }
    let mut found = Vec::new();
    if let Some(session) = &session {
        let tail = session.store.tail(&session.entry, WINDOW);
        let lines = tail.map_err(|_| unavailable("the transcript of this session cannot be read"))?.lines;
        let mut room = MAX_BYTES;
        for message in messages(&lines).rev().take(limit) {
            let message = masked(place, &message);
            let size = message.to_string().len();
            if size > room {
                break;
            }
            room -= size;
            found.push(message);
        }
        found.reverse();
    }
    out.insert("messages".to_owned(), Value::Array(found));
    let own = |name: &str| session.as_ref().and_then(|s| s.text(name)).map(str::to_owned);
    let shared = |name: &str| {
        place.config.path(&["agents", "defaults", name]).and_then(Node::as_str).map(str::to_owned)
    };
    let thinking = own("thinkingLevel").or_else(|| shared("thinkingDefault"));
    out.insert("thinkingLevel".to_owned(), json!(thinking.unwrap_or_else(|| "low".to_owned())));
    if let Some(verbose) = own("verboseLevel").or_else(|| shared("verboseDefault")) {
        out.insert("verboseLevel".to_owned(), json!(verbose));
    }
    Ok(Value::Object(out))
}
