//! The one door: from a tool call to its result (design 3.6).
//!
//! Policy again, approval, the place, the record, the run, redaction, the record of the outcome: in this order, for every caller. An
//! executor takes nothing but an [`AuthorizedCall`], and only this module can make one.
//!
//! Invariant: a decision is on the disk before the call acts; what cannot be recorded does not happen. A refusal, and a call that only looks
//! ([`ToolHandler::acts`]) with what came of it, is written before it is answered, and on the disk within [`oc_fs::ledger::SYNC_WITHIN`].
//! Invariant: a sandboxed session gets its sandbox or nothing (SP-239), and no argument of a call brings it further than its session
//! reaches (SP-238).

mod answer;
mod ask;
mod authorized;
mod backend;
mod background;
mod behind;
mod call;
mod command;
mod commission;
mod consent;
mod decide;
mod doors;
mod exec;
mod handler;
mod internal;
mod mask;
mod nodes;
mod not_offered;
mod order;
mod permission;
mod place;
mod process;
mod recording;
mod refused;
mod replay;
mod snapshot;
mod still_running;
#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::sync::{Arc, OnceLock, RwLock};
use std::task::Poll;

use jiff::Timestamp;
use oc_fs::durability::Durability;
use oc_fs::ledger::{Entry, Ledger, LedgerFailure};
use oc_policy::sandbox::{Runs, SandboxPlan};
use oc_types::Node;
use serde_json::Map;

use crate::executor::{ExecutorError, Place};
use crate::process_sessions::{Limits, ProcessSessions};
use crate::tools::{self, Request, Site};

pub use answer::{Answer, Content, GateError, Outcome, ToolResult};
pub use ask::{Approvals, Asking, Listener, Reached, Silent, TakenUp};
pub use authorized::AuthorizedCall;
pub use backend::{Chosen, Executors, HostSession, SandboxSession, choose};
pub use background::Finished;
pub use call::{CallSender, Caller, ReturnAddress, SessionExec, Surface, ToolCall};
pub use doors::{door_of, shut};
pub use handler::{Forbidden, Handled, Handlers, Judging, Question, ToolHandler};
pub use nodes::{NoNode, NodeHere, NodeRun, Nodes, pick};
pub use recording::caller_of;
pub use refused::{Refused, Stage};
pub use replay::{Changed, replay};
pub use snapshot::Snapshot;
pub use still_running::StillRunning;

use background::{Background, Watchers};
use decide::{Permitted, Work, decide};
use mask::Aliases;
use recording::Grounds;

/// The gate of one process.
#[derive(Debug)]
pub struct Gate {
    snapshot: RwLock<Arc<Snapshot>>,
    recorder: Recorder,
    executors: Arc<dyn Executors>,
    approvals: Option<Approvals>,
    nodes: OnceLock<Arc<dyn Nodes>>,
    environment: RwLock<Arc<[(String, String)]>>,
    handlers: RwLock<Handlers>,
    background: Background,
    sessions: ProcessSessions,
    watchers: Watchers,
}

