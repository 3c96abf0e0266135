//! Nodes over the wire: what they are sent, what counts of what they tell, and how they are cut off.
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

use serde_json::{Value, json};
use support::{Device, Socket, TOKEN, World, now_ms};

const RUN: [&str; 2] = ["system.run", "system.execApprovals.set"];

fn config() -> Value {
    json!({"gateway": {"mode": "local", "auth": {"mode": "token", "token": TOKEN}}})
}

/// A node comes in, or not.
async fn knock(world: &World, device: &Device, commands: &[&str], token: &str) -> (Socket, Value) {
    let mut socket = world.connect(&[]).await;
    let nonce = socket.json().await["payload"]["nonce"].as_str().unwrap().to_owned();
    let mut params = json!({
        "minProtocol": 3, "maxProtocol": 3, "role": "node", "scopes": [], "commands": commands, "caps": ["system"],
        "client": {"id": "node-host", "version": "1", "platform": "linux", "mode": "node"},
        "auth": {"token": token},
        "device": {"id": device.id, "publicKey": device.public, "nonce": nonce},
    });
    device.sign(&mut params, "v2", now_ms());
    let answer = socket.call("connect", params).await;
    (socket, answer)
}

async fn node(world: &World, device: &Device, commands: &[&str]) -> (Socket, Value) {
    let (socket, answer) = knock(world, device, commands, TOKEN).await;
    assert_eq!(answer["ok"], true, "{answer}");
    (socket, answer["payload"].clone())
}

async fn operator(world: &World, seed: u8, scopes: &[&str]) -> Socket {
    world.admitted(&Device::new(seed), "operator", scopes).await.0
}

async fn ask(socket: &mut Socket, id: &str, method: &str, params: Value) {
    socket.send_text(&json!({"type": "req", "id": id, "method": method, "params": params}).to_string()).await;
}

async fn answer(socket: &mut Socket, id: &str) -> Value {
    loop {
        let frame = socket.json().await;
        if frame["id"] == id {
            return frame;
        }
    }
}

fn invoke(node: &Device, key: &str, params: &Value) -> Value {
    json!({"nodeId": node.id, "command": "system.run", "params": params, "timeoutMs": 15_000, "idempotencyKey": key})
}

