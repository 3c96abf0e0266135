//! What other processes see: kills at every step, many writers at once, every umask.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use oc_fs::atomic::{self, WriteStep};
use oc_fs::lock::{self, Convention};

/// Runs one of the `child_*` tests of this file in a process of its own.
fn child(test: &str, env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--include-ignored", "--nocapture"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.envs(env.iter().copied());
    command
}

fn old_bytes() -> Vec<u8> {
    vec![b'o'; 100_000]
}

fn new_bytes() -> Vec<u8> {
    vec![b'n'; 150_001]
}

#[test]
#[ignore = "not a test: the process that sp_006_a_kill_at_every_step kills"]
fn child_replaces_and_is_killed() {
    let path = PathBuf::from(std::env::var_os("STORE").unwrap());
    let step: usize = std::env::var("STEP").unwrap().parse().unwrap();
    let _ = atomic::replace_with(&path, &new_bytes(), &|s| {
        if s == WriteStep::ALL[step] {
            let me = rustix::process::Pid::from_raw(i32::try_from(std::process::id()).unwrap()).unwrap();
            rustix::process::kill_process(me, rustix::process::Signal::KILL).unwrap();
        }
        Ok(())
    });
}

#[test]
fn sp_006_a_kill_at_every_step_leaves_old_or_new_bytes() {
    let mut seen = Vec::new();
    for (index, step) in WriteStep::ALL.into_iter().enumerate() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("store.json");
        std::fs::write(&path, old_bytes()).unwrap();
        let status = child(
            "child_replaces_and_is_killed",
            &[("STORE", path.to_str().unwrap()), ("STEP", &index.to_string())],
        )
        .status()
        .unwrap();
        assert_eq!(status.signal(), Some(9), "{step:?}");
        let now = std::fs::read(&path).unwrap();
        let new = now == new_bytes();
        assert!(new || now == old_bytes(), "{step:?}: a mix of {} bytes", now.len());
        seen.push(new);
        for entry in std::fs::read_dir(tmp.path()).unwrap() {
            let path = entry.unwrap().path();
            let left_behind = path.extension().is_some_and(|e| e == "tmp");
            if left_behind {
                assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o7777, 0o600, "{step:?}");
            }
        }
        // The next writer works, and tidies up.
        let lock = lock::acquire(&path, Convention::Upstream, lock::WAIT).unwrap();
        atomic::sweep(&path);
        atomic::replace(&path, b"next").unwrap();
        drop(lock);
        assert!(
            !std::fs::read_dir(tmp.path()).unwrap().any(|e| e
                .unwrap()
                .path()
                .extension()
                .is_some_and(|x| x == "tmp"))
        );
    }
    // Old until the rename, new from then on.
    assert_eq!(seen, [false, false, false, false, false, false, true, true]);
}

#[test]
#[ignore = "not a test: one of the writers of sp_007_concurrent_writers"]
fn child_mutates_twenty_times() {
    let path = PathBuf::from(std::env::var_os("STORE").unwrap());
    let id = std::env::var("WRITER").unwrap();
    for n in 0..20 {
        let _lock = lock::acquire(&path, Convention::Upstream, std::time::Duration::from_secs(120)).unwrap();
        let mut store: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let entries = store.as_object_mut().unwrap();
        entries.insert(format!("{id}-{n}"), n.into());
        if n > 0 {
            // Each writer also deletes what it wrote before: a deleted entry must not come back.
            assert!(entries.remove(&format!("{id}-{}", n - 1)).is_some());
        }
        let count = entries["count"].as_u64().unwrap();
        entries.insert("count".to_owned(), (count + 1).into());
        atomic::replace(&path, serde_json::to_string(&store).unwrap().as_bytes()).unwrap();
    }
}

