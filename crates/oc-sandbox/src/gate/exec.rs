//! `exec` through the gate: judged, asked about, judged again, recorded, run, recorded.

use std::sync::Arc;
use std::time::Duration;

use oc_approval::decision::{Fallback, Verdict};
use oc_approval::life_cycle::Target;
use oc_policy::exec_route::Host;
use oc_policy::sandbox::SandboxPlan;
use oc_runner::protocol::Program;
use serde_json::Map;
use tokio::task::spawn_blocking;

use super::background::{Background, OUTPUT_BYTES as BACKGROUND_BYTES};
use super::call::ToolCall;
use super::command::{Case, Judged};
use super::commission::{Commission, Warrant};
use super::decide::permits;
use super::order::{self, By};
use super::place::Ready;
use super::recording::{self, Grounds};
use super::refused::{Refused, Stage};
use super::snapshot::Snapshot;
use super::{Answer, AuthorizedCall, Gate, GateError, mask, scrubbed};
use crate::executor::{ExecutorError, Place};
use crate::tools::{ExecRequest, OUTPUT_BYTES, Ran, Site, Started, collect, start};

/// Time after which an approved command that still runs is shown as running.
const SETTLED: Duration = Duration::from_millis(300);

impl Gate {
    /// A command with all that its judgement depends on.
    pub(super) fn case(
        &self,
        snapshot: Arc<Snapshot>,
        call: &ToolCall,
        request: &ExecRequest,
        sandbox: Option<Box<SandboxPlan>>,
    ) -> Case {
        Case {
            snapshot,
            call: Arc::new(call.clone()),
            request: Arc::new(request.clone()),
            sandbox: sandbox.map(|plan| Arc::new(*plan)),
            environment: self.inherited(),
            nodes: self.nodes.get().cloned(),
            behind: None,
        }
    }

    /// Carries a command out.
    pub(super) async fn exec(
        &self,
        snapshot: Arc<Snapshot>,
        call: &ToolCall,
        request: &ExecRequest,
        sandbox: Option<Box<SandboxPlan>>,
    ) -> Result<Answer, GateError> {
        let case = self.case(snapshot, call, request, sandbox);
        match self.commission(case.clone()).await {
            Ok((commission, ready)) => self.carry_out(commission, &ready).await,
            Err(Stopped::Refused(stopped)) => {
                let (refused, grounds) = *stopped;
                Err(self.refuse(&case.snapshot, call, refused, &grounds).await)
            }
            Err(Stopped::Gate(error)) => Err(error),
        }
    }

    /// Everything before the decision is recorded.
    async fn commission(&self, case: Case) -> Result<(Commission, Ready), Stopped> {
        // The directory that the line is judged in has to be there.
        let workspace = case.snapshot.workspace(&case.call.caller.agent);
        oc_fs::mode::create_directories(workspace.as_ref()).map_err(|e| {
            let why = format!("the agent's workspace cannot be made: {e}");
            plain(Refused::built_in(Stage::Place, "exec", "workspace", why))
        })?;
        let judged = judge(case.clone()).await?;
        // A sandbox that cannot be had refuses before anybody is asked (SP-239).
        let early = match judged.decision.route {
            Host::Sandbox => Some(self.inner_place(&case, &judged.grounds).await?),
            Host::Gateway | Host::Prompt | Host::Node => None,
        };
        let (case, judged, warrant, target) = match judged.decision.verdict {
            Verdict::Ask => self.ask(case, judged).await?,
            Verdict::Allow | Verdict::Deny => (case, judged, Warrant::Rules, None),
        };
        let into_sandbox = match (judged.decision.route, target) {
            (Host::Sandbox, _) | (Host::Prompt, Some(Target::Sandbox)) => true,
            (Host::Gateway | Host::Node, _) | (Host::Prompt, Some(Target::Host) | None) => false,
        };
        let mut grounds = judged.grounds.clone();
        let ready = match early {
            Some(ready) if into_sandbox => ready,
            _ if into_sandbox => self.inner_place(&case, &grounds).await?,
            _ if judged.decision.route == Host::Node => self
                .node_place(&case, &judged, &warrant)
                .map_err(|refused| Stopped::Refused(Box::new((refused, grounds.clone()))))?,
            _ => self
                .host_place(&case.snapshot, &case.call, workspace, case.sandbox.is_some())
                .await
                .map_err(|refused| Stopped::Refused(Box::new((refused, grounds.clone()))))?,
        };
        if let Some(note) = ready.notes.first() {
            grounds.inputs.insert("placeNote".to_owned(), note.clone().into());
        }
        let order = match case.sandbox.as_deref().filter(|_| into_sandbox) {
            Some(plan) => order::inside(&case, plan)
                .map_err(|refused| Stopped::Refused(Box::new((refused, grounds.clone()))))?,
            None if ready.place == Place::Node => order::on_node(&case, &judged),
            None => order::on_host(&case, &judged, warrant.by()),
        };
        let mut notes = ready.notes.clone();
        match &warrant {
            Warrant::Rules => {}
            Warrant::Fallback { approval } => {
                grounds.rule = "exec: ask-fallback".to_owned();
                grounds.approval_id = Some(approval.clone());
                notes.push("nobody answered; the approvals file lets it run then (askFallback)".to_owned());
            }
            Warrant::Person { taken, .. } => {
                let grant = taken.grant();
                grounds.rule = format!("exec: {} by {}", grant.answer.decision.word(), grant.resolved_by);
                grounds.approval_id = Some(grant.id.clone());
            }
        }
        let mut details = Map::new();
        if judged.decision.fallback == Fallback::SandboxInactive {
            details.insert("routeFallback".to_owned(), "sandbox-inactive".into());
        }
        if let Some(id) = &grounds.approval_id {
            details.insert("approvalId".to_owned(), id.clone().into());
        }
        let place = ready.place;
        let aliases = ready.aliases.clone();
        let commission = Commission {
            judged: Judged { grounds, ..judged },
            case,
            order,
            place,
            notes,
            details,
            warrant,
            aliases,
            notice: None,
        };
        Ok((commission, ready))
    }

