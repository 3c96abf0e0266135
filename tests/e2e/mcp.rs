//! The official SDKs for Python and TypeScript against `openclaw mcp serve`, and stock MCP servers behind `openclaw mcp proxy`.
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

#[path = "mcp/hostile.rs"]
mod hostile;
#[path = "mcp/house.rs"]
mod house;
#[path = "mcp/peer.rs"]
mod peer;
#[path = "mcp/proxy.rs"]
mod proxy;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use house::House;
use peer::{Client, Peers, Sdk, peers};

const BOTH: [Sdk; 2] = [Sdk::Python, Sdk::TypeScript];

/// `openclaw mcp serve --http`, ended when dropped.
struct Listening {
    child: Child,
    url: String,
    token_file: String,
}

impl Listening {
    fn start(house: &House, more: &[&str]) -> Self {
        let mut child = house
            .command(&[&["mcp", "serve", "--http", "127.0.0.1:0"], more].concat())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut line = |before: &str| {
            let line = lines.next().unwrap().unwrap();
            line.strip_prefix(before).unwrap_or_else(|| panic!("{line}")).to_owned()
        };
        let url = line("openclaw: MCP at ");
        let token_file = line("openclaw: its bearer token is in ");
        // What follows is of no interest, but somebody has to read it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url, token_file }
    }

    fn token(&self) -> String {
        std::fs::read_to_string(&self.token_file).unwrap().trim().to_owned()
    }

