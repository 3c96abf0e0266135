use std::fmt::Write as _;
use std::path::PathBuf;

use oc_types::{KeyPath, Node, Origin};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::document::{self, Format, Frame};
use crate::migrate::migrate;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(fixture(name)).unwrap()
}

fn parsed(text: &str) -> Node {
    document::parse(&Frame::root("openclaw.json"), text.as_bytes(), Format::Json5).unwrap().node
}

fn issues_of(tree: Node, reading: Reading, found: Option<&Plugins>) -> Vec<Issue> {
    let migrated = migrate(tree, reading);
    let mut issues = migrated.issues;
    issues.extend(validate(&migrated.tree, &ValidateContext { reading, plugins: found }));
    issues
}

fn product(json: &serde_json::Value) -> Vec<Issue> {
    issues_of(Node::from_json(json, &Origin::CommandLine), Reading::Product, None)
}

/// The cases of `errors.txt`: name and configuration.
fn cases(text: &str) -> Vec<(String, String)> {
    text.split("=== ")
        .skip(1)
        .map(|case| {
            let (name, config) = case.split_once('\n').unwrap();
            (name.to_owned(), config.to_owned())
        })
        .collect()
}

#[test]
fn sp_050_error_corpus() {
    let found = Plugins::default();
    let mut out = String::new();
    for (name, config) in cases(&read("config/errors.txt")) {
        writeln!(out, "=== {name}").unwrap();
        for issue in issues_of(parsed(&config), Reading::Product, Some(&found)) {
            writeln!(out, "{issue}").unwrap();
        }
        writeln!(out).unwrap();
    }
    insta::assert_snapshot!(out);
}

#[test]
fn sp_050_errors_name_line_and_column_of_the_key() {
    let text = "{\n  channels: {\n    whatsapp: {\n      dmPolciy: \"allowlist\",\n    },\n  },\n}\n";
    let issue = issues_of(parsed(text), Reading::Product, None).remove(0);
    assert_eq!(issue.path.to_string(), "channels.whatsapp.dmPolciy");
    assert_eq!(issue.origin.position().unwrap().to_string(), "4:7");
    assert_eq!(issue.nearest.as_deref(), Some("channels.whatsapp.dmPolicy"));
}

#[test]
fn uq_14_open_without_a_wildcard_names_both_keys() {
    let text = "{\n  channels: {\n    telegram: {\n      dmPolicy: \"open\",\n      allowFrom: [\"111\"],\n    },\n  },\n}\n";
    let issue = issues_of(parsed(text), Reading::Product, None).remove(0);
    assert_eq!(issue.path.to_string(), "channels.telegram.allowFrom");
    assert_eq!(issue.origin.position().unwrap().to_string(), "5:7");
    assert!(issue.message.contains("channels.telegram.dmPolicy at 4:7"), "{}", issue.message);
}

#[test]
fn sp_064_no_issue_shows_a_credential() {
    for (name, config) in cases(&read("config/errors.txt")) {
        for issue in issues_of(parsed(&config), Reading::Product, None) {
            for secret in ["hunter2", "12345", "fedcba", "0123456789abcdef"] {
                assert!(!issue.to_string().contains(secret), "{name}: {issue}");
            }
        }
    }
    for bad in [json!(1), json!(true), json!(["s3cr3t"]), json!({"s3cr3t": "s3cr3t"})] {
        for at in ["gateway.auth.token", "hooks.token", "channels.telegram.botToken", "talk.apiKey"] {
            let json = KeyPath::dotted(at).segments().iter().rev().fold(bad.clone(), |v, s| match s {
                oc_types::Segment::Key(k) => json!({ k.as_str(): v }),
                oc_types::Segment::Index(_) => json!([v]),
            });
            let issues = product(&json);
            assert!(!issues.is_empty(), "{at} = {bad}");
            for issue in issues {
                assert!(!issue.message.contains("s3cr3t"), "{issue}");
            }
        }
    }
}

