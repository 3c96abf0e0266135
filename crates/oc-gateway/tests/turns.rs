//! Turns that come over HTTP, against a gateway in this process and a fake model that says what its script says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    missing_debug_implementations,
    reason = "tests"
)]

#[path = "turns/client.rs"]
mod client;
#[path = "turns/hooks.rs"]
mod hooks;
#[path = "turns/methods.rs"]
mod methods;
#[path = "turns/openai.rs"]
mod openai;
#[path = "../../../tests/support/scripted_provider.rs"]
mod scripted_provider;
#[path = "support/world.rs"]
mod support;

use scripted_provider::{Recorded, ScriptedProvider};
use serde_json::{Value, json};
use support::{TOKEN, World};

/// A gateway whose agents ask this model; `more` is put over the configuration.
async fn world(model: &ScriptedProvider, more: Value) -> World {
    World::start(config(model, more)).await
}

fn config(model: &ScriptedProvider, more: Value) -> Value {
    let mut config = json!({
        "gateway": {"mode": "local", "auth": {"mode": "token"}, "http": {"endpoints": {
            "chatCompletions": {"enabled": true}, "responses": {"enabled": true},
        }}},
        "models": {"providers": {"fake": {
            "baseUrl": model.openai_base(), "api": "openai-completions", "apiKey": "sk-fake",
            "models": [{"id": "m", "name": "m", "contextWindow": 128_000, "maxTokens": 4096}],
        }}},
        "agents": {"defaults": {"model": {"primary": "fake/m"}}, "list": [{"id": "main", "default": true}, {"id": "ops"}]},
    });
    over(&mut config, more);
    config
}

fn over(config: &mut Value, more: Value) {
    match (config, more) {
        (Value::Object(all), Value::Object(more)) => {
            for (name, value) in more {
                over(all.entry(name).or_insert(Value::Null), value);
            }
        }
        (config, more) => *config = more,
    }
}

/// A request with the shared secret.
async fn post(world: &World, path: &str, lines: &str, body: &Value) -> (u16, Value) {
    let (status, text) = posted(world, path, lines, body).await;
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

async fn posted(world: &World, path: &str, lines: &str, body: &Value) -> (u16, String) {
    let (status, head, body) = world.http(&request(path, lines, &body.to_string())).await;
    let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
    (status, if chunked { joined(&body) } else { body })
}

fn request(path: &str, lines: &str, body: &str) -> String {
    let secret = if lines.contains("Authorization") {
        String::new()
    } else {
        format!("Authorization: Bearer {TOKEN}\r\n")
    };
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\n{secret}Content-Type: application/json\r\n{lines}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// The chunks of a body in one.
fn joined(body: &str) -> String {
    let mut out = String::new();
    let mut rest = body;
    while let Some((size, more)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        out.push_str(&more[..size]);
        rest = &more[size + 2..];
        if size == 0 {
            break;
        }
    }
    out
}

/// The data of a stream of events.
fn events(text: &str) -> Vec<Value> {
    let data = text.lines().filter_map(|l| l.strip_prefix("data: ")).filter(|d| *d != "[DONE]");
    data.map(|d| serde_json::from_str(d).unwrap()).collect()
}

/// Messages of a role in a request to the model, one text.
fn said(request: &Recorded, role: &str) -> String {
    let all = request.body["messages"].as_array().unwrap().iter();
    all.filter(|m| m["role"] == role).map(|m| m["content"].to_string()).collect::<Vec<_>>().join("\n")
}

/// Waits until something is so; what is waited for is the gateway's own doing and has no event.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    let all = async {
        while !is_so() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), all)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}

/// The keys of an agent's sessions.
fn sessions(world: &World, agent: &str) -> Vec<String> {
    let file = world.state_dir().join("agents").join(agent).join("sessions/sessions.json");
    let text = std::fs::read_to_string(file).unwrap_or_else(|_| "{}".to_owned());
    serde_json::from_str::<Value>(&text).unwrap().as_object().unwrap().keys().cloned().collect()
}
