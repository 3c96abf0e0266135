//! The five things that the second seed document says doctor checks.

use serde::Serialize;

use super::{Note, Step};
use crate::{Finding, Report};

/// One of the five.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeedCheck {
    /// The gateway is exposed without authentication.
    ExposedGateway,
    /// Direct messages are open without an allow list.
    OpenDirectMessages,
    /// Rooms are admitted and the sandbox is off.
    UnsandboxedGroups,
    /// No tool restriction for an agent that others reach.
    UnrestrictedTools,
    /// Approvals that approve by themselves.
    WeakApprovals,
}

impl SeedCheck {
    /// All five, in the seed's order.
    pub const ALL: [Self; 5] = [
        Self::ExposedGateway,
        Self::OpenDirectMessages,
        Self::UnsandboxedGroups,
        Self::UnrestrictedTools,
        Self::WeakApprovals,
    ];

    /// The question it answers.
    #[must_use]
    pub fn question(self) -> &'static str {
        match self {
            Self::ExposedGateway => "gateway reachable without authentication",
            Self::OpenDirectMessages => "direct messages open without an allow list",
            Self::UnsandboxedGroups => "rooms admitted while the sandbox is off",
            Self::UnrestrictedTools => "tools unrestricted for people other than you",
            Self::WeakApprovals => "weak approval settings",
        }
    }

    /// Whether an audit finding is about this check.
    #[must_use]
    pub fn covers(self, finding: &Finding) -> bool {
        let id = finding.check_id.as_str();
        match self {
            Self::ExposedGateway => id == "gateway.bind_no_auth" || id == "gateway.tailscale_funnel",
            Self::OpenDirectMessages => {
                id.starts_with("channels.") && (id.ends_with(".dm.open") || id.ends_with(".dm.open_invalid"))
            }
            Self::UnsandboxedGroups => id == "doctor.groups_unsandboxed",
            Self::UnrestrictedTools => id == "doctor.tools_unrestricted",
            Self::WeakApprovals => id == "doctor.approvals_weak",
        }
    }
}

/// The findings behind each check.
#[must_use]
pub fn results(report: &Report) -> Vec<(SeedCheck, Vec<&Finding>)> {
    SeedCheck::ALL
        .into_iter()
        .map(|c| (c, report.findings.iter().filter(|f| c.covers(f)).collect()))
        .collect()
}

/// One note for each finding behind a check.
pub fn examine(report: &Report, notes: &mut Vec<Note>) {
    for (check, findings) in results(report) {
        for finding in findings {
            notes.push(Note {
                step: Step::Security,
                id: finding.check_id.clone(),
                severity: finding.severity,
                text: format!("{}: {}", check.question(), finding.detail),
                keys: finding.keys.clone(),
                repairs: Vec::new(),
            });
        }
    }
}
