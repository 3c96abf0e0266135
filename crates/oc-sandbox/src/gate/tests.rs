mod background;
mod behind;
mod commands;
mod handled;
mod nodes;

use std::path::{Path, PathBuf};

use oc_fs::ledger::{Kind, Record, read, verify};
use oc_policy::elevated::Turn;
use oc_policy::inventory::Inventory;
use oc_types::{AgentId, Node, Origin};
use serde_json::{Value as Json, json};

use super::*;
use crate::executor::Place;
use crate::fake::FakeExecutors;

/// A gate over a configuration, with fake places in a directory of its own.
struct Bench {
    _tmp: tempfile::TempDir,
    state: PathBuf,
    gate: Gate,
    fake: FakeExecutors,
}

fn snapshot(config: &Json, state: &Path) -> Snapshot {
    let places = oc_policy::sandbox::Place {
        home: state.parent().unwrap().display().to_string(),
        state_dir: state.display().to_string(),
    };
    let node = Node::from_json(config, &Origin::Default);
    Snapshot::new(node, Inventory::standard(), places, [("openclaw.json", config.to_string().as_str())])
}

fn bench_with(config: Json, fake: FakeExecutors) -> Bench {
    let tmp = tempfile::tempdir().unwrap();
    let state = tmp.path().join(".openclaw");
    let gate = Gate::new(snapshot(&config, &state), Ledger::of(&state), Arc::new(fake.clone()));
    Bench { _tmp: tmp, state, gate, fake }
}

fn bench(config: Json) -> Bench {
    bench_with(config, FakeExecutors::new(true, true))
}

fn call(tool: &str, arguments: Json, session: &str) -> ToolCall {
    let agent = session.split(':').nth(1).unwrap_or("main");
    let mut caller = Caller::of_session(Surface::Model, AgentId::normalized(agent), session);
    caller.turn = Turn::Person;
    let Json::Object(arguments) = arguments else { panic!("arguments are an object") };
    ToolCall {
        id: format!("call-{tool}"),
        tool: tool.to_owned(),
        arguments,
        caller,
        behind: std::sync::Arc::default(),
    }
}

impl Bench {
    async fn call(&self, tool: &str, arguments: Json, session: &str) -> Result<Answer, GateError> {
        self.gate.call(&call(tool, arguments, session)).await
    }

    async fn refused(&self, tool: &str, arguments: Json, session: &str) -> Refused {
        match self.call(tool, arguments.clone(), session).await {
            Err(GateError::Refused(refused)) => refused,
            other => panic!("{tool} {arguments} was not refused: {other:?}"),
        }
    }

    fn records(&self) -> Vec<Record> {
        read(&self.state.join("ledger")).unwrap().into_iter().map(|l| l.record.unwrap()).collect()
    }

    fn nothing_ran(&self) {
        let seen = self.fake.seen.lock().unwrap();
        assert!(seen.runs.is_empty() && seen.file_calls.is_empty(), "{seen:?}");
    }
}

const GROUP: &str = "agent:main:telegram:group:42";
const MAIN: &str = "agent:main:main";

/// Everything sandboxed, and every tool let through: only the gate's own rules are left.
fn open_sandbox() -> Json {
    json!({
        "tools": {"sandbox": {"tools": {"allow": ["*"], "deny": []}}},
        "agents": {"defaults": {"sandbox": {"mode": "all", "workspaceAccess": "rw"}}},
    })
}

#[tokio::test]
async fn sp_238_the_four_host_surfaces_stay_shut_whatever_the_lists_say() {
    let b = bench(open_sandbox());
    for (tool, arguments) in [
        ("browser", json!({"action": "open"})),
        ("browser", json!({"action": "open", "target": "host"})),
        ("Browser", json!({"action": "open", "target": "sandbox", "profile": "chrome"})),
        ("browser", json!({"action": "open", "target": "sandbox", "node": "phone"})),
        ("canvas", json!({})),
        ("nodes", json!({"action": "invoke"})),
        ("cron", json!({"action": "add"})),
        ("automations", json!({"action": "add"})),
    ] {
        let refused = b.refused(tool, arguments.clone(), GROUP).await;
        assert_eq!(refused.stage(), Stage::HostDoor, "{tool} {arguments}: {refused}");
    }
    b.nothing_ran();
    assert!(b.records().iter().all(|r| r.entry.verdict == "denied"));
}

