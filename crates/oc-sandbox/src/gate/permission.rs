//! A person's answer to one call of a handler's tool: asked for, waited for, and taken up for what is true when it comes (SP-177).

use std::sync::Arc;

use oc_approval::approvals_file::{Ask, Security};
use oc_approval::binding::{self, Binding, Circumstances};
use oc_approval::configured;
use oc_approval::life_cycle::{Denial, Ending, Kind, NotGranted};
use oc_approval::prompt;
use oc_approval::request::Asked;
use oc_fs::approval_queue::{Outcome as Waited, QueueFailure};
use oc_fs::ledger::LedgerFailure;
use tokio::task::spawn_blocking;

use super::Gate;
use super::answer::{GateError, Outcome, ToolResult};
use super::ask::TakenUp;
use super::call::ToolCall;
use super::decide::decide;
use super::handler::Question;
use super::recording::{self, Grounds};
use super::refused::{Refused, Stage};
use super::snapshot::Snapshot;
use crate::executor::ExecutorError;

impl Gate {
    /// Asks a person about a call, and decides again when the answer is there; the snapshot that it was decided under then.
    pub(super) async fn permission(
        &self,
        snapshot: &Snapshot,
        call: &ToolCall,
        question: &Question,
    ) -> Result<(Grounds, TakenUp, Arc<Snapshot>), GateError> {
        let mut grounds = Grounds {
            rule: "approval: asked".to_owned(),
            key_path: question.key_path.clone(),
            ..Grounds::default()
        };
        match self.asked(snapshot, call, question, &mut grounds).await {
            Ok((taken, now)) => {
                grounds.rule = "approval: a person allowed it".to_owned();
                Ok((grounds, taken, now))
            }
            Err(NotPermitted::Refused(refused)) => {
                Err(self.refuse(&self.snapshot(), call, *refused, &grounds).await)
            }
            Err(NotPermitted::NotRecorded(failure)) => Err(failure.into()),
        }
    }

    /// Records that a tool is withheld from a caller for a reason that no rule of the configuration gives.
    ///
    /// # Errors
    /// See [`LedgerFailure`].
    pub async fn withheld(&self, call: &ToolCall, rule: &str, why: &str) -> Result<(), LedgerFailure> {
        let refused = Refused::built_in(Stage::Withheld, &call.tool, rule, why);
        let snapshot = self.snapshot();
        self.record(recording::refused(&snapshot, call, &refused, &Grounds::default())).await
    }

    async fn asked(
        &self,
        snapshot: &Snapshot,
        call: &ToolCall,
        question: &Question,
        grounds: &mut Grounds,
    ) -> Result<(TakenUp, Arc<Snapshot>), NotPermitted> {
        let refuse = |rule: &str, why: String| {
            NotPermitted::Refused(Box::new(Refused::built_in(Stage::Approval, &call.tool, rule, why)))
        };
        let failed = |e: QueueFailure| {
            let rule = match &e {
                QueueFailure::NotTaken(_) => "too-many-pending",
                _ => "approval-request-failed",
            };
            refuse(rule, e.to_string())
        };
        let Some(approvals) = &self.approvals else {
            let why = "this call needs an answer of a person, and nobody can be asked here".to_owned();
            return Err(refuse("approval-unavailable", why));
        };
        let at = circumstances(call);
        let asked = Asked::of_action(&question.text, &question.of, &at)
            .map_err(|why| refuse("unapprovable", why.to_string()))?;
        let binding: Binding = asked.binding().clone();
        let timeout_ms = configured::approval_timeout_ms(snapshot.config(), &call.caller.agent);
        let asking = approvals.put_kind(asked, Kind::Plugin, None, timeout_ms).await.map_err(failed)?;
        grounds.approval_id = Some(asking.record().id.clone());
        let code = asking.record().code.clone();
        self.record(recording::asked(snapshot, call, grounds)).await.map_err(NotPermitted::NotRecorded)?;
        let (asking, waited) = asking.answered().await.map_err(failed)?;
        if let Waited::Denied { reason, detail } = waited {
            return Err(refuse(reason.word(), said(reason, &detail, &code, timeout_ms)));
        }
        // The rules may have changed while nobody answered.
        let now = self.snapshot();
        if let Err(refused) = decide(&now, &self.handlers(), call) {
            asking.withdraw(Denial::PolicyChanged, "").await;
            return Err(NotPermitted::Refused(Box::new(refused)));
        }
        match asking.take_up(binding).await.map_err(failed)? {
            Ok(taken) => Ok((taken, now)),
            Err(why) => {
                let rule = match &why {
                    NotGranted::Mismatch(_) => "approval-mismatch",
                    NotGranted::ExecutableChanged => "executable-changed",
                    NotGranted::Denied(reason) => reason.word(),
                    NotGranted::Unknown | NotGranted::Pending | NotGranted::Used => "approval-used",
                };
                Err(refuse(rule, why.to_string()))
            }
        }
    }
}

enum NotPermitted {
    Refused(Box<Refused>),
    NotRecorded(LedgerFailure),
}

/// Reports the end of a call that a person allowed.
pub(super) async fn over(taken: TakenUp, done: &Result<ToolResult, ExecutorError>) {
    let ending = match done {
        Ok(result) if result.outcome == Outcome::Done => Ending::Exit(0),
        Ok(_) => Ending::Exit(1),
        Err(_) => Ending::Lost,
    };
    // What cannot be written is closed by the next one who opens the queue.
    let _ = spawn_blocking(move || taken.finished(ending)).await;
}

fn circumstances(call: &ToolCall) -> Circumstances {
    Circumstances {
        agent: call.caller.agent.to_string(),
        session: call.caller.session.clone(),
        host: binding::Host::Gateway,
        node: None,
        security: Security::Full,
        ask: Ask::Always,
    }
}

/// Why a person's approval did not come, in one sentence.
fn said(reason: Denial, detail: &str, code: &str, timeout_ms: u64) -> String {
    let why = match reason {
        Denial::UserDenied => "a person refused this call".to_owned(),
        Denial::ApprovalTimeout => {
            format!("nobody answered within {}, so nothing was called", prompt::span(timeout_ms))
        }
        Denial::NoApprovalRoute => "nobody can be reached who could approve this call".to_owned(),
        Denial::ApprovalRequestFailed => "the request for approval was lost".to_owned(),
        Denial::GatewayRestart => "the process that asked ended before an answer came".to_owned(),
        Denial::RunAborted => "the call was given up before an answer came".to_owned(),
        Denial::PolicyChanged => "the rules changed and refuse it now".to_owned(),
        Denial::ExecutableChanged | Denial::ApprovalMismatch | Denial::SpawnFailed | Denial::InvokeFailed => {
            "what would be called is not what was approved".to_owned()
        }
    };
    let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    format!("{why}{detail} (approval {code})")
}
