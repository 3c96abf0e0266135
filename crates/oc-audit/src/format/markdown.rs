//! Markdown, for a ticket or a pull request.

use std::fmt::Write as _;

use oc_types::Severity;

use crate::{Finding, Report};

/// The report as Markdown.
#[must_use]
pub fn render(report: &Report) -> String {
    let s = report.summary();
    let mut out = format!(
        "# Security audit\n\n{} critical, {} warn, {} info (rules {})\n",
        s.critical, s.warn, s.info, report.rules
    );
    for (severity, heading) in
        [(Severity::Critical, "Critical"), (Severity::Warn, "Warn"), (Severity::Info, "Info")]
    {
        let findings: Vec<&Finding> = report.findings.iter().filter(|f| f.severity == severity).collect();
        if findings.is_empty() {
            continue;
        }
        let _ = write!(out, "\n## {heading}\n");
        for finding in findings {
            one(&mut out, finding);
        }
    }
    if !report.suppressed.is_empty() {
        out.push_str("\n## Suppressed\n\n");
        for held in &report.suppressed {
            let reason = held.reason.as_deref().unwrap_or("no reason given");
            let _ =
                writeln!(out, "- {} `{}`: {}", held.finding.severity, held.finding.check_id, plain(reason));
        }
    }
    out
}

fn one(out: &mut String, finding: &Finding) {
    let _ = write!(
        out,
        "\n### {} (`{}`)\n\n{}\n",
        plain(&finding.title),
        finding.check_id,
        plain(&finding.detail)
    );
    if !finding.keys.is_empty() {
        out.push('\n');
        for key in &finding.keys {
            let unset = if key.unset { ", not set" } else { "" };
            let _ = writeln!(out, "- `{}` ({}{unset})", key.path, plain(&key.origin.to_string()));
        }
    }
    if let Some(fix) = &finding.remediation {
        let _ = write!(out, "\nFix: {}\n", plain(fix));
    }
}

/// Text that cannot start markup of its own. What stands in backticks is code already and stays as it is.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut code = false;
    for c in text.chars() {
        match c {
            '\n' => {
                code = false;
                out.push_str("  \n");
            }
            c if c.is_control() => out.push('\u{fffd}'),
            '`' => {
                code = !code;
                out.push(c);
            }
            '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '\\' if !code => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    if code {
        // An unpaired backtick would swallow what follows.
        out.push('`');
    }
    out
}
