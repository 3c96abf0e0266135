//! What waits to be sent to one client, with the rules for slow ones (gateway 3).

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::protocol::frame::{Close, MAX_BUFFERED};

#[cfg(test)]
mod tests;

/// How a connection ends from this side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The code.
    pub close: Close,
    /// The reason; cut to what fits a close frame.
    pub reason: String,
    /// Whether what is queued is sent first. An ending for the sake of safety does not wait.
    pub drain: bool,
}

impl Ending {
    /// An ending that waits for nothing.
    #[must_use]
    pub fn now(close: Close, reason: impl Into<String>) -> Self {
        Self { close, reason: reason.into(), drain: false }
    }

    /// An ending after everything queued was sent.
    #[must_use]
    pub fn after(close: Close, reason: impl Into<String>) -> Self {
        Self { close, reason: reason.into(), drain: true }
    }
}

/// What becomes of a frame when the client reads too slowly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The connection ends: the client would miss something that it relies on.
    Needed,
    /// It is left out.
    DropIfSlow,
}

/// The queue. Bounded by bytes ([`MAX_BUFFERED`]).
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: VecDeque<Utf8Bytes>,
    bytes: usize,
    ending: Option<Ending>,
}

/// What the connection does next.
#[derive(Debug)]
pub enum Next {
    /// Send this.
    Frame(Utf8Bytes),
    /// Close.
    End(Ending),
}

impl Outbox {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a frame. Nothing is queued after an ending.
    pub fn push(&self, frame: Utf8Bytes, weight: Weight) {
        let mut waiting = self.waiting();
        if waiting.ending.is_some() {
            return;
        }
        let bytes = waiting.bytes.saturating_add(frame.len());
        if bytes > MAX_BUFFERED {
            if weight == Weight::DropIfSlow {
                return;
            }
            waiting.frames.clear();
            waiting.bytes = 0;
            waiting.ending = Some(Ending::now(Close::Policy, "slow consumer"));
        } else {
            waiting.bytes = bytes;
            waiting.frames.push_back(frame);
        }
        drop(waiting);
        self.changed.notify_one();
    }

    /// Ends the connection. The first ending counts.
    pub fn end(&self, ending: Ending) {
        let mut waiting = self.waiting();
        if waiting.ending.is_some() {
            return;
        }
        if !ending.drain {
            waiting.frames.clear();
            waiting.bytes = 0;
        }
        waiting.ending = Some(ending);
        drop(waiting);
        self.changed.notify_one();
    }

    /// Whether an ending that waits for nothing is due: a send that hangs is then given up.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.waiting().ending.as_ref().is_some_and(|e| !e.drain)
    }

    /// Whether the connection is to end.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.waiting().ending.is_some()
    }

    /// What is next, when there is something.
    #[must_use]
    pub fn take(&self) -> Option<Next> {
        let mut waiting = self.waiting();
        if let Some(frame) = waiting.frames.pop_front() {
            waiting.bytes = waiting.bytes.saturating_sub(frame.len());
            return Some(Next::Frame(frame));
        }
        waiting.ending.clone().map(Next::End)
    }

    /// Waits for a change. Spurious returns are possible.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}
