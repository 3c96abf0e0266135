//! Turns and sessions over the protocol.

use serde_json::json;

use super::scripted_provider::{Reply, ScriptedProvider};
use super::support::Device;
use super::{said, world};

const ADMIN: [&str; 1] = ["operator.admin"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agent_is_answered_twice_and_failures_are_failures() {
    let model =
        ScriptedProvider::replies([Reply::text("done"), Reply::error(401, "invalid_api_key", "canary")]);
    let world = world(&model, json!({})).await;
    let (mut client, _) = world.admitted(&Device::new(3), "operator", &ADMIN).await;
    let asked = json!({"message": "hello", "agentId": "main", "idempotencyKey": "run-1"});
    let first = client.call("agent", asked.clone()).await;
    assert_eq!((&first["ok"], &first["payload"]["status"]), (&json!(true), &json!("accepted")), "{first}");
    assert_eq!(first["payload"]["runId"], "run-1");
    let last = loop {
        let frame = client.json().await;
        if frame["id"] == first["id"] {
            break frame;
        }
    };
    assert_eq!(
        (&last["payload"]["status"], &last["payload"]["result"]["payloads"][0]["text"]),
        (&json!("ok"), &json!("done")),
        "{last}"
    );
    let first =
        client.call("agent", json!({"message": "again", "agentId": "main", "idempotencyKey": "run-2"})).await;
    let last = loop {
        let frame = client.json().await;
        if frame["id"] == first["id"] {
            break frame;
        }
    };
    assert_eq!(
        (&last["ok"], &last["error"]["details"]["status"]),
        (&json!(false), &json!("error")),
        "{last}"
    );
    assert!(!last.to_string().contains("canary"), "{last}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_339_notes_and_files_are_for_administrators() {
    let model = ScriptedProvider::answering(|_| Reply::text("done"));
    let world = world(&model, json!({})).await;
    let (mut reader, _) =
        world.admitted(&Device::new(4), "operator", &["operator.read", "operator.write"]).await;
    for (method, params) in [
        ("chat.inject", json!({"sessionKey": "main", "message": "x"})),
        ("agents.files.list", json!({"agentId": "main"})),
        ("agents.files.get", json!({"agentId": "main", "name": "SOUL.md"})),
        ("agents.files.set", json!({"agentId": "main", "name": "SOUL.md", "content": "x"})),
    ] {
        let refused = reader.call(method, params).await;
        assert_eq!(refused["error"]["message"], "missing scope: operator.admin", "{method}");
    }
    assert_eq!(reader.call("usage.cost", json!({})).await["ok"], true);

    let (mut admin, _) = world.admitted(&Device::new(5), "operator", &ADMIN).await;
    let note = json!({"sessionKey": "main", "message": "canary-note", "label": "From the owner"});
    assert_eq!(admin.call("chat.inject", note.clone()).await["ok"], false, "there is no session yet");
    assert_eq!(
        admin
            .call("agents.files.set", json!({"agentId": "main", "name": "SOUL.md", "content": "canary-soul"}))
            .await["ok"],
        true
    );
    let sent = json!({"sessionKey": "main", "message": "hello", "idempotencyKey": "a"});
    assert_eq!(admin.call("chat.send", sent).await["payload"]["status"], "started");
    while admin.event("chat").await["state"] != "final" {}
    let injected = admin.call("chat.inject", note).await;
    assert_eq!(injected["ok"], true, "{injected}");
    let history = admin.call("chat.history", json!({"sessionKey": "main"})).await;
    let last = history["payload"]["messages"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["role"], &last["model"]), (&json!("assistant"), &json!("gateway-injected")), "{last}");
    let sent = json!({"sessionKey": "main", "message": "and now", "idempotencyKey": "b"});
    assert_eq!(admin.call("chat.send", sent).await["payload"]["status"], "started");
    while admin.event("chat").await["state"] != "final" {}
    let asked = model.requests();
    assert!(said(&asked[0], "system").contains("canary-soul"), "the next turn reads the file");
    assert!(
        said(&asked[1], "assistant").contains("canary-note")
            && !said(&asked[1], "system").contains("canary-note")
    );
    assert_eq!(admin.call("usage.cost", json!({})).await["payload"]["totals"]["output"], 14);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_in_a_run_is_told_and_tools_only_to_those_who_want_to_hear_of_them() {
    let model = ScriptedProvider::answering(|asked| match asked.results().last() {
        None => Reply::call("c1", "session_status", &json!({})),
        Some(_) => Reply::text("the key is sk-canarycanarycanarycanary0001"),
    });
    let world = world(&model, json!({})).await;
    let (mut plain, _) = world.admitted(&Device::new(6), "operator", &ADMIN).await;
    let (mut curious, answer) =
        world.knock_as(&Device::new(7), "operator", &ADMIN, &json!({"caps": ["tool-events"]})).await;
    assert_eq!(answer["ok"], true, "{answer}");
    let sent = json!({"sessionKey": "agent:main:main", "message": "hello", "idempotencyKey": "a"});
    assert_eq!(plain.call("chat.send", sent).await["payload"]["status"], "started");
    for (client, hears_tools) in [(&mut plain, false), (&mut curious, true)] {
        let mut phases = Vec::new();
        let all = loop {
            let frame = client.json().await;
            if frame["event"] == "agent" {
                let payload = &frame["payload"];
                assert_eq!(
                    (&payload["runId"], &payload["sessionKey"]),
                    (&json!("a"), &json!("agent:main:main"))
                );
                phases.push(format!(
                    "{} {}",
                    payload["stream"].as_str().unwrap(),
                    payload["data"]["phase"].as_str().unwrap_or("text")
                ));
            }
            assert!(!frame.to_string().contains("canarycanary"), "{frame}");
            if frame["event"] == "chat" && frame["payload"]["state"] == "final" {
                break phases;
            }
        };
        assert_eq!(
            (all.first().unwrap().as_str(), all.last().unwrap().as_str()),
            ("lifecycle start", "lifecycle end")
        );
        assert_eq!(
            all.iter().any(|p| p == "tool start") && all.iter().any(|p| p == "tool result"),
            hears_tools,
            "{all:?}"
        );
        assert_eq!(all.iter().any(|p| p.starts_with("tool")), hears_tools, "{all:?}");
    }
}