#[test]
fn sp_007_concurrent_writers_lose_and_resurrect_nothing() {
    const WRITERS: usize = 100;
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("store.json");
    std::fs::write(&path, "{\"count\":0}").unwrap();
    let children: Vec<_> = (0..WRITERS)
        .map(|w| {
            child(
                "child_mutates_twenty_times",
                &[("STORE", path.to_str().unwrap()), ("WRITER", &w.to_string())],
            )
            .spawn()
            .unwrap()
        })
        .collect();
    for mut c in children {
        assert!(c.wait().unwrap().success());
    }
    let store: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let mut want = serde_json::json!({ "count": WRITERS * 20 });
    for w in 0..WRITERS {
        want[format!("{w}-19")] = 19.into();
    }
    assert_eq!(store, want);
    assert!(!tmp.path().join("store.json.lock").exists());
}

#[test]
#[ignore = "not a test: the process that sp_005_every_umask gives a umask"]
fn child_creates_one_of_each() {
    let umask: u32 = std::env::var("UMASK").unwrap().parse().unwrap();
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(umask));
    let dir = PathBuf::from(std::env::var_os("STORE").unwrap());
    oc_fs::mode::create_directories(&dir.join("state/logs")).unwrap();
    let store = dir.join("state/store.json");
    let _lock = lock::acquire(&store, Convention::Upstream, lock::WAIT).unwrap();
    // What is there before the last step is checked from inside: temporaries live only here.
    atomic::replace_with(&store, b"bytes", &|s| {
        if s == WriteStep::WriteFirstHalf {
            check_modes(&dir);
        }
        Ok(())
    })
    .unwrap();
    oc_fs::backup::rotate(&store).unwrap();
    oc_fs::backup::rotate(&store).unwrap();
    drop(oc_fs::mode::open_append(&dir.join("state/logs/log.jsonl")).unwrap());
    check_modes(&dir);
}

fn check_modes(dir: &Path) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let meta = std::fs::symlink_metadata(&path).unwrap();
        if meta.is_dir() {
            assert_eq!(meta.permissions().mode() & 0o7777, 0o700, "{}", path.display());
            check_modes(&path);
        } else {
            assert_eq!(meta.permissions().mode() & 0o7777, 0o600, "{}", path.display());
        }
    }
}

#[test]
fn sp_005_every_umask_gives_owner_only_files_from_the_first_byte() {
    for umask in [0o000, 0o022, 0o077] {
        let tmp = tempfile::tempdir().unwrap();
        let status = child(
            "child_creates_one_of_each",
            &[("STORE", tmp.path().to_str().unwrap()), ("UMASK", &umask.to_string())],
        )
        .status()
        .unwrap();
        assert!(status.success(), "umask {umask:03o}");
        check_modes(tmp.path());
        assert!(tmp.path().join("state/store.json.bak.1").exists());
    }
}

fn edit_request(dir: &Path) -> oc_config::LoadRequest {
    oc_config::LoadRequest {
        environment: oc_config::Environment::from_process([(
            "OC_TOKEN".to_owned(),
            "0123456789abcdef".to_owned(),
        )]),
        overrides: oc_config::Overrides { state_dir: Some(dir.to_owned()), config: None },
        cwd: dir.to_owned(),
        os_home: Some(dir.to_owned()),
        reading: oc_config::Reading::Product,
    }
}

fn edit_config(dir: &Path, hook: atomic::Hook<'_>) {
    let change = oc_config::edit::Change::Set {
        path: oc_types::KeyPath::dotted("logging.redactSensitive"),
        value: serde_json::json!("tools"),
    };
    let writer =
        oc_fs::config_store::Writer { name: "test", force: oc_fs::config_store::Force::No, expected: None };
    oc_fs::config_store::edit_with(&edit_request(dir), &[change], writer, hook).unwrap();
}

