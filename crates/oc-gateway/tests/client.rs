//! The client against a fake gateway: a listener in this test that speaks as much of the protocol as a case needs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

#[path = "client/fake_gateway.rs"]
mod fake_gateway;
#[path = "client/own_gateway.rs"]
mod own_gateway;
#[path = "client/target.rs"]
mod target;
#[path = "client/tls.rs"]
mod tls;

use std::time::{Duration, Instant};

use fake_gateway::{FakeGateway, Script};
use oc_fs::identity_store::{IdentityStore, StoredToken};
use oc_gateway::client::{
    Asked, Client, Credentials, Options, Profile, Reason, Surroundings, Target, target as targets,
};
use oc_types::{Node, Origin, Secret};
use serde_json::{Value, json};

pub const TOKEN: &str = "canary-0123456789abcdef0123456789";

fn local(port: u16) -> Target {
    let json = json!({"gateway": {"port": port, "auth": {"token": TOKEN}}});
    let tree = Node::from_json(&json, &Origin::Default);
    targets::resolve(&Surroundings::of(&tree), &Asked::default())
}

fn options(home: &std::path::Path) -> Options {
    Options { timeout: Duration::from_secs(5), ..Options::cli(home) }
}

#[tokio::test]
async fn answers_find_their_calls_in_any_order() {
    let home = tempfile::tempdir().unwrap();
    let fake = FakeGateway::start(Script::default()).await;
    let mut client = Client::connect(&local(fake.port), &options(home.path())).await.unwrap();
    assert_eq!(client.hello().version(), Some("fake"));
    assert!(client.hello().offers("health") && !client.hello().offers("no.such"));
    let mut events = client.take_events().unwrap();
    assert!(client.take_events().is_none());
    // The fake answers `late` only after it answered `early`.
    let (late, early) =
        tokio::join!(client.call("late", json!({"n": 1})), client.call("early", json!({"n": 2})));
    assert_eq!((late.unwrap()["n"].clone(), early.unwrap()["n"].clone()), (json!(1), json!(2)));
    let event = events.recv().await.unwrap();
    assert_eq!((event.name.as_str(), event.seq), ("presence", Some(3)));
    let refused = client.call("refuse", json!({})).await.unwrap_err();
    let refusal = refused.reason.refusal().unwrap();
    assert_eq!((refusal.code.as_str(), refusal.retryable), ("UNAVAILABLE", true));
    assert_eq!(refusal.details, json!({"why": "busy"}));
    assert_eq!(client.call("accepted-then-final", json!({})).await.unwrap()["status"], "accepted");
    let last = client.call_to_the_end("accepted-then-final", json!({}), Duration::from_secs(5)).await;
    assert_eq!(last.unwrap()["status"], "ok");
    client.close().await;
    assert!(events.recv().await.is_none(), "the stream ends with the connection");
}

#[tokio::test]
async fn the_proof_is_signed_over_this_sockets_nonce_and_the_device_token_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let script = Script { issue: Some("device-token-1"), ..Script::default() };
    let fake = FakeGateway::start(script).await;
    let target = local(fake.port);
    let client = Client::connect(&target, &options(home.path())).await.unwrap();
    assert!(!format!("{:?}", client.hello()).contains("device-token-1"));
    client.close().await;
    let sent = fake.connects();
    assert_eq!(sent[0]["device"]["nonce"], "nonce-1");
    assert_eq!(sent[0]["auth"], json!({"token": TOKEN}));
    assert_eq!(sent[0]["client"]["id"], "cli");
    let store = IdentityStore::of(home.path());
    let id = store.device().unwrap().unwrap().device_id;
    let kept = store.token(&id, "operator").unwrap().unwrap();
    assert_eq!(kept.token.expose(), "device-token-1");
    assert_eq!(kept.gateway, Some(format!("ws://127.0.0.1:{}", fake.port)));
    // The second connection shows the device token, not the shared secret.
    Client::connect(&target, &options(home.path())).await.unwrap().close().await;
    assert_eq!(fake.connects()[1]["auth"], json!({"token": "device-token-1"}));
}

