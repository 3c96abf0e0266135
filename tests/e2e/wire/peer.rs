//! Our command line against the gateway of another implementation, openclaw 2026.2.9 from npm (`.ci/install-upstream`): the same members
//! of the same JSON that its own command line prints. It is run and never read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{TOKEN, openclaw, text};

/// The program that runs it; said when it is missing. `OC_REQUIRE` with the word `peer` makes that a failure.
fn peer() -> Option<PathBuf> {
    let named = std::env::var_os("OPENCLAW_PEER").map(PathBuf::from);
    let dir = std::env::var_os("OPENCLAW_PEER_DIR").map(PathBuf::from);
    let cache = std::env::home_dir().map(|h| h.join(".cache/openclaw-peer"));
    let found = named.or_else(|| Some(dir.or(cache)?.join("openclaw-peer"))).filter(|p| p.is_file());
    let required = std::env::var("OC_REQUIRE").unwrap_or_default().split_whitespace().any(|w| w == "peer");
    assert!(found.is_some() || !required, "no peer: run .ci/install-upstream");
    if found.is_none() {
        println!("skipped: no peer (.ci/install-upstream brings one)");
    }
    found
}

/// Its gateway, ended with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(program: &Path, home: &Path) -> Command {
    let mut c = Command::new(program);
    c.env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("OPENCLAW_DISABLE_BONJOUR", "1")
        .env("OPENCLAW_SKIP_CANVAS_HOST", "1")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    c
}

fn start(program: &Path, home: &Path, port: u16) -> Running {
    let child = command(program, home)
        .args(["gateway", "run"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let running = Running(child);
    let end = Instant::now() + Duration::from_secs(90);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < end, "the peer does not listen");
        std::thread::park_timeout(Duration::from_millis(200));
    }
    running
}

/// The paths of all members, list elements as one.
fn members(value: &Value, at: &str, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(o) => {
            for (key, child) in o {
                let here = format!("{at}/{key}");
                members(child, &here, out);
                out.insert(here);
            }
        }
        Value::Array(items) => items.iter().for_each(|v| members(v, &format!("{at}/[]"), out)),
        _ => {}
    }
}

