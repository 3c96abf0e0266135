//! A person's answer to one command: asked for, waited for, and taken up for what is true when it comes (SP-177).

use std::sync::Arc;

use oc_approval::approvals_file::Security;
use oc_approval::binding::Binding;
use oc_approval::configured;
use oc_approval::decision::{Verdict, unanswered};
use oc_approval::life_cycle::{Decision as Answered, Denial, NotGranted, Target};
use oc_approval::persist;
use oc_approval::prompt;
use oc_approval::request::{Asked, SandboxOffer};
use oc_fs::approval_queue::{Outcome as Waited, QueueFailure};
use oc_fs::host_view::Disk;
use oc_policy::exec_route::Host;
use tokio::task::spawn_blocking;

use super::Gate;
use super::ask::Asking;
use super::call::ToolCall;
use super::command::{Case, Judged};
use super::commission::Warrant;
use super::decide::{Work, decide};
use super::exec::{Stopped, judge};
use super::recording::{self, Grounds};
use super::refused::{Refused, Stage};
use crate::tools::Request;

/// A refusal on the way to an approval.
fn refuse(rule: &str, why: String, grounds: &Grounds) -> Stopped {
    Stopped::Refused(Box::new((Refused::built_in(Stage::Approval, "exec", rule, why), grounds.clone())))
}

/// A sentence about this host's files as a sandboxed session may read it (SP-245).
fn inner(case: &Case, text: &str) -> String {
    let state_dir = &case.snapshot.places().state_dir;
    if case.sandbox.is_some() && state_dir.len() > 1 {
        text.replace(state_dir.as_str(), "(host)")
    } else {
        text.to_owned()
    }
}

/// What a person is asked about a judged command.
async fn asked_of(case: &Case, judged: &Judged, grounds: &Grounds) -> Result<Asked, Stopped> {
    let offer = if case.sandbox.is_some() { SandboxOffer::Available } else { SandboxOffer::None };
    let (plan, at) = (judged.plan.clone(), judged.circumstances(&case.call));
    match spawn_blocking(move || Asked::of(&plan, &at, offer, &Disk)).await {
        Ok(Ok(asked)) => Ok(asked),
        Ok(Err(why)) => Err(refuse("unapprovable", inner(case, &why.to_string()), grounds)),
        Err(e) => Err(refuse("approval-request-failed", e.to_string(), grounds)),
    }
}

impl Gate {
    /// What a person would be asked about the command of an `exec` call, whatever the rules let run by itself: for requests that come
    /// from elsewhere (`exec.approval.request`) and go into the same queue. Records nothing, asks nobody.
    ///
    /// # Errors
    /// See [`Refused`]: no answer would let it run.
    pub async fn question(&self, call: &ToolCall) -> Result<Asked, Refused> {
        let permitted = decide(&self.snapshot(), &self.handlers(), call)?;
        let Work::Core(Request::Exec(request)) = permitted.work else {
            let why = "only a command is asked about";
            return Err(Refused::built_in(Stage::Arguments, "exec", "not-a-command", why));
        };
        let case = self.case(self.snapshot(), call, &request, permitted.sandbox);
        let asked = async {
            let judged = judge(case.clone()).await?;
            asked_of(&case, &judged, &Grounds::default()).await
        };
        asked.await.map_err(|stopped| match stopped {
            Stopped::Refused(stopped) => stopped.0,
            Stopped::Gate(error) => {
                Refused::built_in(Stage::Ledger, "exec", "not-recorded", error.to_string())
            }
        })
    }

    /// Asks a person, and judges again when the answer is there: what runs is what is true then (SP-177).
    pub(super) async fn ask(
        &self,
        case: Case,
        judged: Judged,
    ) -> Result<(Case, Judged, Warrant, Option<Target>), Stopped> {
        let mut grounds = judged.grounds.clone();
        let Some(approvals) = &self.approvals else {
            let why = "this command needs an answer of a person, and nobody can be asked here".to_owned();
            return Err(refuse("approval-unavailable", why, &grounds));
        };
        let asked = asked_of(&case, &judged, &grounds).await?;
        let timeout_ms = configured::approval_timeout_ms(case.snapshot.config(), &case.call.caller.agent);
        let queue_failed = |e: QueueFailure, grounds: &Grounds| {
            let rule = match &e {
                QueueFailure::NotTaken(_) => "too-many-pending",
                _ => "approval-request-failed",
            };
            refuse(rule, inner(&case, &e.to_string()), grounds)
        };
        let asking = approvals.put(asked, None, timeout_ms).await.map_err(|e| queue_failed(e, &grounds))?;
        grounds.approval_id = Some(asking.record().id.clone());
        let code = asking.record().code.clone();
        self.record(recording::asked(&case.snapshot, &case.call, &grounds))
            .await
            .map_err(|e| Stopped::Gate(e.into()))?;
        let (asking, waited) = asking.answered().await.map_err(|e| queue_failed(e, &grounds))?;
        let reason = match waited {
            Waited::Allowed(_) => None,
            Waited::Denied { reason, detail } => Some((reason, detail)),
        };
        let Some((reason, detail)) = reason else {
            return self.take_up(case, asking, &grounds).await;
        };
        let id = asking.record().id.clone();
        let late = matches!(reason, Denial::ApprovalTimeout | Denial::NoApprovalRoute);
        let fallback = unanswered(&judged.decision, &judged.line);
        if late && fallback.verdict == Verdict::Allow {
            // The rules may have changed while nobody answered.
            let (case, judged) = self.again(case, &grounds).await?;
            if unanswered(&judged.decision, &judged.line).verdict == Verdict::Allow
                || judged.decision.verdict == Verdict::Allow
            {
                return Ok((case, judged, Warrant::Fallback { approval: id }, None));
            }
            return Err(refuse(
                "policy-changed",
                said(Denial::PolicyChanged, "", &code, timeout_ms),
                &grounds,
            ));
        }
        let rule = match reason {
            Denial::ApprovalTimeout => fallback.reason,
            other => other.word(),
        };
        Err(refuse(rule, said(reason, &detail, &code, timeout_ms), &grounds))
    }

