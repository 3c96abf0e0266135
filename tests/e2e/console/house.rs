//! A home with a gateway to look at: channels, sessions, requests, weak settings.

use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub const TOKEN: &str = "made-up-console-token-0123456789";
/// A credential in a transcript, which no page shows.
pub const CANARY: &str = "sk-canarycanarycanary1234";
/// What the fake model is asked with.
const MODEL_KEY: &str = "made-up-and-worthless";
/// A session that runs in the sandbox.
const GROUP: &str = "agent:main:telegram:group:42";

pub struct House {
    _directory: tempfile::TempDir,
    root: PathBuf,
    pub port: u16,
}

/// A gateway that ends with the test.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

fn iso(age: Duration) -> String {
    let at = jiff::Timestamp::now() - age;
    format!("{at:.3}")
}

fn ms(age: Duration) -> i64 {
    (jiff::Timestamp::now() - age).as_millisecond()
}

fn said(role: &str, text: &str, minutes: u64) -> Value {
    let at = ms(Duration::from_secs(60 * minutes));
    json!({"type": "message", "message": {"role": role, "timestamp": at, "content": [{"type": "text", "text": text}]}})
}

impl House {
    /// `model`: where its model is asked.
    pub fn new(model: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let house = Self { _directory: directory, root, port };
        house.put("openclaw.json", &format!("{:#}\n", house.configuration(model)));
        house.put(
            "credentials/telegram-pairing.json",
            &json!({"version": 1, "requests": [{
                "id": "4711", "code": "KEPLER42", "createdAt": iso(Duration::from_secs(120)),
                "lastSeenAt": iso(Duration::from_secs(90)), "meta": {"name": "Ada", "username": "ada_l"},
            }]})
            .to_string(),
        );
        house.put("agents/main/sessions/sessions.json", &json!({
            "agent:main:main": {
                "sessionId": "saturday", "updatedAt": ms(Duration::from_secs(200)), "label": "Plans for Saturday",
                "channel": "telegram", "chatType": "direct",
            },
            GROUP: {
                "sessionId": "family", "updatedAt": ms(Duration::from_secs(9000)), "subject": "Family", "channel": "telegram",
                "chatType": "group", "execAsk": "always",
            },
        }).to_string());
        let tool = |minutes: u64| ms(Duration::from_secs(60 * minutes));
        let lines = [
            json!({"type": "session", "id": "saturday"}),
            said("user", "Is the lake dry enough for the boat on Saturday?", 9),
            json!({"type": "message", "message": {"role": "assistant", "timestamp": tool(8), "content": [
                {"type": "text", "text": "I look at the forecast."},
                {"type": "toolCall", "name": "web_fetch", "arguments": {"url": "https://weather.example/lake"}},
            ]}}),
            json!({"type": "message", "message": {"role": "toolResult", "toolName": "web_fetch", "timestamp": tool(8), "content": [
                {"type": "text", "text": format!("Saturday: sun, 21 degrees, wind 2. api_key={CANARY}")},
            ]}}),
            said("assistant", "Sun, 21 degrees and hardly any wind: a good day for the boat.", 7),
        ];
        house.put("agents/main/sessions/saturday.jsonl", &lines.map(|l| format!("{l}\n")).concat());
        house
            .put("agents/main/sessions/family.jsonl", &format!("{}\n", said("user", "When is dinner?", 150)));
        house
    }

    fn configuration(&self, model: &str) -> Value {
        json!({
            "gateway": {
                "mode": "local",
                "port": self.port,
                "auth": {"mode": "token", "token": TOKEN},
                "controlUi": {"allowedOrigins": [format!("http://console.test:{}", self.port)]},
            },
            "discovery": {"mdns": {"mode": "off"}},
            "logging": {"redactSensitive": "off", "file": self.root.join("gateway.log")},
            "channels": {"telegram": {"dmPolicy": "pairing", "groups": {"*": {"requireMention": true}}}},
            "models": {"providers": {"fake": {
                "baseUrl": model, "api": "openai-completions", "apiKey": MODEL_KEY,
                "models": [{"id": "m", "name": "m", "contextWindow": 128_000, "maxTokens": 4096}],
            }}},
            "agents": {"defaults": {"model": {"primary": "fake/m"}, "sandbox": {"mode": "non-main", "scope": "session"}}},
            "tools": {"exec": {"security": "sandbox", "ask": "on-miss", "safeBins": ["ls", "cat"]}},
        })
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.root.join(".openclaw").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.root.join(".openclaw").join(name)).unwrap()
    }

    pub fn config(&self) -> String {
        self.read("openclaw.json")
    }

    /// The ids of the paired devices.
    pub fn paired(&self) -> Vec<String> {
        let paired: Value = serde_json::from_str(&self.read("devices/paired.json")).unwrap();
        paired.as_object().unwrap().keys().cloned().collect()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_openclaw"));
        command
            .args(args)
            .env_clear()
            .env("HOME", &self.root)
            .env("TMPDIR", &self.root)
            .env("PATH", "/usr/bin:/bin")
            .env("DOCKER_HOST", "unix:///no/engine/here.sock")
            .env("OPENCLAW_DISABLE_BONJOUR", "1")
            .current_dir(&self.root);
        command
    }

    /// Starts the gateway; it answers when this returns.
    pub fn gateway(&self) -> Running {
        let log = std::fs::File::create(self.root.join("gateway.out")).unwrap();
        let child = self
            .command(&["gateway", "run"])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        let mut running = Running(child.unwrap());
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let told = || std::fs::read_to_string(self.root.join("gateway.out")).unwrap();
            assert!(
                running.0.try_wait().unwrap().is_none() && Instant::now() < end,
                "no gateway: {}",
                told()
            );
            std::thread::sleep(Duration::from_millis(30));
        }
        running
    }

    /// A command of the group's session that asks before it runs in its sandbox.
    pub fn asks(&self, command: &str) -> Child {
        let args = ["exec", "run", "--session", GROUP, "--ask", "always", "--", command];
        self.command(&args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

/// Exit code, output, messages.
pub fn ended(child: Child) -> (i32, String, String) {
    let out = child.wait_with_output().unwrap();
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    (out.status.code().unwrap_or(-1), text(&out.stdout), text(&out.stderr))
}

/// Whether a command did not run because this kernel makes no native sandbox.
pub fn no_sandbox(err: &str) -> bool {
    err.contains("no sandbox")
}
