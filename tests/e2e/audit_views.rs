//! What the audit and the map show, and that neither shows a secret or changes anything.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Part of every secret of the sample.
const CANARY: &str = "c4n4ry";

fn openclaw(home: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_openclaw"))
        .args(args)
        .env_clear()
        .env("HOME", home)
        .env("OPENCLAW_GATEWAY_PASSWORD", format!("env-{CANARY}-0123456789"))
        .current_dir(home)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn put(home: &Path, path: &str, content: &str, mode: u32) {
    let path = home.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A state directory with a secret in every place that can hold one.
fn sample() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path();
    let config = format!(
        r#"{{
  // comments are welcome
  gateway: {{ mode: "local", port: 1, auth: {{ mode: "token", token: "tok-{CANARY}" }}, remote: {{ token: "rem-{CANARY}" }} }},
  hooks: {{ enabled: true, token: "tok-{CANARY}", path: "/hooks" }},
  channels: {{ telegram: {{ botToken: "123456:{CANARY}AAAAAAAAAAAAAAAAAAAAAAAA", dmPolicy: "open", allowFrom: ["*"] }} }},
  security: {{ audit: {{ suppressions: [{{ checkId: "gateway.trusted_proxies_missing", reason: "no proxy here" }}] }} }},
}}
"#
    );
    put(home, ".openclaw/openclaw.json", &config, 0o600);
    let key = format!("sk-{CANARY}0a1B2c3D4e0a1B2c3D4e");
    put(home, ".openclaw/workspace/TOOLS.md", &format!("# Tools\nuse {key}\n"), 0o600);
    put(
        home,
        ".openclaw/workspace/skills/x/SKILL.md",
        &format!("---\nname: x\ndescription: y\n---\n{key}\n"),
        0o666,
    );
    put(home, ".openclaw/credentials/whatsapp/work/creds.json", &format!("{{\"k\":\"{CANARY}\"}}"), 0o644);
    put(home, ".openclaw/credentials/telegram-allowFrom.json", r#"{"version":1,"allowFrom":["7"]}"#, 0o600);
    put(home, ".openclaw/agents/main/agent/auth-profiles.json", &format!("{{\"key\":\"{CANARY}\"}}"), 0o600);
    put(home, ".openclaw/agents/old/sessions/a.jsonl", CANARY, 0o644);
    put(home, ".openclaw/extensions/p/package.json", "{", 0o600);
    put(home, ".openclaw/extensions/p/index.js", &format!("eval('{CANARY}')"), 0o600);
    put(
        home,
        ".openclaw/exec-approvals.json",
        r#"{"version":1,"agents":{"*":{"autoAllowSkills":true}}}"#,
        0o600,
    );
    dir
}

/// Everything below a directory: kind and mode, size, bytes, time of change.
fn snapshot(root: &Path) -> BTreeMap<PathBuf, (u32, u64, Vec<u8>, i64)> {
    let mut out = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let bytes = if meta.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            if meta.is_dir() {
                folders.push(path.clone());
            }
            out.insert(path, (meta.mode(), meta.size(), bytes, meta.mtime_nsec()));
        }
    }
    out
}

#[test]
fn sp_280_the_audit_shows_no_secret_and_changes_nothing() {
    let home = sample();
    let before = snapshot(home.path());
    for args in [
        &["security", "audit"][..],
        &["security", "audit", "--json"],
        &["security", "audit", "--deep", "--json"],
        &["security", "audit", "--format", "sarif"],
        &["security", "audit", "--format", "junit"],
        &["security", "audit", "--format", "markdown"],
        &["security", "map"],
        &["security", "map", "--json"],
    ] {
        let out = openclaw(home.path(), args);
        assert!(out.status.success(), "{args:?}: {}", text(&out.stderr));
        let shown = format!("{}{}", text(&out.stdout), text(&out.stderr));
        assert!(!shown.contains(CANARY), "{args:?}: {shown}");
        assert!(!out.stdout.is_empty(), "{args:?}");
    }
    assert_eq!(snapshot(home.path()), before);
}

#[test]
fn the_latest_checks_find_what_lies_about() {
    let home = sample();
    let out = openclaw(home.path(), &["security", "audit", "--deep", "--json"]);
    let report: Value = serde_json::from_slice(&out.stdout).unwrap();
    let ids: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|f| f["checkId"].as_str().unwrap()).collect();
    for id in [
        "secrets.in_bootstrap",
        "secrets.in_skills",
        "fs.whatsapp_creds.perms_readable",
        "fs.transcripts.perms_readable",
        "fs.skills_dir.perms_writable",
        "hooks.token_reuse_gateway_token",
        "tools.exec.auto_allow_skills_enabled",
        "plugins.code_safety",
        "plugins.code_safety.manifest_parse_error",
        "gateway.probe_failed",
        "security.audit.suppressions.active",
    ] {
        assert!(ids.contains(&id), "{id}: {ids:?}");
    }
    // SP-286: what is held back stays in the report, with the reason.
    let held = &report["suppressedFindings"][0];
    assert_eq!(held["checkId"], "gateway.trusted_proxies_missing");
    assert_eq!(held["suppression"]["reason"], "no proxy here");
    assert!(!ids.contains(&"gateway.trusted_proxies_missing"));
    let secret = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["checkId"] == "secrets.in_bootstrap")
        .unwrap();
    assert!(secret["detail"].as_str().unwrap().contains("TOOLS.md:2 service-key"), "{secret}");
    assert_eq!(secret["severity"], "critical", "strangers reach the agent that reads it");
}

#[test]
fn the_map_says_where_things_are_and_who_can_read_them() {
    let home = sample();
    let out = openclaw(home.path(), &["security", "map", "--json"]);
    let map: Value = serde_json::from_slice(&out.stdout).unwrap();
    let row =
        |what: &str| map["map"].as_array().unwrap().iter().find(|r| r["what"] == what).cloned().unwrap();
    let login = row("WhatsApp login of work");
    assert_eq!((login["mode"].as_str(), login["exists"].as_bool()), (Some("0644"), Some(true)));
    assert_eq!(row("people paired on telegram")["exists"], true);
    // An agent on disk that the configuration does not list is sensitive all the same.
    assert_eq!(row("transcripts of old")["files"], 1);
    let token = row("Telegram bot token");
    assert_eq!(
        (token["key"].as_str(), token["origin"]["line"].as_u64()),
        (Some("channels.telegram.botToken"), Some(5))
    );
    assert_eq!(row("older OAuth import")["exists"], false);
    let text = text(&openclaw(home.path(), &["security", "map"]).stdout);
    assert!(text.contains("do not back up") && text.contains("back up, encrypted"), "{text}");
}
