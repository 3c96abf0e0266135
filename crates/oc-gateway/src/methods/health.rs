//! `health`, `status`, and the session defaults of the handshake.

use oc_policy::sandbox::agent_entry;
use oc_policy::session_key::SessionScope;
use oc_types::{AgentId, Node};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use oc_channels::supervisor::Standing;

use super::channels::{self, Running};
use super::model::{Model, context_tokens};
use super::params::{Nothing, read};
use super::place::Place;
use super::sessions::{Listed, all, newest_first, recent};
use crate::protocol::frame::Failure;

/// Sessions that a report names.
const RECENT: usize = 5;
/// The same in `status`.
const RECENT_STATUS: usize = 10;
/// Time between wake-ups when the configuration names none.
const EVERY: &str = "30m";
/// A minute, the unit of `heartbeat.every`, in milliseconds.
const MINUTE: u64 = 60_000;
/// What an agent is told at a wake-up when the configuration says nothing.
const PROMPT: &str = "Look at HEARTBEAT.md, if there is one, and act on it. When nothing needs attention, answer HEARTBEAT_OK.";
/// Longest answer that still counts as "nothing to say", in characters.
const ACK_MAX_CHARS: u64 = 300;

/// What runs in this process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Serving {
    /// Whether agents are woken up at all.
    pub heartbeats: bool,
    /// Channel and account of what is connected.
    pub channels: Running,
    /// How long the report took so far, in milliseconds.
    pub took_ms: u64,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Health {
    #[serde(rename = "probe")]
    _probe: bool,
}

/// `health`. Nothing is cached here; the server keeps the answer for a minute.
///
/// # Errors
/// Parameters that are not right; a session store that cannot be read.
pub fn health(place: &Place, serving: &Serving, params: Value) -> Result<Value, Failure> {
    read::<Health>(params)?;
    report(place, serving)
}

/// The report itself, as the event `health` and the snapshot of the handshake carry it.
///
/// # Errors
/// A session store that cannot be read.
pub fn report(place: &Place, serving: &Serving) -> Result<Value, Failure> {
    let default = place.default_agent();
    let mut agents = Vec::new();
    let mut first = None;
    for agent in place.agents() {
        let sessions = summary(place, &agent)?;
        let mut row = Map::new();
        row.insert("agentId".to_owned(), json!(agent));
        if let Some(name) = name(place, &agent) {
            row.insert("name".to_owned(), json!(name));
        }
        row.insert("isDefault".to_owned(), json!(agent == default));
        row.insert("heartbeat".to_owned(), Heartbeat::of(place, &agent, serving).whole());
        row.insert("sessions".to_owned(), sessions.clone());
        if agent == default {
            first = Some(sessions);
        }
        agents.push(Value::Object(row));
    }
    let channels = channels::configured(&place.config);
    let each = |of: &dyn Fn(&channels::Channel<'_>) -> Value| -> Map<String, Value> {
        channels.iter().map(|c| (c.id.to_owned(), of(c))).collect()
    };
    let running = |c: &channels::Channel<'_>| {
        let standing = |a: &channels::Account| serving.channels.get(&(c.id.to_owned(), a.id.clone()));
        let on = c.accounts.iter().any(|a| standing(a) == Some(&Standing::Running));
        json!({ "configured": true, "running": on })
    };
    let heartbeat = Heartbeat::of(place, &default, serving);
    Ok(json!({
        "ok": true,
        "ts": place.now_ms,
        "durationMs": serving.took_ms,
        "channels": each(&running),
        "channelOrder": channels.iter().map(|c| c.id).collect::<Vec<_>>(),
        "channelLabels": each(&|c| json!(channels::label(c.id))),
        "heartbeatSeconds": heartbeat.every_ms / 1000,
        "defaultAgentId": default,
        "agents": agents,
        "sessions": first,
    }))
}

/// `{path, count, recent}` of an agent.
fn summary(place: &Place, agent: &AgentId) -> Result<Value, Failure> {
    let sessions = of_agent(place, agent)?;
    Ok(json!({
        "path": place.shown(place.store(agent).path()),
        "count": sessions.len(),
        "recent": recent(place, &sessions, RECENT),
    }))
}

fn of_agent(place: &Place, agent: &AgentId) -> Result<Vec<Listed>, Failure> {
    let mut sessions = newest_first(all(place, std::slice::from_ref(agent))?);
    sessions.retain(|s| s.key != "unknown" && (s.key != "global" || place.scope() == SessionScope::Global));
    Ok(sessions)
}

fn name(place: &Place, agent: &AgentId) -> Option<String> {
    let entry = agent_entry(&place.config, agent)?.node;
    entry.get("name").and_then(Node::as_str).map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned)
}

/// The wake-up of an agent.
struct Heartbeat<'c> {
    enabled: bool,
    every: &'c str,
    every_ms: u64,
    settings: [Option<&'c Node>; 2],
}