#[tokio::test]
async fn only_its_own_key_opens_the_hosts_browser_and_nothing_else() {
    for key in ["browserAllowHostControl", "browser"] {
        let mut config = open_sandbox();
        config["agents"]["defaults"]["sandbox"][key] =
            if key == "browser" { json!({"allowHostControl": true}) } else { json!(true) };
        let b = bench(config);
        assert_eq!(b.refused("browser", json!({"action": "open"}), GROUP).await.stage(), Stage::NotBuilt);
        for tool in ["canvas", "nodes", "cron"] {
            assert_eq!(b.refused(tool, json!({}), GROUP).await.stage(), Stage::HostDoor, "{tool}");
        }
    }
}

#[tokio::test]
async fn the_doors_do_not_concern_sessions_on_the_host() {
    let b = bench(json!({}));
    for tool in ["browser", "canvas", "nodes", "cron"] {
        assert_eq!(b.refused(tool, json!({}), MAIN).await.stage(), Stage::NotBuilt, "{tool}");
    }
}

#[tokio::test]
async fn sp_105_a_denied_tool_is_refused_on_every_surface() {
    let b = bench(json!({"tools": {"deny": ["group:runtime", "group:fs"]}}));
    for surface in Surface::ALL {
        for tool in ["exec", "bash", "process", "read", "write", "edit", "apply_patch"] {
            let mut c = call(tool, json!({"command": "true", "path": "x", "content": ""}), MAIN);
            c.caller.surface = surface;
            let refused = b.gate.call(&c).await.unwrap_err();
            let GateError::Refused(refused) = refused else { panic!("{refused}") };
            assert_eq!(refused.stage(), Stage::Policy, "{surface:?} {tool}: {refused}");
            assert!(!refused.explanation().trace.is_empty());
        }
    }
    b.nothing_ran();
}

#[tokio::test]
async fn sp_239_a_required_sandbox_that_is_missing_refuses_and_never_falls_back() {
    for (backend, engine, native, place) in [
        ("auto", true, true, Some(Place::Container)),
        ("auto", false, true, Some(Place::Native)),
        ("auto", false, false, None),
        ("container", true, false, Some(Place::Container)),
        ("container", false, true, None),
        ("native", true, true, Some(Place::Native)),
        ("native", true, false, None),
    ] {
        let mut config = open_sandbox();
        config["agents"]["defaults"]["sandbox"]["backend"] = json!(backend);
        let b = bench_with(config, FakeExecutors::new(engine, native));
        for (tool, arguments) in
            [("exec", json!({"command": "id"})), ("write", json!({"path": "a", "content": "b"}))]
        {
            match place {
                Some(place) => {
                    let answer = b.call(tool, arguments, GROUP).await.unwrap();
                    assert_eq!(answer.place, place, "{backend} {engine} {native}");
                    assert_eq!(answer.notes.is_empty(), backend != "auto" || engine, "{:?}", answer.notes);
                }
                None => {
                    let refused = b.refused(tool, arguments, GROUP).await;
                    assert_eq!(refused.stage(), Stage::Place);
                    let cause = if backend == "native" { "user namespaces" } else { "no engine answers" };
                    assert!(refused.sentence().contains(cause), "{refused}");
                    b.nothing_ran();
                }
            }
        }
        let seen = b.fake.seen.lock().unwrap();
        assert!(seen.runs.iter().all(|(p, _)| *p != Place::Host));
        assert!(seen.file_calls.iter().all(|(p, _)| *p != Place::Host));
    }
}

#[tokio::test]
async fn sp_238_no_argument_of_a_sandboxed_call_leads_out_of_the_sandbox() {
    let b = bench(open_sandbox());
    for wish in [
        json!({"host": "gateway"}),
        json!({"host": "node"}),
        json!({"node": "phone"}),
        json!({"elevated": true}),
        json!({"security": "deny"}),
        json!({"host": "gateway", "security": "full", "ask": "off"}),
    ] {
        let mut arguments = json!({"command": "id"});
        arguments.as_object_mut().unwrap().extend(wish.as_object().unwrap().clone());
        let refused = b.refused("exec", arguments, GROUP).await;
        assert!(matches!(refused.stage(), Stage::Arguments | Stage::Approval), "{wish}: {refused}");
    }
    b.nothing_ran();
    // These ask for nothing more: the session's own place, or words that mean less or nothing inside.
    for wish in [
        json!({"host": "sandbox"}),
        json!({"security": "full"}),
        json!({"security": "allowlist"}),
        json!({"ask": "off"}),
        json!({"elevated": false}),
    ] {
        let mut arguments = json!({"command": "id"});
        arguments.as_object_mut().unwrap().extend(wish.as_object().unwrap().clone());
        assert_eq!(b.call("exec", arguments, GROUP).await.unwrap().place, Place::Container, "{wish}");
    }
}

