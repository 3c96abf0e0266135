//! What strangers and broken programs send, over real sockets to a gateway in this process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

#[path = "hostile/frames.rs"]
mod frames;
#[path = "hostile/handshakes.rs"]
mod handshakes;
#[path = "hostile/heads.rs"]
mod heads;
#[path = "hostile/routes.rs"]
mod routes;
#[path = "hostile/secrets.rs"]
mod secrets;
#[path = "hostile/slow.rs"]
mod slow;
#[path = "support/world.rs"]
mod support;
#[path = "hostile/taken_back.rs"]
mod taken_back;

use serde_json::{Value, json};
use support::{Socket, TOKEN, World};

/// The smallest configuration.
fn plain() -> Value {
    json!({"gateway": {"mode": "local", "auth": {"mode": "token"}}})
}

/// Whether the gateway still serves: what came before has broken nothing.
async fn is_well(world: &World) {
    let (status, _, body) =
        world.http("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    assert_eq!((status, body.contains("live")), (200, true), "{body}");
}

/// A client without a device, with the shared token.
async fn bare(world: &World) -> Socket {
    let mut socket = world.connect(&[]).await;
    let _ = socket.json().await;
    let answer = socket.call("connect", bare_params(TOKEN)).await;
    assert_eq!(answer["ok"], true, "{answer}");
    socket
}

/// `connect` without a device.
fn bare_params(token: &str) -> Value {
    json!({
        "minProtocol": 3, "maxProtocol": 3,
        "client": {"id": "cli", "version": "1", "platform": "linux", "mode": "cli"},
        "auth": {"token": token},
    })
}

/// Waits until something is so; what is waited for is the gateway's own doing and has no event.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    let all = async {
        while !is_so() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), all)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}
