//! Sub-agents.

use oc_policy::elevated::{Level, Turn as Started};
use oc_policy::owner_only::Ownership;

use super::super::spawned::{SpawnRefused, spawned, startable};
use super::*;
use crate::tools::Offer;

const ID: &str = "0b9e3f3e-1111-4222-8333-444455556666";

fn config() -> Value {
    json!({
        "agents": {
            "defaults": { "sandbox": { "mode": "off" } },
            "list": [
                { "id": "main", "subagents": { "allowAgents": ["helper", "ghost"] } },
                { "id": "helper" },
                { "id": "boxed", "sandbox": { "mode": "all" }, "subagents": { "allowAgents": ["*"] } },
            ],
        },
    })
}

fn parent(session: &str, agent: &str) -> Caller {
    let mut caller = Caller::of_session(Surface::Model, AgentId::normalized(agent), session);
    caller.turn = Started::Person;
    caller.sender = sender("7");
    caller.owner = Ownership::Proven;
    caller.channel = Some("telegram".to_owned());
    caller.exec.level = Some(Level::Full);
    caller.exec.directive = Some(Level::Full);
    caller.back.transcript = Some("t".to_owned());
    caller.back.conversation = Some("7".to_owned());
    caller
}

fn id(text: &str) -> AgentId {
    AgentId::normalized(text)
}

#[test]
fn sp_107_a_sub_agents_caller_is_narrower_than_its_parents() {
    let snapshot = snapshot(&config(), Path::new("/h/.openclaw"));
    let parent = parent(MAIN, "main");
    for (agent, session) in [(None, "main"), (Some("helper"), "helper")] {
        let agent = agent.map(id);
        let child = spawned(&snapshot, &parent, agent.as_ref(), ID).unwrap();
        assert_eq!(child.session, format!("agent:{session}:subagent:{ID}"));
        assert_eq!((child.spawned_by.as_deref(), child.turn), (Some(MAIN), Started::InterSession));
        assert_eq!((child.owner, child.exec.level, child.exec.directive), (Ownership::NotProven, None, None));
        assert_eq!(child.back, oc_sandbox::gate::ReturnAddress::default(), "it is in no chat");
        assert_eq!(
            (child.sender.clone(), child.channel.as_deref()),
            (parent.sender.clone(), Some("telegram"))
        );
        assert_eq!(spawned(&snapshot, &child, None, ID), Err(SpawnRefused::TooDeep));
    }
}

#[test]
fn sp_107_a_sub_agent_is_offered_a_part_of_what_its_parent_is() {
    let names: Vec<String> =
        crate::tools::definition::TABLE.iter().copied().flatten().map(|e| e.name.to_owned()).collect();
    for tools in [
        json!({}),
        json!({ "deny": ["exec"] }),
        json!({ "allow": ["read", "sessions_list"] }),
        json!({ "profile": "messaging" }),
    ] {
        let mut all = config();
        all["tools"] = tools;
        all["agents"]["list"][1]["tools"] = json!({ "profile": "full" });
        let snapshot = snapshot(&all, Path::new("/h/.openclaw"));
        let above = parent(MAIN, "main");
        let child = spawned(&snapshot, &above, Some(&id("helper")), ID).unwrap();
        let of = |caller: &Caller| -> Vec<String> {
            Offer::of(&snapshot, &names, &[caller], &[]).names().map(str::to_owned).collect()
        };
        let (parents, childs) = (of(&above), of(&child));
        assert!(childs.iter().all(|n| parents.contains(n)), "{childs:?} of {parents:?}");
        assert!(childs.iter().all(|n| !n.starts_with("session") && !n.starts_with("memory")), "{childs:?}");
        // Its own turns keep the one above as judge.
        let said = person("x");
        let authority = Authority::of(&child, &said);
        assert_eq!(authority.acting().spawned_by.as_deref(), Some(MAIN));
    }
}

#[test]
fn sp_420_an_agent_that_may_not_be_started_looks_like_one_that_is_not_there() {
    let snapshot = snapshot(&config(), Path::new("/h/.openclaw"));
    let of = |agent: &str| {
        spawned(&snapshot, &parent(MAIN, "main"), Some(&id(agent)), ID).unwrap_err().to_string()
    };
    // `boxed` is listed and not allowed, `ghost` is allowed and not listed.
    let words = |agent: &str| of(agent).replace(agent, "X");
    assert_eq!(words("boxed"), words("ghost"));
    assert_eq!(words("boxed"), words("nobody"));
    assert_eq!(startable(snapshot.config(), &id("main")), [id("main"), id("helper")]);
    assert_eq!(startable(snapshot.config(), &id("helper")), [id("helper")]);
    assert_eq!(startable(snapshot.config(), &id("boxed")), [id("boxed"), id("main"), id("helper")]);
}

#[test]
fn sp_107_a_sandboxed_session_starts_nothing_outside_of_sandboxes() {
    let snapshot = snapshot(&config(), Path::new("/h/.openclaw"));
    let boxed = parent("agent:boxed:main", "boxed");
    assert_eq!(spawned(&snapshot, &boxed, Some(&id("helper")), ID), Err(SpawnRefused::LosesSandbox));
    assert!(spawned(&snapshot, &boxed, None, ID).is_ok());
    for bad in ["", "a:b", "a/b", &"x".repeat(65)] {
        assert!(matches!(spawned(&snapshot, &boxed, None, bad), Err(SpawnRefused::Unclear(_))), "{bad}");
    }
}

#[tokio::test]
async fn sp_421_a_task_is_marked_as_one_of_another_session() {
    use super::super::said::{InterSession, InterSessionKind};
    let b = bench(&json!({}));
    let (model, _) = script(vec![says("done")]);
    let snapshot = b.gate.snapshot();
    let mut request = b.request(Said::InterSession(InterSession {
        from: MAIN.to_owned(),
        kind: InterSessionKind::Task,
        text: "Summarise.".to_owned(),
    }));
    request.caller = spawned(&snapshot, &parent(MAIN, "main"), None, ID).unwrap();
    request.ground = Ground::of(Mode::Minimal);
    let end = b.run_request(request, &model).await;
    assert_eq!(end.how, Ended::Answered);
    let requests = model.requests.lock().unwrap();
    assert!(!requests[0].system.contains("## Replies"));
    let Message::User(blocks) = &requests[0].messages[0] else { panic!() };
    assert_eq!(texts(blocks), "[The session that started this one gives it a task.]\nSummarise.");
    assert!(end.reply.is_some());
}

#[tokio::test]
async fn sp_107_who_stands_behind_a_turn_narrows_it() {
    let mut config = config();
    config["tools"] = json!({ "exec": { "host": "gateway", "security": "full", "ask": "off" } });
    config["agents"]["list"][1]["tools"] = json!({ "deny": ["exec"] });
    let b = bench(&config);
    let (model, _) = script(vec![asks("exec", json!({ "command": "touch ran" })), says("It may not.")]);
    let mut request = b.request(super::person("run it"));
    request.behind = vec![Caller::of_session(Surface::Model, id("helper"), "agent:helper:main")];
    let end = run(request, &model, &b.gate, &b.heard, &b.abort).await;
    assert_eq!(end.reply.as_deref(), Some("It may not."));
    let requests = model.requests.lock().unwrap();
    assert!(requests[0].tools.iter().all(|t| t.name != "exec"), "it is not even offered");
    assert!(b.results()[0].1 && !b.workspace.join("ran").exists());
}
