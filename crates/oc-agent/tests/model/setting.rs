//! A state directory, a configuration and a clock that does not wait.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oc_agent::message::{Answer, Block, Message, Request, Thinking, ToolDefinition};
use oc_agent::model::client::{Client, Roots, Timeouts};
use oc_agent::model::clock::Clock;
use oc_agent::model::failover::{Failover, Models, Places};
use oc_agent::model::retry::Retry;
use oc_agent::model::settings::ModelSettings;
use oc_agent::model::{Delta, Model as _, ModelFailure, Pending};
use oc_config::Environment;
use oc_types::{AgentId, Node, Origin};
use serde_json::{Value, json};

use crate::scripted_provider::ScriptedProvider;

/// The formats, and the word for each.
pub const APIS: [&str; 3] = ["anthropic-messages", "openai-completions", "openai-responses"];

/// The key of a fake provider.
pub const KEY: &str = "sk-test-key-1"; // pragma: allowlist secret

/// Waits are noted, added to the time, and not waited for.
#[derive(Debug, Default)]
pub struct TestClock {
    now: AtomicU64,
    waits: Mutex<Vec<Duration>>,
}

impl TestClock {
    /// What was waited for so far.
    pub fn waits(&self) -> Vec<Duration> {
        self.waits.lock().unwrap().clone()
    }

    /// Time goes by.
    pub fn pass(&self, time: Duration) {
        self.now.fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now_ms(&self) -> u64 {
        1_800_000_000_000 + self.now.load(Ordering::SeqCst)
    }

    fn sleep(&self, time: Duration) -> Pending<'_, ()> {
        self.waits.lock().unwrap().push(time);
        self.pass(time);
        Box::pin(async {})
    }

    fn share(&self) -> f64 {
        0.0
    }
}

/// Everything a test needs.
pub struct Setting {
    pub dir: tempfile::TempDir,
    pub clock: Arc<TestClock>,
    config: Value,
    environment: Vec<(String, String)>,
    timeouts: Timeouts,
    roots: Roots,
}

impl Setting {
    /// With this configuration.
    pub fn new(config: Value) -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            clock: Arc::default(),
            config,
            environment: Vec::new(),
            timeouts: Timeouts {
                connect: Duration::from_secs(5),
                head: Duration::from_secs(20),
                idle: Duration::from_secs(20),
            },
            roots: Roots::System,
        }
    }

    /// With one provider `fake` that is the default.
    pub fn with_fake(provider: &ScriptedProvider, api: &str, key: Option<&str>) -> Self {
        Self::new(json!({
            "models": {"providers": {"fake": fake(provider, api, key)}},
            "agents": {"defaults": {"model": {"primary": "fake/m"}}},
        }))
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn timeouts(mut self, head: Duration, idle: Duration) -> Self {
        self.timeouts.head = head;
        self.timeouts.idle = idle;
        self
    }

    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// The file of the agent's profiles.
    pub fn profiles_file(&self) -> PathBuf {
        self.dir.path().join("agents/main/agent/auth-profiles.json")
    }

    /// Writes the agent's profiles.
    pub fn profiles(self, profiles: Value) -> Self {
        let file = self.profiles_file();
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, json!({"version": 1, "profiles": profiles}).to_string()).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        self
    }

    /// What the file of profiles holds now.
    pub fn stored(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.profiles_file()).unwrap()).unwrap()
    }

    pub fn models(&self) -> Arc<Models> {
        let settings = ModelSettings::read(&Node::from_json(&self.config, &Origin::Default));
        let places = Places {
            state_dir: self.dir.path().to_owned(),
            home: self.dir.path().to_owned(),
            credentials: self.dir.path().join("credentials"),
            workspaces: vec![self.dir.path().join("workspace")],
            environment: Environment::from_process(self.environment.clone()),
        };
        let client = Client::new(self.timeouts, self.roots.clone()).unwrap();
        Arc::new(Models::new(
            settings,
            places,
            client,
            Retry::default(),
            Arc::clone(&self.clock) as Arc<dyn Clock>,
        ))
    }

    pub fn session(&self) -> Failover {
        let models = self.models();
        let main = AgentId::normalized("main");
        models.for_session(&main, models.settings().choice(&main), None)
    }

    /// Asks once in a new session.
    pub async fn ask(&self) -> Result<Answer, ModelFailure> {
        ask(&self.session(), &hello()).await.0
    }
}

/// The entry of a scripted provider in `models.providers`.
pub fn fake(provider: &ScriptedProvider, api: &str, key: Option<&str>) -> Value {
    let base = if api == "anthropic-messages" { provider.anthropic_base() } else { provider.openai_base() };
    let mut out = json!({
        "baseUrl": base, "api": api,
        "models": [{"id": "m", "name": "M", "contextWindow": 64000, "maxTokens": 4000, "reasoning": true, "input": ["text", "image"]}],
    });
    if let Some(key) = key {
        out["apiKey"] = key.into();
    }
    out
}

/// A request with a tool.
pub fn hello() -> Request {
    saying(vec![Message::User(vec![Block::Text("hello".to_owned())])])
}

/// A request with a tool and these messages.
pub fn saying(messages: Vec<Message>) -> Request {
    Request {
        system: "You are a test.".to_owned(),
        messages,
        tools: vec![ToolDefinition {
            name: "read".to_owned(),
            description: "Reads a file.".to_owned(),
            schema: json!({"type": "object", "properties": {"path": {"type": "string"}}}),
        }],
        max_tokens: 1000,
        thinking: Thinking::Off,
    }
}

/// Asks, and says what was handed on meanwhile: text as it is, thinking in angle brackets, `!` for a new beginning.
pub async fn ask(model: &Failover, request: &Request) -> (Result<Answer, ModelFailure>, String) {
    let mut said = String::new();
    let answer = model
        .ask(request, &mut |delta| match delta {
            Delta::Text(text) => said.push_str(&text),
            Delta::Thinking(text) => said.push_str(&format!("<{text}>")),
            Delta::Restart => said.push('!'),
        })
        .await;
    (answer, said)
}
