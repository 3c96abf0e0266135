//! A native sandbox as the executor makes it: from a configuration, through the plan and its description, to a running one.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use oc_confine::spec::Spec;
use oc_policy::sandbox::{Place as Lies, Plan, plan};
use oc_runner::protocol::{Exit, Input, Program, RunRequest};
use oc_sandbox::connection::Connection;
use oc_sandbox::container::{Owner, Sandbox};
use oc_sandbox::executor::{ExecutorError, Output, Place};
use oc_sandbox::native::description::describe;
use oc_types::{Node, Origin};
use serde_json::{Value, json};
use std::os::unix::fs::MetadataExt as _;
use tokio::process::{ChildStdin, ChildStdout};

/// The settings of the limits that the probes run against.
pub fn limits() -> Value {
    json!({
        "memory": "128m", "pidsLimit": 64, "cpus": 1, "tmpfs": ["/tmp:size=16m", "/var/tmp:size=16m", "/run:size=16m"],
        "ulimits": { "fsize": 33_554_432 },
    })
}

/// The sandbox of a session, planned.
pub fn planned(sandbox: Value, workspace: &Path, state: &Path) -> Sandbox {
    let mut settings = json!({ "mode": "all", "backend": "native" });
    settings.as_object_mut().unwrap().extend(sandbox.as_object().unwrap().clone());
    let config = json!({ "agents": { "defaults": { "sandbox": settings } } });
    let config = Node::from_json(&config, &Origin::Default);
    let lies =
        Lies { home: state.parent().unwrap().display().to_string(), state_dir: state.display().to_string() };
    let Plan::Sandbox(plan) = plan(&config, Some("agent:main:main"), &lies).unwrap() else {
        panic!("not sandboxed")
    };
    Sandbox::new(*plan, workspace.to_str().unwrap(), lies, |_| None).unwrap()
}

/// What it is made of.
pub fn described(sandbox: &Sandbox) -> Spec {
    let work = std::fs::metadata(&sandbox.context.workspace_dir).unwrap();
    let owner = Owner { uid: work.uid(), gid: work.gid() };
    describe(sandbox, owner, rustix::process::geteuid().as_raw()).unwrap()
}

/// A running sandbox.
pub struct Running {
    pub child: Child,
    pub connection: Connection,
    environment: Vec<(String, String)>,
    directory: String,
}

/// Starts the outer stage the way a careless program would: with a variable set and a directory open.
pub fn spawn(open: &Path) -> Child {
    let script = format!("exec 7<{}; exec \"$0\" __runner native", open.display());
    Command::new("/bin/sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_openclaw")])
        .env("ESCAPE_CANARY", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

impl Running {
    pub async fn start(sandbox: &Sandbox, open: &Path) -> Self {
        let mut child = spawn(open);
        let mut to = ChildStdin::from_std(child.stdin.take().unwrap()).unwrap();
        let from = ChildStdout::from_std(child.stdout.take().unwrap()).unwrap();
        let bytes = described(sandbox).to_bytes().unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut to, &bytes).await.unwrap();
        let connection = match Connection::open(Place::Native, from, to).await {
            Ok(connection) => connection,
            Err(e) => {
                let output = child.wait_with_output().unwrap();
                panic!("{e}: {}", String::from_utf8_lossy(&output.stderr));
            }
        };
        let directory = sandbox.context.container_workdir.clone();
        Self { child, connection, environment: sandbox.environment(&[]), directory }
    }

    pub fn request(&self, script: &str, timeout: Duration) -> RunRequest {
        RunRequest {
            program: Program::Shell { shell: "/bin/sh".to_owned(), text: script.to_owned() },
            directory: self.directory.clone(),
            directory_identity: None,
            environment: self.environment.clone(),
            input: Input::Empty,
            terminal: None,
            timeout_ms: Some(u64::try_from(timeout.as_millis()).unwrap()),
            output_limit: 1 << 20,
        }
    }

    /// Runs a script to its end: both streams together, and how it ended.
    pub async fn run(&self, script: &str) -> (String, Result<Exit, ExecutorError>) {
        self.run_for(script, Duration::from_secs(60)).await
    }

    pub async fn run_for(&self, script: &str, timeout: Duration) -> (String, Result<Exit, ExecutorError>) {
        let mut running = self.connection.start(self.request(script, timeout)).unwrap();
        let mut said = Vec::new();
        while let Some(piece) = running.output.recv().await {
            match piece {
                Output::Out(bytes) | Output::Err(bytes) => said.extend(bytes),
            }
        }
        (String::from_utf8_lossy(&said).into_owned(), running.exit.await.unwrap())
    }
}
