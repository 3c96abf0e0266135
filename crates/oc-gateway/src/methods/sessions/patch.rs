//! `sessions.patch`: the settings of one session.

use oc_fs::session_store::{Entry, Sessions, new_session_id, session_id, updated_at};
use serde::Deserialize;
use serde_json::{Value, json};

use super::entry::{masked, take};
use crate::methods::Place;
use crate::methods::model::Model;
use crate::methods::params::{Nullable, invalid, nullable, read, unavailable};
use crate::protocol::frame::Failure;

/// Longest label, in characters.
const MAX_LABEL: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Patch {
    key: String,
    #[serde(default, deserialize_with = "nullable")]
    label: Nullable,
    #[serde(default, deserialize_with = "nullable")]
    thinking_level: Nullable,
    #[serde(default, deserialize_with = "nullable")]
    verbose_level: Nullable,
    #[serde(default, deserialize_with = "nullable")]
    reasoning_level: Nullable,
    #[serde(default, deserialize_with = "nullable")]
    response_usage: Nullable,
    #[serde(default, deserialize_with = "nullable")]
    elevated_level: Nullable,
    #[serde(default, deserialize_with = "nullable")]
    exec_host: Nullable,
    #[serde(default, deserialize_with = "nullable")]
    exec_security: Nullable,
    #[serde(default, deserialize_with = "nullable")]
    exec_ask: Nullable,
    #[serde(default, deserialize_with = "nullable")]
    exec_node: Nullable,
    #[serde(default, deserialize_with = "nullable")]
    model: Nullable,
    #[serde(default, deserialize_with = "nullable")]
    spawned_by: Nullable,
    #[serde(default, deserialize_with = "nullable")]
    send_policy: Nullable,
    #[serde(default, deserialize_with = "nullable")]
    group_activation: Nullable,
}

/// The words that a setting takes.
const THINKING: &[&str] = &["off", "minimal", "low", "medium", "high", "xhigh"];
const VERBOSE: &[&str] = &["off", "on", "full"];
const REASONING: &[&str] = &["off", "on", "stream"];
const USAGE: &[&str] = &["off", "tokens", "full"];
const ELEVATED: &[&str] = &["off", "on", "ask", "full"];
const HOST: &[&str] = &["sandbox", "gateway", "node"];
const SECURITY: &[&str] = &["deny", "allowlist", "full"];
const ASK: &[&str] = &["off", "elevated", "on-miss", "always"];
const SEND: &[&str] = &["allow", "deny"];
const ACTIVATION: &[&str] = &["mention", "always"];

/// `sessions.patch`: sets what is given, clears what is `null`; a session that is not there is made.
///
/// # Errors
/// Parameters that are not right, a label that is taken, a store that cannot be used.
pub fn patch(place: &Place, params: Value) -> Result<Value, Failure> {
    let wanted: Patch = read(params)?;
    let (agent, key) = place.session(&wanted.key)?;
    let model = wanted.model.as_ref().map(|m| chosen(place, m.as_deref())).transpose()?;
    let store = place.store(&agent);
    let entry = store.change(|all| {
        let mut entry = take(all, place, &agent, &key).unwrap_or_default();
        settings(&mut entry, &wanted)?;
        label(&mut entry, all, &wanted.label)?;
        spawned_by(&mut entry, &key, &wanted.spawned_by)?;
        match &model {
            None => {}
            Some(None) => ["providerOverride", "modelOverride"].iter().for_each(|k| clear(&mut entry, k)),
            Some(Some(model)) => {
                entry.insert("providerOverride".to_owned(), json!(model.provider));
                entry.insert("modelOverride".to_owned(), json!(model.model));
            }
        }
        if session_id(&entry).is_none() {
            let id = new_session_id().map_err(|e| unavailable(&e.to_string()))?;
            entry.insert("sessionId".to_owned(), json!(id));
            clear(&mut entry, "sessionFile");
        }
        let at = place.now_ms.max(updated_at(&entry));
        entry.insert("updatedAt".to_owned(), json!(at));
        all.insert(key.clone(), Value::Object(entry.clone()));
        Ok::<_, Failure>(entry)
    })?;
    let model = Model::of_session(&place.config, &agent, &entry);
    Ok(json!({
        "ok": true,
        "path": place.shown(store.path()),
        "key": key,
        "entry": masked(place, &Value::Object(entry)),
        "resolved": { "modelProvider": model.provider, "model": model.model },
    }))
}

