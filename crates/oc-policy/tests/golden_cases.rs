//! The policy case files of `fixtures/policy` against the crate's own batch evaluation.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

use std::path::PathBuf;

use oc_policy::batch::answer;
use serde_json::{Value, json};

fn rows(file: &str) -> Vec<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/policy").join(file);
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// Compares one row; the expectation is its `product`, else its `resolution`, else the plain value.
fn check(row: &Value) {
    let name = row["name"].as_str().unwrap();
    let got = answer(row);
    let product = &row["product"];
    if let Some(error) = product["error"].as_str() {
        assert_eq!(got.error.as_deref(), Some(error), "{name}");
        assert!(got.allowed.is_empty(), "{name}");
        return;
    }
    assert_eq!(got.error, None, "{name}");
    let strict = product.is_null() && row["resolution"] == "strict";
    let expected = if product.is_null() { row } else { product };
    let allowed = &expected[if strict { "allowedStrict" } else { "allowed" }];
    assert_eq!(json!(got.allowed), *allowed, "{name}");
    if let Some(there) = row.get("materialized") {
        assert_eq!(json!(got.materialized), *there, "{name}");
    }
    if strict || expected["removedBy"].is_null() {
        return;
    }
    let removed = Value::Object(got.removed_by);
    if row.get("ignoredAllowlists").is_some() && row["resolution"].is_null() {
        // The reference release ignored a list that binds here: same tools, but the layer named first may be another.
        let keys = |v: &Value| {
            let mut keys: Vec<String> = v.as_object().unwrap().keys().cloned().collect();
            keys.sort();
            keys
        };
        assert_eq!(keys(&removed), keys(&expected["removedBy"]), "{name}");
    } else {
        assert_eq!(removed, expected["removedBy"], "{name}");
    }
}

#[test]
fn the_recorded_decisions_hold() {
    let rows = rows("cases.jsonl");
    assert!(rows.len() >= 255);
    rows.iter().for_each(check);
}

#[test]
fn the_seeds_spellings_hold() {
    rows("seed.jsonl").iter().for_each(check);
}

#[test]
fn the_inventory_gates_hold() {
    rows("inventory.jsonl").iter().for_each(check);
}

#[test]
fn a_row_of_unusable_shape_gets_an_error_and_no_tools() {
    for row in [
        json!(null),
        json!([]),
        json!({"name": "x"}),
        json!({"name": "x", "config": []}),
        json!({"name": "x", "config": {}, "context": 5}),
        json!({"name": "x", "config": {}, "context": {"sessionKey": 5}}),
        json!({"name": "x", "config": {}, "context": {"senderIsOwner": "yes"}}),
        json!({"name": "x", "config": {}, "context": {}, "tools": "exec"}),
        json!({"name": "x", "config": {}, "context": {}, "tools": [5]}),
        json!({"name": "x", "config": {}, "context": {}, "tools": ["a"], "pluginTools": {"a": 5}}),
    ] {
        let got = answer(&row);
        assert!(got.error.is_some_and(|e| e.starts_with("bad_row")), "{row}");
        assert!(got.allowed.is_empty());
    }
}
