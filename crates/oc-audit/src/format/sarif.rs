//! SARIF 2.1.0.

use std::path::Path;

use oc_types::Severity;
use serde_json::{Map, Value, json};

use crate::{Finding, Report, catalogue};

/// The report as a SARIF log with one run. `version` is the program's.
#[must_use]
pub fn render(report: &Report, version: &str) -> Value {
    let mut rules: Vec<(String, Value)> = Vec::new();
    let mut results = Vec::new();
    let shown = report.findings.iter().map(|f| (f, None));
    let held = report.suppressed.iter().map(|s| (&s.finding, Some(s.reason.as_deref())));
    for (finding, suppressed) in shown.chain(held) {
        let index = match rules.iter().position(|(id, _)| *id == finding.check_id) {
            Some(index) => index,
            None => {
                rules.push((finding.check_id.clone(), rule(finding)));
                rules.len() - 1
            }
        };
        results.push(result(finding, index, suppressed));
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "openclaw security audit",
                "version": version,
                "rules": rules.into_iter().map(|(_, rule)| rule).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
            "properties": {"rules": report.rules.as_str()},
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "error",
        Severity::Warn => "warning",
        Severity::Info => "note",
    }
}

fn rule(finding: &Finding) -> Value {
    let mut out = Map::new();
    out.insert("id".to_owned(), finding.check_id.as_str().into());
    out.insert("shortDescription".to_owned(), json!({"text": finding.title}));
    if let Some(check) = catalogue::find(&finding.check_id) {
        out.insert("fullDescription".to_owned(), json!({"text": check.question}));
        if !check.fix.is_empty() {
            out.insert("help".to_owned(), json!({"text": check.fix}));
        }
        out.insert("properties".to_owned(), json!({"source": check.source, "keys": check.keys}));
    }
    out.insert("defaultConfiguration".to_owned(), json!({"level": level(finding.severity)}));
    Value::Object(out)
}

fn result(finding: &Finding, index: usize, suppressed: Option<Option<&str>>) -> Value {
    let mut text = format!("{}: {}", finding.title, finding.detail);
    if let Some(fix) = &finding.remediation {
        text.push_str(" Fix: ");
        text.push_str(fix);
    }
    let mut out = Map::new();
    out.insert("ruleId".to_owned(), finding.check_id.as_str().into());
    out.insert("ruleIndex".to_owned(), index.into());
    out.insert("level".to_owned(), level(finding.severity).into());
    out.insert("message".to_owned(), json!({"text": text}));
    let locations = locations(finding);
    if !locations.is_empty() {
        out.insert("locations".to_owned(), locations.into());
    }
    let first = finding.keys.first().map(|k| k.path.to_string());
    let place = first.or_else(|| finding.paths.first().map(|p| p.to_string_lossy().into_owned()));
    out.insert(
        "partialFingerprints".to_owned(),
        json!({"openclawFinding/v1": format!("{}|{}", finding.check_id, place.unwrap_or_default())}),
    );
    if let Some(reason) = suppressed {
        let mut entry = Map::new();
        entry.insert("kind".to_owned(), "external".into());
        if let Some(reason) = reason {
            entry.insert("justification".to_owned(), reason.into());
        }
        out.insert("suppressions".to_owned(), json!([entry]));
    }
    Value::Object(out)
}

/// Keys with their position first, then files.
fn locations(finding: &Finding) -> Vec<Value> {
    let mut out = Vec::new();
    for key in &finding.keys {
        let mut location = Map::new();
        if let Some(file) = key.origin.file_name() {
            let mut physical = Map::new();
            physical.insert("artifactLocation".to_owned(), json!({"uri": uri(Path::new(&**file))}));
            if let Some(at) = key.origin.position() {
                physical.insert("region".to_owned(), json!({"startLine": at.line, "startColumn": at.column}));
            }
            location.insert("physicalLocation".to_owned(), Value::Object(physical));
        }
        let name = key.path.to_string();
        location
            .insert("logicalLocations".to_owned(), json!([{"fullyQualifiedName": name, "kind": "member"}]));
        if key.unset {
            location.insert("message".to_owned(), json!({"text": format!("{name} is not set")}));
        }
        out.push(Value::Object(location));
    }
    for path in &finding.paths {
        out.push(json!({"physicalLocation": {"artifactLocation": {"uri": uri(path)}}}));
    }
    out
}

/// A file URI for absolute paths, a relative reference for others. Everything but unreserved characters and `/` is escaped.
fn uri(path: &Path) -> String {
    let mut out = String::from(if path.is_absolute() { "file://" } else { "" });
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(*byte))
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
