//! `openclaw sessions` with the real binary.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

fn openclaw(state: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_openclaw"))
        .args(args)
        .env_clear()
        .env("HOME", state.parent().unwrap())
        .env("OPENCLAW_STATE_DIR", state)
        .current_dir(state.parent().unwrap())
        .output()
        .unwrap()
}

fn put(path: &Path, text: &str, days: u64) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let at = SystemTime::now() - Duration::from_secs(days * 86_400);
    std::fs::File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
}

#[test]
fn old_sessions_go_when_asked_and_not_before() {
    let tmp = tempfile::tempdir().unwrap();
    let state = tmp.path().join("state");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let day = 86_400_000;
    put(&state.join("openclaw.json"), "{ gateway: { mode: 'local' } }", 90);
    put(&state.join("openclaw.json.bak"), "{}", 90);
    let folder = state.join("agents/main/sessions");
    let store = json!({
        "agent:main:telegram:direct:5": { "sessionId": "old", "updatedAt": now - 40 * day },
        "agent:main:main": { "sessionId": "new", "updatedAt": now - day },
    });
    put(&folder.join("sessions.json"), &store.to_string(), 0);
    put(&folder.join("old.jsonl"), "{}\n", 40);
    put(&folder.join("new.jsonl"), "{}\n", 40);
    put(&folder.join("x.jsonl.deleted.2026-01-01T00-00-00.000Z"), "{}\n", 40);

    let out = openclaw(&state, &["sessions", "prune"]);
    assert!(!out.status.success(), "nothing says how old");
    assert!(String::from_utf8_lossy(&out.stderr).contains("--older-than"));
    for age in ["0", "soon", "-1d"] {
        assert!(!openclaw(&state, &["sessions", "prune", &format!("--older-than={age}")]).status.success());
    }

    let run = |more: &[&str]| {
        let out = openclaw(&state, &[&["sessions", "prune", "--older-than", "30d", "--json"], more].concat());
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        serde_json::from_slice::<Value>(&out.stdout).unwrap()
    };
    let named = run(&["--dry-run"]);
    assert_eq!(named["removed"].as_array().unwrap().len(), 4, "{named:#}");
    assert!(folder.join("old.jsonl").exists() && state.join("openclaw.json.bak").exists());
    let removed = run(&[]);
    assert_eq!((&removed["removed"][0]["kind"], &removed["dryRun"]), (&json!("session"), &json!(false)));
    for gone in [
        "agents/main/sessions/old.jsonl",
        "agents/main/sessions/x.jsonl.deleted.2026-01-01T00-00-00.000Z",
        "openclaw.json.bak",
    ] {
        assert!(!state.join(gone).exists(), "{gone}");
    }
    for kept in ["openclaw.json", "agents/main/sessions/new.jsonl", "agents/main/sessions/sessions.json"] {
        assert!(state.join(kept).exists(), "{kept}");
    }
    let store: Value = serde_json::from_slice(&std::fs::read(folder.join("sessions.json")).unwrap()).unwrap();
    assert_eq!(store.as_object().unwrap().keys().collect::<Vec<_>>(), ["agent:main:main"]);

    put(&state.join("openclaw.json"), "{ session: { retention: '12h' } }", 0);
    let out = openclaw(&state, &["sessions", "prune", "--dry-run"]);
    assert!(String::from_utf8_lossy(&out.stdout).contains("would be removed"), "{out:?}");
    put(&state.join("openclaw.json"), "{ session: { retention: 'soon' } }", 0);
    assert!(!openclaw(&state, &["sessions", "prune"]).status.success());
}
