//! What is told while a turn runs. Who may see thinking and tools (`/reasoning`, `/verbose`) is decided by the one who listens.

use std::fmt;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// What was said is in the transcript: the message is acknowledged.
    Started,
    /// A piece of text of an answer. Held back while it could still become a silent reply.
    Text(String),
    /// A piece of thinking.
    Thinking(String),
    /// The pieces of this answer that were told so far are void.
    Restart,
    /// The whole text of an answer after which tools run.
    Said(String),
    /// A tool is called.
    Calling {
        /// Id of the call in the ledger.
        call: String,
        /// The tool, canonical.
        tool: String,
    },
    /// The call is over.
    Called {
        /// Id of the call in the ledger.
        call: String,
        /// The tool, canonical.
        tool: String,
        /// Whether its result is an error or a refusal.
        is_error: bool,
    },
    /// The conversation is shortened.
    Shortening,
}

/// Who is told. Called on the reactor: must not block.
pub trait Sink: fmt::Debug + Send + Sync {
    /// Takes an event.
    fn event(&self, event: Event);
}

/// Nobody is told.
#[derive(Clone, Copy, Debug)]
pub struct NoSink;

impl Sink for NoSink {
    fn event(&self, _: Event) {}
}
