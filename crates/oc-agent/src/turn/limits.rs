//! When a turn ends by itself.

use std::time::Duration;

use oc_policy::tool_name::canonical;
use oc_types::Node;

use crate::message::{Arguments, ToolCall};

/// Seconds of a run when nothing is configured (`agents.defaults.timeoutSeconds`).
pub const TIMEOUT: Duration = Duration::from_secs(600);
/// How often the model is asked in one turn.
pub const ITERATIONS: u32 = 50;
/// How often in a row the same call is made.
pub const IDENTICAL: u32 = 5;
/// Calls of one answer that are carried out.
pub const CALLS_OF_AN_ANSWER: usize = 32;
/// How often a conversation is shortened in one turn.
pub const COMPACTIONS: u32 = 3;

/// The limits of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of the whole turn.
    pub timeout: Duration,
    /// Requests to the model.
    pub iterations: u32,
    /// The same call in a row.
    pub identical: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { timeout: TIMEOUT, iterations: ITERATIONS, identical: IDENTICAL }
    }
}

impl Limits {
    /// With the configured time.
    #[must_use]
    pub fn from_config(config: &Node) -> Self {
        let seconds = config.path(&["agents", "defaults", "timeoutSeconds"]).and_then(crate::number::whole);
        let timeout = seconds.filter(|s| *s > 0).map_or(TIMEOUT, Duration::from_secs);
        Self { timeout, ..Self::default() }
    }
}

/// Counts calls that repeat the one before.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    last: Option<(String, Arguments)>,
    count: u32,
}

impl Repeats {
    /// How often in a row this call has been made now, this time included.
    pub(super) fn count(&mut self, call: &ToolCall) -> u32 {
        let this = (canonical(&call.name).into_owned(), call.arguments.clone());
        if self.last.as_ref() == Some(&this) {
            self.count = self.count.saturating_add(1);
        } else {
            self.last = Some(this);
            self.count = 1;
        }
        self.count
    }
}
