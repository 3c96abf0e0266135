//! Tools that other crates carry out: the gate decides, records, redacts and records again around them, as around its own.
//!
//! A handler never decides who may call it. It gets an [`AuthorizedCall`], which only the gate can make.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use oc_policy::sandbox::SandboxPlan;
use oc_policy::tool_name::canonical;
use oc_types::KeyPath;

use super::answer::ToolResult;
use super::authorized::AuthorizedCall;
use super::call::{Caller, ToolCall};
use super::refused::{Refused, Stage};
use super::snapshot::Snapshot;
use crate::executor::{Pending, Place};
use crate::tools::CoreTool;

/// An allowed call, with what a handler may look at.
#[derive(Clone, Copy, Debug)]
pub struct Handled<'a> {
    /// The proof that it was decided.
    pub authorized: &'a AuthorizedCall,
    /// The call: arguments are untrusted, the caller is the run's own.
    pub call: &'a ToolCall,
    /// The configuration it was decided under.
    pub snapshot: &'a Snapshot,
    /// The session's sandbox; `None` when its tools act on the host.
    pub sandbox: Option<&'a SandboxPlan>,
}

/// What a person is asked about a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The tool and its arguments, as they are shown; an answer binds exactly this.
    pub text: String,
    /// What carries it out, in words.
    pub of: String,
    /// The key that wants it asked, for the ledger.
    pub key_path: Option<String>,
}

/// A rule of the tool itself that refuses a call: where a message may go, which session is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forbidden {
    /// The stable word of the rule.
    pub rule: &'static str,
    /// The key that decides, when one does.
    pub key: Option<KeyPath>,
    /// One sentence for the caller.
    pub why: String,
}

impl Forbidden {
    pub(super) fn refused(self, snapshot: &Snapshot, tool: &str) -> Refused {
        let Self { rule, key, why } = self;
        match key {
            Some(key) => Refused::by_key(Stage::Policy, tool, rule, snapshot.config(), key, why),
            None => Refused::built_in(Stage::Policy, tool, rule, why),
        }
    }
}

/// The answer of [`ToolHandler::forbids`].
pub type Judging<'a> = Pin<Box<dyn Future<Output = Option<Forbidden>> + Send + 'a>>;

/// What carries one tool out.
pub trait ToolHandler: fmt::Debug + Send + Sync {
    /// The tool's canonical name; a name of the gate's own tools is never handed out.
    fn tool(&self) -> &str;

    /// Where it acts; the gateway itself unless it says otherwise.
    fn place(&self) -> Place {
        Place::Gateway
    }

    /// Where this call acts, for a tool that acts in more than one place: what the record says and what the call is allowed for. It has to
    /// follow from the arguments alone.
    fn place_of(&self, call: &ToolCall) -> Place {
        let _ = call;
        self.place()
    }

    /// Whether a call changes anything, or shows what somebody wrote. Only `false` lets its records be on the disk a moment later than its
    /// answer (see the invariant of [`super`]).
    fn acts(&self) -> bool {
        true
    }

    /// Whether the arguments can be used at all, asked before anything is decided or recorded as allowed.
    ///
    /// # Errors
    /// A sentence that names the argument; it is shown to the model.
    fn check(&self, call: &ToolCall) -> Result<(), String>;

    /// A rule of its own that refuses the call, asked after the tool policy and before anything is recorded as allowed. A refusal is recorded
    /// as every other one.
    fn forbids<'a>(
        &'a self,
        call: &'a ToolCall,
        snapshot: &'a Snapshot,
        sandbox: Option<&'a SandboxPlan>,
    ) -> Judging<'a> {
        let _ = (call, snapshot, sandbox);
        Box::pin(std::future::ready(None))
    }

    /// A rule of its own that keeps somebody behind the call (one of `call.behind`) from it. Without words of its own the tool is asked whether
    /// they might make the same call themselves.
    fn forbids_behind<'a>(
        &'a self,
        call: &'a ToolCall,
        who: &'a Caller,
        snapshot: &'a Snapshot,
        sandbox: Option<&'a SandboxPlan>,
    ) -> Judging<'a> {
        let theirs = call.by(who);
        Box::pin(async move { self.forbids(&theirs, snapshot, sandbox).await })
    }

    /// What a person is asked before it acts; `None` asks nobody.
    fn asks(&self, call: &ToolCall) -> Option<Question> {
        let _ = call;
        None
    }

    /// The configuration changed: what runs on beyond a call and may not any more ends. Must not block.
    fn reloaded(&self, snapshot: &Snapshot) {
        let _ = snapshot;
    }

    /// Acts. Output is redacted by the gate; a failure of the tool itself is a result with [`super::Outcome::Failed`].
    fn run<'a>(&'a self, handled: Handled<'a>) -> Pending<'a, ToolResult>;
}

/// The handlers of a gate, by canonical name.
#[derive(Clone, Debug, Default)]
pub struct Handlers(Arc<BTreeMap<String, Arc<dyn ToolHandler>>>);

impl Handlers {
    /// These handlers. The first one of a name keeps it, and the gate's own tools are not among them.
    pub fn new(handlers: impl IntoIterator<Item = Arc<dyn ToolHandler>>) -> Self {
        let mut by_name = BTreeMap::new();
        for handler in handlers {
            let name = canonical(handler.tool()).into_owned();
            if CoreTool::of(&name).is_none() {
                by_name.entry(name).or_insert(handler);
            }
        }
        Self(Arc::new(by_name))
    }

    /// The handler of a canonical name.
    pub(super) fn get(&self, name: &str) -> Option<&Arc<dyn ToolHandler>> {
        self.0.get(name)
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &dyn ToolHandler> {
        self.0.values().map(AsRef::as_ref)
    }

    /// The canonical names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
