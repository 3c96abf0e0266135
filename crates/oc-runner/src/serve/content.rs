//! The bytes of one file operation: those that come in, and the window for those that go out.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::output::{Output, lock};
use crate::protocol::frame::Frame;
use crate::protocol::{CHUNK, Kind, OUTPUT_WINDOW, Reply, Request};
use crate::refusal::Refusal;

/// More input that may be under way for a file than for a command.
const MORE_INPUT: u64 = 1024 * 1024;

/// The bytes of one operation.
#[derive(Debug)]
pub struct Content {
    call: u32,
    output: Arc<Output>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    input: VecDeque<Vec<u8>>,
    ended: bool,
    cancelled: bool,
    window: u64,
}

impl Content {
    /// For one call.
    pub fn new(call: u32, output: Arc<Output>) -> Self {
        let state = State { input: VecDeque::new(), ended: false, cancelled: false, window: OUTPUT_WINDOW };
        Self { call, output, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Takes a frame of the call.
    pub fn take(&self, frame: Frame) {
        let mut state = lock(&self.state);
        match frame.kind {
            Kind::Input => state.input.push_back(frame.body),
            Kind::Request => match frame.parse() {
                Ok(Request::EndInput) => state.ended = true,
                Ok(Request::Kill) => state.cancelled = true,
                Ok(Request::Window { bytes }) => state.window = state.window.saturating_add(bytes),
                _ => {}
            },
            Kind::Reply | Kind::Output | Kind::Error => {}
        }
        self.changed.notify_all();
    }

    /// Ends the operation at its next step.
    pub fn cancel(&self) {
        lock(&self.state).cancelled = true;
        self.changed.notify_all();
    }

    /// Lets the executor send more than a command would take.
    pub fn ask(&self) {
        self.output.reply(self.call, Reply::Window { bytes: MORE_INPUT });
    }

    /// The next bytes to write; `None` at their end.
    ///
    /// # Errors
    /// When the operation was cancelled.
    pub fn next(&self) -> Result<Option<Vec<u8>>, Refusal> {
        let mut state = lock(&self.state);
        loop {
            if state.cancelled {
                return Err(cancelled());
            }
            if let Some(bytes) = state.input.pop_front() {
                drop(state);
                self.output.reply(self.call, Reply::Window { bytes: bytes.len() as u64 });
                return Ok(Some(bytes));
            }
            if state.ended {
                return Ok(None);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Sends bytes that were read, as the window allows.
    ///
    /// # Errors
    /// When the operation was cancelled.
    pub fn send(&self, bytes: &[u8]) -> Result<(), Refusal> {
        for piece in bytes.chunks(CHUNK) {
            let mut state = lock(&self.state);
            while state.window < piece.len() as u64 && !state.cancelled {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.cancelled {
                return Err(cancelled());
            }
            state.window -= piece.len() as u64;
            drop(state);
            self.output.data(Kind::Output, self.call, piece);
        }
        Ok(())
    }
}

fn cancelled() -> Refusal {
    Refusal::new("failed", "the operation was cancelled")
}
