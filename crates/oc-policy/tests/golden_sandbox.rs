//! The recorded sandbox cases, run against this crate.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use oc_policy::elevated::{self, Sender, Turn};
use oc_policy::inbound::ConversationKind;
use oc_policy::sandbox::{self, Place, Subject};
use oc_types::{AgentId, Node, Origin};
use serde_json::{Value, json};

fn cases(area: &str, file: &str) -> Vec<Value> {
    let path = format!("{}/../../fixtures/{area}/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    text.lines().filter(|l| !l.trim().is_empty()).map(|l| serde_json::from_str(l).expect("a case")).collect()
}

fn config(case: &Value) -> Node {
    Node::from_json(&case["config"], &Origin::Default)
}

fn agent(case: &Value) -> AgentId {
    AgentId::normalized(case["agentId"].as_str().unwrap_or("main"))
}

fn place() -> Place {
    Place { home: "$HOME".to_owned(), state_dir: "$STATE".to_owned() }
}

#[test]
fn settings_resolve_as_recorded() {
    for case in cases("sandbox", "resolve.jsonl") {
        let got = sandbox::resolve(&config(&case), &agent(&case), &place()).expect("resolves").to_json();
        assert_eq!(got, case["resolved"], "{}", case["name"]);
    }
}

#[test]
fn seed_spellings_resolve_as_the_seeds_say() {
    for case in cases("sandbox", "seed.jsonl") {
        let r = sandbox::resolve(&config(&case), &agent(&case), &place()).expect("resolves");
        let source = |s: &sandbox::ListSource| json!({"source": s.level, "key": s.key});
        let got = json!({
            "mode": r.mode.value, "scope": r.scope.value, "workspaceAccess": r.workspace_access.value,
            "tools": {"allow": r.tools.allow, "deny": r.tools.deny, "sources": {
                "allow": source(&r.tools.allow_source), "deny": source(&r.tools.deny_source)}},
        });
        for key in ["mode", "scope", "workspaceAccess", "tools"] {
            assert_eq!(got[key], case[key], "{} {key}", case["name"]);
        }
        if let Some(want) = case["browserAllowHostControl"].as_bool() {
            assert_eq!(r.browser.allow_host_control.value, want, "{}", case["name"]);
        }
    }
}

fn sender<'a>(from: &'a Value, conversation: ConversationKind) -> Sender<'a> {
    let field = |a: &str, b: &str| from.get(a).or_else(|| from.get(b)).and_then(Value::as_str);
    Sender {
        id: field("senderId", "SenderId"),
        e164: field("senderE164", "SenderE164"),
        from: field("from", "From"),
        name: field("senderName", "SenderName"),
        username: field("senderUsername", "SenderUsername"),
        tag: field("senderTag", "SenderTag"),
        conversation,
    }
}

#[test]
fn the_elevated_gate_decides_as_recorded_where_the_product_agrees() {
    for case in cases("sandbox", "elevated.jsonl") {
        let sender = sender(&case["sender"], ConversationKind::Direct);
        let gate =
            elevated::gate(&config(&case), &agent(&case), case["provider"].as_str(), &sender, Turn::Person);
        let want = case["product"].get("result").unwrap_or(&case["result"]);
        assert_eq!(&json!(gate), want, "{}", case["name"]);
    }
    for case in cases("channels", "elevated.jsonl") {
        let event = &case["event"];
        let kind = ConversationKind::parse(event["chatType"].as_str().expect("kind"));
        let gate = elevated::gate(
            &config(&case),
            &agent(&case),
            event["channel"].as_str(),
            &sender(event, kind),
            Turn::Person,
        );
        let want = case["product"].get("expected").unwrap_or(&case["expected"]);
        assert_eq!(&json!(gate), want, "{}", case["name"]);
    }
}

#[test]
fn sandbox_explain_prints_what_was_recorded() {
    for case in cases("sandbox", "explain.jsonl") {
        let config = config(&case);
        let arg = |name: &str| case["args"][name].as_str();
        let subject = Subject::read(&config, arg("agent"), arg("session")).expect("a session");
        let entry = &case["sessionStore"][subject.agent.as_str()][subject.session.as_str()];
        let stored = sandbox::stored_channel(entry);
        let got = sandbox::report(&config, &subject, stored, &place()).expect("a report").to_json();
        assert_eq!(got, case["output"], "{}", case["name"]);
    }
}
