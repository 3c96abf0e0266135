//! Skills of a running gateway: a node's programs change which are eligible; a turn keeps the skills that it started with.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]
#![allow(clippy::string_slice, dead_code, reason = "the world is shared with other suites")]

#[path = "support/world.rs"]
mod support;

use std::time::Duration;

use oc_types::AgentId;
use serde_json::{Value, json};
use support::{Device, Socket, TOKEN, World, now_ms, write};

fn config(more: Value) -> Value {
    let mut all = json!({"gateway": {"mode": "local", "auth": {"mode": "token", "token": TOKEN}}});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    all
}

fn skill(world: &World, name: &str, description: &str, metadata: &Value) {
    let text = format!(
        "---\nname: {name}\ndescription: {description}\nmetadata: {}\n---\n",
        json!({"openclaw": metadata})
    );
    std::fs::create_dir_all(world.state_dir().join("skills").join(name)).unwrap();
    write(&world.state_dir().join("skills").join(name).join("SKILL.md"), &text);
}

async fn node(world: &World, seed: u8, commands: &[&str], platform: &str) -> Socket {
    let device = Device::new(seed);
    let mut socket = world.connect(&[]).await;
    let nonce = socket.json().await["payload"]["nonce"].as_str().unwrap().to_owned();
    let mut params = json!({
        "minProtocol": 3, "maxProtocol": 3, "role": "node", "scopes": [], "commands": commands, "caps": ["system"],
        "client": {"id": "node-host", "version": "1", "platform": platform, "mode": "node", "displayName": "studio"},
        "auth": {"token": TOKEN},
        "device": {"id": device.id, "publicKey": device.public, "nonce": nonce},
    });
    device.sign(&mut params, "v2", now_ms());
    let answer = socket.call("connect", params).await;
    assert_eq!(answer["ok"], true, "{answer}");
    socket
}

/// Answers the next question about programs, and says what was asked.
async fn has(socket: &mut Socket, bins: &[&str]) -> Value {
    let request = socket.event("node.invoke.request").await;
    assert_eq!(request["command"], "system.which", "{request}");
    let found: serde_json::Map<_, _> =
        bins.iter().map(|b| ((*b).to_owned(), json!(format!("/usr/bin/{b}")))).collect();
    let payload = json!({"bins": found}).to_string();
    let result =
        json!({"id": request["id"], "nodeId": request["nodeId"], "ok": true, "payloadJSON": payload});
    assert_eq!(socket.call("node.invoke.result", result).await["ok"], true);
    serde_json::from_str(request["paramsJSON"].as_str().unwrap()).unwrap()
}

/// Waits until the library is another one than `seen`.
async fn past(world: &World, seen: u64) {
    let library = std::sync::Arc::clone(&world.gateway.skills);
    let changed = tokio::task::spawn_blocking(move || library.wait_past(seen, Duration::from_secs(20)));
    assert!(changed.await.unwrap(), "nothing changed");
}

fn names(world: &World) -> Vec<String> {
    let snapshot = world.gateway.skills_of(&AgentId::normalized("main"));
    snapshot.skills().iter().map(|s| s.name.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nodes_programs_change_which_skills_are_eligible() {
    let world = World::start(config(json!({}))).await;
    skill(&world, "speak", "Speaks", &json!({"os": ["darwin"], "requires": {"bins": ["say"]}}));
    assert_eq!(names(&world), Vec::<String>::new());
    let mut operator = world.admitted(&Device::new(9), "operator", &["operator.read"]).await.0;
    let status = operator.call("skills.status", json!({})).await["payload"].clone();
    assert_eq!(
        (&status["skills"][0]["eligible"], &status["skills"][0]["missing"]["bins"]),
        (&json!(false), &json!(["say"]))
    );

    // A node that may not run commands is not asked; one that may is.
    let _idle = node(&world, 1, &["system.notify"], "darwin").await;
    let seen = world.gateway.skills.version();
    let mut studio = node(&world, 2, &["system.run", "system.which"], "darwin").await;
    assert_eq!(has(&mut studio, &["say", "rm"]).await, json!({"bins": ["say"]}));
    past(&world, seen).await;
    assert_eq!(names(&world), ["speak"]);
    let status = operator.call("skills.status", json!({})).await["payload"].clone();
    assert_eq!(
        (&status["skills"][0]["eligible"], &status["skills"][0]["node"]),
        (&json!(true), &json!("studio"))
    );
    assert_eq!(status["nodes"][0]["bins"], json!(["say"]), "only what it was asked for");
    assert_eq!(studio.call("skills.bins", json!({})).await["payload"]["bins"], json!(["say"]));

    // A skill that comes later has the node asked again.
    let seen = world.gateway.skills.version();
    skill(&world, "film", "Films", &json!({"os": ["darwin"], "requires": {"bins": ["ffmpeg"]}}));
    assert_eq!(has(&mut studio, &["say", "ffmpeg"]).await, json!({"bins": ["ffmpeg", "say"]}));
    past(&world, seen).await;
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while names(&world) != ["film", "speak"] {
        assert!(std::time::Instant::now() < deadline, "{:?}", names(&world));
        let seen = world.gateway.skills.version();
        past(&world, seen).await;
    }

    let seen = world.gateway.skills.version();
    studio.close().await;
    past(&world, seen).await;
    assert_eq!(names(&world), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_keeps_the_skills_that_it_started_with() {
    let world = World::start(config(json!({"skills": {"entries": {}}}))).await;
    skill(&world, "notes", "Old words", &json!({}));
    let main = AgentId::normalized("main");
    let this_turn = world.gateway.skills_of(&main);
    skill(&world, "notes", "New words, and more of them", &json!({}));
    assert!(this_turn.prompt().contains("Old words"));
    let next_turn = world.gateway.skills_of(&main);
    assert!(next_turn.prompt().contains("New words") && !next_turn.prompt().contains("Old words"));
    assert!(this_turn.prompt().contains("Old words") && next_turn.version() > this_turn.version());
    // So does a change of the configuration.
    world.configure(&config(json!({"skills": {"entries": {"notes": {"enabled": false}}}})));
    past(&world, next_turn.version()).await;
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !world.gateway.skills_of(&main).skills().is_empty() {
        assert!(std::time::Instant::now() < deadline);
        let seen = world.gateway.skills.version();
        past(&world, seen).await;
    }
}
