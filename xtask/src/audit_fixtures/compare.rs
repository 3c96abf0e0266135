//! What a run showed, and where it differs from what is expected.

use std::collections::BTreeMap;

use oc_config::document::{self, Format, Frame};
use serde_json::{Map, Value, json};

use super::case::Case;
use super::tree::Tree;

/// What a run showed, in the shape of `expected`.
pub fn observe(case: &Case, tree: &Tree, code: i32, stdout: &str) -> Value {
    let mut got = Map::new();
    got.insert("exitCode".to_owned(), code.into());
    let report = super::find_report(stdout);
    let findings = report.as_ref().map(|r| {
        let list = r.get("findings").and_then(Value::as_array).cloned().unwrap_or_default();
        let keep = |f: &Value| {
            let id = f.get("checkId").and_then(Value::as_str).unwrap_or_default();
            case.compare_only.as_ref().is_none_or(|only| only.iter().any(|o| o == id))
        };
        Value::Array(list.into_iter().filter(keep).collect())
    });
    if let (Some(report), None) = (&report, &case.compare_only) {
        let summary = report.get("summary").cloned().unwrap_or_default();
        let count = |k: &str| summary.get(k).cloned().unwrap_or_default();
        let summary = json!({ "critical": count("critical"), "warn": count("warn"), "info": count("info") });
        got.insert("summary".to_owned(), summary);
    }
    got.insert("findings".to_owned(), findings.unwrap_or_default());
    let fixes = case.args.iter().any(|a| a == "--fix");
    if !case.no_after && (!case.watch.is_empty() || !case.watch_modes.is_empty() || fixes) {
        got.insert("after".to_owned(), after(case, tree));
    }
    Value::Object(got)
}

fn after(case: &Case, tree: &Tree) -> Value {
    let mut out = Map::new();
    let now = std::fs::read(tree.config()).ok();
    let config = now.as_deref().map(read_config).unwrap_or_default();
    let keys = case.watch.iter().map(|k| (k.clone(), dig(&config, k)));
    out.insert("config".to_owned(), Value::Object(keys.collect()));
    let modes = case.watch_modes.iter().map(|p| (p.clone(), json!(tree.mode_of(p))));
    out.insert("modes".to_owned(), Value::Object(modes.collect()));
    let unchanged = now.as_deref() == tree.original();
    out.insert("configBytesUnchanged".to_owned(), unchanged.into());
    if !unchanged {
        let mut name = tree.config().as_os_str().to_owned();
        name.push(".bak");
        let backup = std::fs::read(name).ok();
        let original = backup.is_some() && backup.as_deref() == tree.original();
        out.insert("backupIsOriginal".to_owned(), original.into());
    }
    Value::Object(out)
}

fn read_config(bytes: &[u8]) -> Value {
    let parsed = document::parse(&Frame::root("config"), bytes, Format::Json5);
    parsed.map_or(Value::Null, |d| d.node.to_json())
}

fn dig(config: &Value, dotted: &str) -> Value {
    let step = |v: &Value, part: &str| match v {
        Value::Object(o) => o.get(part).cloned(),
        Value::Array(a) => a.get(part.parse::<usize>().ok()?).cloned(),
        _ => None,
    };
    let found = dotted.split('.').try_fold(config.clone(), |v, part| step(&v, part));
    found.unwrap_or_default()
}

/// Findings by id and severity, counted.
fn counted(findings: &Value) -> Option<BTreeMap<(String, String), i64>> {
    let mut out = BTreeMap::new();
    for f in findings.as_array()? {
        let text = |k: &str| f.get(k).and_then(Value::as_str).unwrap_or_default().to_owned();
        *out.entry((text("checkId"), text("severity"))).or_insert(0) += 1;
    }
    Some(out)
}

/// One line a difference.
pub fn differences(want: &Value, got: &Value) -> Vec<String> {
    let mut out = Vec::new();
    let field = |v: &Value, k: &str| v.get(k).cloned().unwrap_or_default();
    if field(want, "exitCode") != field(got, "exitCode") {
        out.push(format!("exit code: want {} got {}", field(want, "exitCode"), field(got, "exitCode")));
    }
    match (counted(&field(want, "findings")), counted(&field(got, "findings"))) {
        (None, None) => {}
        (Some(_), None) => out.push("no report printed".to_owned()),
        (None, Some(_)) => out.push("a report was printed, none expected".to_owned()),
        (Some(wanted), Some(seen)) => {
            let mut all: Vec<_> = wanted.keys().chain(seen.keys()).collect();
            all.sort();
            all.dedup();
            for key in all {
                let lacking = wanted.get(key).unwrap_or(&0) - seen.get(key).unwrap_or(&0);
                match lacking {
                    0 => {}
                    n if n > 0 => out.push(format!("missing {} [{}] x{n}", key.0, key.1)),
                    n => out.push(format!("extra {} [{}] x{}", key.0, key.1, -n)),
                }
            }
            let (a, b) = (field(want, "summary"), field(got, "summary"));
            if a != b {
                out.push(format!("summary: want {a} got {b}"));
            }
        }
    }
    after_differences(&field(want, "after"), &field(got, "after"), &mut out);
    out
}

fn after_differences(want: &Value, got: &Value, out: &mut Vec<String>) {
    let empty = Map::new();
    let object = |v: &Value, k: &str| v.get(k).and_then(Value::as_object).cloned().unwrap_or_default();
    for part in ["config", "modes"] {
        let seen = object(got, part);
        for (key, value) in &object(want, part) {
            let now = seen.get(key).cloned().unwrap_or_default();
            if now != *value {
                out.push(format!("after {part} {key}: want {value} got {now}"));
            }
        }
    }
    for (key, value) in want.as_object().unwrap_or(&empty) {
        let now = got.get(key).cloned().unwrap_or_default();
        if value.is_boolean() && now != *value {
            out.push(format!("after {key}: want {value} got {now}"));
        }
    }
}