    /// Looks at policy, line and rules again.
    async fn again(&self, case: Case, grounds: &Grounds) -> Result<(Case, Judged), Stopped> {
        let snapshot = self.snapshot();
        let refuse = |refused: Refused| Stopped::Refused(Box::new((refused, grounds.clone())));
        let permitted = decide(&snapshot, &self.handlers(), &case.call).map_err(refuse)?;
        let case = Case { snapshot, sandbox: permitted.sandbox.map(|plan| Arc::new(*plan)), ..case };
        match judge(case.clone()).await {
            Ok(judged) => Ok((case, judged)),
            Err(Stopped::Refused(stopped)) => Err(refuse(stopped.0)),
            Err(other) => Err(other),
        }
    }

    /// Takes an approval up for what is true now.
    async fn take_up(
        &self,
        case: Case,
        asking: Asking,
        grounds: &Grounds,
    ) -> Result<(Case, Judged, Warrant, Option<Target>), Stopped> {
        let refuse = |rule: &str, why: String| refuse(rule, why, grounds);
        let (case, judged) = match self.again(case, grounds).await {
            Ok(again) => again,
            Err(stopped) => {
                asking.withdraw(Denial::PolicyChanged, "").await;
                return Err(stopped);
            }
        };
        let at = judged.circumstances(&case.call);
        let plan = judged.plan.clone();
        let bound = spawn_blocking(move || {
            (Binding::of(&plan, &at, &Disk), persist::offer(&plan, &at, &Disk).unwrap_or_default())
        });
        let (binding, offered) = match bound.await {
            Ok((Ok(binding), offered)) => (binding, offered),
            Ok((Err(why), _)) => {
                asking.withdraw(Denial::ApprovalMismatch, "").await;
                return Err(refuse("approval-mismatch", why.to_string()));
            }
            Err(e) => return Err(refuse("approval-request-failed", e.to_string())),
        };
        let taken = match asking.take_up(binding).await {
            Ok(Ok(taken)) => taken,
            Ok(Err(why)) => {
                let rule = match &why {
                    NotGranted::Mismatch(_) => "approval-mismatch",
                    NotGranted::ExecutableChanged => "executable-changed",
                    NotGranted::Denied(reason) => reason.word(),
                    NotGranted::Unknown | NotGranted::Pending | NotGranted::Used => "approval-used",
                };
                return Err(refuse(rule, why.to_string()));
            }
            Err(e) => return Err(refuse("approval-request-failed", e.to_string())),
        };
        let target = taken.grant().answer.target;
        let host_shut = judged.decision.route == Host::Prompt
            && target == Some(Target::Host)
            && judged.decision.enforce == Security::Deny;
        if host_shut {
            let _ = spawn_blocking(move || taken.withdraw(Denial::PolicyChanged, "")).await;
            let why = "the host was chosen, and commands are switched off there".to_owned();
            return Err(refuse("security-deny", why));
        }
        let always = taken.grant().answer.decision == Answered::AllowAlways;
        let remembered = if always { offered } else { Vec::new() };
        Ok((case, judged, Warrant::Person { taken: Box::new(taken), remembered }, target))
    }
}

/// Why a person's approval did not come, in one sentence.
fn said(reason: Denial, detail: &str, code: &str, timeout_ms: u64) -> String {
    let why = match reason {
        Denial::UserDenied => "a person refused this command".to_owned(),
        Denial::ApprovalTimeout => {
            format!("nobody answered within {}, so the command was not run", prompt::span(timeout_ms))
        }
        Denial::NoApprovalRoute => "nobody can be reached who could approve this command".to_owned(),
        Denial::ApprovalRequestFailed => "the request for approval was lost".to_owned(),
        Denial::GatewayRestart => "the process that asked ended before an answer came".to_owned(),
        Denial::RunAborted => "the run was given up before an answer came".to_owned(),
        Denial::ExecutableChanged => "a program of the command is another file now".to_owned(),
        Denial::ApprovalMismatch => "what would run is not what was approved".to_owned(),
        Denial::PolicyChanged => "the rules changed and refuse it now".to_owned(),
        Denial::SpawnFailed => "the system could not start it".to_owned(),
        Denial::InvokeFailed => "the node could not be called".to_owned(),
    };
    let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    format!("{why}{detail} (approval {code})")
}