#[test]
fn our_commands_understand_the_peers_gateway_and_print_what_its_own_print() {
    let Some(program) = peer() else { return };
    let home = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let state = home.path().join(".openclaw");
    std::fs::create_dir_all(state.join("agents/main/sessions")).unwrap();
    let config = json!({"gateway": {"mode": "local", "port": port, "auth": {"mode": "token", "token": TOKEN}}, "discovery": {"mdns": {"mode": "off"}}});
    std::fs::write(state.join("openclaw.json"), config.to_string()).unwrap();
    let sessions = json!({"agent:main:main": {"sessionId": "s1", "updatedAt": 1_700_000_000_000_u64, "model": "m", "totalTokens": 5, "contextTokens": 100}});
    std::fs::write(state.join("agents/main/sessions/sessions.json"), sessions.to_string()).unwrap();
    let _running = start(&program, home.path(), port);

    let request =
        json!({"nodeId": "abc", "displayName": "Pi", "platform": "linux", "commands": ["system.run"]})
            .to_string();
    let asked = openclaw(home.path(), &["gateway", "call", "node.pair.request", "--params", &request]);
    assert_eq!(asked.status.code(), Some(0), "{}", text(&asked.stderr));
    for args in [
        &["gateway", "call", "health"][..],
        &["gateway", "call", "status"],
        &["gateway", "call", "system-presence"],
        &["health"],
        &["devices", "list"],
        &["nodes", "status"],
        &["nodes", "pending"],
        &["sessions"],
        &["system", "presence"],
        &["approvals", "get", "--gateway"],
        &["channels", "status"],
        &["cron", "list"],
        &["cron", "status"],
    ] {
        let mut with_json = args.to_vec();
        with_json.push("--json");
        let (ours, theirs) = (
            openclaw(home.path(), &with_json),
            command(&program, home.path()).args(&with_json).output().unwrap(),
        );
        let read = |who: &str, out: &std::process::Output| -> BTreeSet<String> {
            let value: Value = serde_json::from_slice(&out.stdout).unwrap_or_else(|e| {
                panic!("{who} {args:?}: {e}\n{}{}", text(&out.stdout), text(&out.stderr))
            });
            let mut all = BTreeSet::new();
            members(&value, "", &mut all);
            all
        };
        assert_eq!(read("ours", &ours), read("theirs", &theirs), "{args:?}");
    }
    let status = openclaw(home.path(), &["status", "--json"]);
    let value: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(value.pointer("/gateway/reachable"), Some(&json!(true)));
    let probe = openclaw(home.path(), &["security", "audit", "--deep", "--json"]);
    let value: Value = serde_json::from_slice(&probe.stdout).unwrap();
    assert_eq!(value.pointer("/deep/gateway/ok"), Some(&json!(true)), "{value:#}");
    let logs = openclaw(home.path(), &["logs", "--json", "--limit", "5"]);
    assert!(
        text(&logs.stdout).starts_with("{\"type\":\"meta\""),
        "{}{}",
        text(&logs.stdout),
        text(&logs.stderr)
    );
    let wrong =
        openclaw(home.path(), &["health", "--url", &format!("ws://127.0.0.1:{port}"), "--token", "wrong"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(text(&wrong.stderr).contains("1008"), "{}", text(&wrong.stderr));
}

/// Our gateway in a home, on a free port.
fn our_gateway(home: &Path, port: u16) -> Running {
    let child = Command::new(env!("CARGO_BIN_EXE_openclaw"))
        .args(["gateway", "--port", &port.to_string()])
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .env("OPENCLAW_DISABLE_BONJOUR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let running = Running(child);
    let end = Instant::now() + Duration::from_secs(20);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < end, "our gateway does not listen");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    running
}

#[test]
fn the_peers_commands_work_against_our_gateway() {
    let Some(program) = peer() else { return };
    let home = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let state = home.path().join(".openclaw");
    std::fs::create_dir_all(&state).unwrap();
    let log = home.path().join("gateway.log");
    let config = json!({
        "gateway": {"mode": "local", "port": port, "auth": {"mode": "token", "token": TOKEN}},
        "logging": {"file": log},
        "discovery": {"mdns": {"mode": "off"}},
    });
    std::fs::write(state.join("openclaw.json"), config.to_string()).unwrap();
    let _running = our_gateway(home.path(), port);
    let ask = |args: &[&str]| {
        let out = command(&program, home.path()).args(args).output().unwrap();
        let said = format!("{args:?}\n{}\n{}", text(&out.stdout), text(&out.stderr));
        (out.status.code(), out.stdout, said)
    };
    let json_of = |args: &[&str]| -> Value {
        let (code, out, said) = ask(args);
        assert_eq!(code, Some(0), "{said}");
        serde_json::from_slice(&out).unwrap_or_else(|e| panic!("{e}: {said}"))
    };
    let health = json_of(&["gateway", "call", "health", "--json"]);
    assert_eq!((health["ok"].as_bool(), health["defaultAgentId"].as_str()), (Some(true), Some("main")));
    assert!(json_of(&["gateway", "call", "status", "--json"])["sessions"]["count"].is_u64());
    assert_eq!(json_of(&["gateway", "call", "system-presence", "--json"])[0]["mode"], "gateway");
    assert_eq!(json_of(&["health", "--json"])["ok"], true);
    assert!(json_of(&["status", "--json"])["sessions"].is_object());
    assert_eq!(json_of(&["devices", "list", "--json"])["paired"][0]["role"], "operator");
    assert!(json_of(&["nodes", "status", "--json"])["nodes"].as_array().unwrap().is_empty());
    assert_eq!(json_of(&["sessions", "--json"])["count"], 0);
    let file = json_of(&["approvals", "get", "--gateway", "--json"]);
    assert_eq!(file["exists"], false);
    let wanted = home.path().join("wanted.json");
    let allow = json!({"version": 1, "agents": {"main": {"allowlist": [{"pattern": "/usr/bin/id"}]}}});
    std::fs::write(&wanted, allow.to_string()).unwrap();
    let (code, _, said) = ask(&["approvals", "set", "--gateway", "--file", wanted.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{said}");
    assert!(std::fs::read_to_string(state.join("exec-approvals.json")).unwrap().contains("/usr/bin/id"));
    let (code, out, said) = ask(&["logs", "--limit", "5", "--json"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(text(&out).contains(log.to_str().unwrap()), "{said}");
    let deep = json_of(&["security", "audit", "--deep", "--json"]);
    assert_eq!(deep["deep"]["gateway"]["ok"], true, "{deep}");
    // A device asks from elsewhere; the peer's command approves it.
    let asked =
        json_of(&["gateway", "call", "node.pair.request", "--json", "--params", r#"{"nodeId":"pi"}"#]);
    let id = asked["request"]["requestId"].as_str().unwrap().to_owned();
    let (code, _, said) = ask(&["nodes", "approve", &id]);
    assert_eq!(code, Some(0), "{said}");
    // Another home has another device and no token of ours.
    let stranger = tempfile::tempdir().unwrap();
    let url = format!("ws://127.0.0.1:{port}");
    for (token, wanted) in [("wrong", "1008"), ("", "")] {
        let mut args = vec!["health", "--json"];
        let theirs = json!({"gateway": {"mode": "remote", "remote": {"url": url, "token": token}}});
        std::fs::create_dir_all(stranger.path().join(".openclaw")).unwrap();
        std::fs::write(stranger.path().join(".openclaw/openclaw.json"), theirs.to_string()).unwrap();
        args.extend(["--timeout", "8000"]);
        let out = command(&program, stranger.path()).args(&args).output().unwrap();
        let said = format!("{}{}", text(&out.stdout), text(&out.stderr));
        assert_ne!(out.status.code(), Some(0), "{token:?}: {said}");
        assert!(said.contains(wanted), "{token:?}: {said}");
        assert!(!said.contains("\"ok\": true"), "{said}");
    }
}
