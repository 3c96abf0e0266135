//! `exec` through the gate: judged, asked about, judged again, recorded, run, recorded.

use std::sync::Arc;
use std::time::Duration;

use oc_approval::approvals_file::edit::Use;
use oc_approval::binding::Binding;
use oc_approval::decision::{Fallback, Verdict, unanswered};
use oc_approval::life_cycle::{Decision as Answered, Denial, NotGranted, Target};
use oc_approval::persist::{self, Remembered};
use oc_approval::plan::Match;
use oc_approval::prompt;
use oc_approval::request::{Asked, SandboxOffer};
use oc_approval::{approvals_file::Security, configured};
use oc_fs::approval_queue::{Outcome as Waited, QueueFailure};
use oc_fs::approvals_store::ApprovalsStore;
use oc_fs::host_view::Disk;
use oc_fs::ledger::Entry;
use oc_policy::exec_route::Host;
use oc_policy::sandbox::SandboxPlan;
use oc_runner::protocol::Program;
use serde_json::{Map, Value as Json};
use tokio::task::spawn_blocking;

use super::ask::{Asking, TakenUp};
use super::background::{Background, OUTPUT_BYTES as BACKGROUND_BYTES, ending};
use super::call::ToolCall;
use super::command::{Case, Judged};
use super::decide::{decide, permits};
use super::order::{self, By};
use super::place::Ready;
use super::recording::{self, Grounds};
use super::refused::{Refused, Stage};
use super::snapshot::Snapshot;
use super::{Answer, AuthorizedCall, Gate, GateError, error_word, mask, outcome_facts, scrubbed};
use crate::executor::{ExecutorError, Place};
use crate::tools::{ExecOrder, ExecRequest, OUTPUT_BYTES, Ran, Site, Started, collect, start};

/// Time after which an approved command that still runs is shown as running.
const SETTLED: Duration = Duration::from_millis(300);

/// Why a command may run.
#[derive(Debug)]
enum Warrant {
    /// The rules let it.
    Rules,
    /// Nobody answered, and the approvals file says what then (`askFallback`).
    Fallback { approval: String },
    /// A person.
    Person { taken: TakenUp, remembered: Vec<Remembered> },
}

impl Warrant {
    fn by(&self) -> By {
        match self {
            Self::Rules | Self::Fallback { .. } => By::Rules,
            Self::Person { .. } => By::Person,
        }
    }
}

/// A command that is about to run or runs.
#[derive(Debug)]
pub(super) struct Commission {
    pub case: Case,
    pub order: ExecOrder,
    pub place: Place,
    pub notes: Vec<String>,
    pub details: Map<String, Json>,
    judged: Judged,
    warrant: Warrant,
    aliases: mask::Aliases,
}

impl Commission {
    /// The approval that it runs under.
    pub fn approval_id(&self) -> Option<&str> {
        match &self.warrant {
            Warrant::Rules => None,
            Warrant::Fallback { approval } => Some(approval),
            Warrant::Person { taken, .. } => Some(&taken.grant().id),
        }
    }

    /// It is known to run.
    pub fn started(&self) {
        if let Warrant::Person { taken, .. } = &self.warrant {
            taken.started();
        }
    }

    /// It was given up before it started.
    fn never_ran(self, why: &str) {
        if let Warrant::Person { taken, .. } = self.warrant {
            taken.withdraw(Denial::SpawnFailed, why);
        }
    }

    /// The record of its end.
    pub fn outcome(&self, ran: &Ran) -> Entry {
        let (verdict, facts) = match &ran.result {
            Ok(result) => (result.outcome.word(), outcome_facts(result)),
            Err(error) => ("failed", Map::from_iter([("error".to_owned(), error_word(error).into())])),
        };
        Entry {
            approval_id: self.approval_id().map(str::to_owned),
            ..recording::outcome(&self.case.snapshot, &self.case.call, self.place, verdict, facts)
        }
    }

