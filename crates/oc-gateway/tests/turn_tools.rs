//! Tools of a turn that the gateway itself carries out, through a real gateway, the gate and the ledger. The model is a fake, the chat service
//! as well.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    missing_debug_implementations,
    reason = "tests"
)]
#![allow(clippy::string_slice, dead_code, reason = "the world is shared with other suites")]

#[path = "turn_tools/chat.rs"]
mod chat;
#[path = "turn_tools/ending.rs"]
mod ending;
#[path = "turn_tools/later.rs"]
mod later;
#[path = "turn_tools/notes.rs"]
mod notes;
#[path = "turn_tools/offer.rs"]
mod offer;
#[path = "turn_tools/others.rs"]
mod others;
#[path = "../../../tests/support/scripted_provider.rs"]
mod scripted_provider;
#[path = "turn_tools/servers.rs"]
mod servers;
#[path = "support/world.rs"]
mod support;

use std::time::{Duration, Instant};

use oc_fs::ledger::{Record, read};
use scripted_provider::{Recorded, Reply, ScriptedProvider};
use serde_json::{Value, json};
use support::{Device, Socket, TOKEN, World};

/// How long anything may take.
const LONG: Duration = Duration::from_secs(30);

/// A gateway with a model that does what the test says, and a client of it.
pub struct Stage {
    pub world: World,
    pub model: ScriptedProvider,
    pub client: Socket,
    runs: u32,
}

impl Stage {
    /// `more` is laid over the configuration, one level deep.
    pub async fn start(more: Value, script: impl FnMut(&Recorded) -> Reply + Send + 'static) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), more, script).await
    }

    /// The same in a home that holds something already.
    pub async fn start_in(
        home: tempfile::TempDir,
        more: Value,
        script: impl FnMut(&Recorded) -> Reply + Send + 'static,
    ) -> Self {
        let model = ScriptedProvider::answering(script);
        let mut config = json!({
            "gateway": { "mode": "local", "auth": { "mode": "token", "token": TOKEN } },
            "models": { "providers": { "fake": {
                "baseUrl": model.openai_base(), "api": "openai-completions", "apiKey": "k",
                "models": [{ "id": "m", "name": "m", "input": ["text", "image"], "contextWindow": 128_000, "maxTokens": 4096 }],
            } } },
            "agents": { "defaults": { "model": { "primary": "fake/m" } } },
        });
        for (key, value) in more.as_object().unwrap() {
            if key == "agents" {
                let defaults = config["agents"]["defaults"].clone();
                config["agents"] = value.clone();
                config["agents"]["defaults"]["model"] = defaults["model"].clone();
            } else {
                config[key] = value.clone();
            }
        }
        let world = World::start_in(home, config).await;
        let scopes = ["operator.admin", "operator.read", "operator.write"];
        let client = world.admitted(&Device::new(9), "operator", &scopes).await.0;
        Self { world, model, client, runs: 0 }
    }

    /// Says something in a session and waits for the answer.
    pub async fn say(&mut self, session: &str, text: &str) -> String {
        self.runs += 1;
        let params =
            json!({ "message": text, "sessionKey": session, "idempotencyKey": format!("run-{}", self.runs) });
        // It is accepted, and answered under the same id.
        let accepted = self.client.call("agent", params).await;
        let mut answer = self.client.json().await;
        while answer["id"] != accepted["id"] {
            answer = self.client.json().await;
        }
        let said = answer["payload"]["result"]["payloads"][0]["text"].as_str();
        said.unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Verdict and rule of everything that was recorded of a tool.
    pub fn recorded(&self, tool: &str) -> Vec<(String, String)> {
        let of = |r: &Record| r.entry.subject == format!("tool:{tool}");
        self.ledger().into_iter().filter(of).map(|r| (r.entry.verdict, r.entry.rule)).collect()
    }

    pub fn verdicts(&self, tool: &str) -> Vec<String> {
        self.recorded(tool).into_iter().map(|(verdict, _)| verdict).collect()
    }

    pub fn ledger(&self) -> Vec<Record> {
        let lines = read(&self.world.state_dir().join("ledger")).unwrap();
        lines.into_iter().map(|l| l.record.unwrap()).collect()
    }
}

/// Waits until something holds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
