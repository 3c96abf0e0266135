//! JUnit XML: one test case a finding. Critical findings and warnings fail, notes pass, suppressed ones are skipped.

use std::fmt::Write as _;

use oc_types::Severity;

use crate::{Finding, Report};

/// The report as JUnit XML.
#[must_use]
pub fn render(report: &Report) -> String {
    let failures = report.findings.iter().filter(|f| f.severity > Severity::Info).count();
    let skipped = report.suppressed.len();
    let tests = (report.findings.len() + skipped).max(1);
    let mut cases = String::new();
    for finding in &report.findings {
        cases.push_str(&open(finding));
        let body = body(finding);
        match finding.severity {
            Severity::Info => {
                let _ = write!(cases, "<system-out>{}</system-out>", text(&body));
            }
            Severity::Warn | Severity::Critical => {
                let _ = write!(
                    cases,
                    "<failure type=\"{}\" message=\"{}\">{}</failure>",
                    finding.severity,
                    attribute(&finding.title),
                    text(&body)
                );
            }
        }
        cases.push_str("</testcase>\n");
    }
    for held in &report.suppressed {
        cases.push_str(&open(&held.finding));
        let reason = held.reason.as_deref().unwrap_or("suppressed");
        let _ = writeln!(cases, "<skipped message=\"{}\"/></testcase>", attribute(reason));
    }
    if cases.is_empty() {
        // A suite without cases reads as "nothing ran".
        cases.push_str("    <testcase classname=\"audit\" name=\"no findings\" time=\"0\"/>\n");
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"openclaw security audit\" tests=\"{tests}\" \
         failures=\"{failures}\" errors=\"0\" time=\"0\">\n  <testsuite name=\"openclaw security audit\" tests=\"{tests}\" \
         failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"0\">\n{cases}  </testsuite>\n</testsuites>\n"
    )
}

fn open(finding: &Finding) -> String {
    let area = finding.check_id.split('.').next().unwrap_or_default();
    let key = finding.keys.first().map(|k| format!(" {}", k.path)).unwrap_or_default();
    format!(
        "    <testcase classname=\"{}\" name=\"{}{}\" time=\"0\">",
        attribute(area),
        attribute(&finding.check_id),
        attribute(&key)
    )
}

fn body(finding: &Finding) -> String {
    let mut out = finding.detail.clone();
    for key in &finding.keys {
        let _ = write!(out, "\n{} at {}", key.path, key.origin);
    }
    if let Some(fix) = &finding.remediation {
        let _ = write!(out, "\nFix: {fix}");
    }
    out
}

/// Text content: markup escaped, characters that XML 1.0 cannot hold replaced.
fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Attribute content: as text, on one line, quotes escaped.
fn attribute(value: &str) -> String {
    text(value).replace('"', "&quot;").replace(['\n', '\t'], " ")
}
