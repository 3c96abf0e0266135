//! SP-234: a container that its operator wrote weaker than the baseline is a critical finding.
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
use oc_types::{Node, Origin, Severity};
use serde_json::{Value, json};

/// The keys that the check names in a configuration.
fn named(config: &Value) -> Vec<String> {
    let config = Node::from_json(config, &Origin::Default);
    let places = oc_config::Locations {
        home: "/h".into(),
        state_dir: "/h/.openclaw".into(),
        config: "/h/.openclaw/openclaw.json".into(),
        credentials: "/h/.openclaw/credentials".into(),
    };
    let facts = Facts::new(places, oc_config::Environment::default());
    let report = oc_audit::run(&AuditContext::new(&config, &facts, RuleSet::Latest));
    let ours = report.findings.iter().filter(|f| f.check_id == "sandbox.weakened_container");
    ours.inspect(|f| assert_eq!(f.severity, Severity::Critical))
        .flat_map(|f| f.keys.iter().map(|k| k.path.to_string()))
        .collect()
}

#[test]
fn sp_234_what_is_written_weaker_than_the_baseline_is_a_critical_finding() {
    let defaults = |docker: Value| {
        named(&json!({"agents": {"defaults": {"sandbox": {"mode": "all", "docker": docker}}}}))
    };
    for (key, value) in [
        ("readOnlyRoot", json!(false)),
        ("capDrop", json!([])),
        ("capDrop", json!(["NET_RAW"])),
        ("user", json!("root")),
        ("user", json!("0:1000")),
    ] {
        assert_eq!(
            defaults(json!({key: value})),
            [format!("agents.defaults.sandbox.docker.{key}")],
            "{value}"
        );
    }
    for (key, value) in [
        ("readOnlyRoot", json!(true)),
        ("capDrop", json!(["all"])),
        ("capDrop", json!(null)),
        ("user", json!("1000:1000")),
        ("user", json!("")),
    ] {
        assert!(defaults(json!({key: value})).is_empty(), "{key} {value}");
    }
    let agent =
        json!({"agents": {"list": [{"id": "x", "sandbox": {"mode": "all", "docker": {"user": "root"}}}]}});
    assert_eq!(named(&agent), ["agents.list[0].sandbox.docker.user"]);
}