    /// It is over: the approval ends, what is allowed always is stored, and what admitted it is noted. Touches the disk for a moment.
    pub fn end(self, ran: &Ran) {
        let Self { case, judged, warrant, place, .. } = self;
        // Only what ran is stored or noted (SP-181).
        let store = ApprovalsStore::of(case.snapshot.places().state_dir.as_ref());
        let agent = case.call.caller.agent.as_str();
        if ran.exit.is_some() && place == Place::Host {
            for segment in &judged.plan.segments {
                if let (Some(Match::Allowlist(pattern)), Some(program)) =
                    (&segment.matched, &segment.executable)
                {
                    let run = Use {
                        agent,
                        pattern,
                        command: &judged.plan.text,
                        resolved_path: &program.canonical,
                        at_ms: now_ms(),
                    };
                    // A note, nothing more: the entry stays as it is when it cannot be written.
                    let _ = store.used(&run);
                }
            }
        }
        if let Warrant::Person { taken, remembered } = warrant {
            if ran.exit.is_some() && !remembered.is_empty() {
                // Not stored means asked again.
                let _ = store.remember(agent, &remembered);
            }
            match (&ran.exit, &ran.result) {
                (None, Ok(result)) => {
                    let code = result.details.get("code").and_then(Json::as_str).unwrap_or_default();
                    let reason = match code {
                        "executable-changed" => Denial::ExecutableChanged,
                        "changed" => Denial::ApprovalMismatch,
                        _ => Denial::SpawnFailed,
                    };
                    taken.withdraw(reason, code);
                }
                _ => taken.finished(ending(ran.exit)),
            }
        }
    }
}

/// What a refused command leaves in the record.
type Refusal = (Refused, Box<Grounds>);

