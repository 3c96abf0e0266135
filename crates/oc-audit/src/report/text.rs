//! The report for people: 80 columns, worst first, each finding with where it comes from and what to do.

use std::path::Path;

use oc_text::visible;
use oc_types::{Origin, Severity};

use super::{Report, priority};
use crate::Finding;
use crate::text_block::{Block, short_home};

/// What the text needs besides the report.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The home directory, shown as `~`.
    pub home: &'a Path,
    /// Whether colours may be used.
    pub colour: bool,
    /// Whether `--deep` was asked for.
    pub deep: bool,
    /// Whether `--fix` was asked for.
    pub fixed: bool,
}

/// Longest piece of outside text shown in one place.
const CAP: usize = 2_000;

/// The heading: title, counts, hints.
#[must_use]
pub fn heading(report: &Report, options: Options<'_>) -> String {
    let mut out = Block::new(options.colour);
    out.bold("OpenClaw security audit");
    let s = report.summary();
    out.line(&format!(
        "{} critical · {} warn · {} info (rules {})",
        s.critical, s.warn, s.info, report.rules
    ));
    if !options.deep {
        out.faint("Add --deep to question the running gateway and scan plugin and skill code.");
    }
    if !options.fixed {
        out.faint("Add --fix to apply the safe fixes, --fix --dry-run to see them first.");
    }
    out.finish()
}

/// The findings by severity, then what to fix first. Begins with an empty line when there is anything.
#[must_use]
pub fn body(report: &Report, options: Options<'_>) -> String {
    let mut out = Block::new(options.colour);
    for severity in [Severity::Critical, Severity::Warn, Severity::Info] {
        let group: Vec<&Finding> = report.findings.iter().filter(|f| f.severity == severity).collect();
        if group.is_empty() {
            continue;
        }
        out.blank();
        out.severity(severity, &severity.as_str().to_uppercase());
        for f in group {
            finding(&mut out, f, options.home);
        }
    }
    suppressed(&mut out, report);
    priorities(&mut out, report);
    out.finish()
}

fn finding(out: &mut Block, f: &Finding, home: &Path) {
    out.item(&visible(&f.check_id, CAP), &visible(&f.title, CAP));
    if !f.detail.is_empty() {
        out.indented("", &short_home(&visible(&f.detail, CAP), home));
    }
    for place in places(f) {
        out.indented("at ", &place);
    }
    if let Some(fix) = &f.remediation {
        out.indented("fix: ", &short_home(&visible(fix, CAP), home));
    }
}

/// Where the keys of a finding stand; keys that stand nowhere are left out.
fn places(f: &Finding) -> Vec<String> {
    let mut out = Vec::new();
    for key in &f.keys {
        let nowhere = matches!(key.origin, Origin::Default | Origin::Builtin);
        // An unset key with only the root above it says nothing that the detail does not say.
        if nowhere || (key.unset && key.origin.position().is_none_or(|p| p == oc_types::Position::START)) {
            continue;
        }
        let unset = if key.unset { " (not set)" } else { "" };
        let line = format!(
            "{} {}{unset}",
            visible(&key.origin.to_string(), CAP),
            visible(&key.path.to_string(), CAP)
        );
        if out.len() < 5 && !out.contains(&line) {
            out.push(line);
        }
    }
    out
}

fn suppressed(out: &mut Block, report: &Report) {
    if report.suppressed.is_empty() {
        return;
    }
    out.blank();
    out.bold("SUPPRESSED");
    for s in &report.suppressed {
        out.item(&visible(&s.finding.check_id, CAP), s.finding.severity.as_str());
        out.indented("reason: ", &visible(s.reason.as_deref().unwrap_or("none given"), CAP));
    }
}

fn priorities(out: &mut Block, report: &Report) {
    let steps = priority::steps(report);
    if steps.is_empty() {
        return;
    }
    out.blank();
    out.bold("FIX FIRST");
    for step in steps {
        out.indented("", &format!("{}. {}", step.rank, step.title));
        for id in &step.check_ids {
            out.deeper(&visible(id, CAP));
        }
    }
}
