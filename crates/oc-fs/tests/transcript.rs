//! A process that is killed while it writes a transcript: what it acknowledged is there, once, in order, and the next writer goes on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use oc_fs::durability::Durability;
use oc_fs::session_store::{OpenedTranscript, SessionStore};
use oc_types::AgentId;
use serde_json::{Value, json};

const ROUNDS: u64 = 40;

fn opened(state: &Path) -> OpenedTranscript {
    let store = SessionStore::of(state, &AgentId::normalized("main"), None, state);
    let entry = json!({ "sessionId": "a" });
    let header = r#"{"type":"session","version":3,"id":"a"}"#;
    store.open_transcript(entry.as_object().unwrap(), header, "t", Duration::from_secs(10)).unwrap()
}

fn number(line: &str) -> Option<u64> {
    serde_json::from_str::<Value>(line).unwrap().get("n").and_then(Value::as_u64)
}

#[test]
#[ignore = "not a test: the process that sp_006_a_killed_writer kills"]
fn child_appends_until_it_is_killed() {
    let state = PathBuf::from(std::env::var_os("STATE").unwrap());
    let mut session = opened(&state);
    let mut n = session.lines.iter().filter_map(|l| number(l)).max().unwrap_or(0);
    let out = std::io::stdout();
    loop {
        n += 1;
        // Some lines are long, so that a kill can hit the middle of a write.
        let text = "x".repeat(if n % 3 == 0 { 700_000 } else { 100 });
        let line = json!({ "type": "message", "n": n, "text": text }).to_string();
        let durability = if n % 2 == 0 { Durability::Synced } else { Durability::Written };
        session.transcript.append(&[line], durability).unwrap();
        let mut out = out.lock();
        writeln!(out, "ack {n}").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn sp_006_a_killed_writer_loses_no_acknowledged_line() {
    let tmp = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_appends_until_it_is_killed", "--include-ignored", "--nocapture"])
            .env("STATE", tmp.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
        // After a different number of lines each round, and at whatever point the writer then is.
        let mut left = 1 + (round * 7) % 13;
        while left > 0 {
            let line = told.next().unwrap().unwrap();
            if let Some(n) = line.split("ack ").nth(1) {
                acknowledged = n.trim().parse().unwrap();
                left -= 1;
            }
        }
        // Long enough to be anywhere in the next lines; nothing depends on where.
        for _ in 0..(round * 9_973) % 60_000 {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        // What was acknowledged before the end came counts too.
        for line in told.map_while(Result::ok) {
            if let Some(n) = line.split("ack ").nth(1).and_then(|n| n.trim().parse().ok()) {
                acknowledged = n;
            }
        }
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        let session = opened(tmp.path());
        let there: Vec<u64> = session.lines.iter().filter_map(|l| number(l)).collect();
        let expected: Vec<u64> = (1..=there.len() as u64).collect();
        assert_eq!(there, expected, "each line once, in order");
        let most = *there.last().unwrap();
        assert!(
            most >= acknowledged && most <= acknowledged + 1,
            "{most} lines, {acknowledged} acknowledged"
        );
    }
}