impl Gate {
    /// A gate over a snapshot of the configuration. It asks nobody, hands nothing of an environment on, and keeps background commands
    /// until it is dropped or closed.
    #[must_use]
    pub fn new(snapshot: Snapshot, ledger: Ledger, executors: Arc<dyn Executors>) -> Self {
        let keep = snapshot.config().path(&["tools", "exec", "cleanupMs"]).and_then(Node::as_number);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of a float saturates"
        )]
        let limits = Limits::new(keep.map(|ms| ms as u64), None);
        Self {
            snapshot: RwLock::new(Arc::new(snapshot)),
            recorder: Recorder(ledger),
            executors,
            approvals: None,
            nodes: OnceLock::new(),
            environment: RwLock::new(Arc::from(Vec::new())),
            handlers: RwLock::default(),
            background: Background::Kept,
            sessions: ProcessSessions::new(limits),
            watchers: Watchers::default(),
        }
    }

    /// Commands that need an answer are put into this queue. Without one they are refused.
    #[must_use]
    pub fn asking(self, approvals: Approvals) -> Self {
        Self { approvals: Some(approvals), ..self }
    }

    /// Commands can go to these nodes from now on. Without them a command of a session whose commands go to a node is refused. The first
    /// call counts: a gate belongs to one gateway.
    pub fn reach_nodes(&self, nodes: Arc<dyn Nodes>) {
        let _ = self.nodes.set(nodes);
    }

    /// What commands on the host inherit, before it is sanitised; its `PATH` and `HOME` are those of the host (SP-151).
    #[must_use]
    pub fn with_environment(self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { environment: RwLock::new(variables.into_iter().collect()), ..self }
    }

    /// Commands on the host search these directories (absolute, joined with `:`) before those of their inherited `PATH`, each once; calls that
    /// begin from now on. What the configuration prepends still goes first.
    pub fn search_first(&self, directories: &str) {
        let mut slot = self.environment.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let own = slot.iter().find(|(name, _)| name == "PATH").map_or("", |(_, path)| path.as_str());
        let mut parts: Vec<&str> = Vec::new();
        for part in directories.split(':').chain(own.split(':')).filter(|p| p.starts_with('/')) {
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
        let path = parts.join(":");
        let others = slot.iter().filter(|(name, _)| name != "PATH").cloned();
        *slot = others.chain([("PATH".to_owned(), path)]).collect();
    }

    /// What commands on the host inherit at this moment, before it is sanitised.
    #[must_use]
    pub fn inherited(&self) -> Arc<[(String, String)]> {
        Arc::clone(&self.environment.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// For a process that makes one call and ends: a command goes to the background only when the call asks for it, and the answer says that
    /// it ends with the process.
    #[must_use]
    pub fn for_one_call(self) -> Self {
        Self { background: Background::OneCall, ..self }
    }

    /// With tools that other crates carry out.
    #[must_use]
    pub fn with_handlers(self, handlers: Handlers) -> Self {
        Self { handlers: RwLock::new(handlers), ..self }
    }

    /// Other crates' tools changed (a plugin or an MCP server came or went): calls that begin from now on find these.
    pub fn replace_handlers(&self, handlers: Handlers) {
        *self.handlers.write().unwrap_or_else(std::sync::PoisonError::into_inner) = handlers;
    }

    /// The names of all tools that this gate carries out, canonical, in order: what is not among them is not offered to a model.
    #[must_use]
    pub fn built(&self) -> Vec<String> {
        let handlers = self.handlers();
        let own = tools::CoreTool::ALL.into_iter().map(|t| t.name().to_owned());
        let mut names: Vec<String> = own.chain(handlers.names().map(str::to_owned)).collect();
        names.sort_unstable();
        names
    }

    fn handlers(&self) -> Handlers {
        self.handlers.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// The configuration changed: calls that begin from now on see the new one (SP-177).
    pub fn reload(&self, snapshot: Snapshot) {
        let snapshot = Arc::new(snapshot);
        let handlers = self.handlers();
        let mut slot = self.snapshot.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        *slot = Arc::clone(&snapshot);
        // Under the lock, so that no handler hears of an older configuration after a newer one.
        handlers.all().for_each(|handler| handler.reloaded(&snapshot));
    }

    /// The snapshot in force.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Whether the rules let a tool through for a caller, and whether it then acts in a sandbox. Records nothing, starts nothing.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn would(snapshot: &Snapshot, call: &ToolCall) -> Result<Runs, Refused> {
        let sandbox = decide::permits(snapshot, call)?;
        Ok(if sandbox.is_some() { Runs::Sandboxed } else { Runs::OnHost })
    }

    /// Carries a call out, or says why not. Dropping the future ends what it had started and denies what it waits for; then call
    /// [`Gate::aborted`].
    ///
    /// # Errors
    /// See [`GateError`].
    pub async fn call(&self, call: &ToolCall) -> Result<Answer, GateError> {
        let snapshot = self.snapshot();
        let handlers = self.handlers();
        let Permitted { work, sandbox } = match decide(&snapshot, &handlers, call) {
            Ok(permitted) => permitted,
            Err(refused) => return Err(self.refuse(&snapshot, call, refused, &Grounds::default()).await),
        };
        let request = match work {
            Work::Core(request) => request,
            Work::Handled(handler) => {
                return Box::pin(self.handled(&snapshot, call, handler.as_ref(), sandbox.as_deref())).await;
            }
        };
        // Boxed, each by itself: a call has room for the one that it makes.
        match request {
            Request::Exec(request) => Box::pin(self.exec(snapshot, call, &request, sandbox)).await,
            Request::Process(request) => Box::pin(self.process(&snapshot, call, &request)).await,
            request @ (Request::Read(_) | Request::Write(_) | Request::Edit(_) | Request::ApplyPatch(_)) => {
                Box::pin(self.file(&snapshot, call, &request, sandbox.as_deref())).await
            }
        }
    }

    /// Carries a file tool out.
    async fn file(
        &self,
        snapshot: &Snapshot,
        call: &ToolCall,
        request: &Request,
        sandbox: Option<&SandboxPlan>,
    ) -> Result<Answer, GateError> {
        let mut grounds = Grounds { rule: "policy: no layer removes it".to_owned(), ..Grounds::default() };
        let workspace = snapshot.workspace(&call.caller.agent);
        let place = match sandbox {
            Some(plan) => self.sandbox_place(plan, workspace, snapshot).await,
            None => self.host_place(snapshot, call, workspace, false).await,
        };
        let ready = match place {
            Ok(ready) => ready,
            Err(refused) => return Err(self.refuse(snapshot, call, refused, &grounds).await),
        };
        if let Some(note) = ready.notes.first() {
            grounds.inputs.insert("placeNote".to_owned(), note.clone().into());
        }
        self.record(recording::allowed(snapshot, call, ready.place, &grounds)).await?;
        let authorized = AuthorizedCall::new(call.id.clone(), ready.place);
        let site = Site { executor: ready.executor.as_ref(), call: &authorized, view: &ready.view };
        let done = tools::run_file_tool(&site, request).await;
        let done = done.map(|result| mask::redacted(snapshot.redactor(), result));
        let (verdict, facts) = match &done {
            Ok(result) => (result.outcome.word(), outcome_facts(result)),
            Err(error) => ("failed", Map::from_iter([("error".to_owned(), error_word(error).into())])),
        };
        self.record(recording::outcome(snapshot, call, ready.place, verdict, facts)).await?;
        let result = done.map_err(|e| scrubbed(e, &ready.aliases))?;
        Ok(Answer { call: call.id.clone(), place: ready.place, notes: ready.notes, result })
    }

    /// Carries out a tool of another crate.
    async fn handled(
        &self,
        snapshot: &Snapshot,
        call: &ToolCall,
        handler: &dyn ToolHandler,
        sandbox: Option<&SandboxPlan>,
    ) -> Result<Answer, GateError> {
        let place = handler.place_of(call);
        let tool = handler.tool();
        if let Some(forbidden) = handler.forbids(call, snapshot, sandbox).await {
            let refused = forbidden.refused(snapshot, tool);
            return Err(self.refuse(snapshot, call, refused, &Grounds::default()).await);
        }
        for who in call.behind.iter() {
            if let Some(forbidden) = handler.forbids_behind(call, who, snapshot, sandbox).await {
                let refused = forbidden.refused(snapshot, tool).of(who);
                return Err(self.refuse(snapshot, call, refused, &Grounds::default()).await);
            }
        }
        let now;
        let question = handler.asks(call);
        let question = question.or_else(|| call.behind.iter().find_map(|who| handler.asks(&call.by(who))));
        let (grounds, taken, snapshot) = match question {
            None => {
                let rule = "policy: no layer removes it".to_owned();
                (Grounds { rule, ..Grounds::default() }, None, snapshot)
            }
            Some(question) => {
                let (grounds, taken, then) = self.permission(snapshot, call, &question).await?;
                now = then;
                (grounds, Some(taken), &*now)
            }
        };
        let mut decision = Some(recording::allowed(snapshot, call, place, &grounds));
        let acts = handler.acts() || taken.is_some();
        if acts && let Some(decision) = decision.take() {
            self.record(decision).await?;
        }
        let authorized = AuthorizedCall::new(call.id.clone(), place);
        if let Some(taken) = &taken {
            taken.started().await;
        }
        let mut run = handler.run(Handled { authorized: &authorized, call, snapshot, sandbox });
        // What only looks and is done at once is recorded together with what came of it. What is not done at once can be given up while it
        // waits, so its decision stands before that.
        let done = match poll_fn(|cx| Poll::Ready(run.as_mut().poll(cx))).await {
            Poll::Ready(done) => done,
            Poll::Pending => {
                if let Some(decision) = decision.take() {
                    self.recorder.note(vec![decision]).await?;
                }
                run.await
            }
        };
        let done = done.map(|result| mask::redacted(snapshot.redactor(), result));
        if let Some(taken) = taken {
            permission::over(taken, &done).await;
        }
        let (verdict, facts) = match &done {
            Ok(result) => (result.outcome.word(), outcome_facts(result)),
            Err(error) => ("failed", Map::from_iter([("error".to_owned(), error_word(error).into())])),
        };
        let outcome = recording::outcome(snapshot, call, place, verdict, facts);
        match decision {
            Some(decision) => self.recorder.note(vec![decision, outcome]).await?,
            None if acts => self.record(outcome).await?,
            None => self.recorder.note(vec![outcome]).await?,
        }
        Ok(Answer { call: call.id.clone(), place, notes: Vec::new(), result: done? })
    }

    /// Records that the caller gave a call up while it ran.
    ///
    /// # Errors
    /// See [`LedgerFailure`].
    pub async fn aborted(&self, call: &ToolCall) -> Result<(), LedgerFailure> {
        let snapshot = self.snapshot();
        let mut entry = recording::outcome(&snapshot, call, Place::Host, "aborted", Map::new());
        entry.inputs.remove("place");
        self.record(entry).await
    }

    async fn refuse(
        &self,
        snapshot: &Snapshot,
        call: &ToolCall,
        refused: Refused,
        grounds: &Grounds,
    ) -> GateError {
        // No effect waits for it, so it need not wait for the disk, and a flood of refusals keeps no disk busy.
        let entry = recording::refused(snapshot, call, &refused, grounds);
        match self.recorder.note(vec![entry]).await {
            Ok(()) => GateError::Refused(refused),
            // It is refused in any case; that it could not be recorded is the graver news.
            Err(failure) => GateError::NotRecorded(failure),
        }
    }

    /// Records what an effect waits for, or follows: it is on the disk when this returns.
    async fn record(&self, entry: Entry) -> Result<(), LedgerFailure> {
        self.recorder.record(entry, Durability::Synced).await
    }

    fn listener(&self) -> Option<Arc<dyn Listener>> {
        self.approvals.as_ref().map(|a| Arc::clone(a.listener()))
    }
}

/// Writes the ledger; what waits for the disk waits off the reactor.
#[derive(Clone, Debug)]
struct Recorder(Ledger);

impl Recorder {
    /// Records what no effect waits for: written when this returns, and on the disk soon.
    async fn note(&self, entries: Vec<Entry>) -> Result<(), LedgerFailure> {
        let now = Timestamp::now();
        let together: Vec<_> = entries.iter().map(|e| (e, now)).collect();
        if let Some(written) = self.0.write_at_once(&together) {
            return written;
        }
        for entry in entries {
            self.record(entry, Durability::Written).await?;
        }
        Ok(())
    }

    async fn record(&self, entry: Entry, durability: Durability) -> Result<(), LedgerFailure> {
        let now = Timestamp::now();
        let (told, answer) = tokio::sync::oneshot::channel();
        // Nobody hears it when the caller is gone; the record stands all the same.
        self.0.submit(entry, durability, now, move |written| drop(told.send(written)));
        answer.await.unwrap_or_else(|e| {
            let path = self.0.directory().to_owned();
            Err(LedgerFailure::Unwritable { path, source: std::io::Error::other(e) })
        })
    }
}

/// What the ledger keeps of a result: words and numbers, no text of it.
fn outcome_facts(result: &ToolResult) -> Map<String, serde_json::Value> {
    let telling = [
        "exitCode",
        "timedOut",
        "dropped",
        "durationMs",
        "bytes",
        "size",
        "files",
        "sha256",
        "code",
        "masked",
        "to",
    ];
    result
        .details
        .iter()
        .filter(|(k, _)| telling.contains(&k.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

fn error_word(error: &ExecutorError) -> String {
    match error {
        ExecutorError::Unavailable { .. } => "unavailable".to_owned(),
        ExecutorError::Lost { .. } => "lost".to_owned(),
        ExecutorError::Failed { code, .. } => code.clone(),
    }
}

fn scrubbed(error: ExecutorError, aliases: &Aliases) -> ExecutorError {
    match error {
        ExecutorError::Unavailable { place, cause } => {
            ExecutorError::Unavailable { place, cause: aliases.apply(&cause) }
        }
        ExecutorError::Lost { place, cause } => ExecutorError::Lost { place, cause: aliases.apply(&cause) },
        ExecutorError::Failed { code, message } => {
            ExecutorError::Failed { code, message: aliases.apply(&message) }
        }
    }
}
