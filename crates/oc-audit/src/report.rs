//! The result of a run.

pub mod json;
pub mod priority;
pub mod text;

use oc_types::Severity;
use serde::Serialize;

use crate::facts::ProbeOutcome;
use crate::latest::{self, Suppressed};
use crate::{AuditContext, Finding, Findings, RuleSet};

/// How many findings of each severity were printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Critical findings.
    pub critical: usize,
    /// Warnings.
    pub warn: usize,
    /// Notes.
    pub info: usize,
}

/// The report of one run.
#[derive(Clone, Debug)]
pub struct Report {
    /// When, in milliseconds since 1970.
    pub ts: u64,
    /// Under which rules.
    pub rules: RuleSet,
    /// What was found, in the documented order.
    pub findings: Vec<Finding>,
    /// What was found and is suppressed by the operator (latest rules only).
    pub suppressed: Vec<Suppressed>,
    /// What the live probe saw (`--deep` only).
    pub probe: Option<ProbeOutcome>,
}

impl Report {
    /// Closes a run.
    #[must_use]
    pub fn new(ctx: &AuditContext<'_>, findings: Findings) -> Self {
        let (findings, suppressed) = match ctx.rules {
            RuleSet::Era => (findings.into_vec(), Vec::new()),
            RuleSet::Latest => latest::suppress(ctx, findings),
        };
        Self {
            ts: ctx.facts.now_ms,
            rules: ctx.rules,
            findings,
            suppressed,
            probe: ctx.facts.deep.as_ref().map(|d| d.probe.clone()),
        }
    }

    /// Counts of the printed findings.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut s = Summary::default();
        for f in &self.findings {
            match f.severity {
                Severity::Critical => s.critical += 1,
                Severity::Warn => s.warn += 1,
                Severity::Info => s.info += 1,
            }
        }
        s
    }

    /// The worst severity among the findings.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|f| f.severity).max()
    }
}
