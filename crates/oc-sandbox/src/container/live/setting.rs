//! One test's installation: its own state directory, workspace, container names. Everything is removed at the end, also of a failed test.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use oc_policy::sandbox::{Place as Places, Plan, plan};
use oc_runner::protocol::{Exit, Input, Program, RunRequest};
use oc_types::{Node, Origin};
use serde_json::{Value, json};

use crate::container::image::{TINY_IMAGE, TINY_SETTINGS, tiny_root};
use crate::container::{ContainerExecutor, Containers, Engine, EngineAddress, Sandbox};
use crate::executor::{Executor as _, ExecutorError, Output, Place, Running};
use crate::gate::AuthorizedCall;

/// The user that owns the test's workspaces, and so the user of its commands.
pub(super) const USER: u32 = 1000;

/// The engine with the test image, or `None` with the reason printed.
pub(super) async fn engine() -> Option<Engine> {
    let required = std::env::var("OC_REQUIRE").unwrap_or_default().split_whitespace().any(|w| w == "docker");
    let address = EngineAddress::from_environment(|n| std::env::var(n).ok(), None).expect("an address");
    let engine = match Engine::connect(&address).await {
        Ok(engine) => engine,
        Err(e) => {
            assert!(!required, "an engine is required here: {e}");
            println!("skipped: {e}");
            return None;
        }
    };
    if !tiny_image(&engine).await {
        assert!(!required, "busybox-static is required here");
        return None;
    }
    Some(engine)
}

/// Has the engine the test image, or can it be made?
pub(super) async fn tiny_image(engine: &Engine) -> bool {
    if engine.has_image(TINY_IMAGE).await.expect("an answer") {
        return true;
    }
    let Some(busybox) = ["/bin/busybox", "/usr/bin/busybox"].map(Path::new).into_iter().find(|p| p.exists())
    else {
        println!("skipped: busybox-static is not installed");
        return false;
    };
    let root = tiny_root(busybox).expect("a root file system");
    engine.import_image(TINY_IMAGE, root, &TINY_SETTINGS).await.expect("imported");
    true
}

/// The ways a command gets into a container: through the runner, where it was built, and through the engine's exec.
pub(super) fn ways() -> Vec<(&'static str, Option<PathBuf>)> {
    match crate::runner_file::runner_file() {
        Ok(path) => vec![("runner", Some(path)), ("engine", None)],
        Err(e) => {
            let required =
                std::env::var("OC_REQUIRE").unwrap_or_default().split_whitespace().any(|w| w == "docker");
            assert!(!required, "{e}");
            println!("skipped the runner's part: {e}");
            vec![("engine", None)]
        }
    }
}

