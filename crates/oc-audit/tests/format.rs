//! SARIF against its schema, JUnit against its schema, Markdown against markup in hostile names.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    missing_docs,
    reason = "tests"
)]

use std::sync::Arc;

use oc_audit::facts::Facts;
use oc_audit::{AuditContext, Finding, Findings, KeyRef, Report, RuleSet, format, latest::Suppressed};
use oc_types::{KeyPath, Node, Origin, Position, Severity};
use serde_json::Value;

const SARIF_SCHEMA: &str = include_str!("../../../fixtures/schemas/sarif-2.1.0.json");
const JUNIT_SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/schemas/junit-10.xsd");

fn sample() -> Report {
    let file: Arc<str> = "/home/me/.openclaw/open claw \"1\".json".into();
    let key = |path: &str, unset| KeyRef {
        path: KeyPath::dotted(path),
        origin: Origin::file(&file, Some(Position::new(3, 5))),
        unset,
    };
    let mut findings = Findings::default();
    findings
        .report("gateway.bind_no_auth", Severity::Critical)
        .detail("`gateway.bind` is \"lan\" & <script>alert(1)</script> ]]> \u{1}\u{7f}")
        .key(key("gateway.bind", false))
        .key(key("gateway.auth.token", true));
    findings.report("gateway.bind_no_auth", Severity::Critical).detail("again");
    findings
        .report("fs.state_dir.perms_readable", Severity::Warn)
        .detail("*bold* _x_ [a](b) # h")
        .path("/home/me/a b%\u{e4}");
    findings.report("channels.telegram.dm.locked", Severity::Info).detail("nobody");
    let held: Finding = findings.as_slice()[2].clone();
    Report {
        ts: 0,
        rules: RuleSet::Latest,
        findings: findings.into_vec(),
        suppressed: vec![
            Suppressed { finding: held.clone(), reason: Some("known & \"fine\"".to_owned()) },
            Suppressed { finding: held, reason: None },
        ],
        probe: None,
    }
}

fn empty() -> Report {
    Report { findings: Vec::new(), suppressed: Vec::new(), ..sample() }
}

/// Validates against the part of JSON Schema draft 7 that the SARIF schema uses; an unknown keyword fails the test, so nothing is
/// passed over in silence.
struct Schema {
    root: Value,
}

impl Schema {
    fn check(&self, schema: &Value, value: &Value, at: &str, errors: &mut Vec<String>) {
        for (word, rule) in schema.as_object().unwrap() {
            let mut fail = |why: String| errors.push(format!("{at}: {why}"));
            match word.as_str() {
                "description" | "title" | "default" | "$schema" | "$id" | "definitions" | "format" => {}
                "additionalProperties" | "items" | "properties" if rule.is_null() => {}
                "$ref" => {
                    let target = self.root.pointer(rule.as_str().unwrap().trim_start_matches('#')).unwrap();
                    self.check(target, value, at, errors);
                }
                "type" => {
                    let is = |t: &Value| match t.as_str().unwrap() {
                        "object" => value.is_object(),
                        "array" => value.is_array(),
                        "string" => value.is_string(),
                        "boolean" => value.is_boolean(),
                        "number" => value.is_number(),
                        "integer" => value.is_i64() || value.is_u64(),
                        "null" => value.is_null(),
                        other => panic!("type {other}"),
                    };
                    if !rule.as_array().map_or_else(|| is(rule), |l| l.iter().any(is)) {
                        fail(format!("is not of type {rule}"));
                    }
                }
                "enum" => {
                    if !rule.as_array().unwrap().contains(value) {
                        fail(format!("{value} is none of {rule}"));
                    }
                }
                "required" => {
                    for name in rule.as_array().unwrap() {
                        if value.is_object() && value.get(name.as_str().unwrap()).is_none() {
                            fail(format!("lacks {name}"));
                        }
                    }
                }
                "properties" => {
                    for (name, sub) in rule.as_object().unwrap() {
                        if let Some(v) = value.get(name) {
                            self.check(sub, v, &format!("{at}.{name}"), errors);
                        }
                    }
                }
                "additionalProperties" => {
                    let known = schema.get("properties").and_then(Value::as_object);
                    for (name, v) in value.as_object().into_iter().flatten() {
                        if known.is_some_and(|k| k.contains_key(name)) {
                            continue;
                        }
                        match rule {
                            Value::Bool(true) => {}
                            Value::Bool(false) => errors.push(format!("{at}: {name} is not allowed")),
                            sub => self.check(sub, v, &format!("{at}.{name}"), errors),
                        }
                    }
                }
                "items" => {
                    for (i, v) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(rule, v, &format!("{at}[{i}]"), errors);
                    }
                }
                "minItems" => {
                    if value.as_array().is_some_and(|a| (a.len() as u64) < rule.as_u64().unwrap()) {
                        fail("has too few items".to_owned());
                    }
                }
                "uniqueItems" => {
                    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
                    if rule == true && (1..list.len()).any(|i| list[..i].contains(&list[i])) {
                        fail("has an item twice".to_owned());
                    }
                }
                "minimum" | "maximum" => {
                    let (limit, n) = (rule.as_f64().unwrap(), value.as_f64());
                    if n.is_some_and(|n| if word == "minimum" { n < limit } else { n > limit }) {
                        fail(format!("{value} is beyond {word} {limit}"));
                    }
                }
                "pattern" => {
                    let pattern = regex::Regex::new(rule.as_str().unwrap()).unwrap();
                    if value.as_str().is_some_and(|s| !pattern.is_match(s)) {
                        fail(format!("{value} does not match {rule}"));
                    }
                }
                "anyOf" | "oneOf" | "allOf" => {
                    let passed = rule.as_array().unwrap().iter().filter(|sub| {
                        let mut own = Vec::new();
                        self.check(sub, value, at, &mut own);
                        own.is_empty()
                    });
                    let (count, all) = (passed.count(), rule.as_array().unwrap().len());
                    let good = match word.as_str() {
                        "anyOf" => count > 0,
                        "oneOf" => count == 1,
                        _ => count == all,
                    };
                    if !good {
                        errors.push(format!("{at}: {count} of {all} alternatives of {word} hold"));
                    }
                }
                other => panic!("schema keyword {other} is not known to this test"),
            }
        }
    }

    fn errors(&self, value: &Value) -> Vec<String> {
        let mut errors = Vec::new();
        self.check(&self.root, value, "$", &mut errors);
        errors
    }
}

