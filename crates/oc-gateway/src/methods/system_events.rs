//! What waits to be told to the agent: texts of nodes, clients and commands in the background (gateway 6, `wake`, `system-event`). `status`
//! shows it; no turn takes it yet, since there are no heartbeats.
//!
//! Bounded; the oldest goes first. What comes from outside is kept as untrusted content.

use std::collections::VecDeque;

use oc_text::external::{External, ExternalSource};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Outcome, parse};
use crate::presence::Entry;
use crate::protocol::frame::{Code, Failure};
use crate::server::state::{Gateway, now_ms};

/// Most events that wait.
const MAX: usize = 200;
/// Longest text, in characters.
const LONGEST: usize = 4000;

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum From {
    /// A client with the right to wake the agent.
    Client,
    /// A node: untrusted.
    Node,
    /// A command of the agent's own: its text and output are untrusted.
    Exec,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemEvent {
    /// Who said it.
    pub from: From,
    /// What.
    pub text: String,
    /// When, in milliseconds since 1970.
    pub ts: u64,
}

/// All that wait.
#[derive(Debug, Default)]
pub struct SystemEvents(VecDeque<SystemEvent>);

impl SystemEvents {
    /// The texts, oldest first.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(|e| e.text.clone()).collect()
    }
}

/// When the agent is to hear of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// At once.
    Now,
    /// With the next heartbeat.
    NextHeartbeat,
}

impl Mode {
    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "now" => Some(Self::Now),
            "next-heartbeat" => Some(Self::NextHeartbeat),
            _ => None,
        }
    }

    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::NextHeartbeat => "next-heartbeat",
        }
    }
}

/// Keeps an event. An untrusted one is fenced, so that it cannot pass for the operator's words.
pub fn add(gateway: &Gateway, from: From, text: &str) {
    let text: String = text.trim().chars().take(LONGEST).collect();
    let text = match from {
        From::Client => text,
        From::Node | From::Exec => {
            let external =
                External { source: ExternalSource::Webhook, text: &text, sender: None, subject: None };
            oc_text::external::wrap(&external, &uuid::Uuid::new_v4().simple().to_string(), false)
        }
    };
    let mut events = gateway.system_events.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    while events.0.len() >= MAX {
        events.0.pop_front();
    }
    events.0.push_back(SystemEvent { from, text, ts: now_ms() });
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wake {
    mode: String,
    text: String,
}

/// `wake`.
pub fn wake(call: &Call) -> Outcome {
    let wake: Wake = parse("wake", &call.params)?;
    let invalid = |why: &str| Failure::new(Code::InvalidRequest, format!("invalid wake params: {why}"));
    Mode::parse(&wake.mode).ok_or_else(|| invalid("mode is now or next-heartbeat"))?;
    if wake.text.trim().is_empty() {
        return Err(invalid("text is empty"));
    }
    add(&call.gateway, From::Client, &wake.text);
    Ok(json!({ "ok": true }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Event {
    text: String,
    #[serde(default)]
    device_id: Option<String>,
    #[serde(default)]
    instance_id: Option<String>,
    #[serde(default)]
    host: Option<String>,
    #[serde(default)]
    ip: Option<String>,
    #[serde(default)]
    mode: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    platform: Option<String>,
    #[serde(default)]
    device_family: Option<String>,
    #[serde(default)]
    model_identifier: Option<String>,
    #[serde(default)]
    last_input_seconds: Option<u64>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    roles: Option<Vec<String>>,
    #[serde(default)]
    scopes: Option<Vec<String>>,
    #[serde(default)]
    tags: Option<Vec<String>>,
}

/// `system-event`: a text for the agent, and news for the presence list.
pub fn event(call: &Call) -> Outcome {
    let event: Event = parse("system-event", &call.params)?;
    if event.text.trim().is_empty() {
        return Err(Failure::new(Code::InvalidRequest, "invalid system-event params: text is empty"));
    }
    let key = event.device_id.clone().or_else(|| event.instance_id.clone()).or_else(|| event.host.clone());
    let is_presence = event.text.starts_with("Node:") || key.is_some();
    if let (true, Some(key)) = (is_presence, key) {
        let entry = Entry {
            host: event.host,
            ip: event.ip,
            version: event.version,
            platform: event.platform,
            device_family: event.device_family,
            model_identifier: event.model_identifier,
            mode: event.mode,
            last_input_seconds: event.last_input_seconds,
            reason: event.reason,
            tags: event.tags.unwrap_or_default(),
            device_id: event.device_id,
            roles: event.roles.unwrap_or_default(),
            scopes: event.scopes.unwrap_or_default(),
            instance_id: event.instance_id,
            text: Some(oc_text::visible(&event.text, 200)),
            ts: now_ms(),
        };
        call.gateway.presence().put(&key, entry, now_ms());
    } else {
        add(&call.gateway, From::Client, &event.text);
    }
    call.gateway.announce_presence();
    Ok(Value::Object(serde_json::Map::from_iter([("ok".to_owned(), true.into())])))
}
