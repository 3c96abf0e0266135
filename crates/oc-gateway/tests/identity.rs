//! Ways in that other gateways have and this one has not: identities that a proxy asserts, and set-up codes. Nothing of them opens a door.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    missing_debug_implementations,
    reason = "tests"
)]

#[path = "support/world.rs"]
mod support;

use serde_json::json;
use support::{Device, Frame, World};

/// Headers by which a proxy says who somebody is.
const ASSERTED: [(&str, &str); 5] = [
    ("X-Forwarded-For", "203.0.113.9"),
    ("X-Forwarded-User", "owner@example.com"),
    ("X-Forwarded-Proto", "https"),
    ("Remote-User", "owner"),
    ("X-Auth-Request-Email", "owner@example.com"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_333_the_identity_that_a_trusted_proxy_asserts_opens_nothing() {
    let config = json!({"gateway": {
        "mode": "local",
        "auth": {"mode": "token", "token": support::TOKEN},
        "trustedProxies": ["127.0.0.1"],
    }});
    let world = World::start(config).await;
    let device = Device::new(7);
    for token in ["", "owner@example.com"] {
        let (mut socket, answer) =
            world.knock(&device, "operator", &["operator.read"], token, &ASSERTED).await;
        assert_eq!(answer["ok"], false, "{answer}");
        assert_eq!(socket.closed().await.0, 1008);
    }
    let headers: String = ASSERTED.iter().map(|(n, v)| format!("{n}: {v}\r\n")).collect();
    let (status, _, body) = world
        .http(&format!(
            "POST /tools/invoke HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}"
        ))
        .await;
    assert_eq!(status, 401, "{body}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_327_no_set_up_code_is_issued_or_taken() {
    let world = World::start(
        json!({"gateway": {"mode": "local", "auth": {"mode": "token", "token": support::TOKEN}}}),
    )
    .await;
    let device = Device::new(7);
    let (mut socket, hello) =
        world.admitted(&device, "operator", &["operator.admin", "operator.pairing", "operator.read"]).await;
    let methods = hello["features"]["methods"].as_array().unwrap();
    assert!(methods.len() > 50, "{hello}");
    assert!(methods.iter().all(|m| !m.as_str().unwrap().to_lowercase().contains("setup")), "{methods:?}");
    for method in ["device.pair.setup", "device.setupCode.create", "setup.code"] {
        let answer = socket.call(method, json!({})).await;
        assert_eq!(answer["error"]["code"], "INVALID_REQUEST", "{answer}");
    }
    let mut stranger = world.connect(&[]).await;
    assert!(matches!(stranger.next().await, Frame::Json(f) if f["event"] == "connect.challenge"));
    let params = json!({
        "minProtocol": 3, "maxProtocol": 3, "role": "operator", "scopes": ["operator.read"],
        "client": {"id": "cli", "version": "1", "platform": "linux", "mode": "cli"},
        "auth": {"setupCode": support::TOKEN, "bootstrapToken": support::TOKEN},
    });
    let answer = stranger.call("connect", params).await;
    assert_eq!(answer["ok"], false, "{answer}");
}
