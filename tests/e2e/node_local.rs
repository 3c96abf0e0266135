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

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use oc_config::{Environment, LoadRequest, Overrides, Reading};
use oc_gateway::server::run::start;
use oc_gateway::server::snapshot::Source;
use oc_gateway::server::state::Gateway;
use oc_gateway::settings::Flags;
use oc_sandbox::executor::{ExecutorError, Place};
use oc_sandbox::gate::{Answer, Caller, Content, GateError, Surface, ToolCall};
use oc_types::AgentId;
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
            "mode": "local", "port": port, "auth": {"mode": "token", "token": TOKEN},
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
}

/// A gateway that runs in this process: its own gate is what an agent's turn calls.
struct Gate {
    runtime: tokio::runtime::Runtime,
    gateway: Arc<Gateway>,
}

/// Numbers of calls: the same id never acts twice.
static CALLS: AtomicU64 = AtomicU64::new(0);

type Called = tokio::task::JoinHandle<Result<Answer, GateError>>;

impl Gate {
    fn serve(home: &Path) -> (Self, u16) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let environment = [
            ("HOME", home.to_str().unwrap()),
            ("PATH", "/usr/bin:/bin"),
            ("OPENCLAW_ALLOW_MULTI_GATEWAY", "1"),
        ];
        let pairs = environment.map(|(k, v)| (k.to_owned(), v.to_owned()));
        let source = Source {
            request: LoadRequest {
                environment: Environment::from_process(pairs),
                overrides: Overrides::default(),
                cwd: home.to_owned(),
                os_home: Some(home.to_owned()),
                reading: Reading::Product,
            },
            flags: Flags { any_port: true, ..Flags::default() },
        };
        let running = runtime.block_on(start(source, "test-host".to_owned(), None)).unwrap();
        let (gateway, port) = (Arc::clone(&running.gateway), running.addresses[0].port());
        runtime.spawn(async move { running.until_stopped().await });
        (Self { runtime, gateway }, port)
    }

    /// An `exec` call of the main session, in the background; it waits for its command.
    fn exec(&self, command: &str) -> Called {
        let arguments = json!({"command": command, "yieldMs": 120_000}).as_object().unwrap().clone();
        let caller = Caller::of_session(Surface::Model, AgentId::normalized("main"), "agent:main:main");
        let id = format!("call-{}", CALLS.fetch_add(1, Ordering::Relaxed));
        let call =
            ToolCall { id, tool: "exec".to_owned(), arguments, caller, behind: std::sync::Arc::default() };
        let gate = Arc::clone(&self.gateway.gate);
        self.runtime.spawn(async move { gate.call(&call).await })
    }

    fn end(&self, called: Called) -> Result<Answer, GateError> {
        self.runtime.block_on(called).unwrap()
    }
}

fn said(answer: &Answer) -> &str {
    let Content::Text { text } = &answer.result.content[0] else { panic!("{answer:?}") };
    text
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
    let mut pair = Pair::new(json!({"tools": {"exec": {"host": "node", "node": "Kit"}}}));
    // Without a gateway there is no node: a refusal that says so.
    let alone = openclaw(pair.gateway.path(), &["tool", "invoke", "exec", "--args", r#"{"command":"ls"}"#]);
    assert_eq!(alone.status.code(), Some(1));
    let words = text(&alone.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("only a running gateway reaches nodes"), "{words}");
    let why = pair.json(&["explain", "command", "touch x", "--json"]);
    assert_eq!((&why["verdict"], &why["route"]), (&json!("allow"), &json!("node")), "{why}");
    assert!(why["notes"].to_string().contains("The node reads the line"), "{why}");

    let (gate, port) = Gate::serve(pair.gateway.path());
    pair.port = port;
    let none = gate.end(gate.exec("uname")).unwrap_err();
    assert!(none.to_string().contains("is called `Kit`"), "{none}");

    let mut node = pair.start_node();
    node.says("connected to ");
    let listed = openclaw(pair.node.path(), &["approvals", "allowlist", "add", "/usr/bin/uname"]);
    assert_eq!(listed.status.code(), Some(0), "{listed:?}");
    // The node's own list lets it; nobody is asked.
    let ran = gate.end(gate.exec("uname")).unwrap();
    assert_eq!((ran.place, said(&ran)), (Place::Node, "Linux\n"));
    assert_eq!(ran.result.details["exitCode"], 0);
    assert_eq!(ran.notes, ["on the node Kit"]);

    // What is not on it asks on the node, and nowhere else; it runs there after the answer, with its exit code.
    let waiting = gate.exec("echo proof > made; echo said; exit 3");
    let code = node.says("openclaw approvals approve ");
    assert_eq!(pair.json(&["approvals", "list", "--json"])["pending"], json!([]));
    assert_eq!(openclaw(pair.node.path(), &["approvals", "approve", &code]).status.code(), Some(0));
    let ran = gate.end(waiting).unwrap();
    assert_eq!((said(&ran), &ran.result.details["exitCode"]), ("said\n[exit code 3]", &json!(3)));
    let made = pair.node.path().join(".openclaw/workspace/made");
    assert_eq!(std::fs::read_to_string(made).unwrap(), "proof\n");
    assert!(!pair.gateway.path().join(".openclaw/workspace/made").exists());

    let waiting = gate.exec("touch never");
    let code = node.says("openclaw approvals approve ");
    assert_eq!(openclaw(pair.node.path(), &["approvals", "deny", &code]).status.code(), Some(0));
    let refused = gate.end(waiting).unwrap();
    assert_eq!(refused.result.details["code"], "SYSTEM_RUN_DENIED", "{refused:?}");

    // Given up here: the question on the node is taken back, and the command never runs.
    let waiting = gate.exec("touch never");
    node.says("openclaw approvals approve ");
    waiting.abort();
    let end = Instant::now() + PATIENCE;
    let pending = || openclaw(pair.node.path(), &["approvals", "list", "--json"]);
    while !text(&pending().stdout).contains("\"pending\": []") {
        assert!(Instant::now() < end, "it still waits: {}", text(&pending().stdout));
    }

    // The node goes away while its people are asked: a failure that says so, and nothing runs anywhere.
    let waiting = gate.exec("touch never");
    node.says("openclaw approvals approve ");
    drop(node);
    let lost = gate.end(waiting).unwrap_err();
    assert!(matches!(lost, GateError::Place(ExecutorError::Lost { place: Place::Node, .. })), "{lost:?}");
    for home in [&pair.node, &pair.gateway] {
        assert!(!home.path().join(".openclaw/workspace/never").exists());
    }
    gate.gateway.stop("test over", None);
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
