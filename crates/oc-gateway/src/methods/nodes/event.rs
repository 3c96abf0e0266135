//! `node.event`: what a node tells of itself (SP-347).

use serde::Deserialize;
use serde_json::{Value, json};

use super::invalid;
use crate::methods::{Call, Outcome, parse, system_events};
use crate::server::nodes::node_id;
use crate::server::state::now_ms;

/// Longest event of a node that is read, in bytes.
const LONGEST: usize = 64 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NodeEvent {
    event: String,
    #[serde(default)]
    payload: Option<Value>,
    #[serde(default, rename = "payloadJSON")]
    payload_json: Option<String>,
}

/// `node.event`. Kinds that are not listed are ignored, and so is a run that this gateway did not give to this very node. The session is
/// the one that the run was given for; what the node writes is untrusted text.
pub fn event(call: &Call) -> Outcome {
    let event: NodeEvent = parse("node.event", &call.params)?;
    let ignored = || Ok(json!({ "ok": true, "ignored": true }));
    if event.payload_json.as_ref().is_some_and(|t| t.len() > LONGEST) {
        return Err(invalid("payloadJSON is longer than an event may be"));
    }
    let parsed = || event.payload_json.as_deref().and_then(|t| serde_json::from_str::<Value>(t).ok());
    let payload = event.payload.clone().or_else(parsed).unwrap_or_default();
    let what = match event.event.as_str() {
        "exec.started" => "started",
        "exec.finished" => "finished",
        "exec.denied" => "denied",
        _ => return ignored(),
    };
    let text = |key: &str| payload.get(key).and_then(Value::as_str).map(|t| oc_text::visible(t, 200));
    let Some(run) = payload.get("runId").and_then(Value::as_str) else { return ignored() };
    let is_last = what != "started";
    let Some(session) = call.gateway.nodes.told(&call.connection, run, is_last, now_ms()) else {
        return ignored();
    };
    let id = node_id(&call.connection);
    let command = text("command").unwrap_or_default();
    let exit = payload.get("exitCode").and_then(Value::as_i64).map(|c| format!(" with exit code {c}"));
    let reason = text("reason").map(|r| format!(" ({r})")).or(exit).unwrap_or_default();
    let session = oc_text::visible(&session, 120);
    let line = format!("node {}: {what}{reason}: {command} [session {session}]", oc_text::visible(id, 12));
    system_events::add(&call.gateway, system_events::From::Node, &line);
    Ok(json!({ "ok": true }))
}
