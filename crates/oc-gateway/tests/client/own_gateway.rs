//! The client against our own gateway.

use std::path::Path;
use std::time::Duration;

use oc_config::{Environment, LoadRequest, Overrides, Reading};
use oc_fs::identity_store::IdentityStore;
use oc_gateway::client::{Asked, Client, Credentials, Reason, Surroundings, Target, target as targets};
use oc_gateway::probe;
use oc_gateway::server::run::{Running, start};
use oc_gateway::server::snapshot::Source;
use oc_gateway::settings::Flags;
use oc_types::{Node, Origin, Secret};
use serde_json::{Value, json};

use super::{TOKEN, options};

/// A gateway in a home of its own, and the target that its configuration names.
async fn gateway(home: &Path, tls: bool) -> (Running, Target) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = json!({"gateway": {"mode": "local", "port": port, "auth": {"mode": "token", "token": TOKEN}, "tls": {"enabled": tls}}});
    std::fs::write(home.join("openclaw.json"), config.to_string()).unwrap();
    let request = LoadRequest {
        environment: Environment::from_process([("OPENCLAW_ALLOW_MULTI_GATEWAY".to_owned(), "1".to_owned())]),
        overrides: Overrides { state_dir: Some(home.to_owned()), config: None },
        cwd: home.to_owned(),
        os_home: Some(home.to_owned()),
        reading: Reading::Product,
    };
    let running = start(Source { request, flags: Flags::default() }, "test".to_owned(), None).await.unwrap();
    let tree = Node::from_json(&config, &Origin::Default);
    let around = Surroundings { state_dir: home, ..Surroundings::of(&tree) };
    (running, targets::resolve(&around, &Asked::default()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_gateway_pairs_this_machine_and_answers() {
    let home = tempfile::tempdir().unwrap();
    let (_running, target) = gateway(home.path(), false).await;
    let client = Client::connect(&target, &options(home.path())).await.unwrap();
    for method in ["health", "status", "system-presence", "config.get", "device.pair.list"] {
        client.call(method, json!({})).await.unwrap_or_else(|e| panic!("{method}: {e}"));
    }
    let unknown = client.call("no.such.method", json!({})).await.unwrap_err();
    assert!(unknown.to_string().contains("unknown method: no.such.method"), "{unknown}");
    client.close().await;
    // From now on the device token does it; the shared secret is not needed.
    let store = IdentityStore::of(home.path());
    let id = store.device().unwrap().unwrap().device_id;
    assert!(store.token(&id, "operator").unwrap().is_some(), "a device token was kept");
    let mut bare = target.clone();
    bare.credentials = Credentials::default();
    let again = Client::connect(&bare, &options(home.path())).await.unwrap();
    let devices = again.call("device.pair.list", json!({})).await.unwrap();
    assert_eq!(devices["paired"][0]["deviceId"].as_str(), Some(id.as_str()));
    // A revoked token closes this very connection.
    let revoked = again.call("device.token.revoke", json!({"deviceId": id, "role": "operator"})).await;
    let gone = again.call_within("health", json!({}), Duration::from_secs(5)).await;
    assert!(gone.is_err(), "{revoked:?} {gone:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_probe_is_content_with_our_gateway() {
    let home = tempfile::tempdir().unwrap();
    let (_running, target) = gateway(home.path(), false).await;
    let outcome = probe::run(&target, Some(IdentityStore::of(home.path())), probe::DEFAULT_TIMEOUT).await;
    assert!(outcome.ok, "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_and_missing_credentials_are_refused_with_1008() {
    let home = tempfile::tempdir().unwrap();
    let (_running, target) = gateway(home.path(), false).await;
    for token in [Some("wrong-canary"), None] {
        let mut target = target.clone();
        target.credentials.token = token.map(|t| Secret::new(t.to_owned()));
        let other = tempfile::tempdir().unwrap();
        let error = Client::connect(&target, &options(other.path())).await.unwrap_err();
        let Reason::Refused { close, .. } = &*error.reason else { panic!("{error:?}") };
        assert_eq!(close.as_ref().map(|c| c.code), Some(1008));
        assert!(!error.lines().contains("canary"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_gateway_is_trusted_by_its_certificate_or_its_fingerprint() {
    let home = tempfile::tempdir().unwrap();
    let (running, target) = gateway(home.path(), true).await;
    assert!(target.display.starts_with("wss://127.0.0.1:"), "{}", target.display);
    Client::connect(&target, &options(home.path())).await.unwrap().close().await;
    let fingerprint: Option<String> = running.fingerprint.clone();
    let credentials = Credentials { token: Some(Secret::new(TOKEN.to_owned())), password: None };
    let asked = |fingerprint| Asked {
        url: Some(target.display.clone()),
        credentials: credentials.clone(),
        fingerprint,
        local: false,
    };
    let tree = Node::empty();
    let resolve = |fingerprint| targets::resolve(&Surroundings::of(&tree), &asked(fingerprint));
    let client = Client::connect(&resolve(fingerprint), &options(home.path())).await.unwrap();
    let health: Value = client.call("health", json!({})).await.unwrap();
    assert_eq!(health["ok"], json!(true));
    client.close().await;
    let wrong = Client::connect(&resolve(Some("0".repeat(64))), &options(home.path())).await.unwrap_err();
    assert!(matches!(*wrong.reason, Reason::WrongCertificate { .. }), "{wrong:?}");
}
