//! A gateway and a node host of one machine, as people try it first: the gateway's own `exec` goes to the node, which asks its own people;
//! a node that was taken out comes back through a person only; and the console's audit is the one of the command line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

#[path = "node/process.rs"]
mod process;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};

use process::{PATIENCE, Process};
use serde_json::{Value, json};

const TOKEN: &str = "canary-gateway-token-of-the-local-node-test";

/// A gateway's home and a node's, and the port between them.
struct Pair {
    gateway: tempfile::TempDir,
    node: tempfile::TempDir,
    port: u16,
}

impl Pair {
    fn new(mut config: Value) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        config["gateway"] = json!({
            "mode": "local", "port": port, "auth": {"mode": "token", "token": TOKEN}, "tools": {"allow": ["exec"]},
        });
        let pair = Self { gateway: tempfile::tempdir().unwrap(), node: tempfile::tempdir().unwrap(), port };
        write_config(pair.gateway.path(), &config);
        write_config(pair.node.path(), &json!({}));
        pair
    }

    fn start_gateway(&self) -> Process {
        let mut gateway = Process::start(&mut command(self.gateway.path(), &["gateway", "run"]));
        gateway.says("listening on ");
        gateway
    }

    fn start_node(&self) -> Process {
        let port = self.port.to_string();
        let args = ["node", "run", "--host", "127.0.0.1", "--port", &port, "--display-name", "Kit"];
        Process::start(command(self.node.path(), &args).env("OPENCLAW_GATEWAY_TOKEN", TOKEN))
    }

    /// Standard output of a command of the gateway's user, which has to succeed, as JSON.
    fn json(&self, args: &[&str]) -> Value {
        let out = openclaw(self.gateway.path(), args);
        assert_eq!(out.status.code(), Some(0), "{args:?}: {}", text(&out.stderr));
        serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&out.stdout)))
    }

    /// `POST /tools/invoke` of `exec`, in the background.
    fn exec(&self, arguments: &Value) -> std::thread::JoinHandle<(u16, Value)> {
        let body = json!({"tool": "exec", "args": arguments}).to_string();
        let port = self.port;
        std::thread::spawn(move || {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let head = format!(
                "POST /tools/invoke HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all((head + &body).as_bytes()).unwrap();
            let mut all = String::new();
            stream.read_to_string(&mut all).unwrap();
            let status = all.split(' ').nth(1).unwrap().parse().unwrap();
            let body = all.split_once("\r\n\r\n").unwrap().1;
            (status, serde_json::from_str(body).unwrap_or_else(|e| panic!("{e}: {all}")))
        })
    }
}

fn command(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_openclaw"));
    command
        .args(args)
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .env("OPENCLAW_DISABLE_BONJOUR", "1")
        .current_dir(home);
    command
}

