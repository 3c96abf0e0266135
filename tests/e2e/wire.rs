//! The command line over the wire, against a fake gateway in this test, and with nothing to connect to.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

#[path = "wire/fake_gateway.rs"]
mod fake_gateway;
#[path = "wire/peer.rs"]
mod peer;

use std::path::Path;
use std::process::{Command, Output};

use fake_gateway::FakeGateway;
use serde_json::{Value, json};

pub const TOKEN: &str = "canary-token-0123456789abcdef";

pub fn openclaw(home: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_openclaw"))
        .args(args)
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .current_dir(home)
        .output()
        .unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn home(config: &Value) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".openclaw")).unwrap();
    std::fs::write(home.path().join(".openclaw/openclaw.json"), format!("{config:#}\n")).unwrap();
    home
}

fn gateway(port: u16) -> Value {
    json!({"gateway": {"mode": "local", "port": port, "auth": {"mode": "token", "token": TOKEN}}})
}

/// Standard output as JSON; nothing else may stand there.
fn json_of(out: &Output) -> Value {
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&out.stdout)))
}

/// A port that nothing listens on.
fn dead_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn gateway_options_stand_before_or_after_the_command() {
    let fake = FakeGateway::start();
    let home = home(&json!({"gateway": {"mode": "local", "port": fake.port}}));
    let url = format!("ws://127.0.0.1:{}", fake.port);
    for args in [
        vec!["gateway", "--token", TOKEN, "call", "echo", "--params", "{\"a\":1}"],
        vec!["gateway", "call", "echo", "--token", TOKEN, "--params", "{\"a\":1}"],
        vec!["gateway", "--url", &url, "call", "--token", TOKEN, "echo", "--params", "{\"a\":1}"],
        vec![
            "gateway",
            "call",
            "--json",
            "--timeout",
            "5000",
            "--token",
            TOKEN,
            "echo",
            "--params",
            "{\"a\":1}",
        ],
    ] {
        assert_eq!(json_of(&openclaw(home.path(), &args)), json!({"a": 1}), "{args:?}");
    }
}

