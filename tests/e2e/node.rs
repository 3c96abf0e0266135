//! A gateway and a node host in two network namespaces of this test's own, joined by a virtual cable, over TLS with a pin: unpaired is
//! refused, a command asks on the node, the browser can be switched off, and an unpaired node is cut off at once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

#[path = "node/process.rs"]
mod process;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Instant;

use process::{PATIENCE, Process};
use serde_json::{Value, json};

const TOKEN: &str = "canary-gateway-token-of-the-node-test";
const PORT: u16 = 18_789;

/// Says that a test is left out. Where nothing may be skipped (`OC_REQUIRE` has the word), that is a failure.
fn skip(test: &str, word: &str, why: &str) {
    let required = std::env::var("OC_REQUIRE").unwrap_or_default().split_whitespace().any(|w| w == word);
    assert!(!required, "{test} needs {word}: {why}");
    println!("SKIP {test}: {why}");
}

/// Two machines: a network namespace and a home each. Removed when dropped.
struct Machines {
    names: [String; 2],
    homes: [tempfile::TempDir; 2],
}

const GATEWAY: usize = 0;
const NODE: usize = 1;

impl Machines {
    /// `None`, with the reason printed, where namespaces cannot be made.
    fn new(test: &str, configs: [Value; 2]) -> Option<Self> {
        let pid = std::process::id();
        let names = [format!("ocnode{pid}a"), format!("ocnode{pid}b")];
        let machines = Self { names, homes: configs.map(|c| home(&c)) };
        let [a, b] = &machines.names;
        let (ca, cb) = (format!("n{}a", pid % 100_000), format!("n{}b", pid % 100_000));
        let steps: Vec<Vec<&str>> = vec![
            vec!["netns", "add", a],
            vec!["netns", "add", b],
            vec!["link", "add", &ca, "netns", a, "type", "veth", "peer", "name", &cb, "netns", b],
            vec!["-n", a, "address", "add", "10.99.8.1/24", "dev", &ca],
            vec!["-n", b, "address", "add", "10.99.8.2/24", "dev", &cb],
            vec!["-n", a, "link", "set", &ca, "up"],
            vec!["-n", b, "link", "set", &cb, "up"],
            vec!["-n", a, "link", "set", "lo", "up"],
            vec!["-n", b, "link", "set", "lo", "up"],
        ];
        for step in steps {
            let done = Command::new("ip").args(&step).output();
            if !done.as_ref().is_ok_and(|o| o.status.success()) {
                let why = format!("no network namespaces here (`ip {}`: {done:?})", step.join(" "));
                skip(test, "namespaces", &why);
                return None;
            }
        }
        Some(machines)
    }

    fn home(&self, which: usize) -> &Path {
        self.homes[which].path()
    }

    fn command(&self, which: usize, home: &Path, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.names[which], program])
            .args(args)
            .env_clear()
            .env("HOME", home)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .current_dir(home);
        command
    }

    fn openclaw(&self, which: usize, args: &[&str]) -> Output {
        self.command(which, self.home(which), env!("CARGO_BIN_EXE_openclaw"), args).output().unwrap()
    }

    /// Standard output of a command that has to succeed, as JSON.
    fn json(&self, which: usize, args: &[&str]) -> Value {
        let out = self.openclaw(which, args);
        assert_eq!(out.status.code(), Some(0), "{args:?}: {}", text(&out.stderr));
        serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&out.stdout)))
    }

    fn start(&self, which: usize, args: &[&str], environment: &[(&str, &str)]) -> Process {
        self.start_in(which, self.home(which), args, environment)
    }

    fn start_in(&self, which: usize, home: &Path, args: &[&str], environment: &[(&str, &str)]) -> Process {
        let mut command = self.command(which, home, env!("CARGO_BIN_EXE_openclaw"), args);
        Process::start(command.envs(environment.iter().copied()))
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = Command::new("ip").args(["netns", "delete", name]).output();
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn write_config(home: &Path, config: &Value) {
    let state = home.join(".openclaw");
    std::fs::create_dir_all(&state).unwrap();
    std::fs::write(state.join("openclaw.json"), format!("{config:#}\n")).unwrap();
}

fn home(config: &Value) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    write_config(home.path(), config);
    home
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what}: not in time");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

fn gateway_config() -> Value {
    json!({"gateway": {
        "mode": "local", "bind": "lan", "port": PORT,
        "auth": {"mode": "token", "token": TOKEN}, "tls": {"enabled": true, "autoGenerate": true},
    }})
}

/// Whether a process with this word in its command line runs.
fn runs(word: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = text(&line);
        line.split('\0').next().is_some_and(|program| program.ends_with("sleep")) && line.contains(word)
    })
}

