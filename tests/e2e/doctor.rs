//! `openclaw doctor` from outside: the five checks of the seed, repairs, the token.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

/// A home whose state directory holds this configuration, modes as they should be.
fn home(config: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join(".openclaw");
    for dir in [state.clone(), state.join("credentials"), state.join("agents"), state.join("agents/main")] {
        std::fs::create_dir(&dir).unwrap();
        set_mode(&dir, 0o700);
    }
    let file = state.join("openclaw.json");
    std::fs::write(&file, config).unwrap();
    set_mode(&file, 0o600);
    home
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o777
}

fn openclaw(home: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_openclaw"))
        .args(args)
        .env_clear()
        .env("HOME", home)
        .current_dir(home)
        .output()
        .unwrap()
}

fn doctor(home: &Path) -> Value {
    let out = openclaw(home, &["doctor", "--non-interactive", "--json"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

/// The checks that fired.
fn fired(report: &Value) -> Vec<String> {
    let checks = report["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 5);
    checks
        .iter()
        .filter(|c| !c["findings"].as_array().unwrap().is_empty())
        .map(|c| c["check"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn each_of_the_seeds_five_checks_fires_on_its_fixture() {
    for check in [
        "exposed-gateway",
        "open-direct-messages",
        "unsandboxed-groups",
        "unrestricted-tools",
        "weak-approvals",
    ] {
        let config = std::fs::read_to_string(fixture(&format!("doctor/{check}.json5"))).unwrap();
        let fired = fired(&doctor(home(&config).path()));
        assert!(fired.iter().any(|c| c == check), "{check}: {fired:?}");
    }
}

#[test]
fn the_five_checks_are_silent_on_both_seed_baselines() {
    let baselines: Vec<PathBuf> = std::fs::read_dir(fixture("seeds"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.file_name().unwrap().to_str().unwrap().contains("baseline"))
        .collect();
    assert_eq!(baselines.len(), 2, "{baselines:?}");
    for file in baselines {
        let config = std::fs::read_to_string(&file).unwrap();
        let fired = fired(&doctor(home(&config).path()));
        assert!(fired.is_empty(), "{}: {fired:?}", file.display());
    }
}

#[test]
fn repair_sets_modes_without_asking_and_leaves_the_configuration_alone() {
    let config = "{\n  // mine\n  gateway: { mode: \"local\", auth: { token: \"made-up-token-0123456789abcdef\" } },\n}\n";
    let home = home(config);
    let state = home.path().join(".openclaw");
    set_mode(&state, 0o755);
    set_mode(&state.join("openclaw.json"), 0o644);
    let out = openclaw(home.path(), &["doctor", "--repair", "--non-interactive"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(mode(&state), 0o700);
    assert_eq!(mode(&state.join("openclaw.json")), 0o600);
    assert_eq!(mode(&state.join("agents/main/sessions")), 0o700);
    assert_eq!(std::fs::read_to_string(state.join("openclaw.json")).unwrap(), config);
}

#[test]
fn a_plain_run_changes_nothing() {
    let home = home("{ gateway: { mode: \"local\" } }\n");
    let state = home.path().join(".openclaw");
    set_mode(&state, 0o755);
    let out = openclaw(home.path(), &["doctor"]);
    assert!(out.status.success());
    assert_eq!(mode(&state), 0o755);
    assert_eq!(
        std::fs::read_to_string(state.join("openclaw.json")).unwrap(),
        "{ gateway: { mode: \"local\" } }\n"
    );
}

#[test]
fn the_token_flag_alone_writes_a_token_and_keeps_the_comments() {
    let home = home("{\n  // stays\n  gateway: { mode: \"local\" }, // this too\n}\n");
    let out = openclaw(home.path(), &["doctor", "--non-interactive", "--generate-gateway-token"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let file = home.path().join(".openclaw/openclaw.json");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("// stays") && text.contains("// this too"), "{text}");
    let token = text
        .split('"')
        .find(|w| w.len() >= 48 && w.chars().all(|c| c.is_ascii_hexdigit()))
        .unwrap_or_else(|| panic!("no token in {text}"));
    assert!(!String::from_utf8_lossy(&out.stdout).contains(token));
    assert_eq!(mode(&file), 0o600);

    let again = std::fs::read(&file).unwrap();
    openclaw(home.path(), &["doctor", "--non-interactive", "--generate-gateway-token"]);
    assert_eq!(std::fs::read(&file).unwrap(), again, "a token that is there stays");
}

#[test]
fn an_older_key_is_read_in_memory_and_written_only_on_repair() {
    let legacy =
        "{\n  // kept\n  gateway: { mode: \"local\", token: \"made-up-token-0123456789abcdef\" },\n}\n";
    let home = home(legacy);
    let file = home.path().join(".openclaw/openclaw.json");
    let report = doctor(home.path());
    let ids: Vec<&str> =
        report["notes"].as_array().unwrap().iter().map(|n| n["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"config.legacy-key"), "{ids:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), legacy);

    let out = openclaw(home.path(), &["doctor", "--repair", "--non-interactive"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("// kept") && text.contains("auth"), "{text}");
    let ids: Vec<String> = doctor(home.path())["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n["id"].as_str().unwrap().to_owned())
        .collect();
    assert!(!ids.iter().any(|i| i == "config.legacy-key"), "{ids:?}");
}
