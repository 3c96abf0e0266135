//! `system.run`: a command from a gateway, through this machine's own gate.

use std::sync::Arc;

use oc_approval::approvals_file::Ask;
use oc_approval::decision::HostWord;
use oc_approval::life_cycle::Record;
use oc_approval::node_run::SystemRun;
use oc_approval::prompt;
use oc_config::Loaded;
use oc_fs::ledger::Ledger;
use oc_policy::elevated::Turn;
use oc_policy::sandbox::{Runs, default_agent};
use oc_policy::session_key::SessionKey;
use oc_sandbox::gate::{
    Answer, Approvals, Caller, Content, Executors, Gate, GateError, Listener, Reached, Refused, Stage,
    Surface, ToolCall,
};
use oc_types::AgentId;
use serde_json::{Map, Value, json};

use super::failure::NodeFailure;
use super::note::Notes;
use super::watched::Watched;
use super::{Said, Teller};
use crate::server::{run as places, snapshot};

/// Longest output in an answer, in characters.
const OUTPUT: usize = 200_000;

/// One command with what it is carried out with.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) run: SystemRun,
    pub(super) loaded: Loaded,
    pub(super) notes: tokio::sync::mpsc::Sender<(String, Value)>,
    /// Names the run when the gateway does not.
    pub(super) id: String,
    pub(super) teller: Arc<dyn Teller>,
}

/// Tells the person at this machine that somebody has to answer.
#[derive(Debug)]
struct Here(Arc<dyn Teller>);

impl Listener for Here {
    fn requested(&self, record: &Record) -> Reached {
        self.0.tell(&Said::Waiting {
            code: record.code.clone(),
            command: oc_text::visible(record.request.command(), 400),
            left: prompt::span(record.expires_at_ms.saturating_sub(record.created_at_ms)),
        });
        Reached::Somebody
    }
}

/// The gate of one command. Given up before its answer came, it ends what it had started, and the ledger says so.
struct Door {
    gate: Arc<Gate>,
    call: ToolCall,
    answered: bool,
}

impl Drop for Door {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (gate, call, answered) = (Arc::clone(&self.gate), self.call.clone(), self.answered);
        runtime.spawn(async move {
            if !answered && let Err(e) = gate.aborted(&call).await {
                tracing::error!(target: "node", error = %e, "the end of a command could not be recorded");
            }
            gate.close().await;
        });
    }
}

/// Carries the command out. Dropping the future ends it, and denies what it waits for.
pub(super) async fn carry_out(order: Order) -> Result<Value, NodeFailure> {
    let Order { run, loaded, notes, id, teller } = order;
    let caller = caller(&run, &loaded)?;
    let run_id = run.run_id().unwrap_or(&id).to_owned();
    let notes = Notes::new(notes, run_id, caller.session.clone(), run.line());
    let over = |outcome: String| {
        teller.tell(&Said::Over { command: notes.command().to_owned(), outcome });
    };
    if run.needs_screen() {
        notes.denied("permission:screenRecording");
        over("refused: this node sees no screen".to_owned());
        return Err(NodeFailure::new("PERMISSION_MISSING", "this node cannot record the screen"));
    }
    if let Some(issue) = loaded.issues.first() {
        notes.denied("invalid-config");
        return Err(NodeFailure::unavailable(format!("the configuration of this node is invalid: {issue}")));
    }
    let mut door = door(&run, &loaded, caller, &notes, &teller)?;
    let answer = door.gate.call(&door.call).await;
    door.answered = true;
    match answer {
        Ok(answer) => {
            let (exit, timed_out, output) = outcome(&answer);
            notes.finished(exit, timed_out, &output);
            over(exit.map_or_else(|| "did not start".to_owned(), |code| format!("exit code {code}")));
            Ok(result(exit, timed_out, &output))
        }
        Err(GateError::Refused(refused)) => {
            let (code, reason) = words(&refused);
            notes.denied(&reason);
            over(format!("refused: {}", oc_text::visible(refused.sentence(), 300)));
            Err(NodeFailure::new(code, refused.sentence()))
        }
        Err(error @ (GateError::NotRecorded(_) | GateError::Place(_))) => {
            notes.denied("companion-unavailable");
            over(format!("failed: {error}"));
            Err(NodeFailure::unavailable(error))
        }
    }
}

