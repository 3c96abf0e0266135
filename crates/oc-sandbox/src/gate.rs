//! The one door: from a tool call to its result (design 3.6).
//!
//! Policy again, approval, the place, the record, the run, redaction, the record of the outcome: in this order, for every caller. An
//! executor takes nothing but an [`AuthorizedCall`], and only this module can make one.
//!
//! Invariant: a decision is on the disk before the call acts; what cannot be recorded does not happen.
//! Invariant: a sandboxed session gets its sandbox or nothing (SP-239), and no argument of a call brings it further than its session
//! reaches (SP-238).

mod answer;
mod authorized;
mod backend;
mod call;
mod command;
mod decide;
mod doors;
mod internal;
mod mask;
mod recording;
mod refused;
mod replay;
mod snapshot;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, RwLock};

use jiff::Timestamp;
use oc_fs::ledger::{Entry, Ledger, LedgerFailure};
use oc_policy::sandbox::{Runs, SandboxPlan};
use serde_json::Map;

use crate::executor::{Executor, ExecutorError, Place};
use crate::naming::workspace_dir;
use crate::tools::path::Reach;
use crate::tools::{self, ExecOrder, Request, Site, View};

pub use answer::{Answer, Content, GateError, Outcome, ToolResult};
pub use authorized::AuthorizedCall;
pub use backend::{Chosen, Executors, HostSession, SandboxSession, choose};
pub use call::{CallSender, Caller, Surface, ToolCall};
pub use doors::{door_of, shut};
pub use recording::caller_of;
pub use refused::{Refused, Stage};
pub use replay::{Changed, replay};
pub use snapshot::Snapshot;

use decide::{Permitted, decide};
use mask::Aliases;
use recording::Grounds;

/// The gate of one process.
#[derive(Debug)]
pub struct Gate {
    snapshot: RwLock<Arc<Snapshot>>,
    ledger: Ledger,
    executors: Arc<dyn Executors>,
}

/// Everything that is settled before the decision is recorded.
struct Ready {
    place: Place,
    executor: Arc<dyn Executor>,
    view: View,
    order: Option<ExecOrder>,
    grounds: Grounds,
    notes: Vec<String>,
    aliases: Aliases,
}

impl Gate {
    /// A gate over a snapshot of the configuration.
    #[must_use]
    pub fn new(snapshot: Snapshot, ledger: Ledger, executors: Arc<dyn Executors>) -> Self {
        Self { snapshot: RwLock::new(Arc::new(snapshot)), ledger, executors }
    }

