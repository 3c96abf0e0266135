//! The catalogue and the configuration's vocabulary know each other (SP-283, SP-287).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

use oc_audit::{AuditContext, Facts, RuleSet, catalogue};
use oc_config::schema::{self, Lowered};
use oc_config::{Environment, Locations};
use oc_types::{KeyPath, Node, Origin};
use serde_json::{Value, json};

fn facts() -> Facts {
    let places = Locations {
        home: "/h".into(),
        state_dir: "/h/.openclaw".into(),
        config: "/h/.openclaw/openclaw.json".into(),
        credentials: "/h/.openclaw/credentials".into(),
    };
    Facts::new(places, Environment::default())
}

/// Whether the vocabulary has a key written as in the catalogue: `channels.*.accounts.*.groupPolicy`, `agents.list[].model`.
fn is_known(key: &str) -> bool {
    let concrete = key.replace("[]", ".0").replace("channels.*", "channels.telegram").replace('*', "x");
    let path: KeyPath = concrete
        .split('.')
        .map(|s| match s.parse() {
            Ok(i) => oc_types::Segment::Index(i),
            Err(_) => oc_types::Segment::Key(s.to_owned()),
        })
        .collect();
    schema::lookup(&path).is_some()
}

#[test]
fn sp_283_every_key_a_check_names_is_in_the_vocabulary() {
    let mut unknown = Vec::new();
    for check in catalogue::all() {
        for key in check.keys {
            // Files (also with a field inside), variables, includes and switches of the program are no keys.
            if key.contains(' ') || key.ends_with(".json") {
                continue;
            }
            if key.starts_with(['<', '$', '-', '/', '~']) || key.contains('/') || key.contains("**") {
                continue;
            }
            let nested = key.replacen("channels.*", "channels.discord", 1);
            if !is_known(key) && !is_known(&nested) {
                unknown.push(format!("{}: {key}", check.id));
            }
        }
    }
    assert_eq!(unknown, Vec::<String>::new(), "not in the vocabulary");
}

#[test]
fn sp_283_every_key_a_remedy_names_is_in_the_vocabulary() {
    let sections: Vec<String> = schema::places()
        .iter()
        .filter(|p| !p.pattern.contains('.'))
        .map(|p| format!("{}.", p.pattern))
        .collect();
    for check in catalogue::all() {
        for quoted in check.fix.split('`').skip(1).step_by(2) {
            let key = quoted.split([':', ' ', '=']).next().unwrap_or_default();
            if sections.iter().any(|s| key.starts_with(s.as_str())) {
                assert!(is_known(key), "{}: `{quoted}` names a key that does not exist", check.id);
            }
        }
    }
}

/// A configuration in which one key of a pattern has a value, and the key's path.
fn with(pattern: &str, value: Value) -> (Value, KeyPath) {
    let mut tree = value;
    let mut path = Vec::new();
    for part in pattern.split('.').rev() {
        let (name, list) = part.strip_suffix("[]").map_or((part, false), |n| (n, true));
        if list {
            tree = json!([tree]);
            path.push(oc_types::Segment::Index(0));
        }
        let name = if name == "*" { "x" } else { name };
        path.push(oc_types::Segment::Key(name.to_owned()));
        tree = json!({ name: tree });
    }
    path.reverse();
    (tree, path.into_iter().collect())
}

#[test]
fn sp_287_every_break_glass_key_is_reported_when_it_is_set() {
    let mut silent = Vec::new();
    for key in schema::dangerous_keys() {
        let value = match key.when {
            Lowered::On => json!(true),
            Lowered::Off => json!(false),
            Lowered::Word("*") => json!(["*"]),
            Lowered::Word(word) => json!(word),
            Lowered::Filled => json!([{ "checkId": "x" }]),
        };
        let (mut config, path) = with(&key.pattern, value);
        if key.pattern.starts_with("gateway.auth.trustedProxy.") {
            // Without this mode nobody looks at the section.
            config["gateway"]["auth"]["mode"] = json!("trusted-proxy");
        }
        let node = Node::from_json(&config, &Origin::Default);
        let facts = facts();
        let report = oc_audit::run(&AuditContext::new(&node, &facts, RuleSet::Latest));
        let named = |f: &oc_audit::Finding| {
            f.keys.iter().any(|k| k.path == path) || f.detail.contains(&path.to_string())
        };
        if !report.findings.iter().any(named) {
            silent.push(path.to_string());
        }
    }
    assert_eq!(silent, Vec::<String>::new(), "no finding names these keys");
}