#[test]
#[ignore = "not a test: the process that sp_006_a_kill_while_the_configuration_is_written kills"]
fn child_edits_the_configuration_and_is_killed() {
    let dir = PathBuf::from(std::env::var_os("STORE").unwrap());
    let step: usize = std::env::var("STEP").unwrap().parse().unwrap();
    edit_config(&dir, &|s| {
        if s == WriteStep::ALL[step] {
            let me = rustix::process::Pid::from_raw(i32::try_from(std::process::id()).unwrap()).unwrap();
            rustix::process::kill_process(me, rustix::process::Signal::KILL).unwrap();
        }
        Ok(())
    });
}

#[test]
fn sp_006_a_kill_while_the_configuration_is_written_leaves_the_old_or_the_new_one() {
    const OLD: &str = "{\n  // mine\n  gateway: { auth: { token: '${OC_TOKEN}' } },\n  logging: { redactSensitive: 'off' },\n}\n";
    for index in 0..WriteStep::ALL.len() {
        let tmp = tempfile::tempdir().unwrap();
        let config = tmp.path().join("openclaw.json");
        std::fs::write(&config, OLD).unwrap();
        let status = child(
            "child_edits_the_configuration_and_is_killed",
            &[("STORE", tmp.path().to_str().unwrap()), ("STEP", &index.to_string())],
        )
        .status()
        .unwrap();
        assert_eq!(status.signal(), Some(9));
        let now = std::fs::read_to_string(&config).unwrap();
        assert!(now == OLD || now == OLD.replace("'off'", "'tools'"), "{now}");
        // The lock of a killed holder is free, and the next edit finds a whole file.
        edit_config(tmp.path(), &|_| Ok(()));
        assert_eq!(std::fs::read_to_string(&config).unwrap(), OLD.replace("'off'", "'tools'"));
        assert_eq!(std::fs::read_to_string(tmp.path().join("openclaw.json.bak")).unwrap(), OLD);
    }
}

fn ledger_entry(call: &str) -> oc_fs::ledger::Entry {
    oc_fs::ledger::Entry {
        kind: oc_fs::ledger::Kind::Decision,
        actor: "command-line".to_owned(),
        agent: "main".to_owned(),
        session: "agent:main:main".to_owned(),
        subject: "tool:exec".to_owned(),
        verdict: "allowed".to_owned(),
        rule: "none".to_owned(),
        key_path: None,
        source: None,
        config_gen: String::new(),
        approval_id: None,
        call: call.to_owned(),
        inputs: serde_json::Map::new(),
    }
}

fn moment() -> jiff::Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

#[test]
#[ignore = "not a test: the process that the_ledger_survives_a_kill_at_every_step kills"]
fn child_appends_and_is_killed() {
    use oc_fs::ledger::{AppendStep, Ledger};
    let ledger = Ledger::of(Path::new(&std::env::var_os("STORE").unwrap()));
    let step: usize = std::env::var("STEP").unwrap().parse().unwrap();
    ledger.append(&ledger_entry("before"), moment()).unwrap();
    let _ = ledger.append_with(&ledger_entry("killed"), moment(), &|s| {
        if s == AppendStep::ALL[step] {
            let me = rustix::process::Pid::from_raw(i32::try_from(std::process::id()).unwrap()).unwrap();
            rustix::process::kill_process(me, rustix::process::Signal::KILL).unwrap();
        }
    });
}

