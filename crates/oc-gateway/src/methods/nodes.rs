//! `node.*`: which nodes there are, calls of them, what they tell, and the older pairing list (gateway 6, 7, SP-339, SP-347).

mod event;
mod pairing;
mod system_run;

use std::time::Duration;

use oc_approval::node_run::Offer;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Call, Outcome, Waiting, parse};
use crate::authority::Scope;
use crate::devices::Paired;
use crate::node_pairing::{About, NodeStore};
use crate::protocol::connect::Role;
use crate::protocol::frame::{Code, Failure};
use crate::server::idempotency::{Turn, later};
use crate::server::nodes::{self, Node, Reply, node_id};
use crate::server::state::now_ms;

pub use event::event;
pub use pairing::{pair_approve, pair_list, pair_reject, pair_remove, pair_request, pair_verify, rename};
pub(crate) use system_run::{defaults, keep, only_node};

/// Time for an answer unless the caller says otherwise, in milliseconds.
const TIMEOUT_MS: u64 = 30_000;
/// The longest time that a caller can ask for, in milliseconds.
const LONGEST_MS: u64 = 600_000;

fn invalid(why: impl std::fmt::Display) -> Failure {
    Failure::new(Code::InvalidRequest, why.to_string())
}

fn unavailable(why: impl std::fmt::Display) -> Failure {
    Failure::new(Code::Unavailable, why.to_string())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OneNode {
    node_id: String,
}

/// A node as clients see it: what was paired, and what is connected.
fn shown(
    id: &str,
    paired: Option<&Paired>,
    connected: Option<&Node>,
    older: Option<&About>,
) -> Map<String, Value> {
    let mut out = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value.filter(|v| !v.is_null()) {
            out.insert(key.to_owned(), value);
        }
    };
    let client = connected.map(|n| &n.connection.client);
    let text = |s: Option<&String>| s.map(|s| Value::from(s.as_str()));
    put("nodeId", Some(id.into()));
    let name = client.and_then(|c| c.display_name.as_ref()).or(paired.and_then(|p| p.display_name.as_ref()));
    put("displayName", text(older.and_then(|o| o.display_name.as_ref()).or(name)));
    put("platform", text(client.map(|c| &c.platform).or(paired.and_then(|p| p.platform.as_ref()))));
    put("version", text(client.map(|c| &c.version)));
    put("deviceFamily", text(client.and_then(|c| c.device_family.as_ref())));
    put("modelIdentifier", text(client.and_then(|c| c.model_identifier.as_ref())));
    let remote = connected.and_then(|n| n.connection.caller.address()).filter(|a| !a.is_loopback());
    put("remoteIp", remote.map(|a| a.to_string().into()));
    let declared = connected.map(|n| &n.declared);
    put("caps", Some(declared.map(|d| d.caps.clone()).unwrap_or_default().into()));
    put("commands", Some(declared.map(|d| d.commands.clone()).unwrap_or_default().into()));
    put("pathEnv", text(declared.and_then(|d| d.path_env.as_ref())));
    let permissions = declared.filter(|d| !d.permissions.is_empty());
    put("permissions", permissions.map(|d| serde_json::to_value(&d.permissions).unwrap_or_default()));
    put("connectedAtMs", connected.map(|n| n.connection.since_ms.into()));
    put("paired", Some(paired.is_some().into()));
    put("connected", Some(connected.is_some().into()));
    out
}

/// Every node: paired as a device with the role, or connected.
fn all(call: &Call) -> Result<Vec<Map<String, Value>>, Failure> {
    let devices = call.gateway.devices.read().map_err(unavailable)?;
    let older = NodeStore::of(&call.gateway.state_dir).read().map_err(unavailable)?;
    let connected = call.gateway.nodes.all();
    let actor = call.connection.actor();
    let may_see_all = call.connection.may(Scope::Read);
    let mut out = Vec::new();
    let about = |id: &str| older.paired.get(id).map(|n| &n.about);
    for paired in devices.paired.values().filter(|p| p.has_role(Role::Node)) {
        let id = paired.device_id.as_str();
        let live = connected.iter().find(|n| node_id(&n.connection) == id);
        out.push((live.is_some(), shown(id, Some(paired), live, about(id))));
    }
    for node in &connected {
        let id = node_id(&node.connection);
        if !devices.paired.contains_key(id) {
            out.push((true, shown(id, None, Some(node), about(id))));
        }
    }
    if !may_see_all {
        out.retain(|(_, n)| n.get("nodeId").and_then(Value::as_str).is_some_and(|id| actor.sees(id)));
    }
    let name = |n: &Map<String, Value>| {
        let of = |key: &str| n.get(key).and_then(Value::as_str).unwrap_or_default().to_lowercase();
        (of("displayName"), of("nodeId"))
    };
    out.sort_by_key(|(live, n)| (!live, name(n)));
    Ok(out.into_iter().map(|(_, n)| n).collect())
}

