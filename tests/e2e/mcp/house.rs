//! A home of its own, with the command in it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long one thing may take: machines that run tests are slow.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct House {
    home: tempfile::TempDir,
}

impl House {
    pub fn new(config: &Value) -> Self {
        let house = Self { home: tempfile::tempdir().unwrap() };
        std::fs::create_dir_all(house.home.path().join(".openclaw")).unwrap();
        house.configure(config);
        house
    }

    pub fn configure(&self, config: &Value) {
        std::fs::write(self.home.path().join(".openclaw/openclaw.json"), format!("{config:#}\n")).unwrap();
    }

    pub fn path(&self) -> &Path {
        self.home.path()
    }

    /// A file in the home, absolute.
    pub fn file(&self, name: &str) -> String {
        self.home.path().join(name).display().to_string()
    }

    pub fn has(&self, name: &str) -> bool {
        self.home.path().join(name).exists()
    }

    fn environment(&self) -> Value {
        json!({"HOME": self.home.path(), "PATH": "/usr/bin:/bin", "DOCKER_HOST": "unix:///no/engine/here.sock"})
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_openclaw"));
        command.args(args).env_clear().current_dir(self.home.path());
        for (name, value) in self.environment().as_object().unwrap() {
            command.env(name, value.as_str().unwrap());
        }
        command
    }

    pub fn ok(&self, args: &[&str]) -> String {
        let out = self.command(args).output().unwrap();
        assert!(out.status.success(), "{args:?}: {out:?}");
        String::from_utf8(out.stdout).unwrap()
    }

    /// How a client starts the command.
    pub fn server(&self, args: &[&str]) -> Value {
        self.server_with(args, &[])
    }

    /// The same with more variables.
    pub fn server_with(&self, args: &[&str], more: &[(&str, &str)]) -> Value {
        let mut env = self.environment();
        for (name, value) in more {
            env[*name] = json!(value);
        }
        json!({"command": env!("CARGO_BIN_EXE_openclaw"), "args": args, "env": env, "cwd": self.home.path()})
    }

    fn pending(&self) -> Vec<Value> {
        let listed: Value = serde_json::from_str(&self.ok(&["approvals", "list", "--json"])).unwrap();
        listed["pending"].as_array().cloned().unwrap_or_else(|| panic!("{listed}"))
    }

    /// The code of the one request that waits.
    pub fn waiting(&self) -> String {
        let begun = Instant::now();
        loop {
            if let Some(request) = self.pending().first() {
                return request["code"].as_str().unwrap().to_owned();
            }
            assert!(begun.elapsed() < PATIENCE, "nothing waits for an answer");
        }
    }

    /// Waits until no request waits.
    pub fn nobody_waits(&self) {
        let begun = Instant::now();
        while !self.pending().is_empty() {
            assert!(begun.elapsed() < PATIENCE, "a request still waits: {:?}", self.pending());
        }
    }

    /// The records of the ledger, oldest first.
    pub fn ledger(&self) -> Vec<Value> {
        let mut files: Vec<_> = std::fs::read_dir(self.home.path().join(".openclaw/ledger"))
            .map(|dir| {
                dir.map(|e| e.unwrap().path())
                    .filter(|p| p.extension().is_some_and(|e| e == "jsonl"))
                    .collect()
            })
            .unwrap_or_default();
        files.sort();
        let text: String = files.iter().map(|f| std::fs::read_to_string(f).unwrap()).collect();
        text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    }
}