impl Gate {
    /// Carries a command out.
    pub(super) async fn exec(
        &self,
        snapshot: Arc<Snapshot>,
        call: &ToolCall,
        request: &ExecRequest,
        sandbox: Option<Box<SandboxPlan>>,
    ) -> Result<Answer, GateError> {
        let case = Case {
            snapshot,
            call: Arc::new(call.clone()),
            request: Arc::new(request.clone()),
            sandbox: sandbox.map(|plan| Arc::new(*plan)),
            environment: Arc::clone(&self.environment),
        };
        match self.commission(case.clone()).await {
            Ok((commission, ready)) => self.carry_out(commission, &ready).await,
            Err(Stopped::Refused((refused, grounds))) => {
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
            _ => self
                .host_place(&case.snapshot, &case.call, workspace, case.sandbox.is_some())
                .await
                .map_err(|refused| Stopped::Refused((refused, Box::new(grounds.clone()))))?,
        };
        if let Some(note) = ready.notes.first() {
            grounds.inputs.insert("placeNote".to_owned(), note.clone().into());
        }
        let order = match case.sandbox.as_deref().filter(|_| into_sandbox) {
            Some(plan) => order::inside(&case, plan)
                .map_err(|refused| Stopped::Refused((refused, Box::new(grounds.clone()))))?,
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
        };
        Ok((commission, ready))
    }

    /// The session's sandbox.
    async fn inner_place(&self, case: &Case, grounds: &Grounds) -> Result<Ready, Stopped> {
        let refuse = |refused| Stopped::Refused((refused, Box::new(grounds.clone())));
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
            work.never_ran("it could not be recorded");
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
        work.order.takes_input = patience.is_some() && wanted && !by_itself;
        let limit = if patience.is_some() { BACKGROUND_BYTES } else { OUTPUT_BYTES };
        let site = Site { executor: ready.executor.as_ref(), call: &authorized, view: &ready.view };
        let running = match start(&site, &work.order, limit).await {
            Ok(Started::Running(running)) => running,
            Ok(Started::Refused(result)) => {
                return self.over(work, Ran { result: Ok(result), exit: None }).await;
            }
            Err(error) => return self.over(work, Ran { result: Err(error), exit: None }).await,
        };
        if let Some(patience) = patience {
            return self.hand_over(work, running, patience).await;
        }
        let ran = {
            let mut collecting = Box::pin(collect(running, work.place, &work.order));
            match tokio::time::timeout(SETTLED, &mut collecting).await {
                Ok(ran) => ran,
                Err(_) => {
                    work.started();
                    collecting.await
                }
            }
        };
        self.over(work, ran).await
    }

    /// The command is over: the record, the approval, the answer.
    pub(super) async fn over(&self, work: Commission, ran: Ran) -> Result<Answer, GateError> {
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

    /// Asks a person, and judges again when the answer is there: what runs is what is true then (SP-177).
    async fn ask(
        &self,
        case: Case,
        judged: Judged,
    ) -> Result<(Case, Judged, Warrant, Option<Target>), Stopped> {
        let mut grounds = judged.grounds.clone();
        let refuse = |rule: &str, why: String, grounds: &Grounds| {
            Stopped::Refused((
                Refused::built_in(Stage::Approval, "exec", rule, why),
                Box::new(grounds.clone()),
            ))
        };
        let Some(approvals) = &self.approvals else {
            let why = "this command needs an answer of a person, and nobody can be asked here".to_owned();
            return Err(refuse("approval-unavailable", why, &grounds));
        };
        let offer = if case.sandbox.is_some() { SandboxOffer::Available } else { SandboxOffer::None };
        let asked = {
            let (plan, at) = (judged.plan.clone(), judged.circumstances(&case.call));
            spawn_blocking(move || Asked::of(&plan, &at, offer, &Disk)).await
        };
        let asked = match asked {
            Ok(Ok(asked)) => asked,
            Ok(Err(why)) => return Err(refuse("unapprovable", why.to_string(), &grounds)),
            Err(e) => return Err(refuse("approval-request-failed", e.to_string(), &grounds)),
        };
        let timeout_ms = configured::approval_timeout_ms(case.snapshot.config(), &case.call.caller.agent);
        let queue_failed = |e: QueueFailure, grounds: &Grounds| {
            let rule = match &e {
                QueueFailure::NotTaken(_) => "too-many-pending",
                _ => "approval-request-failed",
            };
            refuse(rule, e.to_string(), grounds)
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
        let refuse = |refused: Refused| Stopped::Refused((refused, Box::new(grounds.clone())));
        let permitted = decide(&snapshot, &case.call).map_err(refuse)?;
        let case = Case { snapshot, sandbox: permitted.sandbox.map(|plan| Arc::new(*plan)), ..case };
        match judge(case.clone()).await {
            Ok(judged) => Ok((case, judged)),
            Err(Stopped::Refused((refused, _))) => Err(refuse(refused)),
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
        let refuse = |rule: &str, why: String| {
            Stopped::Refused((
                Refused::built_in(Stage::Approval, "exec", rule, why),
                Box::new(grounds.clone()),
            ))
        };
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
            taken.withdraw(Denial::PolicyChanged, "");
            let why = "the host was chosen, and commands are switched off there".to_owned();
            return Err(refuse("security-deny", why));
        }
        let always = taken.grant().answer.decision == Answered::AllowAlways;
        let remembered = if always { offered } else { Vec::new() };
        Ok((case, judged, Warrant::Person { taken, remembered }, target))
    }
}

/// Why a command does not get as far as running.
enum Stopped {
    Refused(Refusal),
    Gate(GateError),
}

fn plain(refused: Refused) -> Stopped {
    Stopped::Refused((refused, Box::default()))
}

async fn judge(case: Case) -> Result<Judged, Stopped> {
    match spawn_blocking(move || case.judge()).await {
        Ok(Ok(judged)) => Ok(judged),
        Ok(Err((refused, grounds))) => Err(Stopped::Refused((refused, Box::new(grounds)))),
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

fn now_ms() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}