/// `node.list`.
pub fn list(call: &Call) -> Outcome {
    let Nothing {} = parse("node.list", &call.params)?;
    Ok(json!({ "ts": now_ms(), "nodes": all(call)? }))
}

/// `node.describe`.
pub fn describe(call: &Call) -> Outcome {
    let OneNode { node_id } = parse("node.describe", &call.params)?;
    let found = all(call)?.into_iter().find(|n| n.get("nodeId").and_then(Value::as_str) == Some(&node_id));
    let mut found = found.ok_or_else(|| invalid("unknown nodeId; list them with `openclaw nodes status`"))?;
    found.insert("ts".to_owned(), now_ms().into());
    Ok(Value::Object(found))
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Invoke {
    node_id: String,
    command: String,
    #[serde(default)]
    params: Option<Value>,
    #[serde(default)]
    timeout_ms: Option<u64>,
    idempotency_key: String,
}

impl Invoke {
    /// How long the node may take.
    fn time_ms(&self) -> u64 {
        self.timeout_ms.unwrap_or(TIMEOUT_MS).min(LONGEST_MS)
    }
}

/// `node.invoke`.
pub fn invoke(call: Call) -> Waiting {
    Box::pin(async move {
        let invoke: Invoke = parse("node.invoke", &call.params)?;
        if invoke.idempotency_key.trim().is_empty() || invoke.command.trim().is_empty() {
            return Err(invalid("invalid node.invoke params: command and idempotencyKey must not be empty"));
        }
        // What cannot be called is said anew each time: nothing was done that could be repeated.
        may_invoke(&call, &invoke.node_id, &invoke.command)?;
        may_carry(&call, &invoke.command)?;
        let owner = system_run::who(&call);
        let key = format!("{}:{}:{}", invoke.node_id, invoke.command, invoke.idempotency_key);
        let turn = call.gateway.idempotency().turn("node", &owner, &key, now_ms());
        match turn {
            Turn::Later(kept) => {
                later(kept).await.unwrap_or_else(|| Err(unavailable("the first call was given up")))
            }
            Turn::First(putter) => {
                let outcome = carry_out(&call, &invoke).await;
                putter.put(&outcome);
                outcome
            }
        }
    })
}

fn not_connected() -> Failure {
    unavailable("the node is not connected").with_details(json!({ "code": "NOT_CONNECTED" }))
}

/// Why a command of a node may not be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NotInvoked {
    NotAllowed,
    NothingDeclared,
    NotDeclared,
}

impl NotInvoked {
    fn failure(self, command: &str) -> Failure {
        let reason = match self {
            Self::NotAllowed => "command not allowlisted",
            Self::NothingDeclared => "node did not declare commands",
            Self::NotDeclared => "command not declared by node",
        };
        invalid(format!("{}: {reason}", oc_text::visible(command, 80)))
            .with_details(json!({ "reason": reason, "command": command }))
    }
}

/// See [`nodes::standing`].
///
/// # Errors
/// It is not connected.
fn standing(call: &Call, id: &str, command: &str) -> Result<(Node, Offer), Failure> {
    nodes::standing(&call.gateway, id, command).ok_or_else(not_connected)
}

/// The node of a command that may be called now.
///
/// # Errors
/// The answer.
fn may_invoke(call: &Call, id: &str, command: &str) -> Result<Node, Failure> {
    let (node, offer) = standing(call, id, command)?;
    let refusal = match offer {
        Offer { allowed: false, .. } => NotInvoked::NotAllowed,
        Offer { declared: false, .. } if node.declared.commands.is_empty() => NotInvoked::NothingDeclared,
        Offer { declared: false, .. } => NotInvoked::NotDeclared,
        Offer { allowed: true, declared: true } => return Ok(node),
    };
    Err(refusal.failure(command))
}

