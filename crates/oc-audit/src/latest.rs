//! The checks that only the latest rules have (audit spec 2 and 5).
//!
//! They run after the era's modules and may amend or withdraw what those found (a placeholder token instead of a short one).
//! To add checks: a file `latest/<noun>.rs` with a `wants` and a `run` function, one line in [`MODULES`], one entry per id in
//! `catalogue/latest.rs`.

use crate::module::Module;
use crate::{AuditContext, Finding, Findings};

/// The modules, in report order.
pub const MODULES: &[Module] = &[];

/// A finding that the operator has suppressed, with the reason given (SP-286).
#[derive(Clone, Debug, PartialEq)]
pub struct Suppressed {
    /// The finding.
    pub finding: Finding,
    /// The operator's reason.
    pub reason: Option<String>,
}

/// Splits the findings into those that are reported and those that `security.audit.suppressions` holds back. Latest rules only.
#[must_use]
pub fn suppress(_ctx: &AuditContext<'_>, findings: Findings) -> (Vec<Finding>, Vec<Suppressed>) {
    (findings.into_vec(), Vec::new())
}
