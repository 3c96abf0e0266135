//! `openclaw security audit|undo|checks|map` on whole state directories.
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
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(home.state()).unwrap();
        chmod(&home.state(), 0o700);
        home
    }

    fn with(config: &str) -> Self {
        let home = Self::new();
        home.write("openclaw.json", config, 0o600);
        home
    }

    fn state(&self) -> PathBuf {
        self.0.path().join(".openclaw")
    }

    fn write(&self, path: &str, text: &str, mode: u32) {
        let path = self.state().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        chmod(&path, mode);
    }

    fn run(&self, args: &[&str]) -> Output {
        self.run_with(args, &[])
    }

    fn run_with(&self, args: &[&str], env: &[(&str, &str)]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_openclaw"))
            .arg("security")
            .args(args)
            .env_clear()
            .env("HOME", self.0.path())
            .envs(env.iter().copied())
            .current_dir(self.0.path())
            .output()
            .unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        let out = self.run(&[&["audit", "--json"], args].concat());
        assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
        serde_json::from_slice(&out.stdout).expect("stdout is one JSON value")
    }

    /// Every path below the home with its mode, modification time and contents.
    fn snapshot(&self) -> BTreeMap<PathBuf, (u32, i64, Vec<u8>)> {
        let mut out = BTreeMap::new();
        let mut todo = vec![self.0.path().to_owned()];
        while let Some(path) = todo.pop() {
            let meta = path.symlink_metadata().unwrap();
            let bytes = if meta.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
            if meta.is_dir() {
                todo.extend(std::fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
            }
            out.insert(path, (meta.mode(), meta.mtime_nsec(), bytes));
        }
        out
    }
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn bits(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o7777
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn ids(report: &Value) -> Vec<String> {
    let list = report["findings"].as_array().unwrap();
    list.iter().map(|f| f["checkId"].as_str().unwrap().to_owned()).collect()
}

const COMMENTED: &str = r#"// my gateway
{
  gateway: {
    // long and random
    auth: { mode: "token", token: "${GATEWAY_TOKEN}" }, // from the environment
  },
  $include: "./channels.json5",
  logging: {
    redactSensitive: "off", // while debugging
    level: 'info',
  },
}
"#;

const CHANNELS: &str = r#"{
  channels: {
    // everybody, for the launch party
    telegram: { botToken: "${TELEGRAM_TOKEN}", groupPolicy: "open" },
  },
}
"#;

const VARIABLES: [(&str, &str); 2] =
    [("GATEWAY_TOKEN", "canary-gateway-0123456789abcdef"), ("TELEGRAM_TOKEN", "987654:canary-telegram")];

fn commented() -> Home {
    let home = Home::with(COMMENTED);
    home.write("channels.json5", CHANNELS, 0o644);
    chmod(&home.state(), 0o755);
    home.write("credentials/telegram-allowFrom.json", "{\"version\":1,\"allowFrom\":[\"7\"]}", 0o644);
    home
}

#[test]
fn sp_282_a_fix_changes_its_lines_only_and_undo_puts_everything_back() {
    let home = commented();
    let before = home.snapshot();
    let shown = home.run_with(&["audit", "--fix", "--dry-run"], &VARIABLES);
    assert_eq!(shown.status.code(), Some(0), "{}", text(&shown.stderr));
    assert_eq!(home.snapshot(), before, "a dry run changes nothing");
    let shown = text(&shown.stdout).replace(&*home.0.path().to_string_lossy(), "HOME");
    assert!(shown.contains("-    redactSensitive: \"off\", // while debugging"), "{shown}");
    assert!(shown.contains("+    redactSensitive: \"tools\", // while debugging"), "{shown}");
    assert!(shown.contains("would chmod 0700"), "{shown}");

    let fixed = home.run_with(&["audit", "--fix", "--json"], &VARIABLES);
    assert_eq!(fixed.status.code(), Some(0), "{}", text(&fixed.stderr));
    let fix = serde_json::from_slice::<Value>(&fixed.stdout).unwrap()["fix"].take();
    assert_eq!(fix["ok"], true, "{fix}");
    let config = std::fs::read_to_string(home.state().join("openclaw.json")).unwrap();
    let all = format!("{config}{}", std::fs::read_to_string(home.state().join("channels.json5")).unwrap());
    for kept in ["// my gateway", "${GATEWAY_TOKEN}", "$include: \"./channels.json5\"", "// while debugging"]
    {
        assert!(config.contains(kept), "{kept} is gone:\n{config}");
    }
    for kept in ["${TELEGRAM_TOKEN}", "// everybody, for the launch party"] {
        assert!(all.contains(kept), "{kept} is gone:\n{all}");
    }
    assert!(!all.contains("canary"), "a variable's value was written:\n{all}");
    assert_eq!(std::fs::read_to_string(home.state().join("openclaw.json.bak")).unwrap(), COMMENTED);
    assert_eq!(bits(&home.state()), 0o700);
    assert_eq!(bits(&home.state().join("credentials/telegram-allowFrom.json")), 0o600);

    let again = home.run_with(&["audit", "--fix", "--json"], &VARIABLES);
    let again = serde_json::from_slice::<Value>(&again.stdout).unwrap();
    assert_eq!(again["fix"]["changes"].as_array().unwrap().len(), 0, "a second fix has nothing to change");
    assert_eq!(again["fix"]["configWritten"], false);
    assert!(again["fix"]["actions"].as_array().unwrap().iter().all(|a| a["ok"] == false));

    let undone = home.run(&["undo"]);
    assert_eq!(undone.status.code(), Some(0), "{}", text(&undone.stderr));
    assert_eq!(std::fs::read_to_string(home.state().join("openclaw.json")).unwrap(), COMMENTED);
    assert_eq!(std::fs::read_to_string(home.state().join("channels.json5")).unwrap(), CHANNELS);
    for (path, (mode, _, _)) in before.iter().filter(|(p, _)| p.exists()) {
        assert_eq!(bits(path), mode & 0o7777, "{}", path.display());
    }
    assert_eq!(home.run(&["undo"]).status.code(), Some(1), "there is nothing left to undo");
}

#[test]
fn undo_refuses_when_the_configuration_was_edited_since() {
    let home = commented();
    home.run_with(&["audit", "--fix"], &VARIABLES);
    home.write("openclaw.json", "{ /* mine */ }", 0o600);
    let out = home.run(&["undo"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("changed since"), "{}", text(&out.stderr));
    assert_eq!(std::fs::read_to_string(home.state().join("openclaw.json")).unwrap(), "{ /* mine */ }");
}

#[test]
fn sp_280_an_audit_changes_nothing_and_shows_no_secret() {
    let config = r#"{
      gateway: { bind: "lan", auth: { mode: "password", password: "canary-password-1" } },
      hooks: { enabled: true, token: "canary-hook-22", path: "/" },
      channels: { telegram: { botToken: "123:canary-bot", dmPolicy: "open", allowFrom: ["*"], groupPolicy: "open" } },
      tools: { web: { search: { apiKey: "canary-search" } } },
      browser: { cdpUrl: "http://user:canary-cdp@10.0.0.5:9222" },
      models: { providers: { x: { baseUrl: "https://x.example", apiKey: "canary-model", models: [] } } },
    }"#;
    let home = Home::with(config);
    home.write("agents/main/agent/auth-profiles.json", "{\"key\":\"canary-profile\"}", 0o666);
    home.write(".env", "OPENCLAW_GATEWAY_TOKEN=canary-env\n", 0o600);
    let before = home.snapshot();
    for args in [
        &["audit", "--json"][..],
        &["audit"],
        &["audit", "--format", "sarif"],
        &["audit", "--format", "junit"],
        &["audit", "--format", "markdown"],
        &["audit", "--deep", "--json"],
        &["audit", "--fix", "--dry-run"],
        &["map"],
        &["map", "--json"],
    ] {
        for rules in ["latest", "2026.2"] {
            let out = home.run_with(args, &[("OPENCLAW_AUDIT_RULES", rules)]);
            let all = text(&out.stdout) + &text(&out.stderr);
            assert!(!all.contains("canary"), "{args:?} {rules}: {all}");
            assert!(out.status.code() == Some(0), "{args:?} {rules}: {all}");
        }
    }
    assert_eq!(home.snapshot(), before);
}

#[test]
fn an_invalid_configuration_is_refused_and_left_alone() {
    let home = Home::with("{\n  gateway: {\n    bindd: \"lan\",\n  },\n}\n");
    chmod(&home.state(), 0o755);
    for args in
        [&["audit"][..], &["audit", "--json"], &["audit", "--fix"], &["audit", "--deep", "--fix", "--json"]]
    {
        let out = home.run(args);
        assert_eq!(out.status.code(), Some(1));
        assert_eq!(text(&out.stdout), "", "no report");
        let err = text(&out.stderr);
        assert!(err.contains("openclaw.json:3:5: gateway.bindd"), "{err}");
        assert!(err.contains("gateway.bind"), "the nearest key is named: {err}");
    }
    assert_eq!(bits(&home.state()), 0o755);
}

#[test]
fn sp_290_exit_codes_follow_fail_on() {
    let home = Home::with("{ gateway: { bind: \"lan\" } }");
    for (on, code) in [("never", 0), ("critical", 1), ("warn", 1), ("info", 1)] {
        assert_eq!(home.run(&["audit", "--fail-on", on]).status.code(), Some(code), "{on}");
    }
    let safe = Home::with(r#"{ gateway: { controlUi: { enabled: false } } }"#);
    let era = |on| safe.run(&["audit", "--rules", "2026.2", "--fail-on", on]).status.code();
    assert_eq!((era("critical"), era("warn"), era("info")), (Some(0), Some(0), Some(1)));
    assert_eq!(home.run(&["audit", "--rules", "2025.1"]).status.code(), Some(2));
    assert_eq!(home.run(&["audit", "--dry-run"]).status.code(), Some(2));
    assert_eq!(home.run_with(&["audit"], &[("OPENCLAW_AUDIT_RULES", "x")]).status.code(), Some(2));
}

#[test]
fn the_text_names_file_line_and_fix_first_order_within_80_columns() {
    let home = Home::with(
        "{\n  gateway: { bind: \"lan\" },\n  channels: {\n    telegram: { botToken: \"1:a\", groupPolicy: \"open\" },\n  },\n}\n",
    );
    let out = home.run(&["audit", "--rules", "2026.2"]);
    let shown = text(&out.stdout).replace(&*home.0.path().to_string_lossy(), "HOME");
    assert!(shown.lines().all(|l| l.chars().count() <= 80 || !l.contains(' ')), "{shown}");
    assert!(!shown.contains('\u{1b}'), "no colour without a terminal");
    insta::assert_snapshot!(shown);
}

#[test]
fn json_carries_positions_and_priorities() {
    let home = Home::with("{\n  gateway: {\n    bind: \"lan\",\n  },\n}\n");
    let report = home.json(&["--rules", "2026.2"]);
    let finding = &report["findings"].as_array().unwrap()[1];
    assert_eq!(finding["checkId"], "gateway.bind_no_auth");
    let origin = &finding["keys"][0]["origin"];
    assert_eq!((origin["line"].as_u64(), origin["column"].as_u64()), (Some(3), Some(5)));
    assert_eq!(report["priorities"][0]["rank"], 2);
    assert_eq!(report["priorities"][0]["checkIds"][0], "gateway.bind_no_auth");
    assert_eq!(report["rules"], "2026.2");
}

#[test]
fn sp_289_a_hostile_state_directory_is_audited_to_the_end() {
    use std::os::unix::ffi::OsStrExt;
    for rules in ["latest", "2026.2"] {
        let home = Home::with("{}");
        let state = home.state();
        home.write("agents/main/sessions/sessions.json", "{}", 0o644);
        symlink(state.join("agents"), state.join("agents/loop")).unwrap();
        symlink("self", state.join("self")).unwrap();
        let bad = std::ffi::OsStr::from_bytes(b"bad-\xff\xfe");
        std::fs::create_dir_all(state.join("agents").join(bad).join("agent")).unwrap();
        std::fs::create_dir_all(state.join("extensions").join(bad)).unwrap();
        for place in ["credentials/whatsapp-allowFrom.json", "credentials/x.json", "extensions/pipe.js"] {
            let path = state.join(place);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        }
        let id = "fs.sessions_store.perms_readable".to_owned();
        assert!(ids(&home.json(&["--rules", rules, "--deep"])).contains(&id), "{rules}");
        let fixed = home.run(&["audit", "--rules", rules, "--fix"]);
        assert_eq!(fixed.status.code(), Some(0), "{rules}: {}", text(&fixed.stderr));
        assert!(!ids(&home.json(&["--rules", rules])).contains(&id), "{rules}: not mended");
    }
}

#[test]
fn sp_281_a_fix_leaves_what_links_lead_to() {
    let home = Home::with("{}");
    let outside = home.0.path().join("outside");
    std::fs::create_dir_all(outside.join("agent")).unwrap();
    std::fs::write(outside.join("agent/auth-profiles.json"), "{}").unwrap();
    chmod(&outside.join("agent/auth-profiles.json"), 0o644);
    chmod(&outside, 0o755);
    std::fs::create_dir(home.state().join("agents")).unwrap();
    symlink(&outside, home.state().join("agents/main")).unwrap();
    std::fs::create_dir(home.state().join("credentials")).unwrap();
    symlink(outside.join("agent/auth-profiles.json"), home.state().join("credentials/a.json")).unwrap();
    for rules in ["latest", "2026.2"] {
        let out = home.run(&["audit", "--fix", "--json", "--rules", rules]);
        let fix = serde_json::from_slice::<Value>(&out.stdout).unwrap()["fix"].take();
        let actions = fix["actions"].as_array().unwrap();
        let skipped = actions.iter().filter(|a| a["skipped"] == "symlink").count();
        assert!(skipped >= 2, "{fix}");
    }
    assert_eq!(bits(&outside), 0o755);
    assert_eq!(bits(&outside.join("agent/auth-profiles.json")), 0o644);
}

#[test]
fn the_reference_page_is_the_catalogue() {
    let home = Home::with("{}");
    let out = home.run(&["checks", "--markdown"]);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/audit-checks.md");
    if std::env::var_os("INSTA_UPDATE").is_some_and(|v| v == "always") {
        std::fs::write(&page, &out.stdout).unwrap();
    }
    let written = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(
        written == text(&out.stdout),
        "docs/audit-checks.md is out of date: openclaw security checks --markdown > docs/audit-checks.md"
    );
    let json = home.run(&["checks", "--json"]);
    let all: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(all.as_array().unwrap().len() > 60);
}
