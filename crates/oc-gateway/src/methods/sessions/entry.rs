//! The entries of the stores under their one key.

use oc_fs::session_store::{Entry, SessionStore, Sessions, updated_at};
use oc_policy::session_key::SessionKey;
use oc_types::AgentId;
use serde_json::Value;

use crate::methods::Place;
use crate::methods::params::unavailable;
use crate::protocol::frame::Failure;

/// A session.
#[derive(Clone, Debug)]
pub(in crate::methods) struct Listed {
    /// Its agent.
    pub(in crate::methods) agent: AgentId,
    /// Its key in its one form.
    pub(in crate::methods) key: String,
    /// Its entry.
    pub(in crate::methods) entry: Entry,
    /// The store it is in.
    pub(in crate::methods) store: SessionStore,
}

impl Listed {
    /// A text of the entry, when it is one and not blank.
    pub(in crate::methods) fn text(&self, name: &str) -> Option<&str> {
        self.entry.get(name).and_then(Value::as_str).filter(|s| !s.trim().is_empty())
    }
}

/// Every session of some agents; of two spellings of one key the younger. Keys that are none are left out.
pub(in crate::methods) fn all(place: &Place, agents: &[AgentId]) -> Result<Vec<Listed>, Failure> {
    let mut out: Vec<Listed> = Vec::new();
    for (owner, store) in place.stores(agents) {
        let sessions = store.read().map_err(|e| {
            // The reason names the file.
            let why =
                if place.paths == crate::methods::Paths::Whole { format!(": {e}") } else { String::new() };
            unavailable(&format!("the session store of agent {owner} cannot be read{why}"))
        })?;
        let mut index = std::collections::HashMap::new();
        for (raw, value) in sessions {
            let Value::Object(entry) = value else { continue };
            let Ok(key) = SessionKey::parse(&raw) else { continue };
            let agent = key.agent().cloned().unwrap_or_else(|| owner.clone());
            if !agents.contains(&agent) {
                continue;
            }
            let key = place.canonical(&agent, &key);
            let found = Listed { agent, key: key.clone(), entry, store: store.clone() };
            match index.get(&key).and_then(|at: &usize| out.get_mut(*at)) {
                Some(other) if updated_at(&other.entry) >= updated_at(&found.entry) => {}
                Some(other) => *other = found,
                None => {
                    index.insert(key, out.len());
                    out.push(found);
                }
            }
        }
    }
    Ok(out)
}

/// Newest first.
pub(in crate::methods) fn newest_first(mut sessions: Vec<Listed>) -> Vec<Listed> {
    sessions.sort_by_key(|s| std::cmp::Reverse(updated_at(&s.entry)));
    sessions
}

/// One session; `None` when the store has none of that key.
pub(super) fn find(place: &Place, agent: &AgentId, key: &str) -> Result<Option<Listed>, Failure> {
    Ok(all(place, std::slice::from_ref(agent))?.into_iter().find(|s| s.key == key))
}

/// Takes a session out of a store, all spellings of its key; the youngest entry is given.
pub(super) fn take(all: &mut Sessions, place: &Place, agent: &AgentId, key: &str) -> Option<Entry> {
    let spelled = |raw: &str| {
        let parsed = SessionKey::parse(raw).ok();
        parsed.is_some_and(|k| k.agent().is_none_or(|a| a == agent) && place.canonical(agent, &k) == key)
    };
    let names: Vec<String> = all.keys().filter(|k| spelled(k)).cloned().collect();
    let taken = names.iter().filter_map(|n| match all.shift_remove(n) {
        Some(Value::Object(entry)) => Some(entry),
        _ => None,
    });
    taken.max_by_key(updated_at)
}

/// A value with every text in it masked. The bytes of pictures stay.
pub(super) fn masked(place: &Place, value: &Value) -> Value {
    match value {
        Value::String(s) => Value::String(place.redactor.redact(s)),
        Value::Array(a) => a.iter().map(|v| masked(place, v)).collect(),
        Value::Object(o) => {
            let picture = o.get("type").and_then(Value::as_str) == Some("image");
            let member = |k: &String, v: &Value| {
                if picture && k == "data" { v.clone() } else { masked(place, v) }
            };
            Value::Object(o.iter().map(|(k, v)| (k.clone(), member(k, v))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// The name of a moment in file names: `2026-01-01T00-00-00.000Z`.
pub(super) fn stamp(now_ms: u64) -> String {
    crate::log::iso(now_ms).replace(':', "-")
}
