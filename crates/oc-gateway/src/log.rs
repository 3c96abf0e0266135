//! The gateway's own log: the file and the console, masked at every sink (logging-redaction, SP-014).
//!
//! Everything is written with the macros of `tracing`; [`Logger`] is the subscriber. An event's target is its subsystem (`gateway/ws`),
//! its message the text, its fields the rest. Fields carry what peers send: each is masked, made visible and cut (SP-349).
//!
//! * [`settings`]: levels, places and styles from the configuration.
//! * [`record`]: one event as upstream's log file has it.
//! * [`console`]: the same for people.
//! * [`wire`]: what is said about the traffic, and what never is.
//! * [`tail()`]: the reader behind `logs.tail`.
//! * [`retention`]: what is kept of sessions.
//!
//! Invariant: a write that fails stops nothing.
//! Invariant: no sink takes a text that was not masked.

pub mod console;
mod event;
pub mod logger;
pub mod record;
pub mod retention;
pub mod settings;
mod tail;
#[cfg(test)]
mod tests;
pub mod wire;

use oc_text::Redactor;
use oc_types::Node;

pub use logger::{AlreadySet, LogHandle, Logger, init};
pub use settings::{Level, LoggingSettings};
pub use tail::tail;

/// What masks credentials under this configuration: `logging.redactPatterns`, else the built-in patterns.
#[must_use]
pub fn redactor(config: &Node) -> Redactor {
    let patterns = config.path(&["logging", "redactPatterns"]).and_then(Node::entries).unwrap_or_default();
    Redactor::custom(&patterns).0
}

/// A moment as the log writes it: `2026-01-01T00:00:00.000Z`. The last one that can be written for a moment beyond.
#[must_use]
pub fn iso(ms: u64) -> String {
    let moment = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    format!("{:.3}", moment.unwrap_or(jiff::Timestamp::MAX))
}
