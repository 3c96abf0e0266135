//! Findings that the operator holds back (audit spec 2; SP-286). They stay in the report, with the reason.

use oc_types::{Node, Severity};

use super::Suppressed;
use crate::{AuditContext, Finding, Findings};

/// The one finding that cannot be held back.
const ACTIVE: &str = "security.audit.suppressions.active";

struct Rule<'a> {
    check_id: &'a str,
    title: Option<String>,
    detail: Option<String>,
    reason: Option<&'a str>,
}

impl Rule<'_> {
    /// Exact id, and every given part of title and detail, case-insensitively.
    fn covers(&self, finding: &Finding) -> bool {
        let has = |part: &Option<String>, text: &str| {
            part.as_ref().is_none_or(|p| text.to_lowercase().contains(p.as_str()))
        };
        finding.check_id == self.check_id
            && finding.check_id != ACTIVE
            && has(&self.title, &finding.title)
            && has(&self.detail, &finding.detail)
    }
}

fn rules<'a>(ctx: &AuditContext<'a>) -> Vec<Rule<'a>> {
    let list = ctx.get(&["security", "audit", "suppressions"]).and_then(Node::as_array).unwrap_or_default();
    let text =
        |n: &'a Node, key: &str| n.get(key).and_then(Node::as_str).map(str::trim).filter(|s| !s.is_empty());
    list.iter()
        .filter_map(|n| {
            Some(Rule {
                check_id: text(n, "checkId")?,
                title: text(n, "titleIncludes").map(str::to_lowercase),
                detail: text(n, "detailIncludes").map(str::to_lowercase),
                reason: text(n, "reason"),
            })
        })
        .collect()
}

pub(super) fn apply(ctx: &AuditContext<'_>, mut findings: Findings) -> (Vec<Finding>, Vec<Suppressed>) {
    let keys: &[&str] = &["security", "audit", "suppressions"];
    let count = ctx.get(keys).and_then(Node::as_array).map_or(0, <[Node]>::len);
    if count == 0 {
        return (findings.into_vec(), Vec::new());
    }
    findings
        .report(ACTIVE, Severity::Info)
        .detail(format!(
            "`security.audit.suppressions` has {count} entries; what they hold back is listed apart"
        ))
        .key(ctx.key(keys));
    let rules = rules(ctx);
    let (mut shown, mut held) = (Vec::new(), Vec::new());
    for finding in findings.into_vec() {
        match rules.iter().find(|r| r.covers(&finding)) {
            Some(rule) => held.push(Suppressed { finding, reason: rule.reason.map(str::to_owned) }),
            None => shown.push(finding),
        }
    }
    (shown, held)
}
