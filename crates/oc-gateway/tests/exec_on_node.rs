//! `exec` of the gateway's own gate with route `node`: what goes over the wire, and what becomes of every kind of answer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

#[path = "support/world.rs"]
mod support;

use std::sync::Arc;

use oc_sandbox::executor::{ExecutorError, Place};
use oc_sandbox::gate::{Answer, Caller, Content, GateError, Outcome, Surface, ToolCall};
use oc_types::AgentId;
use serde_json::{Map, Value, json};
use support::{Device, Socket, TOKEN, World};

fn config() -> Value {
    json!({
        "gateway": {"mode": "local", "auth": {"mode": "token", "token": TOKEN}},
        "tools": {"exec": {"host": "node"}},
    })
}

async fn node(world: &World, seed: u8, name: &str) -> Socket {
    let more = json!({
        "commands": ["system.run"], "caps": ["system"],
        "client": {"id": "node-host", "version": "1", "platform": "linux", "mode": "node", "displayName": name},
    });
    let (socket, answer) = world.knock_as(&Device::new(seed), "node", &[], &more).await;
    assert_eq!(answer["ok"], true, "{answer}");
    socket
}

type Called = tokio::task::JoinHandle<Result<Answer, GateError>>;

/// A call of a session of the gateway's own, as its agent makes it.
fn call(world: &World, arguments: &Value) -> Called {
    let gate = Arc::clone(&world.gateway.gate);
    let caller = Caller::of_session(Surface::Model, AgentId::normalized("main"), "agent:main:main");
    let arguments: Map<String, Value> = arguments.as_object().unwrap().clone();
    let id = uuid::Uuid::new_v4().simple().to_string();
    let call = ToolCall { id, tool: "exec".to_owned(), arguments, caller, behind: std::sync::Arc::default() };
    tokio::spawn(async move { gate.call(&call).await })
}

fn params(request: &Value) -> Value {
    serde_json::from_str(request["paramsJSON"].as_str().unwrap()).unwrap()
}

async fn reply(node: &mut Socket, request: &Value, mut rest: Value) {
    rest.as_object_mut()
        .unwrap()
        .extend([("id".to_owned(), request["id"].clone()), ("nodeId".to_owned(), request["nodeId"].clone())]);
    assert_eq!(node.call("node.invoke.result", rest).await["ok"], true);
}

fn ran(code: i64, stdout: &str, stderr: &str) -> Value {
    let done = json!({"exitCode": code, "timedOut": false, "success": code == 0, "stdout": stdout, "stderr": stderr, "error": null});
    json!({"ok": true, "payloadJSON": done.to_string()})
}

