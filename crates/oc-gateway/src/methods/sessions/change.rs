//! `sessions.reset`, `sessions.delete`, `sessions.compact`.

use oc_fs::session_store::{Compacted, Entry, TranscriptFailure, new_session_id, session_id};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::entry::{find, masked, stamp, take};
use crate::methods::Place;
use crate::methods::params::{invalid, read, unavailable};
use crate::protocol::frame::Failure;

/// What a session keeps when it starts anew. What says who sees it and what it may send stays as well.
const KEPT: [&str; 14] = [
    "thinkingLevel",
    "verboseLevel",
    "reasoningLevel",
    "responseUsage",
    "providerOverride",
    "modelOverride",
    "contextTokens",
    "sendPolicy",
    "label",
    "spawnedBy",
    "origin",
    "lastChannel",
    "lastTo",
    "skillsSnapshot",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Reset {
    key: String,
}

fn failed(failure: &TranscriptFailure) -> Failure {
    unavailable(&failure.to_string())
}

/// `sessions.reset`: a new session id, counters at 0; the old transcript stays where it is.
///
/// # Errors
/// Parameters that are not right, a store that cannot be used.
pub fn reset(place: &Place, params: Value) -> Result<Value, Failure> {
    let wanted: Reset = read(params)?;
    let (agent, key) = place.session(&wanted.key)?;
    let entry = place.store(&agent).change(|all| {
        let before = take(all, place, &agent, &key).unwrap_or_default();
        let entry = anew(&before, place.now_ms)?;
        all.insert(key.clone(), Value::Object(entry.clone()));
        Ok::<_, Failure>(entry)
    })?;
    Ok(json!({ "ok": true, "key": key, "entry": masked(place, &Value::Object(entry)) }))
}

fn anew(before: &Entry, now_ms: u64) -> Result<Entry, Failure> {
    let id = new_session_id().map_err(|e| unavailable(&e.to_string()))?;
    let mut entry = Map::new();
    entry.insert("sessionId".to_owned(), json!(id));
    entry.insert("updatedAt".to_owned(), json!(now_ms));
    entry.insert("systemSent".to_owned(), json!(false));
    entry.insert("abortedLastRun".to_owned(), json!(false));
    for name in KEPT {
        if let Some(value) = before.get(name) {
            entry.insert(name.to_owned(), value.clone());
        }
    }
    for name in ["inputTokens", "outputTokens", "totalTokens"] {
        entry.insert(name.to_owned(), json!(0));
    }
    Ok(entry)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Delete {
    key: String,
    #[serde(default = "yes")]
    delete_transcript: bool,
}

fn yes() -> bool {
    true
}

/// `sessions.delete`: the entry goes, the transcript is set aside. A main session cannot be deleted.
///
/// # Errors
/// Parameters that are not right, a main session, a store or transcript that cannot be used.
pub fn delete(place: &Place, params: Value) -> Result<Value, Failure> {
    let wanted: Delete = read(params)?;
    let (agent, key) = place.session(&wanted.key)?;
    if place.is_main(&agent, &key) {
        return Err(invalid("the main session cannot be deleted; reset it instead"));
    }
    let store = place.store(&agent);
    let (deleted, archived) = store.change(|all| {
        let Some(entry) = take(all, place, &agent, &key) else {
            return Ok::<_, Failure>((false, Vec::new()));
        };
        let mut archived = Vec::new();
        if wanted.delete_transcript {
            let to = store.archive(&entry, "deleted", &stamp(place.now_ms)).map_err(|e| failed(&e))?;
            archived.extend(to.map(|p| place.shown(&p)));
        }
        Ok((true, archived))
    })?;
    Ok(json!({ "ok": true, "key": key, "deleted": deleted, "archived": archived }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Compact {
    key: String,
    #[serde(default = "max_lines")]
    max_lines: usize,
}

fn max_lines() -> usize {
    400
}

/// `sessions.compact`: the transcript keeps its last lines; the whole of it is set aside.
///
/// # Errors
/// Parameters that are not right, a store or transcript that cannot be used.
pub fn compact(place: &Place, params: Value) -> Result<Value, Failure> {
    let wanted: Compact = read(params)?;
    if wanted.max_lines == 0 {
        return Err(invalid("maxLines is at least 1"));
    }
    let (agent, key) = place.session(&wanted.key)?;
    let nothing = |why: &str| json!({ "ok": true, "key": key, "compacted": false, "reason": why });
    let Some(session) = find(place, &agent, &key)?.filter(|s| session_id(&s.entry).is_some()) else {
        return Ok(nothing("no session id"));
    };
    let stamp = stamp(place.now_ms);
    let done = session.store.compact(&session.entry, wanted.max_lines, &stamp).map_err(|e| failed(&e))?;
    match done {
        Compacted::Missing => Ok(nothing("no transcript")),
        Compacted::Kept(lines) => Ok(json!({ "ok": true, "key": key, "compacted": false, "kept": lines })),
        Compacted::Shortened { kept, archived } => {
            session.store.change(|all| {
                if let Some(mut entry) = take(all, place, &agent, &key) {
                    for name in ["inputTokens", "outputTokens", "totalTokens"] {
                        entry.shift_remove(name);
                    }
                    entry.insert("updatedAt".to_owned(), json!(place.now_ms));
                    all.insert(key.clone(), Value::Object(entry));
                }
                Ok::<_, Failure>(())
            })?;
            let archived = place.shown(&archived);
            Ok(json!({ "ok": true, "key": key, "compacted": true, "archived": archived, "kept": kept }))
        }
    }
}
