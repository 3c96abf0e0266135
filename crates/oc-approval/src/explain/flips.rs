//! Changes that flip an answer, smallest first, each tried before it is offered.

use oc_policy::elevated::{Level, Stage};
use oc_policy::exec_route::Host;
use oc_policy::explain_tool::what_if::Edit;
use oc_types::{Flip, KeyPath, Node};
use serde_json::{Value as Json, json};

use super::state::{Reach, State, forwarding};
use super::{Question, text_change};
use crate::allowlist::Rule;
use crate::decision::{Fallback, Verdict};
use crate::plan::{Form, Standing};
use crate::program_name::is_never_safe;

pub(super) fn flips(q: &Question<'_>, s: &State) -> Vec<Flip> {
    let mut out: Vec<Flip> = Vec::new();
    if s.denied_tool.is_some() {
        return out;
    }
    let asked = q.directive.is_some_and(|l| l != Level::Off);
    if asked && !s.gate.is_allowed() {
        out.extend(elevate(q, s));
    }
    if s.verdict == Verdict::Allow {
        return out;
    }
    let standing = s.plan.standing();
    if s.reason == "no-approval-route" {
        out.extend(set(
            q,
            s,
            forwarding(),
            json!(true),
            "answers count only from senders that may give commands",
        ));
    }
    if s.decision.fallback == Fallback::SandboxInactive {
        let key =
            s.sandboxing.mode_key.clone().unwrap_or_else(|| KeyPath::dotted("agents.defaults.sandbox.mode"));
        out.extend(set(q, s, key, json!("all"), "every session of the agent runs in the sandbox"));
    }
    if standing == Standing::Miss && s.decision.route == Host::Gateway {
        out.extend(texts(q, s));
        out.extend(remember(q, s));
    }
    if s.verdict == Verdict::Deny && standing != Standing::Refused && s.reason != "no-approval-route" {
        let ask =
            s.requested.ask.as_ref().map_or_else(|| KeyPath::dotted("tools.exec.ask"), |w| w.key.clone());
        let security = s
            .requested
            .security
            .as_ref()
            .map_or_else(|| KeyPath::dotted("tools.exec.security"), |w| w.key.clone());
        out.extend(set(q, s, ask, json!("on-miss"), "a person is asked about what is not listed"));
        out.extend(set(
            q,
            s,
            security,
            json!("allowlist"),
            "listed commands run on the host, others are asked about",
        ));
    }
    out
}

fn set(q: &Question<'_>, s: &State, key: KeyPath, value: Json, opens: &str) -> Option<Flip> {
    let edit = Edit { key, value };
    let after = State::of(q, &edit.apply(q.config), q.request.text, None).ok()?;
    (after.verdict != s.verdict || after.decision.route != s.decision.route).then(|| Flip {
        change: edit.flag(),
        verdict: after.verdict.word().to_owned(),
        opens: format!("route {}; {opens}", after.decision.route.word()),
    })
}

/// The first shorter line that is automatic.
fn texts(q: &Question<'_>, s: &State) -> Option<Flip> {
    let found = text_change::candidates(q.request.text, s).into_iter().find(|text| {
        State::of(q, q.config, text, None)
            .is_ok_and(|after| after.verdict == Verdict::Allow && after.plan.standing() == Standing::Hit)
    })?;
    Some(Flip {
        change: format!("Run `{found}` instead"),
        verdict: Verdict::Allow.word().to_owned(),
        opens: String::new(),
    })
}

/// An entry for the one program that is not listed. Never for a shell, a wrapper or a program with code in its arguments.
fn remember(q: &Question<'_>, s: &State) -> Option<Flip> {
    let mut missing = s.plan.segments.iter().filter(|g| g.matched.is_none());
    let segment = missing.next().filter(|_| missing.next().is_none())?;
    let not_listed = segment.miss.as_ref().is_some_and(|m| m.word == "not-listed");
    let path = segment.executable.as_ref().map(|e| e.path.clone())?;
    let base = path.rsplit('/').next().unwrap_or_default();
    if !not_listed || segment.form != Form::Plain || is_never_safe(base) || s.reach == Reach::Nobody {
        return None;
    }
    let rule = Rule { pattern: path.clone(), arguments: None, directory: None };
    let after = State::of(q, q.config, q.request.text, Some(&rule)).ok()?;
    (after.verdict == Verdict::Allow).then(|| Flip {
        change: format!("openclaw approvals allowlist add --agent {} {path}", q.subject.agent),
        verdict: Verdict::Allow.word().to_owned(),
        opens: "this program with any arguments".to_owned(),
    })
}

/// Lets the sender elevate: every key that refuses, one after the other.
fn elevate(q: &Question<'_>, s: &State) -> Option<Flip> {
    let sender = q.sender.e164.or(q.sender.id)?;
    let mut config: Node = q.config.clone();
    let mut edits: Vec<Edit> = Vec::new();
    let mut failures = s.gate.failures().to_vec();
    for _ in 0..3 {
        let failure = failures.first()?;
        let key = failure.key_path.clone()?;
        let value = match failure.stage {
            Stage::Enabled => json!(true),
            Stage::AllowFrom => {
                let mut list = config.at(&key).and_then(Node::entries).unwrap_or_default();
                list.push(sender.to_owned());
                json!(list)
            }
            Stage::Turn | Stage::Provider => return None,
        };
        let edit = Edit { key, value };
        config = edit.apply(&config);
        edits.push(edit);
        let after = State::of(q, &config, q.request.text, None).ok()?;
        if after.gate.is_allowed() {
            return Some(Flip {
                change: edits.iter().map(Edit::flag).collect::<Vec<_>>().join(" "),
                verdict: after.verdict.word().to_owned(),
                opens: format!(
                    "elevated level {}, route {}; with that, commands of this sender leave the sandbox even without a directive unless agents.defaults.elevatedDefault is \"off\"",
                    match after.elevation {
                        oc_policy::elevated::ExecElevation::Off => "off",
                        oc_policy::elevated::ExecElevation::Ask => "ask",
                        oc_policy::elevated::ExecElevation::Full => "full",
                    },
                    after.decision.route.word()
                ),
            });
        }
        failures = after.gate.failures().to_vec();
    }
    None
}