fn text(answer: &Answer) -> &str {
    let Content::Text { text } = &answer.result.content[0] else { panic!("{answer:?}") };
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_of_the_gate_runs_on_the_node_that_is_meant() {
    let world = World::start(config()).await;
    let mut pi = node(&world, 1, "Pi").await;
    let mut boxy = node(&world, 2, "Box").await;
    let both = call(&world, &json!({"command": "ls"})).await.unwrap();
    assert!(both.unwrap_err().to_string().starts_with("2 connected nodes take commands"));

    let arguments = json!({"command": "echo a | cat", "workdir": "/srv", "env": {"LANG": "C"}, "timeout": 7, "node": "box"});
    let called = call(&world, &arguments);
    let request = boxy.event("node.invoke.request").await;
    assert_eq!((&request["command"], &request["timeoutMs"]), (&json!("system.run"), &json!(337_000)));
    let sent = params(&request);
    assert_eq!(sent["command"], json!(["/bin/sh", "-c", "echo a | cat"]));
    assert_eq!((&sent["cwd"], &sent["env"]), (&json!("/srv"), &json!({"LANG": "C"})));
    assert_eq!((&sent["timeoutMs"], &sent["agentId"]), (&json!(7000), &json!("main")));
    assert_eq!(sent["sessionKey"], "agent:main:main");
    assert!(sent.get("approved").is_none(), "nobody was asked here: {sent}");
    // What the node tells of the run counts, for the session that it was given for.
    let event = json!({"event": "exec.started", "payload": {"runId": sent["runId"], "command": "echo"}});
    assert!(boxy.call("node.event", event).await["payload"].get("ignored").is_none());
    reply(&mut boxy, &request, ran(0, "a\n", "")).await;
    let answer = called.await.unwrap().unwrap();
    assert_eq!((answer.place, answer.result.outcome, text(&answer)), (Place::Node, Outcome::Done, "a\n"));
    assert_eq!(answer.result.details["exitCode"], 0);

    let called = call(&world, &json!({"command": "false", "node": "Pi"}));
    let request = pi.event("node.invoke.request").await;
    reply(&mut pi, &request, ran(4, "out", "err")).await;
    let answer = called.await.unwrap().unwrap();
    assert_eq!((answer.result.outcome, text(&answer)), (Outcome::Failed, "outerr\n[exit code 4]"));

    // The node's people said no: a result that says so, not a run.
    let called = call(&world, &json!({"command": "rm x", "node": "Pi"}));
    let request = pi.event("node.invoke.request").await;
    let error =
        json!({"code": "SYSTEM_RUN_DENIED", "message": "SYSTEM_RUN_DENIED: a person refused this command"});
    reply(&mut pi, &request, json!({"ok": false, "error": error})).await;
    let answer = called.await.unwrap().unwrap();
    assert_eq!(
        (answer.result.outcome, &answer.result.details["code"]),
        (Outcome::Failed, &json!("SYSTEM_RUN_DENIED"))
    );
    assert!(text(&answer).contains("a person refused this command"), "{answer:?}");
    // Nor is what makes no sense.
    let called = call(&world, &json!({"command": "ls", "node": "Pi"}));
    let request = pi.event("node.invoke.request").await;
    reply(&mut pi, &request, json!({"ok": true, "payloadJSON": "[]"})).await;
    assert_eq!(called.await.unwrap().unwrap().result.details["code"], "bad-answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_goes_away_or_may_not_is_a_typed_failure() {
    let mut config = config();
    let world = World::start(config.clone()).await;
    let none = call(&world, &json!({"command": "ls"})).await.unwrap();
    assert!(matches!(none, Err(GateError::Refused(_))), "{none:?}");
    let mut pi = node(&world, 1, "Pi").await;
    let called = call(&world, &json!({"command": "sleep 60"}));
    pi.event("node.invoke.request").await;
    pi.close().await;
    let lost = called.await.unwrap();
    let Err(GateError::Place(ExecutorError::Lost { place: Place::Node, cause })) = lost else {
        panic!("{lost:?}")
    };
    assert!(cause.contains("disconnected"), "{cause}");

    // Given up: the node hears of it, and its late answer is ignored.
    let mut pi = node(&world, 1, "Pi").await;
    let called = call(&world, &json!({"command": "sleep 60"}));
    let request = pi.event("node.invoke.request").await;
    called.abort();
    let cancel = pi.event("node.invoke.cancel").await;
    assert_eq!((&cancel["id"], &cancel["nodeId"]), (&request["id"], &request["nodeId"]));
    let mut late = ran(0, "", "");
    late.as_object_mut()
        .unwrap()
        .extend([("id".to_owned(), request["id"].clone()), ("nodeId".to_owned(), request["nodeId"].clone())]);
    assert_eq!(pi.call("node.invoke.result", late).await["payload"]["ignored"], true);

    // The operator's list takes the command away: the node is none that takes commands.
    config["gateway"]["nodes"] = json!({"denyCommands": ["system.run"]});
    world.configure(&config);
    loop {
        let called = call(&world, &json!({"command": "ls"}));
        tokio::select! {
            refused = called => {
                match refused.unwrap() {
                    Err(GateError::Refused(refused)) => {
                        assert_eq!(refused.explanation().decided_by.rule, "no-node");
                        break;
                    }
                    // It came into force between the decision and the sending.
                    Err(GateError::Place(ExecutorError::Unavailable { place: Place::Node, .. })) => {}
                    other => panic!("{other:?}"),
                }
            }
            // The configuration is not in force yet.
            request = pi.event("node.invoke.request") => reply(&mut pi, &request, ran(0, "", "")).await,
        }
    }
}
