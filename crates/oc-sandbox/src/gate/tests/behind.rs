//! Who stands behind a call is asked about as its caller is, and the strictest verdict counts.

use oc_policy::sandbox::SandboxPlan;

use super::*;
use crate::executor::Pending;

/// The agents `main` and `worker`, with these settings for their commands.
fn two(main: Json, worker: Json) -> Json {
    json!({ "agents": { "list": [
        { "id": "main", "tools": { "exec": main } },
        { "id": "worker", "tools": { "exec": worker } },
    ] } })
}

const FULL: &str = r#"{"host": "gateway", "security": "full", "ask": "off"}"#;
const WORKER: &str = "agent:worker:subagent:1";

fn full() -> Json {
    serde_json::from_str(FULL).unwrap()
}

/// A call of the worker, with the main session behind it.
fn lent(tool: &str, arguments: Json) -> ToolCall {
    let mut out = call(tool, arguments, WORKER);
    out.caller.turn = Turn::InterSession;
    let above = call(tool, json!({}), MAIN).caller;
    out.behind = Arc::from([above]);
    out
}

async fn refused(b: &Bench, call: &ToolCall) -> Refused {
    match b.gate.call(call).await {
        Err(GateError::Refused(refused)) => refused,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn sp_107_commands_switched_off_for_whoever_stands_behind_are_off() {
    let b = bench(two(json!({"security": "deny"}), full()));
    let worker = b.call("exec", json!({"command": "id"}), WORKER).await;
    assert!(worker.is_ok(), "alone it may: {worker:?}");
    b.fake.seen.lock().unwrap().runs.clear();
    let found = refused(&b, &lent("exec", json!({"command": "id"}))).await;
    assert_eq!((found.stage(), found.whom()), (Stage::Approval, Some("model in agent:main:main")));
    assert!(found.sentence().contains("stands behind"), "{found}");
    b.nothing_ran();
    let last = b.records().pop().unwrap().entry;
    assert_eq!(
        (last.verdict.as_str(), last.rule.as_str(), &last.inputs["decidedFor"]),
        ("denied", "approval: security-deny", &json!("model in agent:main:main"))
    );
    assert_eq!(last.inputs["behind"], "model in agent:main:main");
}

#[tokio::test]
async fn sp_107_the_settings_of_the_session_behind_count_too() {
    let b = bench(two(full(), full()));
    let mut open = lent("exec", json!({"command": "id"}));
    assert!(b.gate.call(&open).await.is_ok());
    let mut above = open.behind[0].clone();
    above.exec.overrides.security = Some(oc_approval::approvals_file::Security::Deny);
    open.behind = Arc::from([above.clone()]);
    assert!(refused(&b, &open).await.sentence().contains("switched off"));
    // In the middle of several it counts as well.
    let others = call("exec", json!({}), MAIN).caller;
    open.behind = Arc::from([others.clone(), above, others]);
    assert!(refused(&b, &open).await.sentence().contains("switched off"));
}

#[tokio::test]
async fn sp_107_what_one_behind_is_asked_about_is_asked() {
    let asks = json!({"host": "gateway", "security": "full", "ask": "always"});
    let b = bench(two(asks, full()));
    let found = refused(&b, &lent("exec", json!({"command": "id"}))).await;
    assert_eq!(found.explanation().decided_by.rule, "approval-unavailable", "nobody can be asked here");
    let last = b.records().pop().unwrap().entry;
    assert_eq!(last.inputs["decidedFor"], "model in agent:main:main");
    // A line that is not on the list of the one behind, where nobody is asked.
    let listed = json!({"host": "gateway", "security": "allowlist", "ask": "off"});
    let b = bench(two(listed, full()));
    let found = refused(&b, &lent("exec", json!({"command": "id; ls /nowhere"}))).await;
    assert_eq!(found.explanation().decided_by.rule, "allowlist-miss", "{found}");
    b.nothing_ran();
}

#[tokio::test]
async fn sp_145_a_listed_line_of_the_one_behind_goes_without_a_shell() {
    let listed = json!({"host": "gateway", "security": "allowlist", "ask": "off"});
    let b = bench(two(listed, full()));
    std::fs::create_dir_all(&b.state).unwrap();
    let file = json!({"version": 1, "agents": {
        "main": {"security": "allowlist", "ask": "off", "allowlist": [{"pattern": "/usr/bin/touch"}]},
        "worker": {"security": "full", "ask": "off"},
    }});
    std::fs::write(b.state.join("exec-approvals.json"), file.to_string()).unwrap();
    let alone = call("exec", json!({"command": "touch x"}), WORKER);
    b.gate.call(&alone).await.unwrap();
    b.gate.call(&lent("exec", json!({"command": "touch x"}))).await.unwrap();
    let seen = b.fake.seen.lock().unwrap();
    let analysed = |n: usize| matches!(seen.runs[n].1.program, oc_runner::protocol::Program::Analysed { .. });
    assert!(!analysed(0) && analysed(1), "{:?}", seen.runs);
}

#[tokio::test]
async fn sp_107_commands_that_go_to_another_place_are_refused() {
    let elsewhere = json!({"host": "node", "security": "full", "ask": "off", "node": "phone"});
    let b = bench(two(elsewhere, full()));
    let found = refused(&b, &lent("exec", json!({"command": "id"}))).await;
    assert!(found.whom().is_some(), "{found}");
    b.nothing_ran();
}

#[tokio::test]
async fn sp_107_no_commands_on_the_host_are_no_commands_in_the_sandbox_of_another() {
    let mut config = two(json!({"security": "deny"}), json!({}));
    config["agents"]["list"][1]["sandbox"] = json!({"mode": "all"});
    let b = bench(config);
    assert!(b.call("exec", json!({"command": "id"}), WORKER).await.is_ok(), "alone it may");
    b.fake.seen.lock().unwrap().runs.clear();
    let found = refused(&b, &lent("exec", json!({"command": "id"}))).await;
    assert_eq!(found.explanation().decided_by.rule, "security-deny", "{found}");
    b.nothing_ran();
}

#[tokio::test]
async fn sp_107_a_tool_denied_to_one_behind_and_a_sandbox_left_behind_are_refused() {
    let mut config = two(json!({}), json!({}));
    config["agents"]["list"][0]["tools"] = json!({"deny": ["write"]});
    let b = bench(config.clone());
    let found = refused(&b, &lent("write", json!({"path": "a", "content": "b"}))).await;
    assert_eq!((found.stage(), found.whom()), (Stage::Policy, Some("model in agent:main:main")));
    config["agents"]["list"][0] = json!({"id": "main", "sandbox": {"mode": "all"}});
    let b = bench(config);
    let found = refused(&b, &lent("write", json!({"path": "a", "content": "b"}))).await;
    assert_eq!(found.explanation().decided_by.rule, "sandbox", "{found}");
    b.nothing_ran();
}

/// A tool with a rule of its own about sessions.
#[derive(Debug)]
struct Picky;

impl ToolHandler for Picky {
    fn tool(&self) -> &str {
        "web_fetch"
    }

    fn check(&self, _: &ToolCall) -> Result<(), String> {
        Ok(())
    }

    fn forbids<'a>(&'a self, call: &'a ToolCall, _: &'a Snapshot, _: Option<&'a SandboxPlan>) -> Judging<'a> {
        let main = call.caller.session == MAIN;
        let forbidden = Forbidden { rule: "not-main", key: None, why: "not for the main session".to_owned() };
        Box::pin(std::future::ready(main.then_some(forbidden)))
    }

    fn run<'a>(&'a self, _: Handled<'a>) -> Pending<'a, ToolResult> {
        Box::pin(std::future::ready(Ok(ToolResult::text(Outcome::Done, "fetched"))))
    }
}

#[tokio::test]
async fn sp_107_a_rule_of_the_tool_itself_is_asked_about_everybody_behind() {
    let b = bench(two(json!({}), json!({})));
    b.gate.replace_handlers(Handlers::new([Arc::new(Picky) as Arc<dyn ToolHandler>]));
    assert!(b.call("web_fetch", json!({}), WORKER).await.is_ok(), "alone it may");
    let found = refused(&b, &lent("web_fetch", json!({}))).await;
    assert_eq!(found.explanation().decided_by.rule, "not-main");
    assert_eq!(found.whom(), Some("model in agent:main:main"));
}

#[tokio::test]
async fn a_recorded_refusal_for_one_behind_is_not_made_again_for_the_caller() {
    let mut config = two(json!({}), json!({}));
    config["agents"]["list"][0]["tools"] = json!({"deny": ["write"]});
    let b = bench(config.clone());
    refused(&b, &lent("write", json!({"path": "a", "content": "b"}))).await;
    let record = b.records().pop().unwrap();
    assert_eq!(replay(&record, &snapshot(&config, &b.state), false), None);
}
