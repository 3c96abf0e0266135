//! The seed's fix-first order (audit spec 5.2).

use serde::Serialize;

use super::Report;
use crate::Priority;

/// One step of the order with its findings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// 1 to 6.
    pub rank: u8,
    /// What the step is about.
    pub title: &'static str,
    /// The ids of its findings, worst first, each once.
    pub check_ids: Vec<String>,
}

/// Rank and title of a priority; `None` for what needs no fixing.
fn step_of(priority: Priority) -> Option<(u8, &'static str)> {
    Some(match priority {
        Priority::OpenAccess | Priority::ToolPolicy => {
            (1, "Open to others with tools: lock DMs and groups, then tool policy and sandbox")
        }
        Priority::PublicNetwork => (2, "Network exposure of the gateway"),
        Priority::BrowserControl => (3, "Browser control by others"),
        Priority::Permissions => (4, "Permissions and secrets on disk"),
        Priority::Plugins => (5, "Plugins and skills"),
        Priority::Models => (6, "Models"),
        Priority::Other => return None,
    })
}

/// The findings in the order in which to deal with them. Notes (`info`) are left out.
#[must_use]
pub fn steps(report: &Report) -> Vec<Step> {
    let mut todo: Vec<_> = report
        .findings
        .iter()
        .filter(|f| f.severity > oc_types::Severity::Info)
        .filter_map(|f| Some((step_of(f.priority)?, f)))
        .collect();
    // Stable: within a step open access comes before tool policy, then the worst, then report order.
    todo.sort_by_key(|((rank, _), f)| (*rank, f.priority, std::cmp::Reverse(f.severity)));
    let mut out: Vec<Step> = Vec::new();
    for ((rank, title), finding) in todo {
        if out.last().is_none_or(|s| s.rank != rank) {
            out.push(Step { rank, title, check_ids: Vec::new() });
        }
        if let Some(step) = out.last_mut()
            && !step.check_ids.contains(&finding.check_id)
        {
            step.check_ids.push(finding.check_id.clone());
        }
    }
    out
}
