//! May a command line run, where, and is a person asked (exec-approval 3)? Both vocabularies of the configuration, the session's override,
//! the call's own wishes, the elevated level and the approvals file become one verdict.
//!
//! Invariant: of two sources that set security or ask, the stricter counts on each axis (SP-184). A call only narrows.
//! Invariant: an unknown word is the strictest (SP-119).

mod axes;
mod requested;
mod unanswered;

pub use axes::{Axes, Fallback};
pub use requested::{AskWord, Call, HostWord, Requested, SecurityWord, SessionOverride, Worded};
pub use unanswered::{Unanswered, unanswered};

use oc_policy::elevated::ExecElevation;
use oc_policy::exec_route::Host;
use oc_policy::sandbox::Runs;
use oc_types::{Effect, Origin, Trace, TraceStep};
use serde::{Deserialize, Serialize};

use crate::approvals_file::{Ask, Posture, Security};
use crate::plan::{Form, Miss, Plan, Standing};

/// What happens to a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It runs without a person.
    Allow,
    /// A person is asked.
    Ask,
    /// It does not run.
    Deny,
}

impl Verdict {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
        }
    }
}

/// What the approvals file of the host of execution says about the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum File {
    /// There is none.
    Absent,
    /// It cannot be read: host commands are refused until it is mended. The cause.
    Unreadable(String),
    /// Its settings for the agent.
    Present(Posture),
}

/// Whether code stands in the arguments of any command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// None.
    Absent,
    /// Somewhere, or the line could not be read.
    Inline,
}

/// What of a line the decision depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFacts {
    /// Hit, miss or refused.
    pub standing: Standing,
    /// Whether code stands in its arguments.
    pub code: Code,
    /// Why it is no hit.
    pub miss: Option<Miss>,
}

impl LineFacts {
    /// The facts of a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        // An unread line is no inline code by itself; whoever wants it run is asked anyway unless everything runs.
        let inline = plan.segments.is_empty() || plan.segments.iter().any(|s| s.form == Form::InlineCode);
        Self {
            standing: plan.standing(),
            code: if inline { Code::Inline } else { Code::Absent },
            miss: plan.miss.clone(),
        }
    }
}

/// Everything that a decision depends on.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// `tools.exec`, the agent's before the global one.
    pub requested: &'a Requested,
    /// `/exec` of the session.
    pub session: &'a SessionOverride,
    /// Parameters of the call.
    pub call: &'a Call,
    /// Whether the session is sandboxed.
    pub runs: Runs,
    /// What elevation does to this call.
    pub elevated: ExecElevation,
    /// The approvals file of the host of execution.
    pub file: &'a File,
    /// The analysed line.
    pub line: &'a LineFacts,
}

/// The answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What happens.
    pub verdict: Verdict,
    /// Where it runs, or would.
    pub route: Host,
    /// Stable word, or `word: detail`.
    pub reason: String,
    /// The sandbox was wanted and is not active.
    pub fallback: Fallback,
    /// The enforcement in force on the host.
    pub enforce: Security,
    /// When a person is asked, in force.
    pub ask: Ask,
    /// What happens when nobody answers.
    pub ask_fallback: Security,
    /// With route `prompt`: where the line runs when the answer names no place.
    pub default_target: Host,
    /// The rules consulted, in order; the last one decided.
    pub trace: Trace,
}