#[tokio::test]
async fn sp_176_internal_names_are_rejected_not_ignored() {
    let b = bench(open_sandbox());
    for name in [
        "approved",
        "approvalDecision",
        "approval_decision",
        "approvalId",
        "runId",
        "senderIsOwner",
        "sessionKey",
        "agentId",
        "systemRunPlan",
        "sandboxed",
        "Authorized",
    ] {
        for (tool, arguments) in [("exec", json!({"command": "id"})), ("read", json!({"path": "a"}))] {
            let mut arguments = arguments;
            arguments[name] = json!(true);
            let refused = b.refused(tool, arguments, GROUP).await;
            assert_eq!(refused.stage(), Stage::Arguments, "{name}");
            assert!(refused.sentence().contains(name), "{refused}");
        }
    }
    b.nothing_ran();
}

#[tokio::test]
async fn sp_241_read_only_access_takes_the_writing_tools_away() {
    for (access, writes) in [("none", true), ("ro", false), ("rw", true)] {
        let mut config = open_sandbox();
        config["agents"]["defaults"]["sandbox"]["workspaceAccess"] = json!(access);
        config["tools"]["exec"] = json!({"applyPatch": {"enabled": true}});
        let b = bench(config);
        let patch = "*** Begin Patch\n*** Add File: p\n+x\n*** End Patch";
        for (tool, arguments) in [
            ("write", json!({"path": "a", "content": "b"})),
            ("edit", json!({"path": "a", "oldText": "b", "newText": "c"})),
            ("apply_patch", json!({"input": patch})),
        ] {
            let mut c = call(tool, arguments, GROUP);
            c.caller.model = Some(("openai".to_owned(), "gpt-5".to_owned()));
            match b.gate.call(&c).await {
                Ok(answer) if writes => assert_eq!(answer.result.outcome, Outcome::Done, "{answer:?}"),
                Err(GateError::Refused(refused)) if !writes => {
                    assert_eq!(refused.explanation().decided_by.rule, "workspace-read-only", "{refused}");
                }
                other => panic!("{access} {tool}: {other:?}"),
            }
        }
        assert!(b.call("exec", json!({"command": "id"}), GROUP).await.is_ok());
    }
}

#[tokio::test]
async fn a_decision_is_recorded_before_the_run_and_its_outcome_after() {
    let b = bench(open_sandbox());
    b.call("exec", json!({"command": "echo $SECRET_TOKEN"}), GROUP).await.unwrap();
    let records = b.records();
    assert_eq!(records.len(), 2);
    let (decision, outcome) = (&records[0].entry, &records[1].entry);
    assert_eq!((decision.kind, decision.verdict.as_str()), (Kind::Decision, "allowed"));
    assert_eq!((outcome.kind, outcome.verdict.as_str()), (Kind::Outcome, "done"));
    assert_eq!((&decision.call, &decision.session), (&outcome.call, &GROUP.to_owned()));
    assert_eq!(decision.inputs["place"], "container");
    // A digest of the command, never the command.
    let text = serde_json::to_string(&records).unwrap();
    assert!(!text.contains("SECRET_TOKEN") && decision.inputs.contains_key("commandSha256"));
    assert!(verify(&b.state.join("ledger"), None).unwrap().is_whole());
}

#[tokio::test]
async fn sp_008_what_cannot_be_recorded_does_not_happen() {
    let b = bench(open_sandbox());
    std::fs::create_dir_all(&b.state).unwrap();
    std::fs::write(b.state.join("ledger"), "a file where the folder should be").unwrap();
    let error = b.call("exec", json!({"command": "id"}), GROUP).await.unwrap_err();
    assert!(matches!(error, GateError::NotRecorded(_)), "{error}");
    b.nothing_ran();
}

#[tokio::test]
async fn sp_014_a_result_has_its_credentials_masked_and_says_so() {
    let mut fake = FakeExecutors::new(true, true);
    fake.prints = ("OPENAI_API_KEY=sk-abcdefghijklmnopqrstuvwxyz012345\nplain\n".to_owned(), 3);
    let b = bench_with(open_sandbox(), fake);
    let answer = b.call("exec", json!({"command": "env"}), GROUP).await.unwrap();
    assert_eq!(answer.result.outcome, Outcome::Failed);
    let text = serde_json::to_string(&answer).unwrap();
    assert!(
        !text.contains("abcdefghijklmnop") && text.contains("plain") && text.contains("masked"),
        "{text}"
    );
}

