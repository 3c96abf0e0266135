//! `openclaw policy eval` and `openclaw policy test` as a person calls them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Map, Value, json};

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

#[test]
fn eval_answers_the_recorded_rows_in_their_order() {
    let home = tempfile::tempdir().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/policy");
    let mut cases: Vec<Value> = Vec::new();
    for file in ["cases.jsonl", "seed.jsonl"] {
        let rows = std::fs::read_to_string(fixtures.join(file)).unwrap();
        cases.extend(rows.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()));
    }
    let questions: String = cases
        .iter()
        .map(|row| {
            let keys = ["name", "config", "context", "tools", "pluginTools"];
            let asked: Map<String, Value> = keys.iter().map(|k| ((*k).to_owned(), row[*k].clone())).collect();
            format!("{}\n", Value::from(asked))
        })
        .collect();
    let file = home.path().join("rows.jsonl");
    std::fs::write(&file, questions).unwrap();
    let out = openclaw(home.path(), &["policy", "eval", "--jsonl", file.to_str().unwrap()]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let answers: Vec<Value> = text(&out.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(answers.len(), cases.len());
    for (row, got) in cases.iter().zip(&answers) {
        assert_eq!(row["name"], got["name"]);
        let expected = match (&row["product"], row["resolution"].as_str()) {
            (Value::Object(product), _) => product.get("allowed").cloned().unwrap_or_else(|| json!([])),
            (_, Some("strict")) => row["allowedStrict"].clone(),
            _ => row["allowed"].clone(),
        };
        assert_eq!(got["allowed"], expected, "{}", row["name"]);
    }
}

#[test]
fn test_checks_the_examples_beside_the_configuration() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join(".openclaw");
    std::fs::create_dir(&state).unwrap();
    let config = r#"{ channels: { telegram: { groups: { "*": { tools: { deny: ["exec"] } } } } } }"#;
    std::fs::write(state.join("openclaw.json"), config).unwrap();
    let missing = openclaw(home.path(), &["policy", "test"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("policy-tests.json5"));
    let rules = |verdict: &str| {
        format!(
            r#"{{ rules: [ // what has to hold
              {{ name: "no shell in groups", tools: ["exec"], verdict: "{verdict}",
                 match: [{{ sessionKey: "agent:main:telegram:group:-1" }}],
                 notMatch: [{{ sessionKey: "agent:main:main" }}] }},
            ] }}"#
        )
    };
    std::fs::write(state.join("policy-tests.json5"), rules("denied")).unwrap();
    let good = openclaw(home.path(), &["policy", "test"]);
    assert_eq!(text(&good.stdout), "ok    no shell in groups (2 examples)\n1 of 1 rules hold\n");
    assert!(good.status.success());
    std::fs::write(state.join("policy-tests.json5"), rules("allowed")).unwrap();
    let bad = openclaw(home.path(), &["policy", "test", "--json"]);
    assert_eq!(bad.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&bad.stdout).unwrap();
    assert_eq!(report["failed"], 1);
    assert!(
        report["rules"][0]["failures"][0].as_str().unwrap().contains("policy-tests.json5:3:"),
        "{report}"
    );
}