/// For whom it runs. The gateway's words about agent and session only choose between this machine's own rules.
fn caller(run: &SystemRun, loaded: &Loaded) -> Result<Caller, NodeFailure> {
    let named = run.agent().map(AgentId::strict).transpose().map_err(NodeFailure::invalid)?;
    let key = run.session().map(SessionKey::parse).transpose().map_err(NodeFailure::invalid)?;
    let of_key = key.as_ref().and_then(|k| k.agent().cloned());
    let agent = named.or(of_key).unwrap_or_else(|| default_agent(&loaded.tree));
    let session = match &key {
        Some(key) => key.as_str().to_owned(),
        None => format!("agent:{agent}:main"),
    };
    let mut caller = Caller::of_session(Surface::Node, agent, session);
    // Nobody at a channel of this machine speaks: nothing elevates.
    caller.turn = Turn::Background;
    Ok(caller)
}

fn door(
    run: &SystemRun,
    loaded: &Loaded,
    mut caller: Caller,
    notes: &Notes,
    teller: &Arc<dyn Teller>,
) -> Result<Door, NodeFailure> {
    let snapshot = snapshot::for_gate(loaded, &[]);
    let machine: Arc<dyn Executors> = Arc::new(places::machine(loaded));
    let id = oc_fs::random::token_hex(16).map_err(NodeFailure::unavailable)?.expose().to_owned();
    let mut call = ToolCall {
        id,
        tool: "exec".to_owned(),
        arguments: arguments(run),
        caller: caller.clone(),
        behind: std::sync::Arc::default(),
    };
    // On this host it is judged as a command of this host. A session that this machine sandboxes stays in its sandbox, and a person
    // is asked all the same: a command from elsewhere never runs unseen.
    match Gate::would(&snapshot, &call) {
        Ok(Runs::Sandboxed) => caller.exec.overrides.ask = Some(Ask::Always),
        // What is refused is refused by the gate, with its record.
        Ok(Runs::OnHost) | Err(_) => caller.exec.overrides.host = Some(HostWord::Gateway),
    }
    call.caller = caller;
    let state_dir = &loaded.locations.state_dir;
    let approvals = Approvals::of(state_dir).map_err(NodeFailure::unavailable)?;
    let gate = Gate::new(
        snapshot,
        Ledger::of(state_dir),
        Arc::new(Watched { inner: machine, notes: notes.clone() }),
    )
    .asking(approvals.told_to(Arc::new(Here(Arc::clone(teller)))))
    .with_environment(places::environment(loaded))
    .for_one_call();
    Ok(Door { gate: Arc::new(gate), call, answered: false })
}

fn arguments(run: &SystemRun) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("command".to_owned(), run.line().into());
    if let Some(cwd) = run.cwd() {
        out.insert("workdir".to_owned(), cwd.into());
    }
    if !run.env().is_empty() {
        out.insert("env".to_owned(), json!(run.env()));
    }
    if let Some(ms) = run.timeout_ms() {
        out.insert("timeout".to_owned(), ms.div_ceil(1000).into());
    }
    out
}

/// Exit code, whether its time was over, and what it wrote.
fn outcome(answer: &Answer) -> (Option<i64>, bool, String) {
    let details = &answer.result.details;
    let remark = details.get("remark").and_then(Value::as_str).unwrap_or_default();
    let mut text = String::new();
    for piece in &answer.result.content {
        if let Content::Text { text: piece } = piece {
            text.push_str(piece);
        }
    }
    let output = text.strip_suffix(remark).unwrap_or(&text);
    let exit = details.get("exitCode").and_then(Value::as_i64);
    (exit, details.get("timedOut").and_then(Value::as_bool) == Some(true), output.to_owned())
}

/// The answer. Both streams come as one, in the order they were written.
fn result(exit: Option<i64>, timed_out: bool, output: &str) -> Value {
    let capped: String = output.chars().take(OUTPUT).collect();
    let success = exit == Some(0) && !timed_out;
    // What never started says why in its text.
    let (stdout, error) = match exit {
        Some(_) if timed_out => (capped, Some("it took too long and was ended".to_owned())),
        Some(_) => (capped, None),
        None => (String::new(), Some(capped)),
    };
    json!({
        "exitCode": exit,
        "timedOut": timed_out,
        "success": success,
        "stdout": stdout,
        "stderr": "",
        "error": error,
    })
}

/// The words of the protocol for a refusal: the failure's, and the event's.
fn words(refused: &Refused) -> (&'static str, String) {
    let rule = refused.explanation().decided_by.rule.as_str();
    match (refused.stage(), rule) {
        (Stage::Approval, "security-deny") => ("SYSTEM_RUN_DISABLED", "security=deny".to_owned()),
        (Stage::Arguments, _) => ("INVALID_REQUEST", rule.to_owned()),
        _ => ("SYSTEM_RUN_DENIED", rule.to_owned()),
    }
}
