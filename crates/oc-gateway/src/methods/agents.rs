//! `agents.list`, `agent.identity.get`.

use oc_policy::sandbox::agent_entry;
use oc_policy::session_key::{SessionKey, SessionScope};
use oc_types::{AgentId, Node};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::params::{Nothing, invalid, read};
use super::place::Place;
use crate::protocol::frame::Failure;

/// The name of an agent that has none.
const NAME: &str = "Assistant";

/// `agents.list`.
///
/// # Errors
/// Parameters that are not right.
pub fn list(place: &Place, params: Value) -> Result<Value, Failure> {
    read::<Nothing>(params)?;
    let agents: Vec<Value> = place.agents().iter().map(|id| row(place, id)).collect();
    let scope = match place.scope() {
        SessionScope::PerSender => "per-sender",
        SessionScope::Global => "global",
    };
    Ok(json!({
        "defaultId": place.default_agent(),
        "mainKey": place.main_key(),
        "scope": scope,
        "agents": agents,
    }))
}

fn row(place: &Place, id: &AgentId) -> Value {
    let mut out = Map::new();
    out.insert("id".to_owned(), json!(id));
    let entry = agent_entry(&place.config, id).map(|e| e.node);
    if let Some(name) = text(entry, &["name"]) {
        out.insert("name".to_owned(), json!(name));
    }
    let mut identity = Map::new();
    for key in ["name", "theme", "emoji", "avatar"] {
        // A picture in a file is named by its path, which readers do not see.
        let value = text(entry, &["identity", key]).filter(|v| key != "avatar" || !is_path(v));
        if let Some(value) = value {
            identity.insert(key.to_owned(), json!(value));
        }
    }
    if !identity.is_empty() {
        out.insert("identity".to_owned(), Value::Object(identity));
    }
    Value::Object(out)
}

fn is_path(text: &str) -> bool {
    text.starts_with(['/', '~', '.']) || text.contains('\\')
}

fn text<'c>(node: Option<&'c Node>, keys: &[&str]) -> Option<&'c str> {
    node.and_then(|n| n.path(keys)).and_then(Node::as_str).map(str::trim).filter(|s| !s.is_empty())
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Identity {
    agent_id: Option<String>,
    session_key: Option<String>,
}

/// `agent.identity.get`: how an agent introduces itself.
///
/// # Errors
/// Parameters that are not right; an agent and a session that do not belong together.
pub fn identity(place: &Place, params: Value) -> Result<Value, Failure> {
    let wanted: Identity = read(params)?;
    let named = wanted.agent_id.as_deref().map(str::trim).filter(|s| !s.is_empty()).map(AgentId::normalized);
    let key = wanted.session_key.as_deref().map(str::trim).filter(|s| !s.is_empty());
    let key = key.map(SessionKey::parse).transpose().map_err(|e| invalid(&e.to_string()))?;
    let of_session = key.as_ref().map(|k| k.agent().cloned().unwrap_or_else(|| place.default_agent()));
    let agent = match (named, of_session) {
        (Some(a), Some(b)) if a != b => return Err(invalid("agentId and sessionKey name different agents")),
        (Some(a), _) | (None, Some(a)) => a,
        (None, None) => place.default_agent(),
    };
    let entry = agent_entry(&place.config, &agent).map(|e| e.node);
    let shared = |key| text(Some(&place.config), &["ui", "assistant", key]);
    let own = |key| text(entry, &["identity", key]);
    let name = shared("name").or_else(|| own("name")).or_else(|| text(entry, &["name"])).unwrap_or(NAME);
    let picture = shared("avatar").or_else(|| own("avatar")).filter(|v| !is_path(v));
    let letter: String = name.chars().take(1).flat_map(char::to_uppercase).collect();
    let avatar = picture.or_else(|| own("emoji")).unwrap_or(&letter);
    Ok(json!({ "agentId": agent, "name": name, "avatar": avatar }))
}
