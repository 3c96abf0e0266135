//! SP-287: whatever the vocabulary calls a break-glass key is reported when it is set.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

use oc_audit::facts::Facts;
use oc_audit::{AuditContext, RuleSet};
use oc_config::schema::{Lowered, dangerous_keys};
use oc_types::{KeyPath, Node, Origin, Segment};
use serde_json::{Map, Value, json};

/// A configuration in which only this key is set.
fn config(path: &KeyPath, value: Value) -> Value {
    path.segments().iter().rev().fold(value, |inner, segment| match segment {
        Segment::Key(key) => Value::Object(Map::from_iter([(key.clone(), inner)])),
        Segment::Index(_) => match inner {
            Value::Object(mut o) => {
                o.insert("id".to_owned(), "x".into());
                json!([o])
            }
            other => json!([other]),
        },
    })
}

fn path(pattern: &str) -> KeyPath {
    let mut out = KeyPath::root();
    for part in pattern.split('.') {
        let (name, list) = part.strip_suffix("[]").map_or((part, false), |n| (n, true));
        out = out.key(if name == "*" { "x" } else { name });
        if list {
            out = out.index(0);
        }
    }
    out
}

#[test]
fn sp_287_every_dangerous_key_of_the_vocabulary_is_reported() {
    let mut silent = Vec::new();
    for key in dangerous_keys() {
        let path = path(&key.pattern);
        let value = match key.when {
            Lowered::On => true.into(),
            Lowered::Off => false.into(),
            Lowered::Word(word) if key.pattern.ends_with("Origins") => json!([word]),
            Lowered::Word(word) => word.into(),
            Lowered::Filled => json!([{"checkId": "x"}]),
        };
        let mut config = config(&path, value);
        if key.pattern.starts_with("gateway.auth.trustedProxy") {
            config["gateway"]["auth"]["mode"] = "trusted-proxy".into();
        }
        let config = Node::from_json(&config, &Origin::Default);
        assert!(config.at(&path).is_some_and(|n| key.lowered_by(n)), "{}", key.pattern);
        let places = oc_config::Locations {
            home: "/h".into(),
            state_dir: "/h/.openclaw".into(),
            config: "/h/.openclaw/openclaw.json".into(),
            credentials: "/h/.openclaw/credentials".into(),
        };
        let facts = Facts::new(places, oc_config::Environment::default());
        let report = oc_audit::run(&AuditContext::new(&config, &facts, RuleSet::Latest));
        if !report.findings.iter().any(|f| f.keys.iter().any(|k| k.path == path)) {
            silent.push(key.pattern);
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}
