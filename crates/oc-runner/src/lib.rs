//! The resident runner: the one program that starts commands and touches files for a tool call, wherever it runs.
//!
//! The same code serves as first process of a container, as first process of a native sandbox, and as child process on the host.
//! It speaks a framed protocol over its standard input and output ([`protocol`]), so a warm command costs a fork and an exec, its
//! streams stay apart, a timeout ends the whole process tree, and output is capped at the source.
//!
//! It decides nothing: who may ask it is settled before (the gate in `oc-sandbox`), and where it may reach is settled by what was set
//! up around it.

pub mod protocol;

use std::ffi::OsString;
use std::process::ExitCode;

/// The runner's entry: `serve`, and the helpers that it starts of itself. Also the hidden `openclaw __runner`.
#[must_use]
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let _ = arguments.count();
    ExitCode::from(2)
}