    /// The configuration changed: calls that begin from now on see the new one (SP-177).
    pub fn reload(&self, snapshot: Snapshot) {
        let mut slot = self.snapshot.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        *slot = Arc::new(snapshot);
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

    /// Carries a call out, or says why not. Dropping the future ends what it had started; then call [`Gate::aborted`].
    ///
    /// # Errors
    /// See [`GateError`].
    pub async fn call(&self, call: &ToolCall) -> Result<Answer, GateError> {
        let snapshot = self.snapshot();
        let permitted = match decide(&snapshot, call) {
            Ok(permitted) => permitted,
            Err(refused) => return Err(self.refuse(&snapshot, call, refused, &Grounds::default()).await),
        };
        let ready = match self.ready(&snapshot, call, &permitted).await {
            Ok(ready) => ready,
            Err((refused, grounds)) => return Err(self.refuse(&snapshot, call, refused, &grounds).await),
        };
        self.record(recording::allowed(&snapshot, call, ready.place, &ready.grounds)).await?;
        let authorized = AuthorizedCall::new(call.id.clone(), ready.place);
        let site = Site { executor: ready.executor.as_ref(), call: &authorized, view: &ready.view };
        let done = match &ready.order {
            Some(order) => tools::run_exec(&site, order).await,
            None => tools::run_file_tool(&site, &permitted.request).await,
        };
        let done = done.map(|result| mask::redacted(snapshot.redactor(), result));
        let (verdict, facts) = match &done {
            Ok(result) => (result.outcome.word(), outcome_facts(result)),
            Err(error) => ("failed", Map::from_iter([("error".to_owned(), error_word(error).into())])),
        };
        self.record(recording::outcome(&snapshot, call, ready.place, verdict, facts)).await?;
        let result = done.map_err(|e| scrubbed(e, &ready.aliases))?;
        Ok(Answer { call: call.id.clone(), place: ready.place, notes: ready.notes, result })
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
        match self.record(recording::refused(snapshot, call, &refused, grounds)).await {
            Ok(()) => GateError::Refused(refused),
            // It is refused in any case; that it could not be recorded is the graver news.
            Err(failure) => GateError::NotRecorded(failure),
        }
    }

    async fn record(&self, entry: Entry) -> Result<(), LedgerFailure> {
        let ledger = self.ledger.clone();
        let directory = ledger.directory().to_owned();
        let written =
            tokio::task::spawn_blocking(move || ledger.append(&entry, Timestamp::now()).map(drop)).await;
        written.unwrap_or_else(|e| {
            Err(LedgerFailure::Unwritable { path: directory, source: std::io::Error::other(e) })
        })
    }

    /// The place, and for a command what exactly runs there.
    async fn ready(
        &self,
        snapshot: &Snapshot,
        call: &ToolCall,
        permitted: &Permitted,
    ) -> Result<Ready, (Refused, Grounds)> {
        let sandbox = permitted.sandbox.as_deref();
        let (order, mut grounds, on_host) = match &permitted.request {
            Request::Exec(request) => {
                let plain = |r| (r, Grounds::default());
                let routed = command::route(snapshot, call, request, sandbox, false).map_err(plain)?;
                let grounds = command::grounds(&routed, request);
                let order = command::judge(snapshot, call, request, sandbox, &routed)
                    .map_err(|refused| (refused, grounds.clone()))?;
                (Some(order), grounds, routed.route == command::Route::Host)
            }
            Request::Process(_) => {
                let why = "there is no background command of this session";
                return Err((
                    Refused::built_in(Stage::NotBuilt, "process", "process", why),
                    Grounds::default(),
                ));
            }
            Request::Read(_) | Request::Write(_) | Request::Edit(_) | Request::ApplyPatch(_) => {
                let rule = "policy: no layer removes it".to_owned();
                (None, Grounds { rule, ..Grounds::default() }, sandbox.is_none())
            }
        };
        let workspace = snapshot.workspace(&call.caller.agent);
        let place = match sandbox.filter(|_| !on_host) {
            Some(plan) => self.sandbox_place(plan, workspace, snapshot).await,
            None => self.host_place(snapshot, call, workspace, sandbox.is_some()).await,
        };
        match place {
            Ok(mut ready) => {
                if let Some(note) = ready.notes.first() {
                    grounds.inputs.insert("placeNote".to_owned(), note.clone().into());
                }
                ready.order = order;
                ready.grounds = grounds;
                Ok(ready)
            }
            Err(refused) => Err((refused, grounds)),
        }
    }

    async fn sandbox_place(
        &self,
        plan: &SandboxPlan,
        workspace: String,
        snapshot: &Snapshot,
    ) -> Result<Ready, Refused> {
        let s = &plan.settings;
        let own = workspace_dir(&s.workspace_root.value, s.scope.value, &plan.scope_key);
        let working = oc_policy::sandbox::working_copy(s.workspace_access.value, &own, &workspace).to_owned();
        let aliases = Aliases::of(plan, &working, &workspace, &snapshot.places().state_dir);
        oc_fs::mode::create_directories(&PathBuf::from(&workspace)).map_err(|e| {
            let why = format!("the agent's workspace cannot be made: {e}");
            Refused::built_in(Stage::Place, "sandbox", "workspace", aliases.apply(&why))
        })?;
        let session = SandboxSession { plan: plan.clone(), agent_workspace: workspace };
        let chosen = choose(self.executors.as_ref(), &session).await.map_err(|e| {
            let why = format!("this session is sandboxed and has no sandbox, so nothing was run: {e}");
            let refused = match &s.backend.key {
                Some(key) => Refused::by_key(
                    Stage::Place,
                    "sandbox",
                    "unavailable",
                    snapshot.config(),
                    key.clone(),
                    why,
                ),
                None => Refused::built_in(Stage::Place, "sandbox", "unavailable", why),
            };
            refused.reworded(|sentence| aliases.apply(sentence))
        })?;
        Ok(Ready {
            place: chosen.executor.place(),
            executor: chosen.executor,
            view: View::Sandbox { workdir: s.docker.workdir.value.clone() },
            order: None,
            grounds: Grounds::default(),
            notes: chosen.note.map(|n| aliases.apply(&n)).into_iter().collect(),
            aliases,
        })
    }

    async fn host_place(
        &self,
        snapshot: &Snapshot,
        call: &ToolCall,
        workspace: String,
        sandboxed: bool,
    ) -> Result<Ready, Refused> {
        let unavailable = |why: String| Refused::built_in(Stage::Place, "host", "unavailable", why);
        oc_fs::mode::create_directories(&PathBuf::from(&workspace))
            .map_err(|e| unavailable(format!("the workspace {workspace} cannot be made: {e}")))?;
        let executor = self
            .executors
            .host(&HostSession { workspace: workspace.clone() })
            .await
            .map_err(|e| unavailable(e.to_string()))?;
        let only = |path: &[&str]| snapshot.config().path(path).is_some_and(|n| n.as_bool() != Some(false));
        let narrow = only(&["tools", "fs", "workspaceOnly"])
            || (oc_policy::tool_name::canonical(&call.tool) == "apply_patch"
                && only(&["tools", "exec", "applyPatch", "workspaceOnly"]));
        let notes =
            if sandboxed { vec!["outside of the sandbox, on the host".to_owned()] } else { Vec::new() };
        Ok(Ready {
            place: Place::Host,
            executor,
            view: View::Host {
                workspace: PathBuf::from(workspace),
                home: PathBuf::from(&snapshot.places().home),
                reach: if narrow { Reach::WorkspaceOnly } else { Reach::WholeHost },
                state: PathBuf::from(&snapshot.places().state_dir),
            },
            order: None,
            grounds: Grounds::default(),
            notes,
            aliases: Aliases::default(),
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
