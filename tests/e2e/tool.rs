//! `openclaw tool`, `openclaw ledger` and `openclaw policy replay` as a person calls them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// Runs the command in a home of its own, with an engine that is not there.
fn openclaw(home: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_openclaw"))
        .args(args)
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .env("DOCKER_HOST", "unix:///no/engine/here.sock")
        .current_dir(home)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn home(config: &Value) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".openclaw")).unwrap();
    std::fs::write(home.path().join(".openclaw/openclaw.json"), format!("{config:#}\n")).unwrap();
    home
}

/// The text with what differs from run to run replaced.
fn steady(home: &Path, text: &str) -> String {
    let mut out = text.replace(&home.canonicalize().unwrap().display().to_string(), "HOME");
    for (pattern, with) in [
        (r"[0-9a-f]{64}", "<digest>"),
        (r"[0-9a-f]{32}", "<call>"),
        (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+Z)?", "<time>"),
    ] {
        out = regex::Regex::new(pattern).unwrap().replace_all(&out, with).into_owned();
    }
    out
}

fn snapshot(name: &str, home: &Path, out: &Output) {
    let code = out.status.code().unwrap_or(-1);
    let body = format!(
        "exit {code}\n--- stdout\n{}--- stderr\n{}",
        steady(home, &text(&out.stdout)),
        steady(home, &text(&out.stderr))
    );
    assert!(body.lines().all(|l| l.chars().count() <= 80), "wider than 80 columns:\n{body}");
    insta::with_settings!({snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(format!("tool_{name}"), body);
    });
}

fn container_only() -> Value {
    json!({"agents": {"defaults": {"sandbox": {"mode": "all", "backend": "container"}}}})
}

