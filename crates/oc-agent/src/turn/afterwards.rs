//! Commands that outlive their turn: what a person approves after the turn's time was up still runs, and its result comes into the same session.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use oc_sandbox::gate::{Answer, GateError, ToolCall};

/// A call that goes on by itself.
pub type Going = Pin<Box<dyn Future<Output = Result<Answer, GateError>> + Send>>;

/// Makes calls that do not end with their turn, and takes them over.
pub trait Afterwards: fmt::Debug + Send + Sync {
    /// Begins a call through the same gate. Dropped, it ends as every other call does.
    fn begin(&self, call: ToolCall) -> Going;

    /// Takes a call over whose turn is out of time. Its result has to be brought into the session.
    fn take_over(&self, call: ToolCall, going: Going);
}
