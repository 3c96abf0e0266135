//! `kill -9` of `openclaw` at every step of a sandboxed call: the ledger stays whole, the next call works, nothing is left behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::gate::{Installed, has_engine};
use crate::host::Host;
use crate::proxy::{Moment, Proxy};

/// Most steps that a call is expected to have; reaching it is a failure.
const STEPS: usize = 400;

/// The engine that the tests use, as a socket: only that can be watched here.
fn engine_socket() -> Option<PathBuf> {
    match std::env::var("DOCKER_HOST") {
        Err(_) => Some(PathBuf::from("/var/run/docker.sock")),
        Ok(host) => host.strip_prefix("unix://").map(PathBuf::from),
    }
}

fn spawn(installed: &Installed<'_>, script: &str, engine: Option<&Path>) -> Child {
    let mut command = installed.invoke(script);
    if let Some(socket) = engine {
        command.env("DOCKER_HOST", format!("unix://{}", socket.display()));
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// After a kill: the ledger is whole, the next call works and finds nothing that runs from before.
fn recovers(installed: &Installed<'_>, step: &str) {
    let verified = installed.openclaw(&["ledger", "verify"]);
    assert!(verified.status.success(), "{step}: {}", String::from_utf8_lossy(&verified.stdout));
    let look = "for d in /proc/[0-9]*; do read -r name < $d/comm && [ \"$name\" = sleep ] && echo LEFT; done 2>/dev/null; echo alive";
    let output = installed.invoke(look).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let said = answer["content"][0]["text"].as_str().unwrap_or_default();
    assert_eq!(said, "alive\n", "{step}: {answer} {}", String::from_utf8_lossy(&output.stderr));
    let verified = installed.openclaw(&["ledger", "verify"]);
    assert!(verified.status.success(), "{step}: {}", String::from_utf8_lossy(&verified.stdout));
}

/// Kills one call at each piece of its conversation with the engine; how many there were.
fn at_each_piece(installed: &Installed<'_>, engine: &Path, cold: bool) -> usize {
    for n in 1..STEPS {
        if cold {
            installed.remove_containers();
        }
        let proxy = Proxy::new(engine, Moment::Piece(n));
        let child = spawn(installed, "echo started; sleep 0.05; echo finished", Some(&proxy.socket));
        proxy.watches(child.id());
        let output = child.wait_with_output().unwrap();
        if !proxy.killed() {
            // It was over before that piece came.
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success() && said.contains("finished"), "{n}: {said}");
            return n - 1;
        }
        let step = format!("{} call, piece {n}", if cold { "first" } else { "second" });
        recovers(installed, &step);
        let names = installed.containers();
        assert_eq!(names.len(), 1, "{step}: {names:?}");
        let listed = installed.openclaw(&["sandbox", "list", "--json"]);
        let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
        assert_eq!(listed["containers"].as_array().unwrap().len(), 1, "{step}: {listed}");
        assert_eq!(listed["containers"][0]["containerName"], names[0].as_str(), "{step}");
    }
    panic!("a call has more than {STEPS} steps")
}

#[test]
fn sp_236_sp_250_a_kill_at_every_step_of_a_call_in_a_container_leaves_no_orphan() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if !runtime.block_on(has_engine()) {
        return;
    }
    let Some(engine) = engine_socket() else {
        eprintln!("skipped: the engine is not behind a socket of this machine");
        return;
    };
    let host = Host::new();
    let owner = host.is_root.then_some(1000);
    let workspace = host.workspace("agent", owner);
    // With a setup command, so that the container under its provisional name is a step as well.
    let installed = Installed::with(&host, &workspace, "container", &json!({ "setupCommand": "true" }));
    let cold = at_each_piece(&installed, &engine, true);
    let warm = at_each_piece(&installed, &engine, false);
    assert!(cold > 20 && warm > 8 && cold > warm, "{cold} and {warm} pieces");
    eprintln!("killed at {cold} pieces of a first call and {warm} of a second one");
    // In the middle of a command that would run for long: the next call finds it gone.
    let proxy = Proxy::new(&engine, Moment::Said("started-now"));
    let child =
        spawn(&installed, "trap '' TERM; echo started-now; sleep 976 & sleep 977", Some(&proxy.socket));
    proxy.watches(child.id());
    child.wait_with_output().unwrap();
    assert!(proxy.killed());
    recovers(&installed, "in the middle of a command");
}

/// Processes of the host with this text among their arguments.
fn running(mark: &str) -> usize {
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter(|e| {
        let text = fs::read(e.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&text).contains(mark)
    })
    .count()
}

/// Processes of a sandbox that has something of this folder mounted.
fn in_sandboxes_of(folder: &Path) -> usize {
    let name = folder.display().to_string();
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter(|e| fs::read_to_string(e.path().join("mountinfo")).is_ok_and(|m| m.contains(&name))).count()
}

/// Whether a process has children.
fn has_child(parent: u32) -> bool {
    fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).is_ok_and(|c| !c.trim().is_empty())
}

fn gone_in_time(left: &dyn Fn() -> usize, step: &str) {
    let limit = Instant::now() + Duration::from_secs(15);
    while left() > 0 {
        assert!(Instant::now() < limit, "{step}: {} processes are left", left());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn sp_250_a_kill_at_every_step_of_a_call_in_a_native_sandbox_leaves_no_process() {
    let host = Host::new();
    let workspace = host.workspace("agent", host.is_root.then_some(1000));
    let installed = Installed::new(&host, &workspace, "native");
    let records = || fs::read_to_string(host.state.join("ledger/ledger-000001.jsonl")).unwrap_or_default();
    let lines = || records().lines().count();
    let made = workspace.join("made");
    let kill_when = |step: &str, seconds: &str, reached: &dyn Fn(u32) -> bool| {
        let _ = fs::remove_file(&made);
        let mut child = spawn(
            &installed,
            &format!("echo x > made; trap '' TERM; setsid sleep {seconds} & sleep {seconds}"),
            None,
        );
        let limit = Instant::now() + Duration::from_secs(20);
        while !reached(child.id()) && child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < limit, "{step} was not reached");
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        gone_in_time(&|| running(&format!("sleep\0{seconds}")) + in_sandboxes_of(&host.root), step);
        recovers(&installed, step);
    };
    // Named steps of a call that would run for long.
    let before = lines();
    kill_when("before its record", "8801.25", &|_| true);
    let before = before.max(lines());
    kill_when("its decision is recorded", "8802.25", &|_| lines() > before);
    kill_when("its sandbox is being made", "8803.25", &|child| has_child(child));
    kill_when("its command acts", "8804.25", &|_| made.exists());
    kill_when("its command runs", "8805.25", &|_| running("sleep\08805.25") > 0);
    // And as many moments between them as the time of a short call has room for.
    let clock = Instant::now();
    let whole = spawn(&installed, "sleep 0.02; echo finished", None).wait_with_output().unwrap();
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stdout));
    let took = clock.elapsed();
    for n in 0..40 {
        let mut child = spawn(&installed, "sleep 0.02; echo finished", None);
        let moment = Instant::now() + took.mul_f64(f64::from(n) / 40.0);
        while Instant::now() < moment {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let step = format!("moment {n} of 40");
        gone_in_time(&|| in_sandboxes_of(&host.root), &step);
        recovers(&installed, &step);
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(&host.root.display().to_string()), "a mount is left on the host: {mounts}");
}