#[test]
fn sarif_validates_against_its_schema() {
    let schema = Schema { root: serde_json::from_str(SARIF_SCHEMA).unwrap() };
    for report in [sample(), empty()] {
        let sarif = format::sarif::render(&report, "1.2.3");
        assert_eq!(schema.errors(&sarif), Vec::<String>::new());
    }
    // The validator itself notices what is wrong.
    let mut broken = format::sarif::render(&sample(), "1.2.3");
    broken["runs"][0]["results"][0]["level"] = "fatal".into();
    broken["runs"][0]["oops"] = 1.into();
    broken["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0.into();
    assert!(schema.errors(&broken).len() >= 3, "{:?}", schema.errors(&broken));
}

#[test]
fn sarif_points_at_the_key() {
    let sarif = format::sarif::render(&sample(), "1.2.3");
    let result = &sarif["runs"][0]["results"][0];
    let place = &result["locations"][0];
    assert_eq!(place["physicalLocation"]["region"], serde_json::json!({"startLine": 3, "startColumn": 5}));
    assert_eq!(
        place["physicalLocation"]["artifactLocation"]["uri"],
        "file:///home/me/.openclaw/open%20claw%20%221%22.json"
    );
    assert_eq!(place["logicalLocations"][0]["fullyQualifiedName"], "gateway.bind");
    assert_eq!(
        (result["ruleIndex"].as_u64(), sarif["runs"][0]["results"][1]["ruleIndex"].as_u64()),
        (Some(0), Some(0))
    );
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.iter().filter(|r| r.get("suppressions").is_some()).count(), 2);
}

#[test]
fn junit_validates_against_its_schema() {
    let xml = format::junit::render(&sample());
    assert!(xml.contains("tests=\"6\" failures=\"3\" errors=\"0\" skipped=\"2\""), "{xml}");
    assert!(!xml.contains("<script>") && !xml.contains('\u{1}'));
    assert!(format::junit::render(&empty()).contains("no findings"));
    let dir = std::env::temp_dir().join(format!("oc-audit-junit-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    for (name, report) in [("sample.xml", sample()), ("empty.xml", empty())] {
        let file = dir.join(name);
        std::fs::write(&file, format::junit::render(&report)).unwrap();
        let run = std::process::Command::new("xmllint")
            .args(["--noout", "--nonet", "--schema", JUNIT_SCHEMA])
            .arg(&file)
            .output();
        match run {
            Ok(out) => assert!(out.status.success(), "{name}: {}", String::from_utf8_lossy(&out.stderr)),
            Err(e) => eprintln!(
                "NOT VALIDATED: xmllint is not installed ({e}); install libxml2-utils to run this check"
            ),
        }
    }
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn markdown_cannot_be_bent_by_what_it_reports() {
    let text = format::markdown::render(&sample());
    assert!(text.contains("2 critical, 1 warn, 1 info"));
    assert!(text.contains(r"\<script\>") && text.contains(r"\*bold\*") && text.contains(r"\[a\](b)"));
    assert!(text.contains("`gateway.bind` (open claw") && text.contains("known & "));
}

#[test]
fn sp_286_suppressed_findings_stay_in_every_format() {
    let config = Node::from_json(
        &serde_json::json!({"security": {"audit": {"suppressions": [{"checkId": "gateway.http.no_auth", "reason": "no proxy here"}]}}}),
        &Origin::Default,
    );
    let places = oc_config::Locations {
        home: "/h".into(),
        state_dir: "/h/.openclaw".into(),
        config: "/h/.openclaw/openclaw.json".into(),
        credentials: "/h/.openclaw/credentials".into(),
    };
    let facts = Facts::new(places, oc_config::Environment::default());
    let report = oc_audit::run(&AuditContext::new(&config, &facts, RuleSet::Latest));
    assert_eq!(report.suppressed.len(), 1);
    assert!(!report.findings.iter().any(|f| f.check_id == "gateway.http.no_auth"));
    for text in [
        format::sarif::render(&report, "1").to_string(),
        format::junit::render(&report),
        format::markdown::render(&report),
    ] {
        assert!(text.contains("no proxy here"), "{text}");
    }
}
