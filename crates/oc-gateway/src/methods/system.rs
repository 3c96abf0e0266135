//! `health`, `status`, presence and what else tells how the gateway is.

use std::sync::Arc;
use std::time::Duration;

use oc_types::Node;
use serde::Deserialize;
use serde_json::{Value, json};

use super::channels;
use super::health::{self, Serving};
use super::{Call, Outcome, Paths, Waiting, parse};
use crate::authority::Scope;
use crate::protocol::frame::{Code, Failure};
use crate::server::connection::Connection;
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
        let paths = if call.connection.may(Scope::Admin) { Paths::Whole } else { Paths::Short };
        Ok(health_for(health_report(&call.gateway).await, paths))
    })
}

/// The report that is at hand, as text for this caller; `None` when the question asks for more.
pub(super) fn kept_health(gateway: &Gateway, connection: &Connection, params: &Value) -> Option<Arc<str>> {
    if !params.as_object()?.is_empty() {
        return None;
    }
    let paths = if connection.may(Scope::Admin) { Paths::Whole } else { Paths::Short };
    gateway.cached_health_text(FRESH, paths)
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

/// The same as text, as it is shown to whoever may or may not see paths of this machine.
pub async fn health_text(gateway: &Arc<Gateway>, paths: Paths) -> Arc<str> {
    if let Some(kept) = gateway.cached_health_text(FRESH, paths) {
        return kept;
    }
    health_for(health_report(gateway).await, paths).to_string().into()
}

/// Makes the report anew and tells everybody.
pub fn refresh_health(gateway: &Arc<Gateway>) {
    let gateway = Arc::clone(gateway);
    tokio::spawn(async move {
        let report = health_report(&gateway).await;
        let version = Some(gateway.state_version());
        gateway.registry.broadcast("health", health_for(report, Paths::Short), Weight::DropIfSlow, version);
    });
}

/// Tells one client how the gateway is, as the event that others hear when it changes: what is at hand is nothing new to those.
pub(super) fn told_health(gateway: &Arc<Gateway>, connection: &Connection) {
    if !connection.may(Scope::Read) {
        return;
    }
    let Some(report) = gateway.cached_health_text(FRESH, Paths::Short) else {
        return refresh_health(gateway);
    };
    let version = serde_json::to_string(&gateway.state_version()).unwrap_or_default();
    connection.send_text(format!(
        r#"{{"type":"event","event":"health","payload":{report},"stateVersion":{version}}}"#
    ));
}

fn report(gateway: &Gateway) -> Value {
    let begun = std::time::Instant::now();
    let place = gateway.snapshot().place();
    let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(0);
    let serving = Serving { took_ms, channels: channels::running(gateway), ..Serving::default() };
    // A store that cannot be read is what the report is for.
    health::report(&place, &serving)
        .unwrap_or_else(|e| json!({ "ok": false, "ts": now_ms(), "error": e.message }))
}

/// The report for one caller: without paths of this machine for those who do not administer (SP-340).
#[must_use]
pub fn health_for(report: Value, paths: Paths) -> Value {
    match paths {
        Paths::Whole => report,
        Paths::Short => shortened(report),
    }
}

fn shortened(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(key, value)| match value {
                    Value::String(text) if key == "path" => {
                        let name = text.rsplit_once("/agents/").map_or_else(
                            || text.rsplit('/').next().unwrap_or_default().to_owned(),
                            |(_, rest)| format!("agents/{rest}"),
                        );
                        (key, Value::String(name))
                    }
                    other => (key, shortened(other)),
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(shortened).collect()),
        other => other,
    }
}

/// What clients start from.
#[must_use]
pub fn session_defaults(snapshot: &Snapshot) -> Value {
    health::session_defaults(&snapshot.place())
}

/// `status`.
pub fn status(call: &Call) -> Outcome {
    let mut out = health::status(&call.place(), &Serving::default(), call.params.clone())?;
    let events = call.gateway.system_events.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(members) = out.as_object_mut() {
        members.insert("queuedSystemEvents".to_owned(), events.texts().into());
    }
    Ok(out)
}

/// `logs.tail`.
pub fn logs(call: &Call) -> Outcome {
    let file = call.gateway.log.as_ref().and_then(crate::log::LogHandle::path);
    let file = file.ok_or_else(|| {
        Failure::new(Code::Unavailable, "this gateway writes no log file (logging.level is silent)")
    })?;
    let mut answer = crate::log::tail(&call.place(), &file, call.params.clone())?;
    if !call.connection.may(Scope::Admin) {
        without_home(&mut answer, &call.gateway.snapshot().places());
    }
    Ok(answer)
}

/// Lines as someone reads them who is shown no path of this machine (SP-340): its directories have their usual names.
fn without_home(answer: &mut Value, places: &oc_policy::sandbox::Place) {
    let lines = answer.get_mut("lines").and_then(Value::as_array_mut);
    for line in lines.into_iter().flatten() {
        if let Some(text) = line.as_str() {
            // The state directory first: it may lie in the home directory.
            let text = text.replace(&places.state_dir, "~/.openclaw").replace(&places.home, "~");
            *line = Value::String(text);
        }
    }
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
