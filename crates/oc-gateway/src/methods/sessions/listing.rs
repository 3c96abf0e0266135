//! `sessions.list`, `sessions.resolve`.

use oc_fs::session_store::{session_id, updated_at};
use oc_types::AgentId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::entry::{Listed, all, newest_first};
use super::row::{Glances, display_name, row};
use crate::methods::Place;
use crate::methods::model::{Model, context_tokens};
use crate::methods::params::{invalid, read};
use crate::protocol::frame::Failure;

/// Milliseconds of a minute.
const MINUTE: u64 = 60_000;
/// What a list shows when the caller names no number, and at most.
const MAX_ROWS: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[derive(Default)]
struct List {
    limit: Option<usize>,
    active_minutes: Option<u64>,
    include_global: bool,
    include_unknown: bool,
    include_derived_titles: bool,
    include_last_message: bool,
    label: Option<String>,
    spawned_by: Option<String>,
    agent_id: Option<String>,
    search: Option<String>,
}

/// `sessions.list`: the sessions, newest first.
///
/// # Errors
/// Parameters that are not right; a store that cannot be read.
pub fn list(place: &Place, params: Value) -> Result<Value, Failure> {
    let wanted: List = read(params)?;
    if wanted.limit == Some(0) || wanted.active_minutes == Some(0) {
        return Err(invalid("limit and activeMinutes are at least 1"));
    }
    let filter = Filter {
        global: wanted.include_global,
        unknown: wanted.include_unknown,
        label: wanted.label.as_deref(),
        spawned_by: wanted.spawned_by.as_deref(),
        since: wanted.active_minutes.map(|m| place.now_ms.saturating_sub(m.saturating_mul(MINUTE))),
        search: wanted.search.as_deref().map(|s| s.trim().to_lowercase()).filter(|s| !s.is_empty()),
    };
    let sessions = newest_first(all(place, &agents(place, wanted.agent_id.as_deref()))?);
    let glances = Glances { title: wanted.include_derived_titles, last: wanted.include_last_message };
    let most = wanted.limit.unwrap_or(MAX_ROWS).min(MAX_ROWS);
    let rows: Vec<Value> =
        sessions.iter().filter(|s| filter.admits(s)).take(most).map(|s| row(place, s, glances)).collect();
    let default = place.default_agent();
    let model = Model::of(&place.config, &default);
    let path =
        if place.one_store() { place.shown(place.store(&default).path()) } else { "(multiple)".to_owned() };
    Ok(json!({
        "ts": place.now_ms,
        "path": path,
        "count": rows.len(),
        "defaults": {
            "modelProvider": model.provider,
            "model": model.model,
            "contextTokens": context_tokens(&place.config),
        },
        "sessions": rows,
    }))
}

fn agents(place: &Place, named: Option<&str>) -> Vec<AgentId> {
    match named.map(str::trim).filter(|n| !n.is_empty()) {
        Some(name) => vec![AgentId::normalized(name)],
        None => place.known_agents(),
    }
}

#[derive(Default)]
struct Filter<'a> {
    global: bool,
    unknown: bool,
    label: Option<&'a str>,
    spawned_by: Option<&'a str>,
    since: Option<u64>,
    search: Option<String>,
}

impl Filter<'_> {
    fn admits(&self, session: &Listed) -> bool {
        let special = match session.key.as_str() {
            "global" => self.global,
            "unknown" => self.unknown,
            _ => true,
        };
        let found = |needle: &String| {
            let places = [
                display_name(session),
                session.text("label"),
                session.text("subject"),
                session_id(&session.entry),
                Some(session.key.as_str()),
            ];
            places.into_iter().flatten().any(|t| t.to_lowercase().contains(needle))
        };
        special
            && self.label.is_none_or(|l| session.text("label") == Some(l.trim()))
            && self.spawned_by.is_none_or(|s| session.text("spawnedBy") == Some(s))
            && self.since.is_none_or(|t| updated_at(&session.entry) >= t)
            && self.search.as_ref().is_none_or(found)
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Resolve {
    key: Option<String>,
    session_id: Option<String>,
    label: Option<String>,
    agent_id: Option<String>,
    spawned_by: Option<String>,
    include_global: bool,
    include_unknown: bool,
}

/// `sessions.resolve`: the one session of a key, a session id or a label.
///
/// # Errors
/// None or more than one of the three given; no such session, or several.
pub fn resolve(place: &Place, params: Value) -> Result<Value, Failure> {
    let wanted: Resolve = read(params)?;
    let filter = Filter {
        global: wanted.include_global,
        unknown: wanted.include_unknown,
        label: wanted.label.as_deref(),
        spawned_by: wanted.spawned_by.as_deref(),
        ..Filter::default()
    };
    let found = match (&wanted.key, &wanted.session_id, &wanted.label) {
        (Some(key), None, None) => {
            let (agent, key) = place.session(key)?;
            let named = all(place, &[agent])?.into_iter().filter(|s| s.key == key);
            named.filter(|s| Filter { global: true, unknown: true, ..Filter::default() }.admits(s)).collect()
        }
        (None, Some(_), None) | (None, None, Some(_)) => {
            let agents = agents(place, wanted.agent_id.as_deref());
            let mut found = newest_first(all(place, &agents)?);
            found.retain(|s| {
                let id = wanted.session_id.as_deref();
                filter.admits(s) && id.is_none_or(|id| session_id(&s.entry) == Some(id) || s.key == id)
            });
            found
        }
        _ => return Err(invalid("give one of key, sessionId and label")),
    };
    match found.as_slice() {
        [one] => Ok(json!({ "ok": true, "key": one.key })),
        [] => Err(invalid("no such session")),
        several => {
            let keys: Vec<&str> = several.iter().take(5).map(|s| s.key.as_str()).collect();
            Err(invalid(&format!("{} sessions match: {}", several.len(), keys.join(", "))))
        }
    }
}
