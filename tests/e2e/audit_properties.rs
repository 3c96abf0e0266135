//! `openclaw security audit` from outside: properties of the security list, and what each block of the seeds yields.
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
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn home(config: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join(".openclaw");
    std::fs::create_dir(&state).unwrap();
    set_mode(&state, 0o700);
    write(&state.join("openclaw.json"), config, 0o600);
    home
}

fn write(path: &Path, text: &str, mode: u32) {
    std::fs::write(path, text).unwrap();
    set_mode(path, mode);
}

fn openclaw(home: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_openclaw"))
        .args(args)
        .env_clear()
        .env("HOME", home)
        .env("OPENCLAW_GATEWAY_PASSWORD", "a-made-up-password-of-some-length")
        .current_dir(home)
        .output()
        .unwrap()
}

/// `checkId -> severities` of the latest rules.
fn audit(home: &Path) -> BTreeMap<String, Vec<String>> {
    let out = openclaw(home, &["security", "audit", "--json"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let report: Value = serde_json::from_slice(&out.stdout).unwrap();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for f in report["findings"].as_array().unwrap() {
        let id = f["checkId"].as_str().unwrap().to_owned();
        found.entry(id).or_default().push(f["severity"].as_str().unwrap().to_owned());
    }
    found
}

#[test]
fn every_block_of_the_seeds_is_audited() {
    let mut blocks: Vec<PathBuf> = std::fs::read_dir(fixture("seeds"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "json5"))
        .collect();
    blocks.sort();
    assert!(blocks.len() >= 20, "{}", blocks.len());
    let mut text = String::new();
    for block in blocks {
        let config = std::fs::read_to_string(&block).unwrap();
        text.push_str(&format!("{}\n", block.file_stem().unwrap().to_str().unwrap()));
        for (id, severities) in audit(home(&config).path()) {
            text.push_str(&format!("  {:<9} {id}\n", severities.join(",")));
        }
    }
    insta::assert_snapshot!("seed_blocks", text);
}

#[test]
fn sp_052_an_include_is_held_to_the_same_modes_as_the_main_file() {
    let home = home("{ gateway: { $include: \"./gateway.json5\" } }");
    let include = home.path().join(".openclaw/gateway.json5");
    write(
        &include,
        "{ mode: \"local\", auth: { mode: \"token\", token: \"made-up-token-0123456789abcdef\" } }",
        0o600,
    );
    assert!(!audit(home.path()).keys().any(|id| id.starts_with("fs.config_include")));
    set_mode(&include, 0o666);
    assert_eq!(audit(home.path())["fs.config_include.perms_writable"], ["critical"]);
}

#[test]
fn sp_285_findings_follow_accounts_and_agents_not_only_top_level_keys() {
    let account = home(
        "{ channels: { telegram: { dmPolicy: \"pairing\", accounts: {
            a: { botToken: \"1:x\" }, b: { botToken: \"2:y\", dmPolicy: \"open\", allowFrom: [\"*\"] } } } } }",
    );
    assert!(audit(account.path()).contains_key("channels.telegram.dm.open"));

    let agent = home(
        "{ channels: { telegram: { botToken: \"1:x\", groupPolicy: \"open\" } },
           tools: { exec: { security: \"deny\" } },
           agents: { list: [ { id: \"main\" }, { id: \"loose\", tools: { exec: { security: \"full\" } } } ] } }",
    );
    assert!(audit(agent.path()).contains_key("tools.exec.security_full_configured"));
}

#[test]
fn sp_290_json_stands_alone_on_standard_output_and_exit_codes_are_stable() {
    let fine = home("{ gateway: { mode: \"local\", auth: { token: \"made-up-token-0123456789abcdef\" } } }");
    let out = openclaw(fine.path(), &["security", "audit", "--json"]);
    assert_eq!(out.status.code(), Some(0));
    let report: Value = serde_json::from_slice(&out.stdout).unwrap();
    for key in ["ts", "summary", "findings"] {
        assert!(report.get(key).is_some(), "{key}");
    }
    for f in report["findings"].as_array().unwrap() {
        for key in ["checkId", "severity", "title", "detail"] {
            assert!(f[key].is_string(), "{key} in {f}");
        }
    }
    let worse = home("{ gateway: { bind: \"lan\" } }");
    assert_eq!(openclaw(worse.path(), &["security", "audit", "--json"]).status.code(), Some(0));
    let failed = openclaw(worse.path(), &["security", "audit", "--json", "--fail-on", "critical"]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(serde_json::from_slice::<Value>(&failed.stdout).is_ok());

    let invalid = home("{ gateway: { bnd: \"lan\" } }");
    let out = openclaw(invalid.path(), &["security", "audit", "--json"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(out.stdout.is_empty());
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("openclaw.json:1:14") && said.contains("gateway.bind"), "{said}");
}

#[test]
fn sp_019_look_alikes_choose_no_policy() {
    // Cyrillic and full-width letters, a zero-width space.
    for word in ["p\u{430}iring", "\u{ff50}airing", "open\u{200b}", "Open", "DISABLED"] {
        let config =
            format!("{{ channels: {{ telegram: {{ dmPolicy: \"{word}\", allowFrom: [\"*\"] }} }} }}");
        let out = openclaw(home(&config).path(), &["config", "validate"]);
        assert_eq!(out.status.code(), Some(1), "{word:?}");
        assert!(String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).contains("dmPolicy"), "{word:?}");
    }
    let channel = home("{ channels: { \"telegr\u{430}m\": { dmPolicy: \"pairing\" } } }");
    assert_eq!(openclaw(channel.path(), &["config", "validate"]).status.code(), Some(1));
}

#[test]
fn sp_004_spellings_of_a_path_are_never_read_as_another_path() {
    let secret = "{ bind: \"lan\" }";
    for spelling in [
        "file:./../outside.json5",
        "file:///outside.json5",
        "%2e%2e/outside.json5",
        "..%2foutside.json5",
        "..\\\\outside.json5",
        "\\\\\\\\host\\\\share\\\\outside.json5",
        "~/outside.json5",
        "@../outside.json5",
        "../outside.json5",
    ] {
        let home = home(&format!("{{ gateway: {{ $include: \"{spelling}\" }} }}"));
        write(&home.path().join("outside.json5"), secret, 0o600);
        let out = openclaw(home.path(), &["config", "validate"]);
        assert_eq!(out.status.code(), Some(1), "{spelling}");
        let get = openclaw(home.path(), &["config", "get", "gateway.bind"]);
        assert!(!String::from_utf8_lossy(&get.stdout).contains("lan"), "{spelling}");
    }
    // A name that only looks encoded is that name.
    let home = home("{ gateway: { $include: \"./%2e%2e.json5\" } }");
    write(&home.path().join(".openclaw/%2e%2e.json5"), "{ mode: \"local\" }", 0o600);
    assert_eq!(openclaw(home.path(), &["config", "validate"]).status.code(), Some(0));
}

#[test]
fn a_fix_changes_only_the_lines_of_its_change_set() {
    let config = "\
// House rules: ask before you change this file.
{
  gateway: { $include: \"./gateway.json5\" }, // kept apart

  channels: {
    /* the family group */
    telegram: {
      botToken: \"${TELEGRAM_BOT_TOKEN}\", 'dmPolicy': 'pairing',
      groupPolicy: 'open', // everybody
      groups: { \"*\": { requireMention: true }, },
      accounts: { second: { groupPolicy: \"open\" /* too */, botToken: \"${SECOND_TOKEN}\" } },
    },
  },
  logging: { $include: \"./logging.json5\" },
}
";
    let logging = "// was debugging\n{ redactSensitive: \"off\", level: \"info\" } // end\n";
    let home = home(config);
    let state = home.path().join(".openclaw");
    write(&state.join("gateway.json5"), "{ mode: \"local\", auth: { token: \"${GW}\" } }\n", 0o600);
    write(&state.join("logging.json5"), logging, 0o600);
    write(
        &state.join(".env"),
        "TELEGRAM_BOT_TOKEN=1:made-up\nSECOND_TOKEN=2:made-up\nGW=made-up-token-0123456789\n",
        0o600,
    );

    let dry = openclaw(home.path(), &["security", "audit", "--fix", "--dry-run"]);
    let text = String::from_utf8_lossy(&dry.stdout).replace(home.path().to_str().unwrap(), "HOME");
    let block = text.split("\nCRITICAL\n").next().unwrap();
    let block = block.split_once("FIX").map_or(block, |(_, b)| b);
    insta::assert_snapshot!("fix_diff", block);
    assert_eq!(
        std::fs::read_to_string(state.join("openclaw.json")).unwrap(),
        config,
        "a dry run writes nothing"
    );

    assert!(openclaw(home.path(), &["security", "audit", "--fix"]).status.success());
    let after = std::fs::read_to_string(state.join("openclaw.json")).unwrap();
    let (old, new): (Vec<_>, Vec<_>) = (config.lines().collect(), after.lines().collect());
    let kept = |line: &&&str| new.contains(*line);
    let changed: Vec<_> = old.iter().filter(|l| !kept(l)).collect();
    assert!(changed.len() <= 3, "{changed:?}\n{after}");
    for still in [
        "// House rules",
        "/* the family group */",
        "${TELEGRAM_BOT_TOKEN}",
        "${SECOND_TOKEN}",
        "/* too */",
        "$include: \"./gateway.json5\"",
    ] {
        assert!(after.contains(still), "{still}\n{after}");
    }
    assert!(!after.contains("made-up") && !after.contains("open'") && !after.contains("\"open\""), "{after}");
    assert_eq!(std::fs::read_to_string(state.join("openclaw.json.bak")).unwrap(), config);

    assert!(openclaw(home.path(), &["security", "undo"]).status.success());
    assert_eq!(std::fs::read_to_string(state.join("openclaw.json")).unwrap(), config);
    assert_eq!(std::fs::read_to_string(state.join("logging.json5")).unwrap(), logging);
}