#[test]
fn a_refusal_says_what_happened_and_where_to_look() {
    let home = home(&json!({"tools": {"deny": ["exec"]}}));
    let out = openclaw(home.path(), &["tool", "invoke", "bash", "--args", r#"{"command":"id"}"#]);
    snapshot("refused_by_policy", home.path(), &out);
    snapshot("ledger_show", home.path(), &openclaw(home.path(), &["ledger", "show"]));
    snapshot("ledger_why", home.path(), &openclaw(home.path(), &["ledger", "why", "1"]));
    snapshot("ledger_verify", home.path(), &openclaw(home.path(), &["ledger", "verify"]));
}

#[test]
fn sp_239_without_an_engine_a_container_is_refused_with_the_cause() {
    let home = home(&container_only());
    let out = openclaw(home.path(), &["tool", "invoke", "exec", "--args", r#"{"command":"touch ran"}"#]);
    snapshot("no_engine", home.path(), &out);
    assert!(!home.path().join("ran").exists());
}

#[test]
fn sp_238_the_four_host_surfaces_are_refused_from_a_sandbox_whatever_the_lists_say() {
    let home = home(&json!({
        "tools": {"sandbox": {"tools": {"allow": ["*"], "deny": []}}},
        "agents": {"defaults": {"sandbox": {"mode": "all"}}},
    }));
    for tool in ["browser", "canvas", "nodes", "cron"] {
        let out = openclaw(home.path(), &["tool", "invoke", tool, "--json"]);
        let answer: Value = serde_json::from_slice(&out.stdout).unwrap();
        assert_eq!(
            (out.status.code(), &answer["status"], &answer["stage"]),
            (Some(1), &json!("refused"), &json!("host-door")),
            "{tool}"
        );
    }
}

#[test]
fn arguments_that_are_no_object_are_a_mistake_of_usage() {
    let home = home(&json!({}));
    for args in ["[]", "{", "\"x\""] {
        let out = openclaw(home.path(), &["tool", "invoke", "read", "--args", args]);
        assert_eq!(out.status.code(), Some(2), "{args}");
        assert!(out.stdout.is_empty());
    }
    assert!(!home.path().join(".openclaw/ledger").exists());
}

#[test]
fn the_list_says_what_takes_a_tool_away() {
    let home = home(
        &json!({"tools": {"deny": ["write"]}, "agents": {"defaults": {"sandbox": {"mode": "non-main"}}}}),
    );
    let list = ["tool", "list", "--session", "agent:main:telegram:group:1"];
    snapshot("list", home.path(), &openclaw(home.path(), &list));
}

#[test]
fn replay_says_which_decisions_another_configuration_would_change() {
    let home = home(&container_only());
    for (tool, args) in [
        ("canvas", "{}"),
        ("exec", r#"{"command":"id"}"#),
        ("exec", r#"{"command":"id"}"#),
        ("read", r#"{"path":"a"}"#),
    ] {
        openclaw(home.path(), &["tool", "invoke", tool, "--args", args]);
    }
    snapshot("replay_same", home.path(), &openclaw(home.path(), &["policy", "replay"]));
    std::fs::write(home.path().join("wider.json"), "{}").unwrap();
    let wider = ["policy", "replay", ".openclaw/ledger", "--config", "wider.json"];
    snapshot("replay_wider", home.path(), &openclaw(home.path(), &wider));
    let narrow = json!({"tools": {"deny": ["exec"]}, "agents": {"defaults": {"sandbox": {"mode": "all"}}}});
    std::fs::write(home.path().join("narrower.json"), narrow.to_string()).unwrap();
    let narrower = ["policy", "replay", "--config", "narrower.json"];
    snapshot("replay_narrower", home.path(), &openclaw(home.path(), &narrower));
}

#[test]
fn a_flipped_byte_is_located_and_stops_further_calls() {
    let home = home(&json!({"tools": {"deny": ["exec"]}}));
    for _ in 0..3 {
        openclaw(home.path(), &["tool", "invoke", "exec", "--args", r#"{"command":"id"}"#]);
    }
    let file = home.path().join(".openclaw/ledger/ledger-000001.jsonl");
    let bytes = std::fs::read(&file).unwrap();
    let mut changed = bytes.clone();
    let at = text(&bytes).rfind("denied").unwrap();
    changed[at..at + 6].copy_from_slice(b"allowe");
    std::fs::write(&file, &changed).unwrap();
    snapshot("ledger_damaged", home.path(), &openclaw(home.path(), &["ledger", "verify"]));
    let out = openclaw(home.path(), &["tool", "invoke", "read", "--args", r#"{"path":"a"}"#]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("damaged"), "{}", text(&out.stderr));
    assert_eq!(std::fs::read(&file).unwrap(), changed);
}

/// Without an engine `auto` means the native sandbox, and every file tool works in it as the command does.
#[test]
fn sp_241_without_an_engine_auto_runs_in_the_native_sandbox() {
    for access in ["none", "ro", "rw"] {
        let home =
            home(&json!({"agents": {"defaults": {"sandbox": {"mode": "all", "workspaceAccess": access}}}}));
        let invoke = |tool: &str, args: Value| -> Value {
            let out = openclaw(home.path(), &["tool", "invoke", tool, "--args", &args.to_string(), "--json"]);
            serde_json::from_slice(&out.stdout).unwrap()
        };
        let ran = invoke("exec", json!({"command": "echo made > made; cat /etc/shadow; pwd"}));
        if ran["stage"] == "place" {
            eprintln!("skipped: this kernel offers no native sandbox: {}", ran["reason"]);
            return;
        }
        assert_eq!((&ran["status"], &ran["place"]), (&json!("done"), &json!("native")), "{ran}");
        assert!(ran["notes"][0].as_str().unwrap().contains("no container engine"), "{ran}");
        assert!(!ran.to_string().contains(&home.path().display().to_string()), "{ran}");
        assert_eq!(invoke("read", json!({"path": "made"}))["content"][0]["text"], "made\n", "{access}");
        let written = invoke("write", json!({"path": "new/file", "content": "a\nb\n"}));
        let edited = invoke("edit", json!({"path": "new/file", "oldText": "b", "newText": "c"}));
        let wanted = if access == "ro" { "refused" } else { "done" };
        assert_eq!((&written["status"], &edited["status"]), (&json!(wanted), &json!(wanted)), "{access}");
        let on_host = home.path().join(".openclaw/workspace/new/file");
        assert_eq!(std::fs::read_to_string(on_host).ok().as_deref(), (access == "rw").then_some("a\nc\n"));
        for outside in ["../../etc/passwd", "/etc/passwd", "/proc/self/root/etc/passwd"] {
            assert_eq!(invoke("read", json!({"path": outside}))["status"], "failed", "{outside}");
        }
        let whole = openclaw(home.path(), &["ledger", "verify"]);
        assert!(whole.status.success(), "{}", text(&whole.stdout));
    }
}

#[test]
fn the_file_tools_act_on_the_host_for_a_session_without_sandbox() {
    for only in [false, true] {
        let home = home(&json!({"tools": {"fs": {"workspaceOnly": only}}}));
        std::fs::write(home.path().join("outside.txt"), "outside\n").unwrap();
        let invoke = |tool: &str, args: Value| -> Value {
            let out = openclaw(home.path(), &["tool", "invoke", tool, "--args", &args.to_string(), "--json"]);
            serde_json::from_slice(&out.stdout).unwrap()
        };
        let written = invoke("write", json!({"path": "a/b.txt", "content": "x\n"}));
        assert_eq!((&written["status"], &written["place"]), (&json!("done"), &json!("host")), "{written}");
        assert_eq!(
            invoke("edit", json!({"path": "a/b.txt", "oldText": "x", "newText": "y"}))["status"],
            "done"
        );
        assert_eq!(invoke("read", json!({"path": "a/b.txt"}))["content"][0]["text"], "y\n");
        let outside = invoke("read", json!({"path": "~/outside.txt"}));
        assert_eq!(outside["status"], if only { "failed" } else { "done" }, "{outside}");
        let config = invoke("write", json!({"path": "~/.openclaw/openclaw.json", "content": "{}"}));
        assert_eq!(config["status"], "failed", "{config}");
        let ran = invoke("exec", json!({"command": "touch ran"}));
        assert_eq!((&ran["status"], &ran["place"]), (&json!("done"), &json!("host")), "{ran}");
        assert!(home.path().join(".openclaw/workspace/ran").exists());
    }
}