    /// The session's sandbox.
    async fn inner_place(&self, case: &Case, grounds: &Grounds) -> Result<Ready, Stopped> {
        let refuse = |refused| Stopped::Refused(Box::new((refused, grounds.clone())));
        let Some(plan) = case.sandbox.as_deref() else {
            let why = "this session has no sandbox";
            return Err(refuse(Refused::built_in(Stage::Place, "sandbox", "unavailable", why)));
        };
        let workspace = case.snapshot.workspace(&case.call.caller.agent);
        self.sandbox_place(plan, workspace, &case.snapshot).await.map_err(refuse)
    }

    /// Records the decision and runs.
    async fn carry_out(&self, mut work: Commission, ready: &Ready) -> Result<Answer, GateError> {
        let (snapshot, call) = (Arc::clone(&work.case.snapshot), Arc::clone(&work.case.call));
        let allowed = recording::allowed(&snapshot, &call, work.place, &work.judged.grounds);
        if let Err(failure) = self.record(allowed).await {
            // The approval ends unused; when that cannot be written either, it ends with this process.
            let _ = spawn_blocking(move || work.never_ran("it could not be recorded")).await;
            return Err(failure.into());
        }
        let authorized = AuthorizedCall::new(call.id.clone(), work.place);
        let mut patience = order::patience(&work.case, self.background == Background::Kept);
        if patience.is_some() && !may_look_after(&snapshot, &call) {
            patience = None;
            if work.case.request.background || work.case.request.yield_ms.is_some() {
                let why = "without the `process` tool nothing looks after it, so it ran to its end";
                work.notes.push(format!("no background: {why}"));
            }
        }
        // Somebody may write to what was meant for the background. What the rules let run by itself reads an empty input.
        let wanted = work.case.request.background || work.case.request.pty;
        let by_itself =
            work.warrant.by() == By::Rules && matches!(work.order.program, Program::Analysed { .. });
        // A node is given a command and nothing after it.
        let reads = work.place != Place::Node;
        work.order.takes_input = patience.is_some() && wanted && reads && !by_itself;
        let limit = if patience.is_some() { BACKGROUND_BYTES } else { OUTPUT_BYTES };
        let site = Site { executor: ready.executor.as_ref(), call: &authorized, view: &ready.view };
        let running = match start(&site, &work.order, limit).await {
            Ok(Started::Running(running)) => running,
            Ok(Started::Refused(result)) => {
                return self.over(work, Ran { result: Ok(result), exit: None }).await;
            }
            Err(error) => return self.over(work, Ran { result: Err(error), exit: None }).await,
        };
        work.notice = self.notice(&work);
        if let Some(patience) = patience {
            return self.hand_over(work, running, patience).await;
        }
        let ran = {
            let mut collecting = Box::pin(collect(running, work.place, &work.order));
            match tokio::time::timeout(SETTLED, &mut collecting).await {
                Ok(ran) => ran,
                Err(_) => {
                    work.started().await;
                    collecting.await
                }
            }
        };
        self.over(work, ran).await
    }

    /// The command is over: the record, the approval, the answer.
    pub(super) async fn over(&self, mut work: Commission, ran: Ran) -> Result<Answer, GateError> {
        work.notice = None;
        let snapshot = Arc::clone(&work.case.snapshot);
        let (call, place, aliases) = (work.case.call.id.clone(), work.place, work.aliases.clone());
        let (notes, details) = (work.notes.clone(), work.details.clone());
        let mut ran = ran;
        ran.result = ran.result.map(|result| mask::redacted(snapshot.redactor(), result));
        let entry = work.outcome(&ran);
        let ended = spawn_blocking(move || {
            work.end(&ran);
            ran.result
        });
        let result = ended.await.unwrap_or_else(|e| Err(lost(place, &e.to_string())));
        self.record(entry).await?;
        let mut result = result.map_err(|e| scrubbed(e, &aliases))?;
        result.details.extend(details);
        Ok(Answer { call, place, notes, result })
    }
}

/// Why a command does not get as far as running.
pub(super) enum Stopped {
    /// It is refused; with what the record says besides.
    Refused(Box<(Refused, Grounds)>),
    /// Its question could not be recorded.
    Gate(GateError),
}

fn plain(refused: Refused) -> Stopped {
    Stopped::Refused(Box::new((refused, Grounds::default())))
}

pub(super) async fn judge(case: Case) -> Result<Judged, Stopped> {
    match spawn_blocking(move || case.judge()).await {
        Ok(Ok(judged)) => Ok(judged),
        Ok(Err(stopped)) => Err(Stopped::Refused(stopped)),
        Err(e) => Err(plain(Refused::built_in(Stage::Approval, "exec", "failed", e.to_string()))),
    }
}

/// Whether the session has the tool that looks after background commands.
fn may_look_after(snapshot: &Snapshot, call: &ToolCall) -> bool {
    let process = ToolCall { tool: "process".to_owned(), arguments: Map::new(), ..call.clone() };
    permits(snapshot, &process).is_ok()
}

fn lost(place: Place, cause: &str) -> ExecutorError {
    ExecutorError::Lost { place, cause: cause.to_owned() }
}