fn chosen(place: &Place, named: Option<&str>) -> Result<Option<Model>, Failure> {
    match named.map(str::trim) {
        None => Ok(None),
        Some(name) => Model::chosen(&place.config, name).map(Some).map_err(|e| invalid(&e)),
    }
}

fn clear(entry: &mut Entry, name: &str) {
    // The order of the other members stays.
    entry.shift_remove(name);
}

fn settings(entry: &mut Entry, wanted: &Patch) -> Result<(), Failure> {
    let table: [(&str, &Nullable, &[&str]); 10] = [
        ("thinkingLevel", &wanted.thinking_level, THINKING),
        ("verboseLevel", &wanted.verbose_level, VERBOSE),
        ("reasoningLevel", &wanted.reasoning_level, REASONING),
        ("responseUsage", &wanted.response_usage, USAGE),
        ("elevatedLevel", &wanted.elevated_level, ELEVATED),
        ("execHost", &wanted.exec_host, HOST),
        ("execSecurity", &wanted.exec_security, SECURITY),
        ("execAsk", &wanted.exec_ask, ASK),
        ("sendPolicy", &wanted.send_policy, SEND),
        ("groupActivation", &wanted.group_activation, ACTIVATION),
    ];
    for (name, given, words) in table {
        match given {
            None => {}
            Some(None) => clear(entry, name),
            Some(Some(text)) => {
                let word = text.trim().to_lowercase();
                if !words.contains(&word.as_str()) {
                    return Err(invalid(&format!("{name} is one of {}, or null", words.join(", "))));
                }
                entry.insert(name.to_owned(), json!(word));
            }
        }
    }
    match &wanted.exec_node {
        None => {}
        Some(None) => clear(entry, "execNode"),
        Some(Some(text)) if text.trim().is_empty() => {
            return Err(invalid("execNode is blank; use null to clear it"));
        }
        Some(Some(text)) => {
            entry.insert("execNode".to_owned(), json!(text.trim()));
        }
    }
    Ok(())
}

/// A label is one session's. `others` are the store without this one.
fn label(entry: &mut Entry, others: &Sessions, given: &Nullable) -> Result<(), Failure> {
    match given {
        None => {}
        Some(None) => clear(entry, "label"),
        Some(Some(text)) => {
            let text = text.trim();
            if text.is_empty() || text.chars().count() > MAX_LABEL || text.chars().any(char::is_control) {
                return Err(invalid(&format!("a label has 1 to {MAX_LABEL} characters in one line")));
            }
            if others.values().any(|o| o.get("label").and_then(Value::as_str) == Some(text)) {
                return Err(invalid(&format!("another session has the label `{text}`")));
            }
            entry.insert("label".to_owned(), json!(text));
        }
    }
    Ok(())
}

/// Who spawned a sub-agent's session is said once: it decides who sees it.
fn spawned_by(entry: &mut Entry, key: &str, given: &Nullable) -> Result<(), Failure> {
    let Some(given) = given else { return Ok(()) };
    let before = entry.get("spawnedBy").and_then(Value::as_str);
    match (given.as_deref().map(str::trim), before) {
        (None, None) => Ok(()),
        (Some(now), Some(before)) if now == before => Ok(()),
        (_, Some(_)) => Err(invalid("spawnedBy cannot be changed once it is set")),
        (Some(""), None) => Err(invalid("spawnedBy is blank")),
        (Some(now), None) => {
            if !key.contains(":subagent:") {
                return Err(invalid("spawnedBy is for sessions of sub-agents only"));
            }
            entry.insert("spawnedBy".to_owned(), json!(now));
            Ok(())
        }
    }
}
