//! What may be read with the right to look: no credential, no path of this machine.

use oc_gateway::authority::{Need, Scope, need_of};
use serde_json::{Value, json};

use super::support::{Device, World, write};

const CANARY: &str = "CANARY0123456789abcdefCANARY";

fn config() -> Value {
    let secret = |n: u8| format!("sk-{n}{CANARY}");
    json!({
        "gateway": {
            "mode": "local",
            "auth": {"mode": "token", "token": super::TOKEN},
            "remote": {"url": "wss://gateway.example", "token": secret(1), "password": secret(2)},
        },
        "hooks": {"enabled": true, "token": secret(3)},
        "channels": {"telegram": {"botToken": format!("1234567890:{CANARY}AAAA"), "dmPolicy": "pairing"}},
        "models": {"providers": {"house": {
            "baseUrl": "https://models.example", "apiKey": secret(4),
            "models": [{"id": "large", "name": "Large"}],
        }}},
        "skills": {"entries": {"weather": {"apiKey": secret(5), "env": {"WEATHER_KEY": secret(6)}}}},
        "env": {"vars": {"HOUSE_KEY": secret(7)}},
        "tools": {"web": {"search": {"apiKey": secret(8)}}},
        "talk": {"apiKey": secret(9)},
    })
}

/// Calls worth making beside the one without parameters.
fn further(method: &str) -> Vec<Value> {
    let key = "agent:main:main";
    match method {
        "chat.history" => vec![json!({"sessionKey": key, "limit": 50})],
        "sessions.preview" => vec![json!({"keys": [key]})],
        "sessions.list" => vec![
            json!({"includeGlobal": true, "includeUnknown": true, "includeDerivedTitles": true, "includeLastMessage": true}),
        ],
        "logs.tail" => vec![json!({"limit": 500})],
        "health" => vec![json!({"probe": true})],
        "channels.status" => vec![json!({"probe": false})],
        "agent.identity.get" => vec![json!({"sessionKey": key})],
        "node.describe" => vec![json!({"nodeId": "x"})],
        _ => vec![],
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_340_a_reader_gets_no_credential_and_no_path_from_any_method() {
    let world = World::logged(config()).await;
    let home = world.home.path().to_str().unwrap().to_owned();
    // Files with canaries where the methods read.
    let state = world.state_dir();
    let sessions = state.join("agents/main/sessions");
    std::fs::create_dir_all(&sessions).unwrap();
    write(&sessions.join("sessions.json"), &json!({"agent:main:main": {
        "sessionId": "s1", "updatedAt": super::support::now_ms(), "sessionFile": sessions.join("s1.jsonl"),
        "authProfile": CANARY,
    }}).to_string());
    let line = json!({"type": "message", "message": {"role": "user", "content": [{"type": "text", "text": format!("my key is sk-ant-{CANARY}")}], "timestamp": 1}});
    write(&sessions.join("s1.jsonl"), &format!("{{\"type\":\"session\",\"id\":\"s1\"}}\n{line}\n"));
    std::fs::create_dir_all(state.join("agents/main/agent")).unwrap();
    write(
        &state.join("agents/main/agent/auth-profiles.json"),
        &json!({"profiles": {"a": {"key": CANARY}}}).to_string(),
    );
    write(
        &world.home.path().join("gateway.log"),
        &format!(
            "{}\n",
            json!({"0": format!("Authorization: Bearer sk-{CANARY} from {home}/x"), "time": "2026-01-01T00:00:00Z"})
        ),
    );
    let (_admin, hello) = world.admitted(&Device::new(50), "operator", &["operator.admin"]).await;
    let device_token = hello["auth"]["deviceToken"].as_str().unwrap().to_owned();
    let (mut reader, hello) = world.admitted(&Device::new(51), "operator", &["operator.read"]).await;
    let own = hello["auth"]["deviceToken"].as_str().unwrap().to_owned();
    let check = |what: &str, text: &str| {
        for leak in [CANARY, &device_token, super::TOKEN, &home] {
            assert!(!text.contains(leak), "{what} shows {leak}: {text}");
        }
    };
    check("hello", &hello.to_string().replace(&own, ""));
    let offered = hello["features"]["methods"].as_array().unwrap().clone();
    let mut asked = 0;
    for method in offered.iter().map(|m| m.as_str().unwrap()) {
        if !matches!(need_of(method), Some(Need::Operator(Scope::Read))) {
            let answer = reader.call(method, json!({})).await;
            assert_eq!(answer["ok"], false, "{method} is not for readers: {answer}");
            check(method, &answer.to_string());
            continue;
        }
        for params in [json!({})].into_iter().chain(further(method)) {
            let answer = reader.call(method, params.clone()).await;
            check(&format!("{method} {params}"), &answer.to_string());
            asked += usize::from(answer["ok"] == true);
        }
    }
    assert!(asked >= 12, "{asked} methods answered");
}
