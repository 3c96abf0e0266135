//! The report as JSON: upstream's shape, with `keys`, `paths`, `rules` and `priorities` besides.

use serde_json::{Map, Value, json};

use super::{Report, priority};
use crate::Finding;
use crate::facts::ProbeOutcome;
use crate::latest::Suppressed;

/// The report object.
#[must_use]
pub fn value(report: &Report) -> Value {
    let mut out = Map::new();
    out.insert("ts".to_owned(), report.ts.into());
    out.insert("summary".to_owned(), json!(report.summary()));
    out.insert("findings".to_owned(), report.findings.iter().map(finding).collect());
    if let Some(probe) = &report.probe {
        out.insert("deep".to_owned(), json!({ "gateway": gateway(probe) }));
    }
    if !report.suppressed.is_empty() {
        out.insert("suppressedFindings".to_owned(), report.suppressed.iter().map(suppressed).collect());
    }
    out.insert("rules".to_owned(), report.rules.as_str().into());
    out.insert("priorities".to_owned(), json!(priority::steps(report)));
    Value::Object(out)
}

/// One finding.
#[must_use]
pub fn finding(f: &Finding) -> Value {
    let mut out = Map::new();
    out.insert("checkId".to_owned(), f.check_id.as_str().into());
    out.insert("severity".to_owned(), f.severity.as_str().into());
    out.insert("title".to_owned(), f.title.as_str().into());
    out.insert("detail".to_owned(), f.detail.as_str().into());
    if let Some(fix) = &f.remediation {
        out.insert("remediation".to_owned(), fix.as_str().into());
    }
    if !f.keys.is_empty() {
        out.insert("keys".to_owned(), json!(f.keys));
    }
    if !f.paths.is_empty() {
        let paths: Vec<String> = f.paths.iter().map(|p| p.to_string_lossy().into_owned()).collect();
        out.insert("paths".to_owned(), json!(paths));
    }
    Value::Object(out)
}

fn suppressed(s: &Suppressed) -> Value {
    let mut out = finding(&s.finding);
    if let Value::Object(members) = &mut out {
        let reason = s.reason.as_ref().map_or_else(|| json!({}), |r| json!({ "reason": r }));
        members.insert("suppression".to_owned(), reason);
    }
    out
}

fn gateway(p: &ProbeOutcome) -> Value {
    json!({ "attempted": p.attempted, "url": p.url, "ok": p.ok, "error": p.error, "close": p.close })
}
