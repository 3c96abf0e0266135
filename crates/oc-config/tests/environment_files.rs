//! `.env` files: precedence and what the current directory may not decide (SP-057).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

use std::path::PathBuf;

use oc_config::load::{LoadRequest, Reading, load};
use oc_config::source::Memory;
use oc_config::{Environment, Loaded, Overrides, dotenv};

fn request(variables: &[(&str, &str)], reading: Reading) -> LoadRequest {
    let pairs = [("HOME", "/h")].into_iter().chain(variables.iter().copied());
    LoadRequest {
        environment: Environment::from_process(pairs.map(|(k, v)| (k.to_owned(), v.to_owned()))),
        overrides: Overrides::default(),
        cwd: PathBuf::from("/there"),
        os_home: None,
        reading,
    }
}

fn table() -> Vec<(String, Option<String>)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/config/dotenv-denied.json5");
    let rows: Vec<serde_json::Value> = json5::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let text = |v: &serde_json::Value| v.as_str().map(str::to_owned);
    rows.iter().map(|r| (text(&r["name"]).unwrap(), text(&r["denied"]))).collect()
}

#[test]
fn sp_057_the_deny_table() {
    let wrong: Vec<String> = table()
        .into_iter()
        .filter_map(|(name, expected)| {
            let found = dotenv::denied(&name).map(|d| format!("{d:?}").to_lowercase());
            (found != expected).then(|| format!("{name}: {found:?}, expected {expected:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A configuration that reads variables in many places.
const CONFIG: &str = "{
  gateway: { auth: { mode: 'token', token: '${OPENCLAW_GATEWAY_TOKEN}' } },
  messages: { responsePrefix: '${RESPONSE_PREFIX}' },
}";

fn with_cwd_file(text: &str, variables: &[(&str, &str)], reading: Reading) -> Loaded {
    let source = Memory::new()
        .with("/h/.openclaw/openclaw.json", CONFIG)
        .with("/h/.openclaw/.env", "OPENCLAW_GATEWAY_TOKEN=state-file-token\nRESPONSE_PREFIX=state\n")
        .with("/there/.env", text);
    load(&request(variables, reading), &source)
}

#[test]
fn sp_057_a_hostile_file_changes_no_security_setting() {
    let hostile: String = table()
        .iter()
        .filter(|(_, denied)| denied.is_some())
        .map(|(name, _)| format!("{name}=/there/evil\nexport {name}='/there/evil'\n"))
        .collect();
    let with = with_cwd_file(&hostile, &[], Reading::Product);
    let without = with_cwd_file("", &[], Reading::Product);
    assert_eq!(with.tree, without.tree);
    assert_eq!(with.locations, without.locations);
    assert!(with.environment.names().eq(without.environment.names()));
    assert_eq!(with.warnings.len(), 1);
    let told = with.warnings[0].to_string();
    assert!(told.contains("OPENCLAW_STATE_DIR") && told.contains("more") && !told.contains("evil"), "{told}");
}

#[test]
fn process_wins_over_cwd_wins_over_state_wins_over_the_env_block() {
    let prefix =
        |l: &Loaded| l.tree.path(&["messages", "responsePrefix"]).unwrap().as_str().map(str::to_owned);
    let cwd = "RESPONSE_PREFIX=cwd\n";
    let process = [("RESPONSE_PREFIX", "process")];
    assert_eq!(prefix(&with_cwd_file(cwd, &process, Reading::Product)).as_deref(), Some("process"));
    assert_eq!(prefix(&with_cwd_file(cwd, &[], Reading::Product)).as_deref(), Some("cwd"));
    assert_eq!(prefix(&with_cwd_file("", &[], Reading::Product)).as_deref(), Some("state"));
    let source = Memory::new()
        .with("/h/.openclaw/openclaw.json", "{ env: { vars: { A: 'vars', B: 'vars' }, B: 'member', shellEnv: { enabled: false } }, messages: { responsePrefix: '${A} ${B}' } }")
        .with("/h/.openclaw/.env", "A=\n");
    let loaded = load(&request(&[], Reading::Product), &source);
    // Present but blank is filled from the block; a member beside `vars` wins over one inside.
    assert_eq!(prefix(&loaded).as_deref(), Some("vars member"));
    assert_eq!(loaded.environment.via("A").as_deref(), Some("env.vars.A at openclaw.json:1:18"));
}

#[test]
fn the_era_takes_everything_from_the_current_directory() {
    let loaded = with_cwd_file("OPENCLAW_GATEWAY_TOKEN=cwd-token\n", &[], Reading::Era);
    assert_eq!(loaded.tree.path(&["gateway", "auth", "token"]).unwrap().as_str(), Some("cwd-token"));
    assert_eq!(loaded.warnings, vec![]);
    let product = with_cwd_file("OPENCLAW_GATEWAY_TOKEN=cwd-token\n", &[], Reading::Product);
    assert_eq!(product.tree.path(&["gateway", "auth", "token"]).unwrap().as_str(), Some("state-file-token"));
}

#[test]
fn sp_059_line_breaks_in_the_env_block_are_refused() {
    for value in ["a\\nb", "a\\rb", "a\\0b"] {
        let source = Memory::new()
            .with("/h/.openclaw/openclaw.json", format!("{{ env: {{ vars: {{ A: '{value}' }} }} }}"));
        let loaded = load(&request(&[], Reading::Product), &source);
        assert_eq!(loaded.issues.len(), 1, "{value}");
        assert_eq!(loaded.issues[0].path.to_string(), "env.vars.A");
        assert_eq!(loaded.environment.get("A"), None);
    }
}

#[test]
fn sp_053_a_variable_of_the_env_block_that_is_a_reference_means_that_variable() {
    let text = "{ env: { vars: { OPENCLAW_GATEWAY_TOKEN: '${OTHER}', GONE: '${NOT_SET}' } } }";
    let source = Memory::new().with("/h/.openclaw/openclaw.json", text);
    let loaded = load(&request(&[("OTHER", "value")], Reading::Product), &source);
    assert_eq!(loaded.environment.get("OPENCLAW_GATEWAY_TOKEN"), Some("value"));
    assert_eq!(loaded.environment.get("GONE"), None, "never the known text of the reference");
    assert_eq!(loaded.issues.len(), 1);
    assert_eq!(loaded.issues[0].path.to_string(), "env.vars.GONE");
}
