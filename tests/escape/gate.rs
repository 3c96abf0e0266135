//! The same attempts through the whole door: `openclaw tool invoke exec`, once for each backend.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use oc_sandbox::container::{Engine, EngineAddress, TINY_IMAGE, TINY_SETTINGS, tiny_root};
use serde_json::{Value, json};

use crate::host::Host;
use crate::native::limits;
use crate::probes::{On, PROBES};

/// Says that a probe's shell ran at all.
const RAN: &str = "probe-ran";

/// Whether the container half can run here; said when not. `OC_REQUIRE` with the word `docker` makes it a failure.
pub async fn has_engine() -> bool {
    let required = std::env::var("OC_REQUIRE").unwrap_or_default().split_whitespace().any(|w| w == "docker");
    match prepare_engine().await {
        Ok(()) => true,
        Err(why) => {
            assert!(!required, "an engine is required here: {why}");
            eprintln!("skipped: {why}");
            false
        }
    }
}

async fn prepare_engine() -> Result<(), String> {
    let address = EngineAddress::from_environment(|n| std::env::var(n).ok(), None);
    let engine = Engine::connect(&address.map_err(|e| e.to_string())?).await.map_err(|e| e.to_string())?;
    if engine.has_image(TINY_IMAGE).await.map_err(|e| e.to_string())? {
        return Ok(());
    }
    let busybox = ["/bin/busybox", "/usr/bin/busybox"].map(Path::new).into_iter().find(|p| p.exists());
    let root = tiny_root(busybox.ok_or("busybox-static is not installed")?).map_err(|e| e.to_string())?;
    engine.import_image(TINY_IMAGE, root, &TINY_SETTINGS).await.map_err(|e| e.to_string())
}

/// An installation in the host's home whose sessions are in sandboxes of one backend.
pub struct Installed<'h> {
    host: &'h Host,
    prefix: String,
}

impl<'h> Installed<'h> {
    pub fn new(host: &'h Host, workspace: &Path, backend: &str) -> Self {
        Self::with(host, workspace, backend, &json!({}))
    }

    /// With some more settings below `sandbox.docker`.
    pub fn with(host: &'h Host, workspace: &Path, backend: &str, more: &Value) -> Self {
        let prefix = format!("{}-", host.root.file_name().unwrap().to_str().unwrap().to_lowercase());
        let prefix = prefix.replace('.', "");
        let mut docker = limits();
        docker["image"] = json!(TINY_IMAGE);
        docker["containerPrefix"] = json!(prefix);
        docker.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let config = json!({ "agents": { "defaults": {
            "workspace": workspace,
            "sandbox": { "mode": "all", "backend": backend, "workspaceAccess": "rw", "docker": docker },
        } } });
        fs::write(host.state.join("openclaw.json"), config.to_string()).unwrap();
        Self { host, prefix }
    }

    /// The program, in the host's home.
    fn program(&self, mut command: Command) -> Command {
        command.env_clear().env("HOME", &self.host.home).env("PATH", "/usr/bin:/bin");
        command.env("ESCAPE_CANARY", "1").current_dir(&self.host.home).stdin(Stdio::null());
        if let Ok(engine) = std::env::var("DOCKER_HOST") {
            command.env("DOCKER_HOST", engine);
        }
        command
    }

    /// Some other command of it, run to its end.
    pub fn openclaw(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_openclaw"));
        command.args(arguments);
        self.program(command).output().unwrap()
    }

    /// One call of `exec` through the gate, its process being the program itself.
    pub fn invoke(&self, script: &str) -> Command {
        let arguments = json!({ "command": script, "timeout": 40 }).to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_openclaw"));
        command.args(["tool", "invoke", "exec", "--json", "--args"]).arg(arguments);
        self.program(command)
    }

    /// What a script said, through the gate.
    fn exec(&self, script: &str) -> String {
        let arguments = json!({ "command": script, "timeout": 40 }).to_string();
        let program = env!("CARGO_BIN_EXE_openclaw");
        let mut command = Command::new("timeout");
        command.args(["-s", "KILL", "90", program, "tool", "invoke", "exec", "--json", "--args"]);
        command.arg(arguments);
        let output = self.program(command).output().unwrap();
        let wrong = String::from_utf8_lossy(&output.stderr).into_owned();
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let pieces = answer["content"].as_array().cloned().unwrap_or_default();
        let said: String = pieces.iter().filter_map(|p| p["text"].as_str()).collect();
        if said.contains(RAN) { said } else { format!("did not run: {answer} {wrong}") }
    }

    /// Names of its containers, whether they run or not.
    pub fn containers(&self) -> Vec<String> {
        let filter = format!("name=^/?{}", self.prefix);
        let list = docker(&["ps", "-a", "--format", "{{.Names}}", "--filter", &filter]);
        list.split_whitespace().map(str::to_owned).collect()
    }

    /// Removes what carries this test's prefix, and nothing else.
    pub fn remove_containers(&self) {
        for name in self.containers() {
            docker(&["rm", "-f", "-v", &name]);
        }
    }
}

impl Drop for Installed<'_> {
    fn drop(&mut self) {
        self.remove_containers();
    }
}

/// What the engine's own command line says; nothing where there is none.
fn docker(arguments: &[&str]) -> String {
    let done = Command::new("docker").args(arguments).output();
    done.map(|d| String::from_utf8_lossy(&d.stdout).into_owned()).unwrap_or_default()
}

fn nothing_gets_out(backend: &str) {
    let mut host = Host::new();
    let owner = host.is_root.then_some(1000);
    let workspace = host.workspace("agent", owner);
    let installed = Installed::new(&host, &workspace, backend);
    let probes: Vec<_> = PROBES.iter().filter(|p| backend == "native" || p.on == On::Both).collect();
    let (mut out, mut not_run) = (Vec::new(), Vec::new());
    for probe in &probes {
        let said = installed.exec(&format!("echo {RAN}\n{}", host.script(probe, "/workspace")));
        match (said.contains("did not run"), said.contains("ESCAPED")) {
            (true, _) => not_run.push((probe.name, said)),
            (false, true) => out.push((probe.name, said)),
            (false, false) => {}
        }
    }
    assert_eq!(not_run, []);
    assert_eq!(out, [], "of {} probes", probes.len());
    // Everything that can be signalled; tried only where the processes are not this machine's.
    let host_processes = fs::read_link("/proc/self/ns/pid").unwrap();
    let all = format!(
        "echo {RAN}; [ \"$(readlink /proc/self/ns/pid)\" = '{}' ] && echo ESCAPED || kill -9 -1",
        host_processes.display()
    );
    assert!(!installed.exec(&all).contains("ESCAPED"), "the host's processes are seen");
    assert!(installed.exec(&format!("echo {RAN} alive")).contains("alive"), "the next call works");
    drop(installed);
    assert!(host.sleeper.try_wait().unwrap().is_none(), "a process of the host was ended");
    assert!(!host.home.join("written").exists());
}

#[test]
fn sp_231_sp_234_nothing_gets_out_of_a_native_sandbox_through_the_gate() {
    nothing_gets_out("native");
}

#[test]
fn sp_231_sp_234_nothing_gets_out_of_a_container_through_the_gate() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if runtime.block_on(has_engine()) {
        nothing_gets_out("container");
    }
}
