//! `node.pair.*`: the older list of nodes, names, and the end of a pairing (SP-325, SP-328).

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Nothing, OneNode, invalid, unavailable};
use crate::authority::Scope;
use crate::entrance::credential::Key;
use crate::methods::{Call, Outcome, parse};
use crate::node_pairing::{About, NodePairing, NodePairingError, NodeStore};
use crate::protocol::connect::Role;
use crate::protocol::frame::Failure;
use crate::server::outbox::Weight;
use crate::server::state::now_ms;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OneRequest {
    request_id: String,
}

fn store(call: &Call) -> NodeStore {
    NodeStore::of(&call.gateway.state_dir)
}

fn change<T>(
    call: &Call,
    step: impl FnOnce(&mut NodePairing, u64) -> Result<T, NodePairingError>,
) -> Result<T, Failure> {
    match store(call).change(step) {
        Ok(done) => done.map_err(invalid),
        Err(failure) => Err(unavailable(failure)),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PairRequest {
    node_id: String,
    #[serde(default)]
    silent: Option<bool>,
    #[serde(flatten)]
    about: About,
}

/// `node.pair.request`: never a token.
pub fn pair_request(call: &Call) -> Outcome {
    let known = [
        "nodeId",
        "displayName",
        "platform",
        "version",
        "coreVersion",
        "uiVersion",
        "deviceFamily",
        "modelIdentifier",
        "caps",
        "commands",
        "permissions",
        "remoteIp",
        "silent",
    ];
    let extra = call.params.as_object().and_then(|o| o.keys().find(|k| !known.contains(&k.as_str())));
    if extra.is_some() {
        return Err(invalid("invalid node.pair.request params: unknown member"));
    }
    let request: PairRequest = parse("node.pair.request", &call.params)?;
    let _ = request.silent;
    let id = uuid::Uuid::new_v4().to_string();
    let (pending, created) = change(call, |all, now| all.request(&request.node_id, request.about, id, now))?;
    let shown = serde_json::to_value(&pending).unwrap_or_default();
    if created {
        call.gateway.registry.broadcast("node.pair.requested", shown.clone(), Weight::Needed, None);
    }
    Ok(json!({ "status": "pending", "request": shown, "created": created }))
}

/// `node.pair.list`, without tokens.
pub fn pair_list(call: &Call) -> Outcome {
    let Nothing {} = parse("node.pair.list", &call.params)?;
    let mut all = store(call).read().map_err(unavailable)?;
    all.expire(now_ms());
    let mut pending: Vec<_> = all.pending.values().collect();
    pending.sort_by_key(|p| std::cmp::Reverse(p.ts));
    let mut paired: Vec<_> = all.paired.values().collect();
    paired.sort_by_key(|p| std::cmp::Reverse(p.approved_at_ms));
    let paired: Vec<Value> = paired.into_iter().map(without_token).collect();
    Ok(json!({ "pending": pending, "paired": paired }))
}

fn without_token(node: &crate::node_pairing::PairedNode) -> Value {
    let mut out = serde_json::to_value(node).unwrap_or_default();
    if let Some(members) = out.as_object_mut() {
        members.shift_remove("token");
    }
    out
}

fn pair_resolved(call: &Call, request: &str, node: &str, decision: &str) {
    let payload = json!({ "requestId": request, "nodeId": node, "decision": decision, "ts": now_ms() });
    call.gateway.registry.broadcast("node.pair.resolved", payload, Weight::Needed, None);
}

/// `node.pair.approve`. The token goes to whoever approves, once.
pub fn pair_approve(call: &Call) -> Outcome {
    let OneRequest { request_id } = parse("node.pair.approve", &call.params)?;
    let token = oc_fs::random::token_hex(16).map_err(unavailable)?;
    let actor = call.connection.actor();
    let node =
        change(call, |all, now| all.approve(&request_id, &actor, token.expose().to_owned(), now).cloned())?;
    pair_resolved(call, &request_id, &node.node_id, "approved");
    Ok(json!({ "requestId": request_id, "node": node }))
}

/// `node.pair.reject`.
pub fn pair_reject(call: &Call) -> Outcome {
    let OneRequest { request_id } = parse("node.pair.reject", &call.params)?;
    let actor = call.connection.actor();
    let node = change(call, |all, now| {
        all.expire(now);
        all.reject(&request_id, &actor)
    })?;
    pair_resolved(call, &request_id, &node, "rejected");
    Ok(json!({ "requestId": request_id, "nodeId": node }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Verify {
    node_id: String,
    token: String,
}

/// `node.pair.remove`: ends a node's pairing. Its connections end before this returns, its token is dead, and it has to be approved anew.
pub fn pair_remove(call: &Call) -> Outcome {
    let OneNode { node_id } = parse("node.pair.remove", &call.params)?;
    let actor = call.connection.actor();
    if !actor.scopes.satisfies(Scope::Admin) {
        return Err(invalid(NodePairingError::Beyond(Scope::Admin.word())));
    }
    let listed = change(call, |all, _| Ok(all.unpair(&node_id)))?;
    let taken = call.gateway.devices.change(|devices, now| {
        devices.pending.retain(|_, p| p.device_id != node_id || p.wanted_role() != Some(Role::Node));
        devices.take_role_of(&node_id, Role::Node, now)
    });
    let had = taken.map_err(unavailable)?;
    let ended = call.gateway.registry.end_device(&node_id, Role::Node, "node unpaired");
    if !listed && !had && ended == 0 {
        return Err(invalid(NodePairingError::Unknown));
    }
    Ok(json!({ "ok": true, "nodeId": node_id, "closed": ended }))
}

/// `node.pair.verify`.
pub fn pair_verify(call: &Call) -> Outcome {
    let verify: Verify = parse("node.pair.verify", &call.params)?;
    let all = store(call).read().map_err(unavailable)?;
    let same =
        |a: &str, b: &str| Key::new(&oc_types::Secret::new(a.to_owned())).is_some_and(|key| key.opens(b));
    Ok(match all.verify(&verify.node_id, &verify.token, same) {
        Some(node) => json!({ "ok": true, "node": node }),
        None => json!({ "ok": false }),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rename {
    node_id: String,
    display_name: String,
}

/// `node.rename`: the name in lists, of a node in the older list or a paired device.
pub fn rename(call: &Call) -> Outcome {
    let rename: Rename = parse("node.rename", &call.params)?;
    let done = change(call, |all, _| {
        all.rename(&rename.node_id, &rename.display_name).map(|n| n.about.display_name.clone())
    });
    let name = match done {
        Ok(name) => name,
        Err(failure) => {
            let name = rename.display_name.trim().to_owned();
            let renamed = call.gateway.devices.change(|devices, _| {
                let device = devices.paired.get_mut(rename.node_id.trim()).filter(|p| p.has_role(Role::Node));
                device
                    .filter(|_| !name.is_empty() && name.chars().count() <= 128)
                    .map(|d| d.display_name = Some(name.clone()))
            });
            match renamed {
                Ok(Some(())) => Some(name),
                Ok(None) => return Err(failure),
                Err(e) => return Err(unavailable(e)),
            }
        }
    };
    Ok(json!({ "nodeId": rename.node_id, "displayName": name }))
}
