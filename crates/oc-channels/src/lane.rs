//! Queues of sessions: one turn at a time in each, what waits, and what becomes of it (agent-runtime 6).
//!
//! The [`queue`] is a state machine with the time as an argument; [`Lanes`] runs it.

use crate::session_settings::QueueMode;

pub mod queue;
mod runner;
#[cfg(test)]
mod tests;

pub use queue::{Item, Lane, Next, Pushed};
pub use runner::{Cleared, Lanes, Work};

/// What happens when a queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DropRule {
    /// The oldest goes; one line of it stays as context.
    Summarize,
    /// The oldest goes.
    Old,
    /// The new one is not taken.
    New,
}

/// How a session's messages queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneSettings {
    /// What a message does while a turn runs.
    pub mode: QueueMode,
    /// How long it has to be quiet before what waited is answered, milliseconds.
    pub debounce_ms: i64,
    /// How long a plain text waits for more of the same sender, milliseconds; 0: not at all.
    pub inbound_ms: i64,
    /// Most messages that wait.
    pub cap: usize,
    /// What happens beyond it.
    pub overflow: DropRule,
}
