//! `device.*`: who is paired, and who may change that (gateway 5, SP-324, SP-325, SP-328).

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Outcome, parse};
use crate::authority::Scopes;
use crate::devices::{Actor, DeviceError, Devices};
use crate::protocol::connect::Role;
use crate::protocol::frame::{Code, Failure};
use crate::server::outbox::Weight;
use crate::server::state::now_ms;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OneRequest {
    request_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OneToken {
    device_id: String,
    role: String,
    #[serde(default)]
    scopes: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Revoked {
    device_id: String,
    role: String,
}

fn invalid(why: impl std::fmt::Display) -> Failure {
    Failure::new(Code::InvalidRequest, why.to_string())
}

/// One change of the store, as the caller.
fn change<T>(
    call: &Call,
    step: impl FnOnce(&mut Devices, &Actor, u64) -> Result<T, DeviceError>,
) -> Result<T, Failure> {
    let actor = call.connection.actor();
    let changed = call.gateway.devices.change(|devices, now| {
        // It may have waited for the lock, and the change before may have been the end of this connection (SP-328).
        if call.connection.outbox.is_ending() { Err(DeviceError::Gone) } else { step(devices, &actor, now) }
    });
    match changed {
        Ok(done) => done.map_err(invalid),
        Err(failure) => Err(Failure::new(Code::Unavailable, failure.to_string())),
    }
}

/// `device.pair.list`. A connection of a device that does not administer sees itself only.
pub fn list(call: &Call) -> Outcome {
    let Nothing {} = parse("device.pair.list", &call.params)?;
    let read = call.gateway.devices.read();
    let mut devices = read.map_err(|e| Failure::new(Code::Unavailable, e.to_string()))?;
    devices.expire(now_ms());
    let actor = call.connection.actor();
    let mut pending: Vec<_> = devices.pending.values().filter(|p| actor.sees(&p.device_id)).collect();
    pending.sort_by_key(|p| std::cmp::Reverse(p.ts));
    let mut paired: Vec<_> = devices.paired.values().filter(|p| actor.sees(&p.device_id)).collect();
    paired.sort_by_key(|p| std::cmp::Reverse(p.approved_at_ms));
    Ok(json!({
        "pending": pending.iter().map(|p| p.as_wire()).collect::<Vec<Value>>(),
        "paired": paired.iter().map(|p| p.as_wire()).collect::<Vec<Value>>(),
    }))
}

/// `device.pair.approve`.
pub fn approve(call: &Call) -> Outcome {
    let OneRequest { request_id } = parse("device.pair.approve", &call.params)?;
    let token = oc_fs::random::token_hex(16).map_err(|e| Failure::new(Code::Unavailable, e.to_string()))?;
    let device = change(call, |devices, actor, now| {
        devices.approve(&request_id, actor, token.expose().to_owned(), now).cloned()
    })?;
    resolved(call, &request_id, &device.device_id, "approved");
    Ok(json!({ "requestId": request_id, "device": device.as_wire() }))
}

/// `device.pair.reject`.
pub fn reject(call: &Call) -> Outcome {
    let OneRequest { request_id } = parse("device.pair.reject", &call.params)?;
    let device = change(call, |devices, actor, now| {
        devices.expire(now);
        devices.reject(&request_id, actor)
    })?;
    resolved(call, &request_id, &device, "rejected");
    Ok(json!({ "requestId": request_id, "deviceId": device }))
}

fn resolved(call: &Call, request: &str, device: &str, decision: &str) {
    let payload = json!({ "requestId": request, "deviceId": device, "decision": decision, "ts": now_ms() });
    call.gateway.registry.broadcast("device.pair.resolved", payload, Weight::Needed, None);
}

fn role(word: &str) -> Result<Role, Failure> {
    Role::parse(word).ok_or_else(|| invalid("role: it is operator or node"))
}

/// `device.token.rotate`. Connections with the old token end before this returns.
pub fn rotate(call: &Call) -> Outcome {
    let OneToken { device_id, role: word, scopes } = parse("device.token.rotate", &call.params)?;
    let role = role(&word)?;
    let scopes = scopes.map(|s| Scopes::read(s.iter().map(String::as_str)));
    let token = oc_fs::random::token_hex(16).map_err(|e| Failure::new(Code::Unavailable, e.to_string()))?;
    let rotated = change(call, |devices, actor, now| {
        let fresh = token.expose().to_owned();
        // Ended under the lock: whoever waits for it finds its connection ended.
        devices
            .rotate(&device_id, role, scopes.as_ref(), actor, fresh, now)
            .inspect(|rotated| end(call, &rotated.close, "device token rotated"))
    })?;
    Ok(json!({
        "deviceId": device_id,
        "role": role.word(),
        "token": rotated.token.token,
        "scopes": rotated.token.scopes,
        "rotatedAtMs": rotated.token.rotated_at_ms,
    }))
}

/// `device.token.revoke`. Connections with the token end before this returns.
pub fn revoke(call: &Call) -> Outcome {
    let Revoked { device_id, role: word } = parse("device.token.revoke", &call.params)?;
    let role = role(&word)?;
    let at = change(call, |devices, actor, now| {
        let revoked = devices.revoke(&device_id, role, actor, now);
        revoked.map(|close| end(call, &close, "device token revoked")).map(|()| now)
    })?;
    Ok(json!({ "deviceId": device_id, "role": role.word(), "revokedAtMs": at }))
}

fn end(call: &Call, (device, role): &(String, Role), reason: &str) {
    call.gateway.registry.end_device(device, *role, reason);
}
