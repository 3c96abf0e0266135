//! Handlers of the gate that the gateway itself carries out.
//!
//! * [`ReadTool`]: `agents_list`, `sessions_list`, `sessions_history`, `session_status` read and change nothing.
//! * [`memory`]: the notes of the workspace.
//! * [`message`]: texts to conversations of chat accounts.
//! * [`browser`]: pages in the browser of this host or of a node.
//! * [`sessions_send`], [`sessions_spawn`]: other sessions are written to, sub-agents started.
//!
//! Which sessions a session sees is decided before anything of another one is read, and one that is not visible looks like one that does
//! not exist (SP-420).

pub mod browser;
pub mod memory;
pub mod message;
mod read;
mod seen;
pub mod sessions_send;
pub mod sessions_spawn;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Weak};

use oc_policy::elevated::Turn;
use oc_sandbox::executor::{ExecutorError, Pending, Place as Where};
use oc_sandbox::gate::{CallSender, Caller, Forbidden, Handled, Outcome, ToolCall, ToolHandler, ToolResult};
use serde_json::{Map, Value};

use crate::methods::{Paths, Place};
use crate::server::state::Gateway;
pub use read::ReadTool;

/// Where the facts come from: asked anew for every call, so that a call sees the configuration in force.
#[derive(Clone)]
pub struct Facts(Arc<dyn Fn() -> Option<Place> + Send + Sync>);

impl Facts {
    /// Facts by a function; `None` when nobody is left to ask.
    pub fn by(ask: impl Fn() -> Option<Place> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    /// The facts of a gateway, while it is there.
    #[must_use]
    pub fn of(gateway: Weak<Gateway>) -> Self {
        Self::by(move || gateway.upgrade().map(|g| g.snapshot().place()))
    }

    /// The facts of now.
    fn place(&self) -> Option<Place> {
        (self.0)()
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Facts")
    }
}

/// The handlers over some facts.
#[must_use]
pub fn reading(facts: &Facts) -> Vec<Arc<dyn ToolHandler>> {
    let one = |tool| Arc::new(Reading { tool, facts: facts.clone() }) as Arc<dyn ToolHandler>;
    ReadTool::ALL.into_iter().map(one).collect()
}

/// The handlers that act, of a gateway, and those over its notes.
#[must_use]
pub fn acting(gateway: &Weak<Gateway>) -> Vec<Arc<dyn ToolHandler>> {
    let facts = Facts::of(gateway.clone());
    let notes = memory::Memory::both(&facts).map(|m| Arc::new(m) as Arc<dyn ToolHandler>);
    let acting: [Arc<dyn ToolHandler>; 3] = [
        Arc::new(message::Message::new(gateway.clone())),
        Arc::new(sessions_send::SessionsSend::new(gateway.clone())),
        Arc::new(sessions_spawn::SessionsSpawn::new(gateway.clone())),
    ];
    notes.into_iter().chain(acting).collect()
}

/// One of the reading tools.
#[derive(Debug)]
struct Reading {
    tool: ReadTool,
    facts: Facts,
}

impl ToolHandler for Reading {
    fn tool(&self) -> &str {
        self.tool.name()
    }

    fn acts(&self) -> bool {
        self.tool.shows_messages()
    }

    fn check(&self, call: &ToolCall) -> Result<(), String> {
        self.tool.check(&call.arguments)
    }

    fn run<'a>(&'a self, handled: Handled<'a>) -> Pending<'a, ToolResult> {
        Box::pin(async move {
            let gone =
                |cause: &str| ExecutorError::Unavailable { place: Where::Gateway, cause: cause.to_owned() };
            let place =
                self.facts.place().ok_or_else(|| gone("the gateway is stopping"))?.showing(Paths::Short);
            let read = if self.tool.reads_stores() {
                let (tool, call) = (self.tool, handled.call.clone());
                // Stores are files.
                let read = tokio::task::spawn_blocking(move || tool.read(&place, &call)).await;
                read.map_err(|_| gone("the answer was not finished"))?
            } else {
                self.tool.read(&place, handled.call)
            };
            Ok(match read {
                Ok(value) => ToolResult::text(Outcome::Done, pretty(&value)),
                Err(why) => ToolResult::text(Outcome::Failed, why),
            })
        })
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}

/// A text of the arguments; blank is absent.
fn text<'a>(arguments: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    arguments.get(name).and_then(Value::as_str).map(str::trim).filter(|t| !t.is_empty())
}

/// A turn that several people started acts for nobody in particular, so neither it nor what follows from it hands anything on to another session
/// (SP-426).
fn of_several(call: &ToolCall) -> Option<Forbidden> {
    let several = |c: &Caller| c.turn == Turn::Person && c.sender == CallSender::default();
    let found = several(&call.caller) || call.behind.iter().any(several);
    found.then(|| Forbidden {
        rule: "several-senders",
        key: None,
        why: "this turn is not of one known sender, so it starts nothing in other sessions; ask one of them to write alone"
            .to_owned(),
    })
}