#[test]
fn json_is_the_only_output_and_codes_are_0_1_2() {
    let fake = FakeGateway::start();
    let home = home(&gateway(fake.port));
    let run = |args: &[&str]| openclaw(home.path(), args);
    for args in [
        &["health", "--json"][..],
        &["gateway", "health", "--json"],
        &["devices", "list", "--json"],
        &["nodes", "status", "--json"],
        &["nodes", "list", "--json"],
        &["nodes", "pending", "--json"],
        &["system", "presence", "--json"],
        &["channels", "status", "--json"],
        &["cron", "list", "--json"],
        &["cron", "status", "--json"],
        &["approvals", "get", "--gateway", "--json"],
        &["sessions", "--json"],
        &["sessions", "list", "--json"],
        &["status", "--json"],
        &["status", "--deep", "--json"],
        &["gateway", "status", "--json"],
        &["gateway", "probe", "--json"],
        &["dashboard", "--json"],
    ] {
        json_of(&run(args));
    }
    let log = run(&["logs", "--json"]);
    let rows: Vec<Value> = text(&log.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let types: Vec<&str> = rows.iter().map(|r| r["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["meta", "log", "raw"]);

    let refused = run(&["gateway", "call", "no.such.method", "--json"]);
    assert_eq!((refused.status.code(), text(&refused.stdout)), (Some(1), String::new()));
    assert!(text(&refused.stderr).contains("unknown method: no.such.method"));
    let unsaid = run(&["gateway", "call"]);
    assert_eq!(unsaid.status.code(), Some(2), "{}", text(&unsaid.stderr));
    let bad = run(&["gateway", "call", "echo", "--params", "[1]"]);
    assert_eq!(bad.status.code(), Some(1));
    // `gateway probe` lists nothing that answers as a failure, `gateway status` as a finding.
    let home = self::home(&gateway(dead_port()));
    assert_eq!(openclaw(home.path(), &["gateway", "probe", "--json"]).status.code(), Some(1));
    assert_eq!(openclaw(home.path(), &["gateway", "status", "--json"]).status.code(), Some(0));
    assert_eq!(openclaw(home.path(), &["status"]).status.code(), Some(0));
}

#[test]
fn a_failure_names_target_source_file_and_close_code() {
    let dead = home(&gateway(dead_port()));
    let out = openclaw(dead.path(), &["health"]);
    let said = text(&out.stderr);
    assert_eq!((out.status.code(), text(&out.stdout)), (Some(1), String::new()));
    for part in
        ["no gateway answers", "ws://127.0.0.1:", "loopback", "openclaw.json", "openclaw gateway status"]
    {
        assert!(said.contains(part), "{part} in {said}");
    }
    let fake = FakeGateway::start();
    let home = home(&gateway(fake.port));
    let wrong = openclaw(home.path(), &["health", "--token", "wrong-canary"]);
    let said = text(&wrong.stderr);
    assert!(said.contains("close code 1008") && !said.contains("canary"), "{said}");
    // A device token from before takes no wrong token's place.
    assert_eq!(openclaw(home.path(), &["health"]).status.code(), Some(0));
    assert_eq!(openclaw(home.path(), &["health", "--token", "wrong-canary"]).status.code(), Some(1));
}

#[test]
fn sp_353_url_needs_its_own_credentials_and_plaintext_stays_here() {
    let fake = FakeGateway::start();
    let home = home(&gateway(fake.port));
    let url = format!("ws://127.0.0.1:{}", fake.port);
    let bare = openclaw(home.path(), &["gateway", "call", "health", "--url", &url]);
    assert_eq!(bare.status.code(), Some(1));
    assert!(text(&bare.stderr).contains("--url needs --token or --password"), "{}", text(&bare.stderr));
    let far = openclaw(home.path(), &["health", "--url", "ws://gateway.example:1", "--token", "far-canary"]);
    let said = text(&far.stderr);
    assert!(said.contains("not contacted") && !said.contains("canary"), "{said}");
    assert_eq!(fake.connects(), 0, "nobody connected");
}

#[test]
fn devices_and_nodes_send_what_was_asked() {
    let fake = FakeGateway::start();
    let home = home(&gateway(fake.port));
    for (args, method, params) in [
        (&["devices", "approve", "r1"][..], "device.pair.approve", json!({"requestId": "r1"})),
        (&["devices", "reject", "r1"], "device.pair.reject", json!({"requestId": "r1"})),
        (
            &["devices", "rotate", "--device", "d", "--role", "operator", "--scope", "operator.read"],
            "device.token.rotate",
            json!({"deviceId": "d", "role": "operator", "scopes": ["operator.read"]}),
        ),
        (
            &["devices", "revoke", "--device", "d", "--role", "node"],
            "device.token.revoke",
            json!({"deviceId": "d", "role": "node"}),
        ),
        (&["nodes", "approve", "r2"], "node.pair.approve", json!({"requestId": "r2"})),
        (
            &["nodes", "rename", "--node", "pi", "--name", "New"],
            "node.rename",
            json!({"nodeId": "node-1", "displayName": "New"}),
        ),
        (&["nodes", "describe", "--node", "Pi"], "node.describe", json!({"nodeId": "node-1"})),
        (&["nodes", "unpair", "--node", "Pi"], "node.pair.remove", json!({"nodeId": "node-1"})),
        (&["nodes", "unpair", "Pi"], "node.pair.remove", json!({"nodeId": "node-1"})),
    ] {
        let out = openclaw(home.path(), args);
        assert_eq!(out.status.code(), Some(0), "{args:?}: {}", text(&out.stderr));
        assert_eq!(fake.last_call(), (method.to_owned(), params), "{args:?}");
    }
    let ran = openclaw(home.path(), &["nodes", "run", "--node", "pi", "--", "ls", "-l"]);
    assert_eq!(
        (ran.status.code(), text(&ran.stdout)),
        (Some(0), "file\n".to_owned()),
        "{}",
        text(&ran.stderr)
    );
    let (method, params) = fake.last_call();
    assert_eq!(
        (method.as_str(), &params["command"], &params["params"]),
        ("node.invoke", &json!("system.run"), &json!({"command": ["ls", "-l"]}))
    );
    assert!(params["idempotencyKey"].as_str().unwrap().len() >= 32);
    let unknown = openclaw(home.path(), &["nodes", "describe", "--node", "nobody"]);
    assert!(text(&unknown.stderr).contains("known nodes: Pi"), "{}", text(&unknown.stderr));
}

#[test]
fn the_approvals_file_of_the_gateway_is_changed_as_it_was_read() {
    let fake = FakeGateway::start();
    let home = home(&gateway(fake.port));
    let added = openclaw(home.path(), &["approvals", "allowlist", "add", "/usr/bin/true", "--gateway"]);
    assert_eq!(added.status.code(), Some(0), "{}", text(&added.stderr));
    let (method, params) = fake.last_call();
    assert_eq!((method.as_str(), &params["baseHash"]), ("exec.approvals.set", &json!("hash-1")));
    assert_eq!(params.pointer("/file/agents/*/allowlist/0/pattern"), Some(&json!("/usr/bin/true")));
    assert!(!home.path().join(".openclaw/exec-approvals.json").exists(), "the local file is not touched");
}

/// A configuration with a canary under every kind of credential key.
fn with_canaries(port: u16) -> Value {
    json!({
        "gateway": {"mode": "local", "port": port, "auth": {"mode": "token", "token": TOKEN, "password": "canary-gateway-password"},
            "remote": {"url": "wss://user:canary-in-url@gateway.example", "token": "canary-remote-token", "password": "canary-remote-password"}},
        "hooks": {"enabled": true, "token": "canary-hook-token-0123456789"},
        "env": {"vars": {"SOME_SERVICE_KEY": "canary-env-value"}},
        "channels": {
            "telegram": {"enabled": true, "botToken": "123456:canary-telegram-token", "webhookSecret": "canary-webhook"},
            "discord": {"enabled": true, "token": "canary-discord-token"},
            "slack": {"enabled": true, "botToken": "xoxb-canary-slack", "appToken": "xapp-canary-slack"}},
        "models": {"providers": {"openai": {"baseUrl": "https://api.example/v1", "apiKey": "sk-canary-0123456789abcdef", "models": []}}}
    })
}

#[test]
fn status_all_prints_no_credential() {
    let fake = FakeGateway::start();
    for port in [fake.port, dead_port()] {
        let home = home(&with_canaries(port));
        for args in [
            &["status", "--all"][..],
            &["status", "--all", "--json"],
            &["status"],
            &["status", "--deep", "--json"],
            &["gateway", "status"],
            &["gateway", "probe"],
        ] {
            let out = openclaw(home.path(), args);
            let all = text(&out.stdout) + &text(&out.stderr);
            assert!(!all.contains("canary"), "{args:?}: {all}");
            assert!(all.contains("127.0.0.1"), "{args:?}: {all}");
        }
    }
}

#[test]
fn status_fits_eighty_columns() {
    let fake = FakeGateway::start();
    let home = home(&with_canaries(fake.port));
    for args in [
        &["status", "--all"][..],
        &["status"],
        &["health"],
        &["devices", "list"],
        &["nodes", "status"],
        &["gateway", "probe"],
    ] {
        let out = openclaw(home.path(), args);
        let said = text(&out.stdout);
        assert!(said.lines().all(|l| l.chars().count() <= 80), "{args:?}:\n{said}");
    }
}

#[test]
fn the_console_address_keeps_the_token_in_the_fragment() {
    let home = home(&gateway(18_999));
    let out = openclaw(home.path(), &["dashboard", "--no-open"]);
    let url = text(&out.stdout);
    assert_eq!(url, format!("http://127.0.0.1:18999/#token={TOKEN}\n"));
    let json = json_of(&openclaw(home.path(), &["dashboard", "--json"]));
    assert_eq!(json, json!({"url": "http://127.0.0.1:18999/"}));
}