/// Takes the next call, answers it, and gives its parameters.
async fn carry_out(socket: &mut Socket) -> Value {
    let request = socket.event("node.invoke.request").await;
    let done =
        json!({"exitCode": 0, "timedOut": false, "success": true, "stdout": "", "stderr": "", "error": null});
    let result = json!({"id": request["id"], "nodeId": request["nodeId"], "ok": true, "payloadJSON": done.to_string()});
    assert_eq!(socket.call("node.invoke.result", result).await["ok"], true);
    serde_json::from_str(request["paramsJSON"].as_str().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_173_a_mark_goes_to_a_node_once_and_only_after_a_person_said_yes() {
    let world = World::start(config()).await;
    let (here, other) = (Device::new(1), Device::new(2));
    let (mut first, _) = node(&world, &here, &RUN).await;
    let (mut second, _) = node(&world, &other, &RUN).await;
    let mut caller = operator(&world, 3, &["operator.admin", "operator.approvals"]).await;
    let mut stranger = operator(&world, 4, &["operator.admin", "operator.approvals"]).await;
    let mut person = operator(&world, 5, &["operator.approvals"]).await;

    let asked = json!({"id": "11111111-0000-4000-8000-000000000000", "command": "ls  -l", "cwd": "/srv", "host": "node", "nodeId": here.id});
    ask(&mut caller, "ask", "exec.approval.request", asked).await;
    let shown = person.event("exec.approval.requested").await;
    assert_eq!(shown["request"]["nodeId"], here.id.as_str(), "{shown}");

    let claim = json!({"command": ["ls", "-l"], "cwd": "/srv", "approved": true, "approvalDecision": "allow-once", "runId": shown["id"]});
    let early = stranger.call("node.invoke", invoke(&here, "early", &claim)).await;
    assert_eq!(early["error"]["details"]["reason"], "approval required", "nobody has answered: {early}");
    let resolved =
        person.call("exec.approval.resolve", json!({"id": shown["code"], "decision": "allow-once"})).await;
    assert_eq!(resolved["ok"], true, "{resolved}");
    assert_eq!(answer(&mut caller, "ask").await["payload"]["decision"], "allow-once");

    let refused = |answer: &Value| {
        assert_eq!(answer["ok"], false, "{answer}");
        assert_eq!(answer["error"]["details"]["reason"], "approval required", "{answer}");
    };
    refused(&stranger.call("node.invoke", invoke(&here, "stranger", &claim)).await);
    for (what, change) in [
        ("no id", json!({"runId": null})),
        ("another id", json!({"runId": "11111111"})),
        ("variables", json!({"env": {"A": "b"}})),
    ] {
        let mut changed = claim.clone();
        changed.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        refused(&caller.call("node.invoke", invoke(&here, what, &changed)).await);
    }
    ask(&mut caller, "go", "node.invoke", invoke(&here, "go", &claim)).await;
    let sent = carry_out(&mut first).await;
    assert_eq!(answer(&mut caller, "go").await["ok"], true);
    assert_eq!((&sent["approved"], &sent["runId"]), (&json!(true), &shown["id"]), "{sent}");
    assert_eq!(sent["approvalDecision"], "allow-once");
    refused(&caller.call("node.invoke", invoke(&here, "again", &claim)).await);

    // An answer for one node or command is none for another; the attempt uses it up.
    for (n, target, command) in [(1, &other, json!(["ls", "-l"])), (2, &here, json!(["ls", "-la"]))] {
        let id = format!("2222222{n}-0000-4000-8000-000000000000");
        let asked = json!({"id": id, "command": "ls -l", "host": "node", "nodeId": here.id});
        ask(&mut caller, &id, "exec.approval.request", asked).await;
        let shown = person.event("exec.approval.requested").await;
        assert_eq!(shown["id"], id.as_str());
        person.call("exec.approval.resolve", json!({"id": id, "decision": "allow-once"})).await;
        assert_eq!(answer(&mut caller, &id).await["payload"]["decision"], "allow-once");
        let claim = json!({"command": command, "approved": true, "runId": id});
        refused(&caller.call("node.invoke", invoke(target, &format!("a{n}"), &claim)).await);
        let right = json!({"command": ["ls", "-l"], "approved": true, "runId": id});
        refused(&caller.call("node.invoke", invoke(&here, &format!("b{n}"), &right)).await);
    }
    // Without a mark the node decides, and is told of no approval.
    ask(
        &mut caller,
        "plain",
        "node.invoke",
        invoke(&other, "plain", &json!({"command": ["ls"], "approved": false})),
    )
    .await;
    let sent = carry_out(&mut second).await;
    assert!(sent.get("approved").is_none() && sent["runId"].as_str().unwrap().len() == 36, "{sent}");
    assert_eq!(answer(&mut caller, "plain").await["ok"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_347_only_events_about_work_that_was_given_count() {
    let world = World::start(config()).await;
    let (here, other) = (Device::new(1), Device::new(2));
    let (mut first, _) = node(&world, &here, &RUN).await;
    let (mut second, _) = node(&world, &other, &RUN).await;
    let mut caller = operator(&world, 3, &["operator.admin"]).await;
    let params = json!({"command": ["ls"], "runId": "given-run", "sessionKey": "agent:main:mine"});
    ask(&mut caller, "go", "node.invoke", invoke(&here, "go", &params)).await;
    carry_out(&mut first).await;
    assert_eq!(answer(&mut caller, "go").await["ok"], true);
    let twice = caller.call("node.invoke", invoke(&here, "twice", &params)).await;
    assert_eq!(twice["error"]["code"], "INVALID_REQUEST", "one run has one name: {twice}");

    let texts = || world.gateway.system_events.lock().unwrap().texts();
    let told = |event: &str, run: &str| {
        let payload =
            json!({"sessionKey": "agent:main:other", "runId": run, "command": "ls\u{1b}[2J", "exitCode": 0});
        json!({"event": event, "payload": payload})
    };
    for (event, run) in [
        ("exec.finished", "another-run"),
        ("exec.finished", ""),
        ("exec.approved", "given-run"),
        ("system-event", "given-run"),
        ("exec.approval.resolved", "given-run"),
    ] {
        let answer = first.call("node.event", told(event, run)).await;
        assert_eq!(answer["payload"]["ignored"], true, "{event} {run}: {answer}");
    }
    assert_eq!(
        second.call("node.event", told("exec.finished", "given-run")).await["payload"]["ignored"],
        true
    );
    assert_eq!(first.call("node.event", json!({"event": "exec.finished"})).await["payload"]["ignored"], true);
    assert!(texts().is_empty(), "{:?}", texts());

    let counts = |answer: &Value| answer["ok"] == true && answer["payload"].get("ignored").is_none();
    assert!(counts(&first.call("node.event", told("exec.started", "given-run")).await));
    assert!(counts(&first.call("node.event", told("exec.finished", "given-run")).await));
    assert!(!counts(&first.call("node.event", told("exec.finished", "given-run")).await), "it was over");
    let all = texts().join("\n");
    assert!(all.contains("agent:main:mine") && !all.contains("agent:main:other"), "{all}");
    assert!(!all.contains('\u{1b}'), "{all}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_339_a_carrier_needs_what_its_effect_needs() {
    let world = World::start(config()).await;
    let here = Device::new(1);
    let (mut node, _) = node(&world, &here, &RUN).await;
    let mut writer = operator(&world, 3, &["operator.write"]).await;
    let mut params = invoke(&here, "k", &json!({"file": {}}));
    params["command"] = "system.execApprovals.set".into();
    let refused = writer.call("node.invoke", params.clone()).await;
    assert_eq!(refused["error"]["message"], "missing scope: operator.admin", "{refused}");
    let mut admin = operator(&world, 4, &["operator.admin"]).await;
    ask(&mut admin, "set", "node.invoke", params).await;
    carry_out(&mut node).await;
    assert_eq!(answer(&mut admin, "set").await["ok"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_328_an_unpaired_node_is_gone_when_the_call_returns_and_its_token_is_dead() {
    let world = World::start(config()).await;
    let here = Device::new(1);
    let (mut first, hello) = node(&world, &here, &RUN).await;
    let token = hello["auth"]["deviceToken"].as_str().unwrap().to_owned();
    let mut pairer = operator(&world, 3, &["operator.pairing"]).await;
    let refused = pairer.call("node.pair.remove", json!({"nodeId": here.id})).await;
    assert_eq!(refused["ok"], false, "the role node is an administrator's: {refused}");
    let mut admin = operator(&world, 4, &["operator.admin"]).await;
    ask(&mut admin, "waits", "node.invoke", invoke(&here, "w", &json!({"command": ["sleep", "9"]}))).await;
    first.event("node.invoke.request").await;
    let done = admin.call("node.pair.remove", json!({"nodeId": here.id})).await;
    assert_eq!((&done["ok"], &done["payload"]["closed"]), (&json!(true), &json!(1)), "{done}");
    let listed = admin.call("node.list", json!({})).await;
    assert_eq!(listed["payload"]["nodes"], json!([]), "{listed}");
    assert_eq!(first.closed().await, (1008, "node unpaired".to_owned()));
    let (_, refused) = knock(&world, &here, &RUN, &token).await;
    assert_eq!(refused["ok"], false, "{refused}");
    assert_ne!(refused["error"]["code"], "NOT_PAIRED", "a dead token opens nothing, not even a request");
    let twice = admin.call("node.pair.remove", json!({"nodeId": here.id})).await;
    assert_eq!(twice["ok"], false, "{twice}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_346_what_a_node_may_offer_is_what_it_was_approved_with() {
    let world = World::start(config()).await;
    let here = Device::new(1);
    drop(node(&world, &here, &["system.which"]).await);
    let devices = world.gateway.devices.read().unwrap();
    assert_eq!(devices.paired[&here.id].commands, Some(vec!["system.which".to_owned()]));
    // One command more is asked for again, here as from anywhere; what was approved is noted anew.
    let (_, refused) = knock(&world, &here, &RUN, TOKEN).await;
    assert_eq!(refused["error"]["code"], "NOT_PAIRED", "{refused}");
    assert_eq!(refused["error"]["details"]["reason"], "command-upgrade", "{refused}");
    let mut admin = operator(&world, 4, &["operator.admin"]).await;
    let id = refused["error"]["details"]["requestId"].clone();
    let approved = admin.call("device.pair.approve", json!({"requestId": id})).await;
    assert_eq!(approved["ok"], true, "{approved}");
    drop(node(&world, &here, &RUN).await);
    let devices = world.gateway.devices.read().unwrap();
    let mut all: Vec<String> = RUN.map(str::to_owned).to_vec();
    all.sort();
    assert_eq!(devices.paired[&here.id].commands, Some(all));
}