#[test]
fn the_ledger_survives_a_kill_at_every_step() {
    use oc_fs::ledger::{AppendStep, Ledger, read, verify};
    for (index, step) in AppendStep::ALL.into_iter().enumerate() {
        let tmp = tempfile::tempdir().unwrap();
        let status = child(
            "child_appends_and_is_killed",
            &[("STORE", tmp.path().to_str().unwrap()), ("STEP", &index.to_string())],
        )
        .status()
        .unwrap();
        assert_eq!(status.signal(), Some(9), "{step:?}");
        let ledger = Ledger::of(tmp.path());
        let check = |records: usize, unfinished: bool, aside: usize| {
            let v = verify(ledger.directory(), None).unwrap();
            assert!(v.is_whole(), "{step:?}: {v:?}");
            assert_eq!(
                (v.records, v.unfinished > 0, v.set_aside.len()),
                (records, unfinished, aside),
                "{step:?}"
            );
        };
        let torn = step == AppendStep::HalfWritten;
        let kept = if matches!(step, AppendStep::Locked | AppendStep::HalfWritten) { 1 } else { 2 };
        check(kept, torn, 0);
        ledger.append(&ledger_entry("after"), moment()).unwrap();
        check(kept + 1 + usize::from(torn), false, usize::from(torn));
        let calls: Vec<String> =
            read(ledger.directory()).unwrap().into_iter().map(|l| l.record.unwrap().entry.call).collect();
        assert_eq!(calls.first().map(String::as_str), Some("before"), "{step:?}");
        assert_eq!(calls.last().map(String::as_str), Some("after"), "{step:?}");
    }
}

#[test]
#[ignore = "not a test: the process that what_was_written_at_once_survives_a_kill kills"]
fn child_writes_at_once_and_is_killed() {
    let ledger = oc_fs::ledger::Ledger::of(Path::new(&std::env::var_os("STORE").unwrap()));
    ledger.append(&ledger_entry("before"), moment()).unwrap();
    for n in 0..20 {
        let entry = ledger_entry(&format!("written-{n}"));
        ledger.write_at_once(&[(&entry, moment())]).expect("nobody else is at it").unwrap();
    }
    let me = rustix::process::Pid::from_raw(i32::try_from(std::process::id()).unwrap()).unwrap();
    rustix::process::kill_process(me, rustix::process::Signal::KILL).unwrap();
}

#[test]
fn what_was_written_at_once_survives_a_kill() {
    use oc_fs::ledger::{Ledger, read, verify};
    let tmp = tempfile::tempdir().unwrap();
    let store = tmp.path().to_str().unwrap();
    let status = child("child_writes_at_once_and_is_killed", &[("STORE", store)]).status().unwrap();
    assert_eq!(status.signal(), Some(9));
    let ledger = Ledger::of(tmp.path());
    let v = verify(ledger.directory(), None).unwrap();
    assert!(v.is_whole() && v.records == 21 && v.unfinished == 0, "{v:?}");
    ledger.append(&ledger_entry("after"), moment()).unwrap();
    let calls: Vec<String> =
        read(ledger.directory()).unwrap().into_iter().map(|l| l.record.unwrap().entry.call).collect();
    assert_eq!((calls.len(), calls[20].as_str(), calls[21].as_str()), (22, "written-19", "after"));
    assert!(verify(ledger.directory(), None).unwrap().is_whole());
}

#[test]
#[ignore = "not a test: one of the writers of many_processes_write_one_ledger"]
fn child_appends_twenty_times() {
    let ledger =
        oc_fs::ledger::Ledger::of(Path::new(&std::env::var_os("STORE").unwrap())).rotating_at(20_000);
    let id = std::env::var("WRITER").unwrap();
    for n in 0..20 {
        ledger.append(&ledger_entry(&format!("{id}-{n}")), moment()).unwrap();
    }
}

#[test]
fn sp_007_many_processes_write_one_ledger() {
    const WRITERS: usize = 12;
    let tmp = tempfile::tempdir().unwrap();
    let children: Vec<_> = (0..WRITERS)
        .map(|n| {
            child(
                "child_appends_twenty_times",
                &[("STORE", tmp.path().to_str().unwrap()), ("WRITER", &n.to_string())],
            )
            .spawn()
            .unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let directory = tmp.path().join("ledger");
    let v = oc_fs::ledger::verify(&directory, None).unwrap();
    assert!(v.is_whole() && v.files > 1, "{v:?}");
    let calls: std::collections::BTreeSet<String> =
        oc_fs::ledger::read(&directory).unwrap().into_iter().map(|l| l.record.unwrap().entry.call).collect();
    assert_eq!((v.records, calls.len()), (WRITERS * 20, WRITERS * 20));
}