fn openclaw(home: &Path, args: &[&str]) -> Output {
    command(home, args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn write_config(home: &Path, config: &Value) {
    let state = home.join(".openclaw");
    std::fs::create_dir_all(&state).unwrap();
    std::fs::write(state.join("openclaw.json"), format!("{config:#}\n")).unwrap();
}

#[test]
fn exec_of_the_gateway_runs_on_a_real_node_which_asks_its_own_people() {
    let pair = Pair::new(json!({"tools": {"exec": {"host": "node", "node": "Kit"}}}));
    // Without a gateway there is no node: a refusal that says so.
    let alone = openclaw(pair.gateway.path(), &["tool", "invoke", "exec", "--args", r#"{"command":"ls"}"#]);
    assert_eq!(alone.status.code(), Some(1));
    let said = text(&alone.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("only a running gateway reaches nodes"), "{said}");
    let why = pair.json(&["explain", "command", "touch x", "--json"]);
    assert_eq!((&why["verdict"], &why["route"]), (&json!("allow"), &json!("node")), "{why}");
    assert!(why["notes"].to_string().contains("The node reads the line"), "{why}");

    let _gateway = pair.start_gateway();
    let (status, none) = pair.exec(&json!({"command": "uname"})).join().unwrap();
    assert_eq!(status, 400, "{none}");
    assert!(none["error"]["message"].as_str().unwrap().contains("is called `Kit`"), "{none}");

    let mut node = pair.start_node();
    node.says("connected to ");
    let listed = openclaw(pair.node.path(), &["approvals", "allowlist", "add", "/usr/bin/uname"]);
    assert_eq!(listed.status.code(), Some(0), "{listed:?}");
    // The node's own list lets it; nobody is asked.
    let (status, ran) = pair.exec(&json!({"command": "uname"})).join().unwrap();
    assert_eq!((status, ran["result"]["details"]["exitCode"].as_i64()), (200, Some(0)), "{ran}");
    assert_eq!(ran["result"]["content"][0]["text"], "Linux\n");

    // What is not on it asks on the node, and nowhere else; it runs there after the answer, with its exit code.
    let waiting = pair.exec(&json!({"command": "echo proof > made; echo said; exit 3"}));
    let code = node.says("openclaw approvals approve ");
    assert_eq!(pair.json(&["approvals", "list", "--json"])["pending"], json!([]));
    assert_eq!(openclaw(pair.node.path(), &["approvals", "approve", &code]).status.code(), Some(0));
    let (status, ran) = waiting.join().unwrap();
    assert_eq!(status, 400, "{ran}");
    assert_eq!(ran["error"]["message"], "said\n[exit code 3]", "{ran}");
    let made = pair.node.path().join(".openclaw/workspace/made");
    assert_eq!(std::fs::read_to_string(made).unwrap(), "proof\n");
    assert!(!pair.gateway.path().join(".openclaw/workspace/made").exists());

    let waiting = pair.exec(&json!({"command": "touch never"}));
    let code = node.says("openclaw approvals approve ");
    assert_eq!(openclaw(pair.node.path(), &["approvals", "deny", &code]).status.code(), Some(0));
    let (status, refused) = waiting.join().unwrap();
    assert_eq!(status, 400);
    assert!(refused["error"]["message"].as_str().unwrap().contains("SYSTEM_RUN_DENIED"), "{refused}");

    // The node goes away while its people are asked: a failure that says so, and nothing runs anywhere.
    let waiting = pair.exec(&json!({"command": "touch never"}));
    node.says("openclaw approvals approve ");
    drop(node);
    let (status, lost) = waiting.join().unwrap();
    assert_eq!(status, 400);
    assert!(
        lost["error"]["message"].as_str().unwrap().starts_with("the node went away while the call ran"),
        "{lost}"
    );
    for home in [&pair.node, &pair.gateway] {
        assert!(!home.path().join(".openclaw/workspace/never").exists());
    }
    let ledger = openclaw(pair.gateway.path(), &["ledger", "verify"]);
    assert_eq!(ledger.status.code(), Some(0), "{ledger:?}");
}

#[test]
fn sp_328_a_node_of_this_machine_that_was_taken_out_comes_back_through_a_person_only() {
    let pair = Pair::new(json!({}));
    let _gateway = pair.start_gateway();
    // The first time a program of this machine needs nobody.
    let mut node = pair.start_node();
    node.says("connected to ");
    let out = openclaw(pair.gateway.path(), &["nodes", "unpair", "Kit"]);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    let request = node.says("openclaw devices approve ");
    assert_eq!(pair.json(&["nodes", "status", "--json"])["nodes"], json!([]));
    // Nor does it come in as another process with the same key, however often it knocks.
    drop(node);
    let mut node = pair.start_node();
    assert_eq!(node.says("openclaw devices approve "), request);
    pair.json(&["devices", "approve", &request, "--json"]);
    node.says("connected to ");

    let locked = openclaw(pair.gateway.path(), &["security", "lockdown"]);
    assert_eq!(locked.status.code(), Some(0), "{}", text(&locked.stderr));
    node.says("openclaw devices approve ");
    assert_eq!(pair.json(&["nodes", "status", "--json"])["nodes"], json!([]));
    // The undo puts the approval back.
    let undone = openclaw(pair.gateway.path(), &["security", "lockdown", "--undo"]);
    assert_eq!(undone.status.code(), Some(0), "{}", text(&undone.stderr));
    node.says("connected to ");
}

#[test]
fn the_consoles_audit_is_the_deep_one_of_the_command_line() {
    let pair = Pair::new(json!({"channels": {"telegram": {"dmPolicy": "open", "allowFrom": ["*"]}}}));
    let plugin = pair.gateway.path().join(".openclaw/extensions/odd");
    std::fs::create_dir_all(&plugin).unwrap();
    std::fs::write(plugin.join("openclaw.plugin.json"), r#"{"id":"odd"}"#).unwrap();
    std::fs::write(plugin.join("package.json"), r#"{"name":"odd","openclaw":{"extensions":["index.js"]}}"#)
        .unwrap();
    std::fs::write(plugin.join("index.js"), "require('child_process').exec(process.argv[2]);\n").unwrap();
    let _gateway = pair.start_gateway();
    // What the first connection leaves behind is there for both.
    pair.json(&["gateway", "call", "health", "--json"]);
    let console = pair.json(&["gateway", "call", "audit.run", "--json"]);
    let deep = pair.json(&["security", "audit", "--deep", "--json"]);
    assert_eq!(console["report"]["findings"], deep["findings"]);
    assert_eq!(console["report"]["deep"], deep["deep"]);
    assert_eq!(console["report"]["deep"]["gateway"]["ok"], true, "{deep}");
    let found = deep["findings"].to_string();
    assert!(found.contains("odd"), "the code of the plugin was looked at: {found}");
}