impl<'c> Heartbeat<'c> {
    fn of(place: &'c Place, agent: &AgentId, serving: &Serving) -> Self {
        let own = agent_entry(&place.config, agent).and_then(|e| e.node.get("heartbeat"));
        let settings = [own, place.config.path(&["agents", "defaults", "heartbeat"])];
        let text = |key: &str| settings.into_iter().flatten().find_map(|n| n.get(key)).and_then(Node::as_str);
        let every = text("every").unwrap_or(EVERY);
        let every_ms = oc_config::span::millis(every, MINUTE).unwrap_or(0);
        // Once an agent has a wake-up of its own, only those that have one are woken.
        let named = oc_audit::workspace::agents(&place.config);
        let some = named.iter().any(|a| a.entry.is_some_and(|e| e.get("heartbeat").is_some()));
        let chosen = if some { own.is_some() } else { *agent == place.default_agent() };
        Self { enabled: serving.heartbeats && chosen && every_ms > 0, every, every_ms, settings }
    }

    fn get(&self, key: &str) -> Option<&'c Node> {
        self.settings.into_iter().flatten().find_map(|n| n.get(key))
    }

    fn whole(&self) -> Value {
        let text = |key: &str| self.get(key).and_then(Node::as_str);
        let most = self.get("ackMaxChars").map(Node::to_json);
        json!({
            "enabled": self.enabled,
            "every": self.every,
            "everyMs": self.every_ms,
            "prompt": text("prompt").unwrap_or(PROMPT),
            "target": text("target").unwrap_or("last"),
            "ackMaxChars": most.unwrap_or_else(|| json!(ACK_MAX_CHARS)),
        })
    }
}

/// `status`.
///
/// # Errors
/// Parameters that are not right; a session store that cannot be read.
pub fn status(place: &Place, serving: &Serving, params: Value) -> Result<Value, Failure> {
    read::<Nothing>(params)?;
    let default = place.default_agent();
    let mut every = Vec::new();
    let (mut heartbeats, mut by_agent, mut paths) = (Vec::new(), Vec::new(), Vec::new());
    for agent in place.agents() {
        let heartbeat = Heartbeat::of(place, &agent, serving);
        heartbeats.push(json!({
            "agentId": agent,
            "enabled": heartbeat.enabled,
            "every": heartbeat.every,
            "everyMs": heartbeat.every_ms,
        }));
        let sessions = of_agent(place, &agent)?;
        let path = place.shown(place.store(&agent).path());
        let rows: Vec<Value> = sessions.iter().take(RECENT_STATUS).map(|s| row(place, s)).collect();
        by_agent.push(json!({ "agentId": agent, "path": path, "count": sessions.len(), "recent": rows }));
        if !paths.contains(&path) {
            paths.push(path);
        }
        every.extend(sessions);
    }
    let every = newest_first(every);
    let recent: Vec<Value> = every.iter().take(RECENT_STATUS).map(|s| row(place, s)).collect();
    Ok(json!({
        "heartbeat": { "defaultAgentId": default, "agents": heartbeats },
        "channelSummary": channels::configured(&place.config)
            .iter()
            .map(|c| {
                let on = c.accounts.iter().filter(|a| a.enabled).count();
                format!("{}: configured, {on} of {} accounts enabled", channels::label(c.id), c.accounts.len())
            })
            .collect::<Vec<_>>(),
        "queuedSystemEvents": [],
        "sessions": {
            "paths": paths,
            "count": every.len(),
            "defaults": {
                "model": Model::of(&place.config, &default).model,
                "contextTokens": context_tokens(&place.config),
            },
            "recent": recent,
            "byAgent": by_agent,
        },
    }))
}

/// A session in `status`.
fn row(place: &Place, session: &Listed) -> Value {
    let mut rows = recent(place, std::slice::from_ref(session), 1);
    let mut row = rows.pop().unwrap_or_else(|| json!({}));
    let entry = &session.entry;
    if let Some(members) = row.as_object_mut() {
        members.insert("agentId".to_owned(), json!(session.agent));
        for name in ["sessionId", "thinkingLevel", "verboseLevel", "elevatedLevel", "totalTokens", "chatType"]
        {
            if let Some(value) = entry.get(name).filter(|v| !v.is_null() && !v.is_object()) {
                members.insert(name.to_owned(), value.clone());
            }
        }
        let model = Model::of_session(&place.config, &session.agent, entry);
        members.insert("model".to_owned(), json!(model.model));
        members.insert("contextTokens".to_owned(), json!(context_tokens(&place.config)));
    }
    row
}

/// `snapshot.sessionDefaults` of the handshake.
#[must_use]
pub fn session_defaults(place: &Place) -> Value {
    let agent = place.default_agent();
    json!({
        "defaultAgentId": agent,
        "mainKey": place.main_key(),
        "mainSessionKey": place.main_session(&agent),
        "scope": match place.scope() {
            SessionScope::PerSender => "per-sender",
            SessionScope::Global => "global",
        },
    })
}
