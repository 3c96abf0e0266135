//! `openclaw onboard`, `completion` and `man` from a fresh home.
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
use std::path::Path;
use std::process::{Command, Output};

fn openclaw(home: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_openclaw"))
        .args(args)
        .env_clear()
        .env("HOME", home)
        .current_dir(home)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o777
}

/// The token of a written configuration, without a JSON5 reader: the only quoted text of 64 hexadecimal digits.
fn token(config: &str) -> String {
    config
        .split('"')
        .find(|w| w.len() == 64 && w.chars().all(|c| c.is_ascii_hexdigit()))
        .expect("a generated token")
        .to_owned()
}

#[test]
fn every_way_through_onboarding_makes_a_token_and_keeps_it_private() {
    let mut tokens = Vec::new();
    for args in [&["onboard"][..], &["onboard", "--secure"]] {
        let home = tempfile::tempdir().unwrap();
        let out = openclaw(home.path(), args);
        assert!(out.status.success(), "{}", text(&out.stderr));
        let state = home.path().join(".openclaw");
        let config = std::fs::read_to_string(state.join("openclaw.json")).unwrap();
        let token = token(&config);
        assert!(!text(&out.stdout).contains(&token) && !text(&out.stderr).contains(&token));
        assert_eq!(mode(&state), 0o700);
        assert_eq!(mode(&state.join("openclaw.json")), 0o600);
        assert_eq!(mode(&state.join("credentials")), 0o700);
        tokens.push(token);
    }
    assert_ne!(tokens[0], tokens[1]);
}

#[test]
fn the_secure_baseline_says_what_the_seed_says() {
    let home = tempfile::tempdir().unwrap();
    openclaw(home.path(), &["onboard", "--secure"]);
    let config = std::fs::read_to_string(home.path().join(".openclaw/openclaw.json")).unwrap();
    let config = config.replace(&token(&config), "<generated>");
    insta::assert_snapshot!("secure_baseline", config);
}

#[test]
fn an_existing_configuration_is_replaced_only_on_request_and_kept_as_a_backup() {
    let home = tempfile::tempdir().unwrap();
    assert!(openclaw(home.path(), &["onboard"]).status.success());
    let file = home.path().join(".openclaw/openclaw.json");
    let first = std::fs::read(&file).unwrap();

    let refused = openclaw(home.path(), &["onboard", "--secure"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("--force"));
    assert_eq!(std::fs::read(&file).unwrap(), first);

    assert!(openclaw(home.path(), &["onboard", "--secure", "--force"]).status.success());
    let backup = home.path().join(".openclaw/openclaw.json.bak");
    assert_eq!(std::fs::read(&backup).unwrap(), first);
    assert_eq!(mode(&backup), 0o600);
}

#[test]
fn a_dry_run_writes_nothing_and_shows_no_token() {
    let home = tempfile::tempdir().unwrap();
    let out = openclaw(home.path(), &["onboard", "--secure", "--dry-run"]);
    assert!(out.status.success());
    assert!(text(&out.stdout).contains("<generated token>"));
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn completions_and_man_pages_come_from_the_arguments() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let out = openclaw(home.path(), &["completion", shell]);
        assert!(out.status.success() && text(&out.stdout).contains("onboard"), "{shell}");
    }
    let pages = home.path().join("man");
    std::fs::create_dir(&pages).unwrap();
    assert!(openclaw(home.path(), &["man", pages.to_str().unwrap()]).status.success());
    assert!(pages.join("openclaw-onboard.1").is_file());
}

#[test]
fn mistakes_in_the_call_exit_with_2() {
    let home = tempfile::tempdir().unwrap();
    for args in [&["onbord"][..], &["onboard", "--sekure"], &[]] {
        assert_eq!(openclaw(home.path(), args).status.code(), Some(2), "{args:?}");
    }
}

/// What a page tells people to type: the lines of its shell blocks.
fn typed(page: &str) -> Vec<String> {
    let blocks =
        page.split("```sh\n").skip(1).filter_map(|rest| rest.split_once("```")).map(|(block, _)| block);
    blocks.map(str::to_owned).collect()
}

#[test]
fn the_pages_of_the_channels_work_as_written() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/channels");
    let mut tried = 0;
    for page in std::fs::read_dir(pages).unwrap() {
        let page = page.unwrap().path();
        let name = page.file_stem().unwrap().to_string_lossy().into_owned();
        let home = tempfile::tempdir().unwrap();
        assert!(openclaw(home.path(), &["onboard", "--secure"]).status.success());
        let bin = home.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_openclaw"), bin.join("openclaw")).unwrap();
        for block in typed(&std::fs::read_to_string(&page).unwrap()) {
            // The programs of others, and what serves until it is stopped, stay out.
            let lines = block.lines().filter(|l| {
                !["signal-cli", "imsg", "openclaw gateway", "openclaw node"].iter().any(|p| l.starts_with(p))
            });
            let script = lines.collect::<Vec<_>>().join("\n");
            let out = Command::new("bash")
                .args(["-euc", &script])
                .env_clear()
                .env("HOME", home.path())
                .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
                .current_dir(home.path())
                .output()
                .unwrap();
            assert!(out.status.success(), "{name}: {script}\n{}", text(&out.stderr));
            tried += usize::from(script.contains("openclaw config set"));
        }
        let valid = openclaw(home.path(), &["config", "validate"]);
        assert!(valid.status.success(), "{name}: {}", text(&valid.stdout));
        let audit = openclaw(home.path(), &["security", "audit", "--json"]);
        let audit: serde_json::Value = serde_json::from_slice(&audit.stdout).unwrap();
        assert_eq!(audit["summary"]["critical"], 0, "{name}: {audit:#}");
    }
    assert!(tried >= 9, "only {tried} blocks set anything");
}
