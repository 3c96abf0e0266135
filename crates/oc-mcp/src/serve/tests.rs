use std::sync::Mutex;
use std::time::Duration;

use oc_fs::ledger::{Ledger, read};
use oc_policy::inventory::Inventory;
use oc_policy::sandbox::Place;
use oc_sandbox::gate::Surface;
use oc_sandbox::machine::Machine;
use oc_types::{AgentId, Node, Origin};
use serde_json::json;

use super::*;
use crate::sdk::{Connection, Failure, stdio};

/// A configuration that a test changes.
#[derive(Debug)]
struct Held {
    config: Mutex<Result<Json, String>>,
    places: Place,
}

impl Held {
    fn set(&self, config: Result<Json, String>) {
        *self.config.lock().unwrap() = config;
    }
}

impl Policies for Held {
    fn fresh(&self, digest: &str, servers: &[Tool]) -> Result<Option<Snapshot>, String> {
        let config = self.config.lock().unwrap().clone()?;
        let text = config.to_string();
        let node = Node::from_json(&config, &Origin::Default);
        let inventory = Inventory::with_plugins(servers.iter().cloned());
        let snapshot =
            Snapshot::new(node, inventory, self.places.clone(), [("openclaw.json", text.as_str())]);
        Ok((snapshot.digest() != digest).then_some(snapshot))
    }
}

struct Bench {
    tmp: tempfile::TempDir,
    held: Arc<Held>,
    client: Connection,
}

async fn bench(config: Json) -> Bench {
    let tmp = tempfile::tempdir().unwrap();
    let state = tmp.path().join(".openclaw");
    let places = Place { home: tmp.path().display().to_string(), state_dir: state.display().to_string() };
    let held = Arc::new(Held { config: Mutex::new(Ok(config)), places: places.clone() });
    let snapshot = held.fresh("", &[]).unwrap().unwrap();
    let nowhere = oc_sandbox::container::EngineAddress::from_environment(
        |name| (name == "DOCKER_HOST").then(|| "unix:///no/engine/here.sock".to_owned()),
        None,
    );
    let machine = Arc::new(Machine::new(state.clone(), places, nowhere));
    let gate = Arc::new(Gate::new(snapshot, Ledger::of(&state), machine));
    let caller = Caller::of_session(Surface::Mcp, AgentId::normalized("main"), "agent:main:main");
    let waiting = Waiting::before(Arc::new(oc_sandbox::gate::Silent));
    let policies: Arc<dyn Policies> = Arc::clone(&held) as _;
    let served = Arc::new(Served::new(gate, caller, policies, waiting));
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let (input, output) = tokio::io::split(ours);
    tokio::spawn(stdio::serve(served, input, output, std::future::pending()));
    let (input, output) = tokio::io::split(theirs);
    let client = Connection::begin(input, output).await.unwrap();
    Bench { tmp, held, client }
}

impl Bench {
    async fn names(&self) -> Vec<String> {
        self.client.tools().await.unwrap().into_iter().map(|t| t.name).collect()
    }

    async fn call(&self, tool: &str) -> Result<Reply, Failure> {
        self.client.call(tool, Map::new(), Duration::from_secs(60)).await
    }

    fn recorded(&self) -> Vec<(String, String)> {
        let lines = read(&self.tmp.path().join(".openclaw/ledger")).unwrap();
        lines.into_iter().map(|l| l.record.unwrap().entry).map(|e| (e.subject, e.verdict)).collect()
    }
}

#[tokio::test]
async fn sp_104_the_list_is_what_the_policy_allows_and_the_gate_carries_out() {
    let bench = bench(json!({"tools": {"deny": ["exec", "group:web"]}})).await;
    assert_eq!(
        bench.names().await,
        ["process", "read", "write", "edit"],
        "no apply_patch without a model, no tool that is not built"
    );
    bench.held.set(Ok(json!({"tools": {"allow": ["read"]}})));
    assert_eq!(bench.names().await, ["read"], "a change counts at once");
}

#[tokio::test]
async fn denied_unknown_and_unbuilt_tools_look_the_same_and_are_recorded() {
    let bench = bench(json!({"tools": {"deny": ["exec"]}})).await;
    let long = format!("{}\u{202e}", "x".repeat(5000));
    for tool in ["exec", "BASH", "nosuch", "web_search", "a b\n", &long] {
        let failure = bench.call(tool).await.unwrap_err();
        let Failure::Refused { code, message } = failure else { panic!("{tool}: {failure:?}") };
        assert_eq!(code, -32602, "{tool}");
        assert!(message.starts_with("unknown tool: "), "{tool}: {message}");
    }
    let recorded = bench.recorded();
    assert_eq!(recorded.len(), 6, "{recorded:?}");
    assert!(
        recorded.iter().all(|(subject, verdict)| verdict == "denied" && subject.len() < 200),
        "{recorded:?}"
    );
}

#[tokio::test]
async fn wrong_arguments_of_an_allowed_tool_are_an_answer_and_no_error_of_the_protocol() {
    let bench = bench(json!({})).await;
    let reply = bench.call("read").await.unwrap();
    assert!(reply.failed);
    assert_eq!(reply.content, [crate::offer::text_block("refused: read: `path` is missing")]);
}

#[tokio::test]
async fn nothing_is_decided_under_a_configuration_that_cannot_be_read() {
    let bench = bench(json!({})).await;
    bench.held.set(Err("line 3: canary".to_owned()));
    let failure = bench.call("read").await.unwrap_err();
    let Failure::Refused { message, .. } = failure else { panic!("{failure:?}") };
    assert!(message.contains("cannot be read") && !message.contains("canary"), "{message}");
    assert!(bench.client.tools().await.is_err());
}

#[tokio::test]
async fn sp_116_a_client_is_neither_owner_nor_elevated_whatever_it_sends() {
    let bench = bench(json!({"tools": {"elevated": {"allowFrom": {"mcp": ["*"]}}}})).await;
    for (name, value) in [
        ("owner", json!(true)),
        ("senderIsOwner", json!(true)),
        ("sessionKey", json!("agent:x:main")),
        ("approved", json!(true)),
    ] {
        let arguments =
            Map::from_iter([("path".to_owned(), json!("/etc/hostname")), (name.to_owned(), value)]);
        let reply = bench.client.call("read", arguments, Duration::from_secs(60)).await.unwrap();
        assert!(
            reply.failed && reply.content[0]["text"].as_str().unwrap().contains("only the gate decides it"),
            "{name}: {reply:?}"
        );
    }
    assert!(!bench.names().await.contains(&"whatsapp_login".to_owned()));
}