/// Answers every request with the words of its first line.
#[test]
#[ignore = "not a test: the browser control of the node"]
fn part_browser_control() {
    let listener = TcpListener::bind(("127.0.0.1", PORT + 2)).unwrap();
    println!("\nbrowser control is there");
    std::io::stdout().flush().unwrap();
    for stream in listener.incoming().flatten() {
        let mut line = String::new();
        if BufReader::new(&stream).read_line(&mut line).unwrap_or(0) == 0 {
            continue;
        }
        let body = json!({ "asked": line.trim() }).to_string();
        let _ = (&stream).write_all(
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).as_bytes(),
        );
    }
}

#[test]
fn sp_347_a_node_in_another_network_is_asked_decides_itself_and_is_cut_off() {
    let test = "sp_347_a_node_in_another_network_is_asked_decides_itself_and_is_cut_off";
    let on_node = json!({"gateway": {"port": PORT}, "nodeHost": {"browserProxy": {"enabled": true}}});
    let Some(machines) = Machines::new(test, [gateway_config(), on_node]) else { return };
    let mut browser = Process::start(&mut machines.command(
        NODE,
        machines.home(NODE),
        std::env::current_exe().unwrap().to_str().unwrap(),
        &["--exact", "part_browser_control", "--include-ignored", "--nocapture"],
    ));
    browser.says("browser control is there");
    let mut gateway = machines.start(GATEWAY, &["gateway", "run"], &[]);
    let pin = gateway.says("certificate ");

    let to = ["node", "run", "--host", "10.99.8.1", "--display-name", "Kit", "--tls-fingerprint"];
    let run = |pin: &str| [&to[..], &[pin]].concat().into_iter().map(str::to_owned).collect::<Vec<_>>();
    let args = run(&pin);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();

    // Another certificate than the pinned one, and no encryption at all: nothing is sent.
    let other = run(&"0".repeat(64));
    let other: Vec<&str> = other.iter().map(String::as_str).collect();
    let mut pinned = machines.start(NODE, &other, &[("OPENCLAW_GATEWAY_TOKEN", TOKEN)]);
    pinned.says("not the pinned one");
    assert_eq!(pinned.ends(), 1);
    let mut plain = machines.start(NODE, &args[..6], &[("OPENCLAW_GATEWAY_TOKEN", TOKEN)]);
    plain.says("not encrypted");
    assert_eq!(plain.ends(), 1);

    // Unpaired is refused, and says who has to do what.
    let mut node = machines.start(NODE, &args, &[("OPENCLAW_GATEWAY_TOKEN", TOKEN)]);
    let request = node.says("openclaw devices approve ");
    let nodes = machines.json(GATEWAY, &["nodes", "status", "--json"]);
    assert_eq!(nodes["nodes"], json!([]), "{nodes}");
    let pending = machines.json(GATEWAY, &["devices", "list", "--json"]);
    assert_eq!(pending["pending"][0]["requestId"], request.as_str());
    assert!(
        pending["pending"][0]["commands"].as_array().unwrap().contains(&json!("system.run")),
        "{pending}"
    );

    machines.json(GATEWAY, &["devices", "approve", &request, "--json"]);
    node.says("connected to ");
    node.says("offers ");
    let nodes = machines.json(GATEWAY, &["nodes", "status", "--json"]);
    let offered = json!([
        "system.run",
        "system.which",
        "system.execApprovals.get",
        "system.execApprovals.set",
        "browser.proxy"
    ]);
    assert_eq!(nodes["nodes"][0]["commands"], offered, "{nodes}");
    assert_eq!(
        (&nodes["nodes"][0]["paired"], &nodes["nodes"][0]["displayName"]),
        (&json!(true), &json!("Kit"))
    );

    // What needs nobody.
    let invoke = |command: &str, params: &Value| {
        machines.openclaw(
            GATEWAY,
            &[
                "nodes",
                "--json",
                "invoke",
                "--node",
                "Kit",
                "--command",
                command,
                "--params",
                &params.to_string(),
            ],
        )
    };
    let which = invoke("system.which", &json!({"bins": ["sh", "no-such-program"]}));
    let which: Value = serde_json::from_slice(&which.stdout).unwrap();
    assert_eq!(which["payload"]["bins"].as_object().unwrap().len(), 1, "{which}");
    let passed = invoke("browser.proxy", &json!({"path": "/tabs"}));
    assert!(text(&passed.stdout).contains("GET /tabs HTTP/1.1"), "{passed:?}");

    // A command asks on the node, and nowhere else; it runs after the answer.
    let workspace = machines.home(NODE).join(".openclaw/workspace");
    let ran_once = |args: &[&str]| {
        let all = [&["nodes", "run", "--node", "Kit", "--invoke-timeout", "60000", "--"], args].concat();
        machines.start(GATEWAY, &all, &[])
    };
    let mut ran = ran_once(&["sh", "-c", "echo ran on the node > proof; echo hello there"]);
    node.says("waiting for approval: ");
    let code = node.says("openclaw approvals approve ");
    assert!(!workspace.join("proof").exists());
    let asked = machines.json(NODE, &["approvals", "list", "--json"]);
    assert_eq!(asked["pending"][0]["code"], code.as_str(), "{asked}");
    assert_eq!(machines.json(GATEWAY, &["approvals", "list", "--json"])["pending"], json!([]));
    assert_eq!(machines.openclaw(NODE, &["approvals", "approve", &code]).status.code(), Some(0));
    ran.says("hello there");
    assert_eq!(ran.ends(), 0);
    assert_eq!(std::fs::read_to_string(workspace.join("proof")).unwrap(), "ran on the node\n");

    // Denied is not run; the node's people say no.
    let mut denied = ran_once(&["touch", "never"]);
    let code = node.says("openclaw approvals approve ");
    assert_eq!(machines.openclaw(NODE, &["approvals", "deny", &code]).status.code(), Some(0));
    denied.says("SYSTEM_RUN_DENIED");
    assert_eq!(denied.ends(), 1);
    assert!(!workspace.join("never").exists());

    // A mark that nobody gave is refused at the gateway, and no rule of the gateway's is one of the node's.
    let claimed = invoke("system.run", &json!({"command": ["touch", "never"], "approved": true}));
    assert!(text(&claimed.stderr).contains("approved and approvalDecision count only"), "{claimed:?}");
    let claimed = invoke(
        "system.run",
        &json!({"command": ["touch", "never"], "approvalDecision": "allow-always", "runId": "00000000"}),
    );
    assert!(text(&claimed.stderr).contains("approved and approvalDecision count only"), "{claimed:?}");
    let twofold = invoke("system.run", &json!({"command": ["touch", "never"], "rawCommand": "ls"}));
    assert!(text(&twofold.stderr).contains("rawCommand"), "{twofold:?}");
    assert!(!workspace.join("never").exists());

    // The node's own file lets a program through without a question; the gateway's administrators can read it.
    let listed = machines.openclaw(NODE, &["approvals", "allowlist", "add", "/usr/bin/uname"]);
    assert_eq!(listed.status.code(), Some(0), "{listed:?}");
    let mut free = ran_once(&["uname"]);
    free.says("Linux");
    assert_eq!(free.ends(), 0);
    let file = invoke("system.execApprovals.get", &json!({}));
    assert!(text(&file.stdout).contains("/usr/bin/uname"), "{file:?}");

    // The browser switched off on the gateway: not offered to anybody any more, whatever the node offers.
    let mut off = gateway_config();
    off["gateway"]["nodes"] = json!({"browser": {"mode": "off"}});
    write_config(machines.home(GATEWAY), &off);
    until("browser.proxy is refused", || {
        let refused = invoke("browser.proxy", &json!({"path": "/tabs"}));
        text(&refused.stderr).contains("command not allowlisted")
    });

    // Unpaired: the socket closes at once, what ran for the gateway ends, and the token is dead.
    let word = format!("9{:06}", std::process::id() % 1_000_000);
    let mut long = ran_once(&["sleep", &word]);
    let code = node.says("openclaw approvals approve ");
    assert_eq!(machines.openclaw(NODE, &["approvals", "approve", &code]).status.code(), Some(0));
    until("the command runs", || runs(&word));
    let kept = tempfile::tempdir().unwrap();
    let copied =
        Command::new("cp").arg("-a").arg(machines.home(NODE).join(".openclaw")).arg(kept.path()).status();
    assert!(copied.unwrap().success());
    let out = machines.openclaw(GATEWAY, &["nodes", "unpair", "Kit"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert!(text(&out.stdout).contains("is no longer paired"));
    let nodes = machines.json(GATEWAY, &["nodes", "status", "--json"]);
    assert_eq!(nodes["nodes"], json!([]), "it is gone when unpair returns");
    node.says("node unpaired");
    until("the command ended", || !runs(&word));
    assert_eq!(long.ends(), 1);
    node.says("openclaw devices approve ");
    drop(node);
    let mut stale = machines.start_in(NODE, kept.path(), &args, &[]);
    stale.says("the gateway refused the connection");
    assert!(stale.seen.iter().all(|l| !l.contains("connected to")), "{:?}", stale.seen);
    drop(stale);

    // Taken away in the files alone, as a lockdown does: cut off as well.
    let mut node = machines.start(NODE, &args, &[("OPENCLAW_GATEWAY_TOKEN", TOKEN)]);
    let request = node.says("openclaw devices approve ");
    machines.json(GATEWAY, &["devices", "approve", &request, "--json"]);
    node.says("connected to ");
    let locked = machines.openclaw(GATEWAY, &["security", "lockdown"]);
    assert_eq!(locked.status.code(), Some(0), "{}", text(&locked.stderr));
    node.says("trying again in ");
    let paired =
        std::fs::read_to_string(machines.home(GATEWAY).join(".openclaw/devices/paired.json")).unwrap();
    assert!(!paired.contains("\"node\""), "{paired}");
    for line in node.seen.iter().chain(&gateway.seen) {
        assert!(!line.contains(TOKEN), "{line}");
    }
}