/// The engine's own command line; a failure fails the test.
pub(super) fn docker(argv: &[String]) -> String {
    let done = std::process::Command::new("docker").args(argv).output().expect("docker");
    assert!(done.status.success(), "docker {argv:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// What `docker inspect` shows.
pub(super) fn inspect(name: &str) -> Value {
    let text = docker(&["inspect", "--type", "container", name].map(str::to_owned));
    let list: Value = serde_json::from_str(&text).expect("JSON");
    list[0].clone()
}

/// Whether the engine has a container of this name.
pub(super) fn exists(name: &str) -> bool {
    let done = std::process::Command::new("docker").args(["inspect", "--type", "container", name]).output();
    done.expect("docker").status.success()
}

/// One installation.
pub(super) struct Setting {
    pub containers: Arc<Containers>,
    pub directory: tempfile::TempDir,
    prefix: String,
}

impl Setting {
    pub(super) fn new(engine: Engine, runner: Option<PathBuf>) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        // Commands of the container go through it as another user.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(directory.path(), open).expect("mode");
        let workspace = directory.path().join("workspace");
        std::fs::create_dir(&workspace).expect("a workspace");
        if rustix::process::geteuid().is_root() {
            chown(&workspace, Some(USER), Some(USER)).expect("owner");
        }
        let state = directory.path().join("state");
        std::fs::create_dir(&state).expect("a state directory");
        let token = oc_fs::random::token_hex(16).expect("random");
        let prefix = format!("oc-test-{}-", token.expose().chars().take(8).collect::<String>());
        Self { containers: Arc::new(Containers::new(engine, &state, runner)), directory, prefix }
    }

    pub(super) fn workspace(&self) -> std::path::PathBuf {
        self.directory.path().join("workspace")
    }

    pub(super) fn state(&self) -> std::path::PathBuf {
        self.directory.path().join("state")
    }

    /// The planned sandbox of a session. `sandbox` is merged over mode `all`, the tiny image and this test's prefix.
    pub(super) fn sandbox(&self, session: &str, sandbox: &Value) -> Sandbox {
        let mut docker = json!({"image": TINY_IMAGE, "containerPrefix": self.prefix});
        let mut settings = json!({"mode": "all"});
        for (key, value) in sandbox.as_object().expect("an object") {
            if key == "docker" {
                for (key, value) in value.as_object().expect("an object") {
                    docker[key] = value.clone();
                }
            } else {
                settings[key] = value.clone();
            }
        }
        settings["docker"] = docker;
        let config =
            Node::from_json(&json!({"agents": {"defaults": {"sandbox": settings}}}), &Origin::Default);
        let text = |p: std::path::PathBuf| p.to_str().expect("UTF-8").to_owned();
        let place = Places { home: "/home/nobody-here".to_owned(), state_dir: text(self.state()) };
        let Plan::Sandbox(plan) = plan(&config, Some(session), &place).expect("a plan") else {
            panic!("sandboxed")
        };
        Sandbox::new(*plan, &text(self.workspace()), place, |_| None).expect("a name")
    }

    pub(super) fn executor(&self, session: &str, sandbox: &Value) -> ContainerExecutor {
        ContainerExecutor::new(Arc::clone(&self.containers), self.sandbox(session, sandbox))
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        // Only what carries this installation's label.
        let label = format!("label=openclaw.owner={}", self.containers.owner());
        let list = std::process::Command::new("docker").args(["ps", "-aq", "--filter", &label]).output();
        let ids = list.map(|l| String::from_utf8_lossy(&l.stdout).into_owned()).unwrap_or_default();
        for id in ids.split_whitespace() {
            let _ = std::process::Command::new("docker").args(["rm", "-f", "-v", id]).output();
        }
    }
}

/// A shell line.
pub(super) fn shell(text: &str) -> RunRequest {
    RunRequest {
        program: Program::Shell { shell: "/bin/sh".to_owned(), text: text.to_owned() },
        directory: "/workspace".to_owned(),
        directory_identity: None,
        environment: Vec::new(),
        input: Input::Empty,
        terminal: None,
        timeout_ms: Some(60_000),
        output_limit: 1024 * 1024,
    }
}

/// What a finished command left.
#[derive(Debug)]
pub(super) struct Done {
    pub out: String,
    pub err: String,
    pub exit: Exit,
}

/// Reads a command to its end.
pub(super) async fn finish(mut running: Running) -> Result<Done, ExecutorError> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    while let Some(piece) = running.output.recv().await {
        match piece {
            Output::Out(bytes) => out.extend(bytes),
            Output::Err(bytes) => err.extend(bytes),
        }
    }
    let exit = tokio::time::timeout(Duration::from_secs(30), running.exit).await;
    let exit = exit.expect("an exit in time").expect("an exit")?;
    let text = |b: Vec<u8>| String::from_utf8_lossy(&b).into_owned();
    Ok(Done { out: text(out), err: text(err), exit })
}

/// Starts a command and reads it to its end.
pub(super) async fn run(executor: &ContainerExecutor, run: RunRequest) -> Result<Done, ExecutorError> {
    let call = AuthorizedCall::for_tests(Place::Container);
    finish(executor.start(&call, run).await?).await
}