#[tokio::test]
async fn sp_245_a_sandboxed_session_reads_no_path_of_the_host() {
    let mut config = open_sandbox();
    config["agents"]["defaults"]["sandbox"]["backend"] = json!("container");
    let b = bench_with(config, FakeExecutors::new(true, true));
    let answers = [
        serde_json::to_string(&b.call("read", json!({"path": "missing"}), GROUP).await.unwrap()).unwrap(),
        b.refused("read", json!({"path": ""}), GROUP).await.to_string(),
        serde_json::to_string(&b.call("read", json!({"path": "~/x"}), GROUP).await.unwrap()).unwrap(),
    ];
    for text in answers {
        assert!(!text.contains(&b.state.display().to_string()), "{text}");
        assert!(!text.contains(&b.state.parent().unwrap().display().to_string()), "{text}");
    }
}

#[tokio::test]
async fn sp_244_nothing_of_the_hosts_environment_goes_inside() {
    let b = bench(open_sandbox());
    b.call("exec", json!({"command": "env", "env": {"EXTRA": "1"}}), GROUP).await.unwrap();
    let seen = b.fake.seen.lock().unwrap();
    let names: Vec<&str> = seen.runs[0].1.environment.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(names, ["PATH", "HOME", "LANG", "EXTRA"]);
}

#[tokio::test]
async fn sp_177_a_call_after_a_reload_sees_the_new_rules() {
    let b = bench(open_sandbox());
    b.call("exec", json!({"command": "id"}), GROUP).await.unwrap();
    b.gate.reload(snapshot(&json!({"tools": {"deny": ["exec"]}}), &b.state));
    assert_eq!(b.refused("exec", json!({"command": "id"}), GROUP).await.stage(), Stage::Policy);
    let generations: std::collections::BTreeSet<String> =
        b.records().into_iter().map(|r| r.entry.config_gen).collect();
    assert_eq!(generations.len(), 2);
}

#[tokio::test]
async fn a_session_of_another_agent_is_refused() {
    let b = bench(open_sandbox());
    let mut c = call("exec", json!({"command": "id"}), "agent:other:main");
    c.caller.agent = AgentId::normalized("main");
    let GateError::Refused(refused) = b.gate.call(&c).await.unwrap_err() else { panic!() };
    assert_eq!(refused.stage(), Stage::Session);
    assert_eq!(b.refused("exec", json!({"command": "id"}), "agent:main").await.stage(), Stage::Session);
    b.nothing_ran();
}

#[tokio::test]
async fn a_record_holds_what_the_policy_was_asked_with() {
    let b = bench(json!({"tools": {"deny": ["exec"]}}));
    let mut c = call("exec", json!({"command": "id"}), GROUP);
    c.caller.channel = Some("telegram".to_owned());
    c.caller.account = Some("bot".to_owned());
    c.caller.group = Some("42".to_owned());
    c.caller.sender.id = Some("7".to_owned());
    c.caller.sender.username = Some("al".to_owned());
    c.caller.model = Some(("openai".to_owned(), "gpt-5".to_owned()));
    let _ = b.gate.call(&c).await.unwrap_err();
    let (tool, caller) = caller_of(&b.records()[0]).unwrap();
    assert_eq!((tool.as_str(), caller), ("exec", c.caller));
}

#[tokio::test]
async fn the_workspace_switch_keeps_the_file_tools_at_home() {
    for (config, whole) in [
        (json!({}), true),
        (json!({"tools": {"fs": {"workspaceOnly": false}}}), true),
        (json!({"tools": {"fs": {"workspaceOnly": true}}}), false),
    ] {
        let b = bench(config);
        let answer = b.call("read", json!({"path": "/etc/hostname"}), MAIN).await.unwrap();
        let text = serde_json::to_string(&answer).unwrap();
        assert_eq!(text.contains("outside of the workspace"), !whole, "{text}");
        let inside = b.call("write", json!({"path": "notes/a.md", "content": "x"}), MAIN).await.unwrap();
        assert_eq!(inside.result.outcome, Outcome::Done);
        // What decides about the tools is not theirs to write, however far they reach.
        let config = b.state.join("openclaw.json").display().to_string();
        let answer = b.call("write", json!({"path": config, "content": "{}"}), MAIN).await.unwrap();
        assert_eq!(answer.result.outcome, Outcome::Failed, "{answer:?}");
    }
}