#[tokio::test]
async fn a_device_token_that_is_refused_is_forgotten_and_the_shared_secret_tried() {
    let home = tempfile::tempdir().unwrap();
    let script = Script { issue: Some("fresh"), refuse_token: Some("stale"), ..Script::default() };
    let fake = FakeGateway::start(script).await;
    let target = local(fake.port);
    keep(home.path(), "stale", None);
    Client::connect(&target, &options(home.path())).await.unwrap().close().await;
    let shown: Vec<Value> = fake.connects().iter().map(|c| c["auth"]["token"].clone()).collect();
    assert_eq!(shown, [json!("stale"), json!(TOKEN)]);
    let store = IdentityStore::of(home.path());
    let id = store.device().unwrap().unwrap().device_id;
    assert_eq!(store.token(&id, "operator").unwrap().unwrap().token.expose(), "fresh");
}

/// Stores a device token beside a fresh identity.
fn keep(home: &std::path::Path, token: &str, gateway: Option<&str>) {
    let store = IdentityStore::of(home);
    let id = oc_gateway::client::identity::Identity::of(&store, 1).unwrap().id().to_owned();
    let stored = StoredToken {
        token: Secret::new(token.to_owned()),
        role: "operator".to_owned(),
        scopes: Profile::cli().scopes,
        updated_at_ms: 1,
        gateway: gateway.map(str::to_owned),
    };
    store.keep_token(&id, &stored).unwrap();
}

#[tokio::test]
async fn sp_353_a_device_token_goes_back_to_its_gateway_only() {
    let home = tempfile::tempdir().unwrap();
    let fake = FakeGateway::start(Script::default()).await;
    keep(home.path(), "of-another-gateway", Some("wss://gateway.example:443"));
    Client::connect(&local(fake.port), &options(home.path())).await.unwrap().close().await;
    assert_eq!(fake.connects()[0]["auth"]["token"], TOKEN);
    // Credentials of the command line are not replaced by what is stored either, even for the same gateway.
    keep(home.path(), "of-this-gateway", Some(&format!("ws://127.0.0.1:{}", fake.port)));
    let credentials = Credentials { token: Some(Secret::new("given".to_owned())), password: None };
    let url = Some(format!("ws://127.0.0.1:{}", fake.port));
    let tree = Node::empty();
    let target = targets::resolve(
        &Surroundings::of(&tree),
        &Asked { url, credentials, fingerprint: None, local: false },
    );
    let refused = Client::connect(&target, &options(home.path())).await.unwrap_err();
    assert!(matches!(*refused.reason, Reason::Refused { .. }), "{refused:?}");
    assert_eq!(fake.connects().len(), 2);
    assert_eq!(fake.connects()[1]["auth"]["token"], "given");
}

#[tokio::test]
async fn a_refusal_names_close_code_target_source_and_file_and_no_credential() {
    let home = tempfile::tempdir().unwrap();
    let fake = FakeGateway::start(Script::default()).await;
    let mut target = local(fake.port);
    target.config = Some("/somewhere/openclaw.json".into());
    target.credentials.token = Some(Secret::new("wrong-canary".to_owned()));
    let error = Client::connect(&target, &options(home.path())).await.unwrap_err();
    let lines = error.lines();
    for part in ["INVALID_REQUEST", "1008", "ws://127.0.0.1", "loopback", "/somewhere/openclaw.json"] {
        assert!(lines.contains(part), "{part} in {lines}");
    }
    assert!(!lines.contains("canary") && !format!("{error:?}").contains("canary"), "{lines}");
    assert_eq!(error.reason.close().map(|c| c.code), Some(1008));
}