    /// The status that a plain request gets.
    fn status(&self, head: &str) -> u16 {
        let authority = self.url.trim_start_matches("http://").trim_end_matches("/mcp");
        let mut stream = TcpStream::connect(authority).unwrap();
        let head = head.replace("AUTHORITY", authority);
        write!(stream, "POST /mcp HTTP/1.1\r\n{head}Connection: close\r\nContent-Length: 0\r\n\r\n").unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn over_stdio(peers: &Peers, sdk: Sdk, house: &House, more: &[&str]) -> Client {
    peers.client(sdk, house.server(&[&["mcp", "serve"], more].concat()))
}

fn text(result: &Value) -> String {
    let pieces = result["content"].as_array().unwrap();
    pieces.iter().filter_map(|p| p["text"].as_str()).collect::<Vec<_>>().join("\n")
}

fn is_error(result: &Value) -> bool {
    result["isError"] == json!(true)
}

/// What the scenes over both transports share.
fn guarded(client: &mut Client, house: &House) {
    assert_eq!(client.hello["serverInfo"]["name"], "openclaw");
    assert_eq!(client.names(), ["exec", "process", "read", "write"], "exactly what the policy allows");

    let written = client.call(
        "write",
        json!({"path": house.file("note"), "content": "hello\npassword=hunter2hunter2hunter2\n"}),
    );
    assert!(!is_error(&written), "{written}");
    let read = client.call("read", json!({"path": house.file("note")}));
    assert!(text(&read).contains("hello") && !text(&read).contains("hunter2hunter2"), "{read}");
    let ran = client.call("exec", json!({"command": "echo from-mcp"}));
    assert!(text(&ran).contains("from-mcp"), "{ran}");
    let failed = client.call("exec", json!({"command": "exit 3"}));
    assert!(is_error(&failed) && text(&failed).contains("exit code 3"), "{failed}");

    // Denied, and never heard of: one answer but for the name.
    let denied = client.ask(
        &json!({"do": "call", "name": "edit", "arguments": {"path": "x", "oldText": "a", "newText": "b"}}),
    );
    let unknown = client.ask(&json!({"do": "call", "name": "nosuch", "arguments": {}}));
    let same = |answer: &Value, name: &str| answer.to_string().replace(name, "NAME");
    assert_eq!(same(&denied, "edit"), same(&unknown, "nosuch"));
    assert_eq!(denied["error"]["code"], -32602, "{denied}");

    // A client cannot say who it is, nor that it is allowed.
    let claimed = client
        .call("read", json!({"path": house.file("note"), "sessionKey": "agent:other:main", "owner": true}));
    assert!(is_error(&claimed) && text(&claimed).contains("only the gate decides"), "{claimed}");
}

fn config() -> Value {
    json!({"tools": {"allow": ["read", "write", "exec", "process", "web_search"], "deny": ["edit"], "exec": {"security": "full", "ask": "off"}}})
}

#[test]
fn both_sdks_use_the_guarded_tools_over_stdio() {
    let Some(peers) = peers("mcp serve over stdio") else { return };
    for sdk in BOTH {
        let house = House::new(&config());
        guarded(&mut over_stdio(&peers, sdk, &house, &[]), &house);
        let records = house.ledger();
        let verdicts = |tool: &str| -> Vec<String> {
            records
                .iter()
                .filter(|r| r["subject"] == json!(format!("tool:{tool}")))
                .map(|r| r["verdict"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(verdicts("write"), ["allowed", "done"], "{sdk:?}");
        assert_eq!(verdicts("exec"), ["allowed", "done", "allowed", "failed"], "{sdk:?}");
        assert_eq!(verdicts("edit"), ["denied"], "{sdk:?}");
        assert_eq!(verdicts("nosuch"), ["denied"], "{sdk:?}");
        let edit = records.iter().find(|r| r["subject"] == "tool:edit").unwrap();
        assert_eq!(
            (&edit["keyPath"], &edit["inputs"]["surface"]),
            (&json!("tools.deny"), &json!("mcp")),
            "{edit}"
        );
        assert!(
            records.iter().all(|r| r["inputs"].get("owner").is_none()),
            "an MCP client is never the owner"
        );
    }
}

#[test]
fn both_sdks_use_the_guarded_tools_over_http() {
    let Some(peers) = peers("mcp serve over HTTP") else { return };
    for sdk in BOTH {
        let house = House::new(&config());
        let listening = Listening::start(&house, &[]);
        let given = json!({"url": listening.url, "token": listening.token()});
        guarded(&mut peers.client(sdk, given), &house);
        let wrong = peers.client(sdk, json!({"url": listening.url, "token": "canary-that-is-not-the-token"}));
        assert!(wrong.hello.get("error").is_some(), "{sdk:?}: {}", wrong.hello);
    }
}

#[test]
fn the_http_listener_wants_host_origin_and_token() {
    let house = House::new(&config());
    let listening = Listening::start(&house, &[]);
    let token = listening.token();
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&listening.token_file).unwrap());
    assert_eq!((token.len(), mode & 0o777), (64, 0o600));
    let bearer = format!("Authorization: Bearer {token}\r\n");
    for (head, status) in [
        ("Host: AUTHORITY\r\n".to_owned(), 401),
        (format!("Host: AUTHORITY\r\nAuthorization: Bearer {}\r\n", "0".repeat(64)), 401),
        (format!("Host: evil.example\r\n{bearer}"), 403),
        (format!("Host: AUTHORITY\r\nOrigin: https://evil.example\r\n{bearer}"), 403),
        (format!("Host: AUTHORITY\r\nOrigin: null\r\n{bearer}"), 403),
    ] {
        assert_eq!(listening.status(&head), status, "{head}");
    }
    let through = listening.status(&format!("Host: AUTHORITY\r\n{bearer}"));
    assert!(![401, 403].contains(&through), "the right head comes through to the protocol: {through}");
}

#[test]
fn an_address_for_other_machines_needs_a_token_that_was_given() {
    let house = House::new(&config());
    let out = house.command(&["mcp", "serve", "--http", "0.0.0.0:0"]).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("--token-file") && said.contains("OPENCLAW_MCP_TOKEN"), "{said}");
    let short = house
        .command(&["mcp", "serve", "--http", "127.0.0.1:0"])
        .env("OPENCLAW_MCP_TOKEN", "short")
        .output()
        .unwrap();
    assert_eq!(short.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&short.stderr).contains("fewer than 24"));
}

#[test]
fn a_call_waits_for_its_approval_and_cancelling_denies_it() {
    let Some(peers) = peers("approvals over MCP") else { return };
    for sdk in BOTH {
        let house = House::new(&json!({"tools": {"exec": {"ask": "always"}}}));
        let mut client = over_stdio(&peers, sdk, &house, &[]);
        let order = |marker: &str| json!({"do": "begin", "name": "exec", "arguments": {"command": format!("touch {marker}")}});

        client.ok(&order(&house.file("allowed")));
        let code = house.waiting();
        assert!(!house.has("allowed"), "{sdk:?}");
        house.ok(&["approvals", "approve", &code]);
        let done = client.ok(&json!({"do": "finish"}));
        assert!(!is_error(&done) && house.has("allowed"), "{sdk:?}: {done}");

        client.ok(&order(&house.file("denied")));
        house.ok(&["approvals", "deny", &house.waiting()]);
        let done = client.ok(&json!({"do": "finish"}));
        assert!(is_error(&done) && text(&done).contains("refused"), "{sdk:?}: {done}");

        client.ok(&order(&house.file("cancelled")));
        let code = house.waiting();
        client.ok(&json!({"do": "cancel"}));
        house.nobody_waits();
        let late = house.command(&["approvals", "approve", &code]).output().unwrap();
        assert!(!late.status.success(), "{sdk:?}: an answer after the end does not count");
        // Whoever begins again asks again.
        client.ok(&order(&house.file("gone")));
        house.waiting();
        drop(client);
        house.nobody_waits();
        assert!(!house.has("denied") && !house.has("cancelled") && !house.has("gone"), "{sdk:?}");
        let verdicts: Vec<Value> = house.ledger().iter().map(|r| r["verdict"].clone()).collect();
        assert!(verdicts.contains(&json!("aborted")), "{sdk:?}: {verdicts:?}");
    }
}

#[test]
fn a_changed_configuration_counts_from_the_next_call_on() {
    let Some(peers) = peers("a configuration that changes under MCP") else { return };
    let house = House::new(&config());
    let mut client = over_stdio(&peers, Sdk::TypeScript, &house, &["--agent", "main"]);
    assert!(client.names().contains(&"exec".to_owned()));
    house.configure(&json!({"tools": {"allow": ["read"]}}));
    let refused = client.ask(&json!({"do": "call", "name": "exec", "arguments": {"command": "id"}}));
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    assert_eq!(client.names(), ["read"]);
    house.configure(&json!({"tools": {"allow": 7}}));
    let refused = client.ask(&json!({"do": "call", "name": "read", "arguments": {"path": "x"}}));
    assert!(refused["error"]["message"].as_str().unwrap().contains("configuration"), "{refused}");
}

#[test]
fn sp_116_an_mcp_client_is_no_owner_and_no_elevated_person() {
    let Some(peers) = peers("owner rights over MCP") else { return };
    let house = House::new(&json!({
        "agents": {"defaults": {"sandbox": {"mode": "all", "backend": "container"}, "elevatedDefault": "full"}},
        "tools": {"elevated": {"allowFrom": {"webchat": ["*"], "mcp": ["*"]}}},
    }));
    let mut client = over_stdio(&peers, Sdk::Python, &house, &[]);
    assert!(!client.names().contains(&"whatsapp_login".to_owned()));
    let marker = house.file("out-of-the-sandbox");
    let done = client.call("exec", json!({"command": format!("touch {marker}"), "elevated": true}));
    assert!(is_error(&done) && !house.has("out-of-the-sandbox"), "{done}");
}
