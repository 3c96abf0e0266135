//! The greeting, and what the others hear when somebody comes or goes (gateway 4, 7, 12).

use std::sync::{Arc, LazyLock};

use serde_json::json;

use super::connection::Connection;
use super::nodes::{Declared, commands};
use super::snapshot::Snapshot;
use super::state::{Gateway, now_ms};
use crate::authority::Scope;
use crate::devices::Token;
use crate::methods::{self, Paths};
use crate::presence::Entry;
use crate::protocol::VERSION;
use crate::protocol::connect::{ClientId, Connect, Role};
use crate::protocol::frame::{MAX_BUFFERED, MAX_FRAME, TICK_MS};

/// Events that this gateway sends.
const EVENTS: [&str; 18] = [
    "connect.challenge",
    "agent",
    "chat",
    "presence",
    "tick",
    "talk.mode",
    "shutdown",
    "health",
    "heartbeat",
    "cron",
    "node.pair.requested",
    "node.pair.resolved",
    "node.invoke.request",
    "device.pair.requested",
    "device.pair.resolved",
    "voicewake.changed",
    "exec.approval.requested",
    "exec.approval.resolved",
];

/// Tells of a connection that is in the list of connections: to the nodes, in the presence list, in the log.
pub(super) fn announce(
    gateway: &Gateway,
    snapshot: &Snapshot,
    connection: &Arc<Connection>,
    connect: &Connect,
) {
    if connection.role == Role::Node {
        let allowed = commands::allowed(&connect.client, &snapshot.settings.nodes);
        gateway.nodes.connect(
            Arc::clone(connection),
            Declared {
                commands: connect.commands.iter().filter(|c| allowed.contains(c.as_str())).cloned().collect(),
                caps: connect.caps.clone(),
                permissions: connect.permissions.clone(),
                path_env: connect.path_env.clone(),
            },
        );
        gateway.nodes_changed.notify_one();
    }
    if let Some(key) = presence_key(connection) {
        gateway.presence().put(&key, entry(connection), now_ms());
    }
    tracing::info!(
        target: "gateway/ws",
        conn = connection.id, client = %oc_text::visible(connection.label(), 60), role = connection.role.word(),
        method = connection.method.word(), "connected"
    );
}

/// Takes a connection out of the lists.
pub(super) fn depart(gateway: &Gateway, connection: &Connection) {
    if connection.role == Role::Node {
        gateway.nodes.disconnect(connection.number);
        gateway.nodes_changed.notify_one();
    }
    let Some(key) = presence_key(connection) else { return };
    gateway.presence().note(&key, "disconnect", now_ms());
    gateway.announce_presence();
}

/// What an entry is kept under. Short visits of the command line are not tracked.
fn presence_key(connection: &Connection) -> Option<String> {
    if connection.client.id == ClientId::Cli {
        return None;
    }
    let device = connection.device.as_ref().map(|d| d.id.clone());
    Some(device.or_else(|| connection.client.instance_id.clone()).unwrap_or_else(|| connection.id.clone()))
}

fn entry(connection: &Connection) -> Entry {
    let client = &connection.client;
    let device = connection.device.as_ref().map(|d| d.id.clone());
    Entry {
        host: Some(connection.label().to_owned()),
        ip: connection.caller.address().filter(|a| !a.is_loopback()).map(|a| a.to_string()),
        version: Some(client.version.clone()),
        platform: Some(client.platform.clone()),
        device_family: client.device_family.clone(),
        model_identifier: client.model_identifier.clone(),
        mode: Some(client.mode.word().to_owned()),
        reason: Some("connect".to_owned()),
        instance_id: device.clone().or_else(|| client.instance_id.clone()),
        device_id: device,
        roles: vec![connection.role.word().to_owned()],
        scopes: connection.scopes.words().into_iter().map(str::to_owned).collect(),
        ..Entry::default()
    }
}

/// What every greeting says.
static FEATURES: LazyLock<String> =
    LazyLock::new(|| json!({ "methods": methods::offered(), "events": EVENTS }).to_string());

/// The greeting as text: most of it is at hand as text, and a tree of values would cost more than the rest of a handshake. What tells
/// about the host is for administrators (SP-340).
pub(super) async fn hello(
    gateway: &Arc<Gateway>,
    snapshot: &Snapshot,
    connection: &Connection,
    token: Option<&Token>,
) -> String {
    let reads = connection.may(Scope::Read);
    let paths = if connection.may(Scope::Admin) { Paths::Whole } else { Paths::Short };
    let presence = if reads { gateway.presence_list() } else { json!([]) };
    let health = if reads { methods::health_text(gateway, paths).await } else { "{}".into() };
    let uptime = u64::try_from(gateway.started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut state = json!({ "stateVersion": gateway.state_version(), "uptimeMs": uptime });
    if let (Paths::Whole, Some(members)) = (paths, state.as_object_mut()) {
        let locations = &snapshot.loaded.locations;
        members.insert("configPath".to_owned(), locations.config.to_string_lossy().into());
        members.insert("stateDir".to_owned(), locations.state_dir.to_string_lossy().into());
    }
    let server = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "host": gateway.own_entry.host,
        "connId": connection.id,
    });
    let defaults = methods::session_defaults(snapshot);
    let state = state.to_string();
    // INVARIANT: `state` is an object with members, so what follows its opening brace continues the one begun here.
    let state = state.strip_prefix('{').unwrap_or_default();
    let snapshot =
        format!(r#"{{"presence":{presence},"health":{health},"sessionDefaults":{defaults},{state}"#);
    let mut out = format!(
        r#"{{"type":"hello-ok","protocol":{VERSION},"server":{server},"features":{},"snapshot":{snapshot},"policy":{{"maxPayload":{MAX_FRAME},"maxBufferedBytes":{MAX_BUFFERED},"tickIntervalMs":{TICK_MS}}}"#,
        *FEATURES
    );
    if let Some(token) = token {
        let auth = json!({
            "deviceToken": token.token,
            "role": token.role,
            "scopes": token.scopes,
            "issuedAtMs": token.rotated_at_ms.unwrap_or(token.created_at_ms),
        });
        out.push_str(",\"auth\":");
        out.push_str(&auth.to_string());
    }
    out.push('}');
    out
}
