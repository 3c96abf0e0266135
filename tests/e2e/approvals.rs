//! `openclaw approvals` as a user runs it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

#[path = "approvals/asker.rs"]
mod asker;

struct Home {
    directory: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn state(&self) -> PathBuf {
        self.directory.path().join(".openclaw")
    }

    fn openclaw(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_openclaw"))
            .args(args)
            .env_clear()
            .env("HOME", self.directory.path())
            .env("USER", "me")
            .current_dir(self.directory.path())
            .output()
            .unwrap()
    }

    fn approvals(&self, args: &[&str]) -> (i32, String, String) {
        let out = self.openclaw(&[&["approvals"], args].concat());
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        (out.status.code().unwrap(), text(&out.stdout), text(&out.stderr))
    }

    fn ask(&self, command: &str) -> Child {
        asker::child(self.directory.path(), command, 60_000)
    }

    /// The pending requests, once there are `count`.
    #[track_caller]
    fn pending(&self, count: usize) -> Vec<serde_json::Value> {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let (code, out, err) = self.approvals(&["list", "--json"]);
            assert_eq!(code, 0, "{err}");
            let json: serde_json::Value = serde_json::from_str(&out).unwrap();
            let list = json["pending"].as_array().unwrap().clone();
            if list.len() == count {
                return list;
            }
            assert!(Instant::now() < end, "{out}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }
}

fn code(record: &serde_json::Value) -> String {
    record["code"].as_str().unwrap().to_owned()
}

fn touch(path: &Path) -> String {
    format!("touch '{}'", path.display())
}

#[test]
fn list_approve_and_deny_by_code() {
    let home = Home::new();
    assert_eq!(home.approvals(&["list"]), (0, "No command waits for an answer.\n".to_owned(), String::new()));
    let (yes, no) = (home.directory.path().join("yes"), home.directory.path().join("no"));
    let mut first = home.ask(&touch(&yes));
    home.pending(1);
    let mut second = home.ask(&touch(&no));
    let list = home.pending(2);
    let (_, shown, _) = home.approvals(&["pending"]);
    assert!(shown.contains(&code(&list[0])) && shown.contains("agent:main:main"), "{shown}");
    assert!(shown.lines().all(|l| l.chars().count() <= 80), "{shown}");
    assert!(list[0].get("binding").is_none() && list[0].get("owner").is_none());

    let (status, said, err) = home.approvals(&["approve", &code(&list[0])]);
    assert_eq!(status, 0, "{err}");
    assert!(said.contains("approved once: touch"), "{said}");
    assert_eq!(first.wait().unwrap().code(), Some(0));
    let (status, _, err) = home.approvals(&["resolve", list[1]["id"].as_str().unwrap(), "deny"]);
    assert_eq!(status, 0, "{err}");
    assert_eq!(second.wait().unwrap().code(), Some(asker::DENIED));
    assert!(yes.exists() && !no.exists());

    // The same answer again succeeds, another one does not.
    let (status, said, _) = home.approvals(&["deny", &code(&list[1])]);
    assert_eq!((status, said.contains("already denied")), (0, true), "{said}");
    let (status, _, err) = home.approvals(&["approve", &code(&list[1])]);
    assert_eq!((status, err.contains("already resolved: deny")), (1, true), "{err}");
    // Unknown codes, and mistakes in the arguments.
    let (status, _, err) = home.approvals(&["approve", "00000000"]);
    assert_eq!((status, err.contains("no request waits")), (1, true), "{err}");
    for args in [&["approve"][..], &["resolve", "x", "yes"], &["approve", "x", "--target", "moon"], &["set"]]
    {
        assert_eq!(home.approvals(args).0, 2, "{args:?}");
    }
    let (_, all, _) = home.approvals(&["list", "--all"]);
    assert!(all.contains("finished: exit 0") && all.contains("denied: user-denied"), "{all}");
    assert!(all.contains("terminal:me"), "{all}");
}

#[test]
fn sp_174_a_killed_asker_leaves_nothing_to_approve() {
    let home = Home::new();
    let mut child = home.ask("touch never");
    let list = home.pending(1);
    child.kill().unwrap();
    child.wait().unwrap();
    let (status, _, err) = home.approvals(&["approve", &code(&list[0])]);
    assert_eq!((status, err.contains("no request waits")), (1, true), "{err}");
    let (_, all, _) = home.approvals(&["list", "--all"]);
    assert!(all.contains("denied: gateway-restart"), "{all}");
}

#[test]
fn without_a_terminal_the_watcher_prints_lines() {
    use std::io::{BufRead, BufReader};
    let home = Home::new();
    let mut watch = Command::new(env!("CARGO_BIN_EXE_openclaw"))
        .args(["approvals", "watch"])
        .env_clear()
        .env("HOME", home.directory.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut child = home.ask("touch x\u{202e}y");
    let list = home.pending(1);
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    assert!(line.starts_with(&format!("{} waits, expires in", code(&list[0]))), "{line}");
    let inside = format!(
        "(agent main, session agent:main:main, in {})",
        home.directory.path().canonicalize().unwrap().display()
    );
    assert!(line.contains(&format!("touch x\\u{{202e}}y {inside}")), "{line}");
    home.approvals(&["deny", &code(&list[0])]);
    let line = lines.next().unwrap().unwrap();
    assert!(line.contains("denied: user-denied"), "{line}");
    watch.kill().unwrap();
    watch.wait().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_file_is_shown_replaced_and_edited_and_a_damaged_one_is_left_alone() {
    let home = Home::new();
    let file = home.state().join("exec-approvals.json");
    let (status, out, _) = home.approvals(&["get"]);
    assert!(status == 0 && out.contains("no approvals file") && !file.exists(), "{out}");
    for _ in 0..2 {
        assert_eq!(home.approvals(&["allowlist", "add", "/usr/bin/git"]).0, 0, "again changes nothing");
    }
    let (status, _, err) = home.approvals(&["allowlist", "add", "git"]);
    assert!(status == 1 && err.contains("full path"), "{err}");
    let (_, out, _) = home.approvals(&["get", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["file"]["agents"]["*"]["allowlist"].as_array().unwrap().len(), 1);
    let new = home.directory.path().join("new.json5");
    std::fs::write(
        &new,
        "{ version: 1, /* mine */ agents: { main: { security: 'deny' } }, socket: { token: 'made-up' } }",
    )
    .unwrap();
    let (status, _, err) = home.approvals(&["set", "--file", new.to_str().unwrap(), "--base-hash", "00"]);
    assert!(status == 1 && err.contains("has changed"), "{err}");
    assert_eq!(home.approvals(&["set", "--file", new.to_str().unwrap()]).0, 0);
    let (_, out, _) = home.approvals(&["get"]);
    assert!(out.contains("deny") && !out.contains("made-up"), "{out}");
    assert_eq!(home.approvals(&["allowlist", "remove", "/bin/none"]).0, 0);
    for flag in [&["get", "--gateway"][..], &["get", "--node", "mac"]] {
        let (status, _, err) = home.approvals(flag);
        assert!(status == 1 && err.contains("gateway"), "{err}");
    }
    std::fs::write(&file, "{ broken").unwrap();
    for args in [&["get"][..], &["allowlist", "add", "/bin/x"], &["set", "--file", new.to_str().unwrap()]] {
        let (status, _, err) = home.approvals(args);
        assert!(status == 1 && err.contains("refused until it is mended"), "{err}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{ broken");
}

#[test]
fn sp_007_two_processes_that_edit_at_once_lose_nothing() {
    let home = Home::new();
    let children: Vec<Child> = (0..12)
        .map(|n| {
            Command::new(env!("CARGO_BIN_EXE_openclaw"))
                .args(["approvals", "allowlist", "add", &format!("/bin/{n}")])
                .env_clear()
                .env("HOME", home.directory.path())
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let (_, out, _) = home.approvals(&["get", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["file"]["agents"]["*"]["allowlist"].as_array().unwrap().len(), 12);
}