/// The file that decides about commands on a node is an administrator's, whichever method carries it (SP-339).
fn may_carry(call: &Call, command: &str) -> Result<(), Failure> {
    if command.starts_with("system.execApprovals.") && !call.connection.may(Scope::Admin) {
        return Err(invalid(format!("missing scope: {}", Scope::Admin.word())));
    }
    Ok(())
}

async fn carry_out(call: &Call, invoke: &Invoke) -> Outcome {
    if invoke.command == "system.run" {
        return system_run::carry_out(call, invoke).await;
    }
    let node = may_invoke(call, &invoke.node_id, &invoke.command)?;
    let params = invoke.params.as_ref();
    let all = &call.gateway.nodes;
    let sent = all.call(&node, &invoke.command, params, invoke.time_ms(), &invoke.idempotency_key);
    answer_of(call, invoke, sent.ok_or_else(not_connected)?).await
}

/// Waits for a node's answer.
async fn answer_of(call: &Call, invoke: &Invoke, waiting: nodes::Waiting) -> Outcome {
    let node_error = |code: &str, message: &str| {
        unavailable(message).with_details(json!({ "nodeError": { "code": code, "message": message } }))
    };
    let reply = match tokio::time::timeout(Duration::from_millis(invoke.time_ms()), waiting.reply).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(_)) => return Err(node_error("NOT_CONNECTED", "the node disconnected before it answered")),
        Err(_) => {
            call.gateway.nodes.give_up(&waiting.id);
            return Err(node_error("TIMEOUT", "the node did not answer in time"));
        }
    };
    if !reply.ok {
        let error =
            reply.error.unwrap_or_else(|| json!({ "code": "UNAVAILABLE", "message": "the node refused" }));
        let said = error.get("message").and_then(Value::as_str).unwrap_or("the node refused");
        return Err(unavailable(oc_text::visible(said, 500)).with_details(json!({ "nodeError": error })));
    }
    let parsed = reply.payload_json.as_deref().and_then(|t| serde_json::from_str(t).ok());
    Ok(json!({
        "ok": true,
        "nodeId": invoke.node_id,
        "command": invoke.command,
        "payload": reply.payload.or(parsed),
        "payloadJSON": reply.payload_json,
    }))
}

/// `exec.approvals.node.get`: the node's own approvals file, as it gives it.
pub fn approvals_get(call: Call) -> Waiting {
    Box::pin(async move {
        let OneNode { node_id } = parse("exec.approvals.node.get", &call.params)?;
        relay(&call, node_id, "system.execApprovals.get", None).await
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NodeFile {
    node_id: String,
    file: Value,
    #[serde(default)]
    base_hash: Option<String>,
}

/// `exec.approvals.node.set`: hands a file on; the node judges it.
pub fn approvals_set(call: Call) -> Waiting {
    Box::pin(async move {
        let NodeFile { node_id, file, base_hash } = parse("exec.approvals.node.set", &call.params)?;
        let mut params = json!({ "file": file });
        if let (Some(hash), Some(members)) = (base_hash, params.as_object_mut()) {
            members.insert("baseHash".to_owned(), hash.into());
        }
        relay(&call, node_id, "system.execApprovals.set", Some(params)).await
    })
}

async fn relay(call: &Call, node_id: String, command: &str, params: Option<Value>) -> Outcome {
    let key = uuid::Uuid::new_v4().to_string();
    let invoke =
        Invoke { node_id, command: command.to_owned(), params, timeout_ms: None, idempotency_key: key };
    let done = carry_out(call, &invoke).await?;
    Ok(done.get("payload").cloned().unwrap_or_default())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InvokeResult {
    id: String,
    node_id: String,
    ok: bool,
    #[serde(default)]
    payload: Option<Value>,
    #[serde(default, rename = "payloadJSON")]
    payload_json: Option<String>,
    #[serde(default)]
    error: Option<Value>,
}

/// `node.invoke.result`. A node answers for itself only.
pub fn result(call: &Call) -> Outcome {
    let result: InvokeResult = parse("node.invoke.result", &call.params)?;
    if result.node_id != node_id(&call.connection) {
        return Err(invalid("nodeId is another node's"));
    }
    let reply = Reply {
        ok: result.ok,
        payload: result.payload,
        payload_json: result.payload_json,
        error: result.error,
    };
    let taken = call.gateway.nodes.answer(&result.id, &result.node_id, call.connection.number, reply);
    Ok(if taken { json!({ "ok": true }) } else { json!({ "ok": true, "ignored": true }) })
}
