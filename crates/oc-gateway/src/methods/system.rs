//! `health`, `status`, presence and what else tells how the gateway is.

use std::sync::Arc;
use std::time::Duration;

use oc_types::Node;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Outcome, Waiting, parse};
use crate::server::outbox::Weight;
use crate::server::snapshot::Snapshot;
use crate::server::state::{Gateway, now_ms};

/// What wakes a listening node.
pub const WAKE_WORDS: [&str; 3] = ["openclaw", "claude", "computer"];
/// How long a health report counts.
const FRESH: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Health {
    #[serde(default)]
    probe: bool,
}

/// `health`.
pub fn health(call: Call) -> Waiting {
    Box::pin(async move {
        let Health { probe } = parse("health", &call.params)?;
        if probe {
            call.gateway.forget_health();
        }
        Ok(health_report(&call.gateway).await)
    })
}

/// The health report, made anew when the last one is older than a minute.
pub async fn health_report(gateway: &Arc<Gateway>) -> Value {
    if let Some(kept) = gateway.cached_health(FRESH) {
        return kept;
    }
    let maker = Arc::clone(gateway);
    let report =
        tokio::task::spawn_blocking(move || report(&maker)).await.unwrap_or_else(|_| json!({ "ok": false }));
    gateway.keep_health(report.clone());
    report
}

/// Makes the report anew and tells everybody.
pub fn refresh_health(gateway: &Arc<Gateway>) {
    let gateway = Arc::clone(gateway);
    tokio::spawn(async move {
        let report = health_report(&gateway).await;
        let version = Some(gateway.state_version());
        gateway.registry.broadcast("health", report, Weight::DropIfSlow, version);
    });
}

fn report(gateway: &Gateway) -> Value {
    let begun = std::time::Instant::now();
    let snapshot = gateway.snapshot();
    let (default, agents) = agents(&snapshot);
    json!({
        "ok": true,
        "ts": now_ms(),
        "durationMs": u64::try_from(begun.elapsed().as_millis()).unwrap_or(0),
        "channels": {},
        "channelOrder": [],
        "channelLabels": {},
        "heartbeatSeconds": 1800,
        "defaultAgentId": default,
        "agents": agents.iter().map(|id| json!({ "agentId": id, "isDefault": *id == default })).collect::<Vec<_>>(),
    })
}

fn agents(snapshot: &Snapshot) -> (String, Vec<String>) {
    let tree = &snapshot.loaded.tree;
    let listed = tree.path(&["agents", "list"]).and_then(Node::as_array).unwrap_or_default();
    let id = |a: &Node| a.get("id").and_then(Node::as_str).map(str::to_owned);
    let chosen =
        listed.iter().find(|a| a.get("default").and_then(Node::as_bool) == Some(true)).or(listed.first());
    let default = chosen.and_then(id).unwrap_or_else(|| "main".to_owned());
    let mut all: Vec<String> = listed.iter().filter_map(id).collect();
    if all.is_empty() {
        all.push(default.clone());
    }
    (default, all)
}

/// What clients start from.
#[must_use]
pub fn session_defaults(snapshot: &Snapshot) -> Value {
    let (default, _) = agents(snapshot);
    let tree = &snapshot.loaded.tree;
    let main = tree.path(&["session", "mainKey"]).and_then(Node::as_str).unwrap_or("main");
    let scope = tree.path(&["session", "scope"]).and_then(Node::as_str).unwrap_or("per-sender");
    json!({
        "defaultAgentId": default,
        "mainKey": main,
        "mainSessionKey": format!("agent:{default}:{main}"),
        "scope": scope,
    })
}

/// `status`.
pub fn status(call: &Call) -> Outcome {
    let Nothing {} = parse("status", &call.params)?;
    let events = call.gateway.system_events.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok(json!({ "queuedSystemEvents": events.texts() }))
}

/// `system-presence`.
pub fn presence(call: &Call) -> Outcome {
    let Nothing {} = parse("system-presence", &call.params)?;
    Ok(call.gateway.presence_list())
}

/// `last-heartbeat`: there was none.
pub fn last_heartbeat(call: &Call) -> Outcome {
    let Nothing {} = parse("last-heartbeat", &call.params)?;
    Ok(Value::Null)
}

/// `models.list`: those of the configuration.
pub fn models(call: &Call) -> Outcome {
    let Nothing {} = parse("models.list", &call.params)?;
    let snapshot = call.gateway.snapshot();
    let providers = snapshot.loaded.tree.path(&["models", "providers"]).and_then(Node::as_object);
    let mut out = Vec::new();
    for (provider, settings) in providers.into_iter().flatten() {
        for model in settings.get("models").and_then(Node::as_array).unwrap_or_default() {
            let text = |key: &str| model.get(key).and_then(Node::as_str);
            if let Some(id) = text("id") {
                out.push(json!({ "id": id, "name": text("name").unwrap_or(id), "provider": provider }));
            }
        }
    }
    Ok(json!({ "models": out }))
}

/// `voicewake.get`.
pub fn voicewake(call: &Call) -> Outcome {
    let Nothing {} = parse("voicewake.get", &call.params)?;
    Ok(json!({ "triggers": WAKE_WORDS }))
}

/// What keeps the gateway from doing its work now. Blocking.
#[must_use]
pub fn failing(gateway: &Gateway) -> Vec<String> {
    let mut out = Vec::new();
    if gateway.devices.read().is_err() {
        out.push("devices".to_owned());
    }
    if gateway.queue.records().is_err() {
        out.push("approvals".to_owned());
    }
    if !gateway.snapshot().settings.accepts.is_usable() {
        out.push("credential".to_owned());
    }
    out
}
