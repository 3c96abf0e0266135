//! A command is judged for its caller and for everybody behind the call, and the strictest verdict counts (SP-107, SP-426).
//!
//! The place is the caller's. Nobody behind it widens anything: not the place, not the elevation, not what a person may answer.

use std::cmp::Reverse;
use std::sync::Arc;

use oc_approval::approvals_file::{Ask, Security};
use oc_approval::decision::{Decision, Verdict, unanswered};
use oc_policy::exec_route::Host;
use oc_policy::sandbox::is_sandboxed;

use super::call::Caller;
use super::command::{Case, Judged, refusal};
use super::recording::Grounds;
use super::refused::{Refused, Stage};

impl Case {
    /// Judges; touches the disk, so never on the reactor.
    pub fn judge(&self) -> Result<Judged, Box<(Refused, Grounds)>> {
        let mut judged = self.judge_one()?;
        let own = judged.decision.clone();
        for who in self.call.behind.iter() {
            let case = Self { behind: Some(Arc::new(who.clone())), ..self.clone() };
            let theirs = case.judge_one().map_err(|refused| of(who, *refused))?;
            self.nowhere_else(&own, &judged, &theirs, who)
                .map_err(|refused| of(who, (refused, theirs.grounds.clone())))?;
            judged = stricter(judged, theirs, who, self.call.caller.agent == who.agent, own.verdict);
        }
        Ok(judged)
    }

    /// Whether somebody behind the call has commands of the place where this one goes.
    fn nowhere_else(
        &self,
        own: &Decision,
        judged: &Judged,
        theirs: &Judged,
        who: &Caller,
    ) -> Result<(), Refused> {
        let elsewhere = own.route != theirs.decision.route || judged.node != theirs.node;
        if own.route == Host::Sandbox {
            // Whoever runs nothing on the host is not given a sandbox for it. What cannot be judged counts as on the host.
            let sandboxed = is_sandboxed(self.snapshot.config(), Some(&who.session));
            let on_host = !sandboxed.is_ok_and(|s| s.runs.is_sandboxed());
            if on_host && theirs.decision.enforce == Security::Deny {
                return Err(refusal("security-deny", &theirs.decision, &theirs.line));
            }
        } else if elsewhere {
            let why = "commands of this session go where the other one's do not";
            return Err(Refused::built_in(Stage::Approval, "exec", "other-place", why));
        }
        Ok(())
    }
}

fn of(who: &Caller, refused: (Refused, Grounds)) -> Box<(Refused, Grounds)> {
    Box::new((refused.0.of(who), refused.1))
}

/// How strict a judgement is: what is asked before what runs, what stays undone without an answer before what does not, and then the enforcement.
fn strictness(judged: &Judged) -> (u8, bool, Reverse<Security>, Ask) {
    let decision = &judged.decision;
    let verdict = match decision.verdict {
        Verdict::Allow => 0,
        Verdict::Ask => 1,
        Verdict::Deny => 2,
    };
    let open = unanswered(decision, &judged.line).verdict == Verdict::Allow;
    (verdict, !open, Reverse(decision.enforce), decision.ask)
}

/// The stricter of two judgements, at the place of the first one. The axes are the stricter of both in any case.
fn stricter(so_far: Judged, theirs: Judged, who: &Caller, same_agent: bool, own_verdict: Verdict) -> Judged {
    let mut out = so_far;
    let enforce = out.decision.enforce.min(theirs.decision.enforce);
    let ask_fallback = out.decision.ask_fallback.min(theirs.decision.ask_fallback);
    let mut ask = out.decision.ask.max(theirs.decision.ask);
    if theirs.decision.verdict == Verdict::Ask && (!same_agent || own_verdict == Verdict::Allow) {
        // What is allowed always is stored for the caller's agent, and that is not who has to be asked about.
        ask = Ask::Always;
    }
    if strictness(&theirs) > strictness(&out) {
        if theirs.decision.route == out.decision.route {
            out.plan = theirs.plan;
            out.line = theirs.line;
        }
        out.grounds.rule = theirs.grounds.rule;
        out.grounds.key_path = theirs.grounds.key_path;
        out.grounds.source = theirs.grounds.source;
        out.grounds.inputs.insert("decidedFor".to_owned(), who.whereabouts().into());
        out.decision.verdict = theirs.decision.verdict;
        out.decision.reason = theirs.decision.reason;
        out.decision.trace = theirs.decision.trace;
    }
    out.decision.enforce = enforce;
    out.decision.ask_fallback = ask_fallback;
    out.decision.ask = ask;
    out
}
