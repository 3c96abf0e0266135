//! A home with a configuration, and a gateway in it.

use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::chat::{Peer, free_port, listening};
use crate::scripted_provider::ScriptedProvider;

pub struct Stage {
    home: tempfile::TempDir,
    /// Where the gateway listens.
    pub port: u16,
    _gateway: Peer,
}

impl Stage {
    pub fn start(channel: &str, section: Value, model: &ScriptedProvider, key: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join(".openclaw");
        std::fs::DirBuilder::new().mode(0o700).create(&state).unwrap();
        let port = free_port();
        let config = json!({
            "gateway": { "mode": "local", "port": port, "auth": { "mode": "token", "token": "0123456789abcdef0123456789abcdef" } },
            "channels": { channel: section },
            "models": { "providers": { "fake": {
                "baseUrl": model.openai_base(), "api": "openai-completions", "apiKey": key,
                "models": [{ "id": "m", "name": "m", "contextWindow": 128_000, "maxTokens": 4096 }],
            } } },
            "agents": { "defaults": {
                "model": { "primary": "fake/m" },
                "sandbox": { "mode": "all", "backend": "native", "workspaceAccess": "rw" },
            } },
            "tools": { "exec": { "ask": "always" } },
        });
        let mut options = std::fs::OpenOptions::new();
        let mut file =
            options.write(true).create_new(true).mode(0o600).open(state.join("openclaw.json")).unwrap();
        std::io::Write::write_all(&mut file, config.to_string().as_bytes()).unwrap();
        let log = std::fs::File::create(home.path().join("gateway.log")).unwrap();
        let gateway =
            Peer::start(command(home.path()).args(["gateway", "run"]).stdin(Stdio::null()).stdout(log));
        listening(port);
        Self { home, port, _gateway: gateway }
    }

    /// Runs a command that has to succeed; what it said.
    pub fn openclaw(&self, args: &[&str]) -> String {
        let out = command(self.home.path()).args(args).output().unwrap();
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        assert!(out.status.success(), "{args:?}: {}{}", text(&out.stdout), text(&out.stderr));
        text(&out.stdout)
    }

    /// Whether the agent's workspace holds a file.
    pub fn made(&self, name: &str) -> bool {
        self.home.path().join(".openclaw/workspace").join(name).exists()
    }
}

fn command(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_openclaw"));
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("OPENCLAW_DISABLE_BONJOUR", "1")
        .current_dir(home);
    command
}