#[tokio::test]
async fn every_wait_has_a_deadline() {
    let home = tempfile::tempdir().unwrap();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let start = Instant::now();
    let quick = Options { timeout: Duration::ZERO, ..options(home.path()) };
    let error = Client::connect(&local(silent.local_addr().unwrap().port()), &quick).await.unwrap_err();
    assert!(matches!(*error.reason, Reason::Timeout { waited_ms: 250, .. }), "{error:?}");
    let fake = FakeGateway::start(Script::default()).await;
    let client = Client::connect(&local(fake.port), &options(home.path())).await.unwrap();
    let error = client.call_within("never", json!({}), Duration::ZERO).await.unwrap_err();
    assert!(matches!(*error.reason, Reason::Timeout { .. }), "{error:?}");
    assert!(client.end().is_none(), "the connection itself is fine");
    assert!(client.call("early", json!({"n": 5})).await.is_ok());
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn who_waits_learns_why_the_connection_ended() {
    let home = tempfile::tempdir().unwrap();
    let fake = FakeGateway::start(Script::default()).await;
    let client = Client::connect(&local(fake.port), &options(home.path())).await.unwrap();
    let error = client.call("restart", json!({})).await.unwrap_err();
    assert_eq!(error.reason.close().map(|c| c.code), Some(1012));
    let later = client.call("early", json!({})).await.unwrap_err();
    assert_eq!(later.reason.close().map(|c| c.code), Some(1012), "and so do later calls");
}

#[tokio::test]
async fn a_silent_gateway_counts_as_gone_after_two_ticks() {
    let home = tempfile::tempdir().unwrap();
    let fake = FakeGateway::start(Script { tick_ms: 1, ..Script::default() }).await;
    let client = Client::connect(&local(fake.port), &options(home.path())).await.unwrap();
    let error = client.call("never", json!({})).await.unwrap_err();
    assert!(matches!(*error.reason, Reason::Silent(2000)), "{error:?}");
}

#[tokio::test]
async fn sp_353_nothing_is_sent_over_plaintext_to_another_machine() {
    let home = tempfile::tempdir().unwrap();
    let l = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = l.local_addr().unwrap().port();
    for host in ["0.0.0.0", "gateway.example", "127.0.0.1.evil.example", "192.0.2.7"] {
        let credentials = Credentials { token: Some(Secret::new(TOKEN.to_owned())), password: None };
        let asked =
            Asked { url: Some(format!("ws://{host}:{port}")), credentials, fingerprint: None, local: false };
        let target = targets::resolve(&Surroundings::of(&Node::empty()), &asked);
        let error = Client::connect(&target, &options(home.path())).await.unwrap_err();
        assert!(matches!(*error.reason, Reason::Target(_)), "{host}: {error:?}");
        assert!(!error.lines().contains("canary"));
    }
    let nobody = tokio::time::timeout(Duration::from_millis(200), l.accept()).await;
    assert!(nobody.is_err(), "somebody connected");
    assert!(!home.path().join("identity").exists(), "and no identity was made for it");
}

#[tokio::test]
async fn sp_353_a_redirect_is_not_followed() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let home = tempfile::tempdir().unwrap();
    let elsewhere = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = elsewhere.local_addr().unwrap().port();
    let l = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = l.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut s, _) = l.accept().await.unwrap();
        let mut buf = vec![0; 4096];
        let n = s.read(&mut buf).await.unwrap();
        let head = format!(
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: ws://127.0.0.1:{other}/\r\nContent-Length: 0\r\n\r\n"
        );
        s.write_all(head.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&buf[..n]).into_owned()
    });
    let error = Client::connect(&local(port), &options(home.path())).await.unwrap_err();
    assert!(matches!(*error.reason, Reason::NoWebSocket(_)), "{error:?}");
    assert!(!server.await.unwrap().contains("canary"));
    assert!(tokio::time::timeout(Duration::from_millis(200), elsewhere.accept()).await.is_err());
}
