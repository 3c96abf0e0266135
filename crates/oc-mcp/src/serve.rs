//! The guarded tools of one session for an MCP client: each listed, called and refused through the gate.
//!
//! Invariant: the list holds exactly what the policy allows the session and this program carries out; what it denies looks like what does not exist.
//! Invariant: who calls is decided by whoever started the server, never by the client (SP-109, SP-116).

pub(crate) mod answer;
mod schemas;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use oc_approval::life_cycle::Record;
use oc_policy::inventory::Tool;
use oc_policy::tool_name::canonical;
use oc_sandbox::gate::{Answer, Caller, Gate, GateError, Listener, Reached, Snapshot, ToolCall};
use oc_sandbox::tools::CoreTool;
use serde_json::{Map, Value as Json};
use tokio::task::spawn_blocking;

use crate::limits::NAME_BYTES;
use crate::names::is_tool_name;
use crate::offer::{Ask, Fault, GivenUp, Kinds, Offers, Reply, ToolOffer};

/// The configuration in force.
pub trait Policies: fmt::Debug + Send + Sync + 'static {
    /// A new reading, when it is another than the one with this digest. `servers`: tools of MCP servers that the policy is to know besides the
    /// installed plugins'. Blocks; it is asked off the reactor, before every list and call.
    ///
    /// # Errors
    /// Why it cannot be read, in words. Nothing is decided then.
    fn fresh(&self, digest: &str, servers: &[Tool]) -> Result<Option<Snapshot>, String>;
}

/// How many requests wait for a person, for progress messages. Put in front of another listener.
#[derive(Clone, Debug)]
pub struct Waiting {
    count: Arc<AtomicUsize>,
    next: Arc<dyn Listener>,
}

impl Waiting {
    /// In front of another listener.
    #[must_use]
    pub fn before(next: Arc<dyn Listener>) -> Self {
        Self { count: Arc::default(), next }
    }

    /// What a call that still goes on waits for. Codes of approvals are not in it: they are for people, not for models.
    #[must_use]
    pub fn sentence(&self) -> String {
        if self.count.load(Ordering::Relaxed) > 0 {
            "waiting for a person's approval (openclaw approvals list)".to_owned()
        } else {
            "still running".to_owned()
        }
    }
}

impl Listener for Waiting {
    fn requested(&self, record: &Record) -> Reached {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.next.requested(record)
    }

    fn resolved(&self, record: &Record) {
        let _ = self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        self.next.resolved(record);
    }

    fn finished(&self, finished: &oc_sandbox::gate::Finished) {
        self.next.finished(finished);
    }
}

/// The tools of one session.
#[derive(Debug)]
pub struct Served {
    gate: Arc<Gate>,
    caller: Caller,
    policies: Arc<dyn Policies>,
    waiting: Waiting,
    more: Vec<ToolOffer>,
}

impl Served {
    /// The tools of a caller; its surface is [`oc_sandbox::gate::Surface::Mcp`].
    #[must_use]
    pub fn new(gate: Arc<Gate>, caller: Caller, policies: Arc<dyn Policies>, waiting: Waiting) -> Self {
        Self { gate, caller, policies, waiting, more: Vec::new() }
    }

    /// With the descriptions of tools that other crates carry out. One that the gate has no handler for is not offered.
    #[must_use]
    pub fn with_tools(self, more: Vec<ToolOffer>) -> Self {
        Self { more, ..self }
    }

    /// The snapshot that a call which begins now is decided under (SP-177).
    async fn current(&self) -> Result<Arc<Snapshot>, Fault> {
        refreshed(&self.gate, &self.policies, Vec::new(), Force::No).await
    }

    fn tool_call(&self, tool: &str, arguments: Map<String, Json>) -> Result<ToolCall, Fault> {
        call_of(&self.caller, tool, arguments)
    }
}

/// Whether a snapshot is made although the configuration is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Force {
    /// The tools changed.
    Yes,
    /// Nothing else did.
    No,
}

