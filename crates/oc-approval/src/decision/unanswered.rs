//! What becomes of a request that nobody answered (exec-approval 3.3, SP-174).

use super::{Code, Decision, LineFacts, Verdict};
use crate::approvals_file::Security;
use crate::plan::Standing;

/// The outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// [`Verdict::Allow`] or [`Verdict::Deny`], never another question.
    pub verdict: Verdict,
    /// Stable word, or `word (detail)`.
    pub reason: &'static str,
}

/// Applies `askFallback`. It never widens the enforcement: with `allowlist` in force a line that is no hit stays denied; and it never
/// stands in for the answer that inline code needs.
#[must_use]
pub fn unanswered(decision: &Decision, line: &LineFacts) -> Unanswered {
    let denied = |reason| Unanswered { verdict: Verdict::Deny, reason };
    if decision.verdict != Verdict::Ask || line.standing == Standing::Refused {
        return denied("approval-timeout");
    }
    let by_rule = decision.reason == "inline-code" || (decision.reason == "prompt");
    match decision.ask_fallback.min(decision.enforce) {
        _ if by_rule => denied("approval-timeout"),
        Security::Deny => denied("approval-timeout"),
        Security::Allowlist if line.standing == Standing::Hit => {
            Unanswered { verdict: Verdict::Allow, reason: "ask-fallback" }
        }
        Security::Allowlist => denied("approval-timeout (allowlist-miss)"),
        Security::Full if line.code == Code::Inline => denied("approval-timeout"),
        Security::Full => Unanswered { verdict: Verdict::Allow, reason: "ask-fallback" },
    }
}
