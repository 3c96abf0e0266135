//! Handlers of the gate over what the gateway knows: `agents_list`, `sessions_list`, `sessions_history`, `session_status`.
//!
//! They read and change nothing. Which sessions a session sees is decided before anything of another one is read, and one that is not
//! visible looks like one that does not exist (SP-420).

pub mod browser;
mod read;
mod seen;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use oc_sandbox::executor::{ExecutorError, Pending, Place as Where};
use oc_sandbox::gate::{Handled, Outcome, ToolCall, ToolHandler, ToolResult};

use crate::methods::{Paths, Place};
pub use read::ReadTool;

/// Where the facts come from: asked anew for every call, so that a call sees the configuration in force.
#[derive(Clone)]
pub struct Facts(Arc<dyn Fn() -> Option<Place> + Send + Sync>);

impl Facts {
    /// Facts by a function; `None` when nobody is left to ask.
    pub fn by(ask: impl Fn() -> Option<Place> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
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

    fn check(&self, call: &ToolCall) -> Result<(), String> {
        self.tool.check(&call.arguments)
    }

    fn run<'a>(&'a self, handled: Handled<'a>) -> Pending<'a, ToolResult> {
        Box::pin(async move {
            let gone =
                |cause: &str| ExecutorError::Unavailable { place: Where::Gateway, cause: cause.to_owned() };
            let place =
                (self.facts.0)().ok_or_else(|| gone("the gateway is stopping"))?.showing(Paths::Short);
            let (tool, call) = (self.tool, handled.call.clone());
            // Stores are files.
            let read = tokio::task::spawn_blocking(move || tool.read(&place, &call)).await;
            let read = read.map_err(|_| gone("the answer was not finished"))?;
            Ok(match read {
                Ok(value) => ToolResult::text(Outcome::Done, pretty(&value)),
                Err(why) => ToolResult::text(Outcome::Failed, why),
            })
        })
    }
}

fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}
