//! The recorded sandbox cases, run against this crate.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use oc_policy::sandbox::{self, Place};
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