#[test]
fn sp_050_the_seeds_configurations_are_valid() {
    let mut seen = 0;
    for entry in std::fs::read_dir(fixture("seeds")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "json5") {
            let text = std::fs::read_to_string(&path).unwrap();
            // What `${VAR}` stands for does not matter here: the value stays text.
            let issues = issues_of(parsed(&text), Reading::Product, Some(&Plugins::default()));
            assert!(issues.is_empty(), "{}: {issues:?}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 15, "only {seen} configurations");
}

/// Every configuration that another part's case files evaluate must be one that loads, and the other way round.
#[test]
fn sp_050_case_files_load_exactly_where_they_say_so() {
    let mut checked = 0;
    let mut surprises = Vec::new();
    let folders = ["policy/cases.jsonl", "policy/seed.jsonl", "policy/inventory.jsonl"];
    let sandbox =
        ["resolve", "docker-create", "elevated", "explain", "seed"].map(|f| format!("sandbox/{f}.jsonl"));
    let channels =
        ["access", "routing", "session-keys", "elevated", "mentions"].map(|f| format!("channels/{f}.jsonl"));
    let files = folders.iter().map(|f| (*f).to_owned()).chain(sandbox).chain(channels);
    for file in files {
        for line in read(&file).lines().filter(|l| !l.trim().is_empty()) {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let Some(config) = row.get("config").filter(|c| c.is_object()) else { continue };
            let name = row.get("name").and_then(|n| n.as_str()).unwrap_or("?");
            let issues = product(config);
            let expected = row.get("product").and_then(|p| p.get("expected")).or_else(|| row.get("expected"));
            let invalid = expected.and_then(|e| e.get("configValid")).and_then(serde_json::Value::as_bool)
                == Some(false);
            let refused = expected.and_then(|e| e.get("error")).is_some();
            checked += 1;
            if invalid {
                let want: Vec<&str> = expected.unwrap()["issuePaths"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(|p| p.as_str())
                    .collect();
                let have: Vec<String> = issues.iter().map(|i| i.path.to_string()).collect();
                assert_eq!(have, want, "{file}: {name}");
            } else if refused {
                assert!(!issues.is_empty(), "{file}: {name}");
            } else {
                let loose = |i: &Issue| {
                    LOOSE_ROWS.iter().any(|(row, at, _)| name.starts_with(row) && i.path.to_string() == *at)
                };
                surprises.extend(issues.iter().filter(|i| !loose(i)).map(|i| format!("{file}: {name}: {i}")));
            }
        }
    }
    assert!(surprises.is_empty(), "{surprises:#?}");
    assert!(checked > 500, "only {checked} configurations");
}

/// Rows that hand a function something that no loader would let through: name prefix, the path that would be refused, and why
/// the row is right all the same.
const LOOSE_ROWS: &[(&str, &str, &str)] = &[
    (
        "agent-two-entries-first-wins",
        "agents.list[1].id",
        "two agents with one id (SP-120); the engine takes the first",
    ),
    ("rt-null-binding", "bindings[0]", "the router skips what is no binding"),
    ("sk-link-", "session.identityLinks.bad", "session keys skip links that are no list"),
];

/// The audit's case files: what it reports on loads, what it refuses does not. Cases about includes, variables and broken text
/// are the reading's, not the vocabulary's.
#[test]
fn sp_050_audit_case_files_load_exactly_where_a_report_is_expected() {
    let (mut checked, mut surprises) = (0, Vec::new());
    for folder in ["audit", "audit-latest"] {
        for entry in std::fs::read_dir(fixture(folder)).unwrap() {
            let path = entry.unwrap().path();
            let case = std::fs::read_to_string(&path).unwrap();
            let Ok(case) = serde_json::from_str::<serde_json::Value>(&case) else { continue };
            let Some(name) = case["name"].as_str() else { continue };
            let refused = case["expected"]["findings"].is_null();
            if name.starts_with("env-") || name.starts_with("inc-") {
                continue;
            }
            // Here an id in plugins.allow must exist; the newest release lets it pass.
            let stricter = name == "plugin-allow-phantom-no-extensions";
            let found = Plugins { found: plugins_of(&case) };
            for (key, readings) in [
                (
                    "config",
                    if folder == "audit" {
                        &[Reading::Era, Reading::Product][..]
                    } else {
                        &[Reading::Product]
                    },
                ),
                ("configEra", &[Reading::Era, Reading::Product]),
            ] {
                let Some(text) = case[key].as_str().filter(|t| !t.contains("$include")) else { continue };
                let Ok(document) = document::parse(&Frame::root("c"), text.as_bytes(), Format::Json5) else {
                    continue;
                };
                for reading in readings {
                    checked += 1;
                    let issues = issues_of(document.node.clone(), *reading, Some(&found));
                    // What the era release refuses the product may know, or read from an older key.
                    let may_load = refused && *reading == Reading::Product;
                    if issues.is_empty() == (refused || stricter) && !may_load {
                        surprises.push(format!(
                            "{name} {reading:?}: {:?}",
                            issues.first().map(ToString::to_string)
                        ));
                    }
                }
            }
        }
    }
    assert!(surprises.is_empty(), "{surprises:#?}");
    assert!(checked > 600, "only {checked} configurations");
}

/// The plugins that a case puts below the state directory, by folder name.
fn plugins_of(case: &serde_json::Value) -> Vec<Plugin> {
    let files = case["files"].as_array().map(Vec::as_slice).unwrap_or_default();
    let folder = |f: &serde_json::Value| {
        let rest = f["path"].as_str()?.strip_prefix("state/extensions/")?.to_owned();
        Some(Plugin { id: rest.split('/').next()?.to_owned(), ..Plugin::default() })
    };
    files.iter().filter_map(folder).collect()
}

#[test]
fn unknown_ids_of_plugins_and_channels_are_errors_once_somebody_looked() {
    let json = json!({
        "channels": {"carrierpigeon": {"groupPolicy": "open"}, "telegrm": {}, "twitch": {"x": 1}, "pager": {}},
        "plugins": {
            "allow": ["telegram", "nope"], "deny": ["nope"], "slots": {"memory": "none"},
            "entries": {"nope-plugin": {"enabled": true}, "mine": {"config": {"any": "thing"}}},
        },
    });
    assert_eq!(product(&json), Vec::new());
    let mine = Plugin { id: "mine".to_owned(), channels: vec!["pager".to_owned()], problem: None };
    let found = Plugins { found: vec![mine] };
    let tree = Node::from_json(&json, &Origin::CommandLine);
    let at: Vec<String> = plugins(&tree, &found).iter().map(|i| i.path.to_string()).collect();
    assert_eq!(
        at,
        [
            "channels.carrierpigeon",
            "channels.telegrm",
            "plugins.entries.nope-plugin",
            "plugins.allow[1]",
            "plugins.deny[0]"
        ]
    );
    let broken =
        Plugin { id: "b".to_owned(), channels: vec![], problem: Some("it has no manifest".to_owned()) };
    assert_eq!(plugins(&Node::empty(), &Plugins { found: vec![broken] }).len(), 1);
}

#[test]
fn many_problems_are_counted_not_listed() {
    let members: serde_json::Map<String, serde_json::Value> =
        (0..50_000).map(|i| (format!("zz{i}"), json!(1))).collect();
    let issues = product(&serde_json::Value::Object(members));
    assert_eq!(issues.len(), MAX_ISSUES + 1);
    assert_eq!(
        issues.last().unwrap().message,
        format!("{} more problems are not listed", 50_000 - MAX_ISSUES)
    );
}

#[test]
fn the_era_reading_knows_no_newer_keys_and_words() {
    for (json, at) in [
        (json!({"gateway": {"auth": {"mode": "none"}}}), "gateway.auth.mode"),
        (json!({"gateway": {"allowRealIpFallback": true}}), "gateway.allowRealIpFallback"),
        (json!({"tools": {"exec": {"ask": "elevated"}}}), "tools.exec.ask"),
        (json!({"agents": {"defaults": {"sandbox": {"tools": {}}}}}), "agents.defaults.sandbox.tools"),
        (json!({"gateway": {"token": "abc"}}), "gateway.token"),
        (json!({"telegram": {"botToken": "1:a"}}), "telegram"),
        (json!({"messages": {"tts": {"enabled": true}}}), "messages.tts.enabled"),
        (json!({"gateway": {"auth": {"token": {"file": "x"}}}}), "gateway.auth.token"),
    ] {
        let issues = issues_of(Node::from_json(&json, &Origin::CommandLine), Reading::Era, None);
        let have: Vec<String> = issues.iter().map(|i| i.path.to_string()).collect();
        assert_eq!(have, [at]);
    }
    for json in [
        json!({"channels": {"mattermost": {"anything": 1, "dmPolicy": "open"}}}),
        json!({"agents": {"list": [{"id": "a"}, {"id": "A"}]}}),
        json!({"gateway": {"port": 70000}}),
        json!({"agents": {"list": [{"id": "a"}]}, "bindings": [{"agentId": "b", "match": {"channel": "x"}}]}),
    ] {
        let issues = issues_of(Node::from_json(&json, &Origin::CommandLine), Reading::Era, None);
        assert!(issues.is_empty(), "{json}: {issues:?}");
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let word = proptest::sample::select(vec![
        "gateway",
        "auth",
        "token",
        "mode",
        "channels",
        "telegram",
        "accounts",
        "agents",
        "list",
        "id",
        "tools",
        "allow",
        "alsoAllow",
        "dmPolicy",
        "open",
        "*",
        "routing",
        "agent",
        "__proto__",
        "",
        "bindings",
        "x",
    ]);
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|b| json!(b)),
        any::<i32>().prop_map(|n| json!(n)),
        word.clone().prop_map(|s| json!(s)),
        "\\PC{0,12}".prop_map(|s| json!(s)),
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|v| json!(v)),
            proptest::collection::vec((word.clone(), inner), 0..6).prop_map(|m| serde_json::Value::Object(
                m.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn any_tree_is_judged_without_a_panic_and_every_issue_says_what_to_do(json in any_json()) {
        for reading in [Reading::Product, Reading::Era] {
            for issue in issues_of(Node::from_json(&json, &Origin::CommandLine), reading, Some(&Plugins::default())) {
                prop_assert!(!issue.message.is_empty());
                prop_assert!(issue.fix.is_some() || issue.nearest.is_some());
                prop_assert!(!issue.message.ends_with('.'));
                let printed = issue.to_string();
                prop_assert!(!printed.contains('\n'), "{}", printed);
            }
        }
    }
}