/// Decides.
#[must_use]
pub fn decide(q: &Question<'_>) -> Decision {
    let (axes, mut trace) = axes::axes(q);
    let line = q.line;
    let mut out = Decision {
        verdict: Verdict::Deny,
        route: axes.route,
        reason: String::new(),
        fallback: axes.fallback,
        enforce: axes.enforce,
        ask: axes.ask,
        ask_fallback: match q.file {
            File::Present(posture) => posture.ask_fallback,
            File::Absent | File::Unreadable(_) => Security::Deny,
        },
        default_target: if line.standing == Standing::Hit || !q.runs.is_sandboxed() {
            Host::Gateway
        } else {
            Host::Sandbox
        },
        trace: Trace::new(),
    };
    let miss = || line.miss.as_ref().map_or_else(|| "miss".to_owned(), Miss::text);
    let (verdict, rule, reason) = if line.standing == Standing::Refused {
        (Verdict::Deny, "refused", miss())
    } else if let Some(refusal) = axes.refusal {
        (Verdict::Deny, refusal, refusal.to_owned())
    } else {
        match axes.route {
            Host::Sandbox if axes.ask == Ask::Always => (Verdict::Ask, "always", "ask-always".to_owned()),
            Host::Sandbox => (Verdict::Allow, "sandbox", "sandbox".to_owned()),
            Host::Prompt => (Verdict::Ask, "prompt", "prompt".to_owned()),
            Host::Gateway | Host::Node => on_host(&axes, line, &miss),
        }
    };
    // Inline code is asked every time, whatever lets it run on the host (SP-143).
    let on_host = matches!(axes.route, Host::Gateway | Host::Node);
    let (verdict, rule, reason) = if verdict == Verdict::Allow
        && on_host
        && line.code == Code::Inline
        && q.requested.strict_inline_eval.is_some()
    {
        trace.extend(q.requested.strict_inline_eval.as_ref().map(|set| TraceStep {
            layer: "tools.exec".to_owned(),
            rule: "strictInlineEval".to_owned(),
            key_path: Some(set.key.clone()),
            source: set.origin.clone(),
            unset: false,
            effect: Effect::Holds,
            detail: "code in the arguments is asked every time".to_owned(),
        }));
        (Verdict::Ask, "strict-inline-eval", "inline-code".to_owned())
    } else {
        (verdict, rule, reason)
    };
    trace.push(TraceStep {
        layer: "decision".to_owned(),
        rule: rule.to_owned(),
        key_path: None,
        source: Origin::Builtin,
        unset: false,
        effect: match verdict {
            Verdict::Allow => Effect::Admits,
            Verdict::Ask => Effect::Holds,
            Verdict::Deny => Effect::Removes,
        },
        detail: format!(
            "enforcement {}, ask {}, the line is a {}",
            word(axes.enforce),
            ask_word(axes.ask),
            match line.standing {
                Standing::Hit => "hit",
                Standing::Miss => "miss",
                Standing::Refused => "malformed request",
            }
        ),
    });
    out.verdict = verdict;
    out.reason = reason;
    out.trace = trace;
    out
}

/// The result table for host execution (exec-approval 3.3).
fn on_host(axes: &Axes, line: &LineFacts, miss: &dyn Fn() -> String) -> (Verdict, &'static str, String) {
    let hit = line.standing == Standing::Hit;
    match (axes.enforce, axes.ask, hit) {
        (Security::Deny, ..) => (Verdict::Deny, "deny", "security-deny".to_owned()),
        (Security::Allowlist | Security::Full, Ask::Always, _) => {
            (Verdict::Ask, "always", "ask-always".to_owned())
        }
        (Security::Full, Ask::Off | Ask::Elevated | Ask::OnMiss, _) => {
            (Verdict::Allow, "full", "security-full".to_owned())
        }
        (Security::Allowlist, Ask::Off | Ask::Elevated | Ask::OnMiss, true) => {
            (Verdict::Allow, "hit", "ok".to_owned())
        }
        (Security::Allowlist, Ask::OnMiss, false) => (Verdict::Ask, "miss", miss()),
        (Security::Allowlist, Ask::Off | Ask::Elevated, false) => {
            (Verdict::Deny, "allowlist-miss", format!("allowlist-miss: {}", miss()))
        }
    }
}

pub(crate) fn word(security: Security) -> &'static str {
    match security {
        Security::Deny => "deny",
        Security::Allowlist => "allowlist",
        Security::Full => "full",
    }
}

pub(crate) fn ask_word(ask: Ask) -> &'static str {
    match ask {
        Ask::Off => "off",
        Ask::Elevated => "elevated",
        Ask::OnMiss => "on-miss",
        Ask::Always => "always",
    }
}

#[cfg(test)]
mod tests;