/// Takes the configuration in force into a gate.
pub(crate) async fn refreshed(
    gate: &Gate,
    policies: &Arc<dyn Policies>,
    servers: Vec<Tool>,
    force: Force,
) -> Result<Arc<Snapshot>, Fault> {
    let policies = Arc::clone(policies);
    let digest = match force {
        Force::Yes => String::new(),
        Force::No => gate.snapshot().digest().to_owned(),
    };
    let fresh = spawn_blocking(move || policies.fresh(&digest, &servers)).await;
    match fresh {
        Ok(Ok(None)) => {}
        Ok(Ok(Some(snapshot))) => gate.reload(snapshot),
        // Paths and values of it are the operator's business, not the client's.
        Ok(Err(_)) | Err(_) => {
            return Err(Fault::Unavailable(
                "the configuration cannot be read, so nothing is decided".to_owned(),
            ));
        }
    }
    Ok(gate.snapshot())
}

/// What became of a call at the gate.
pub(crate) enum Through {
    /// The gate's answer.
    Done(Box<Result<Answer, GateError>>),
    /// The client gave it up; that is recorded.
    GivenUp(Reply),
}

/// One call through the gate, as long as somebody wants its answer.
pub(crate) async fn through(gate: &Gate, call: &ToolCall, given_up: GivenUp) -> Through {
    let done = tokio::select! {
        done = gate.call(call) => Some(done),
        () = given_up => None,
    };
    match done {
        Some(done) => Through::Done(Box::new(done)),
        None => {
            // Dropping the call has denied what it waited for and ended what it had started.
            let recorded = gate.aborted(call).await;
            let sentence = recorded.map_or_else(|e| e.to_string(), |()| "given up by the client".to_owned());
            Through::GivenUp(Reply::failure(sentence))
        }
    }
}

/// A call with an id of its own.
pub(crate) fn call_of(caller: &Caller, tool: &str, arguments: Map<String, Json>) -> Result<ToolCall, Fault> {
    let id = oc_fs::random::token_hex(16).map_err(|e| Fault::Unavailable(e.to_string()))?;
    Ok(ToolCall {
        id: id.expose().to_owned(),
        tool: tool.to_owned(),
        arguments,
        caller: caller.clone(),
        behind: std::sync::Arc::default(),
    })
}

impl Offers for Served {
    fn instructions(&self) -> Option<String> {
        let text = "These tools are guarded: a rule or a person can refuse a call, and a call that waits for a person takes minutes. \
                    A refusal says why; do not try to get around it.";
        Some(text.to_owned())
    }

    fn kinds(&self) -> Kinds {
        Kinds::default()
    }

    async fn tools(&self) -> Result<Vec<ToolOffer>, Fault> {
        let snapshot = self.current().await?;
        let built = self.gate.built();
        let all = CoreTool::ALL.into_iter().map(schemas::offer).chain(self.more.iter().cloned());
        let mut tools = Vec::new();
        for tool in all.filter(|t| built.iter().any(|name| *name == canonical(&t.name))) {
            let call = self.tool_call(&tool.name, Map::new())?;
            if Gate::would(&snapshot, &call).is_ok() {
                tools.push(tool);
            }
        }
        Ok(tools)
    }

    async fn call(
        &self,
        name: String,
        arguments: Map<String, Json>,
        given_up: GivenUp,
    ) -> Result<Reply, Fault> {
        let snapshot = self.current().await?;
        // What no tool can be called goes into the ledger cut and printable.
        let tool = if is_tool_name(&name) { name.clone() } else { oc_text::visible(&name, NAME_BYTES) };
        let call = self.tool_call(&tool, arguments)?;
        let bare = ToolCall { arguments: Map::new(), ..call.clone() };
        let canonical = canonical(&tool);
        let built = self.gate.built().iter().any(|name| *name == canonical);
        let there = built && Gate::would(&snapshot, &bare).is_ok();
        let done = match through(&self.gate, &call, given_up).await {
            Through::Done(done) => done,
            Through::GivenUp(reply) => return Ok(reply),
        };
        match *done {
            Ok(answer) => Ok(answer::reply(answer)),
            // The refusal is in the ledger; the client learns what it would learn of a name that nobody ever heard of.
            Err(GateError::Refused(_)) if !there => Err(Fault::NoSuchTool(oc_text::visible(&name, 100))),
            Err(error) => Ok(answer::refusal(&error)),
        }
    }

    async fn ask(&self, ask: Ask, _: Map<String, Json>, _: GivenUp) -> Result<Json, Fault> {
        Err(Fault::NotOffered(ask.method()))
    }

    fn waiting(&self) -> String {
        self.waiting.sentence()
    }
}
