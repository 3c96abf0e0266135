//! The resident runner: the one program that starts commands and touches files for a tool call, wherever it runs.
//!
//! The same code serves as first process of a container, as first process of a native sandbox, and as child process on the host.
//! It speaks a framed protocol over its standard input and output ([`protocol`]), so a warm command costs a fork and an exec, its
//! streams stay apart, a timeout ends the whole process tree, and output is capped at the source.
//!
//! * `serve`: routes frames; one supervisor process for each command, one thread for each file operation.
//! * `leader`: the supervisor: child subreaper of one command's tree, so that it can end all of that tree and nothing else (SP-250).
//! * `attach`: becomes a command on a terminal.
//!
//! It decides nothing: who may ask it is settled before (the gate in `oc-sandbox`), and where it may reach is settled by what was set
//! up around it.
//!
//! Invariant: a command has exactly the environment it was given, and no shell that was not asked for (SP-145, SP-244).
//! Invariant: when the executor goes away, everything that it started ends.
//! Invariant: no call can hold up another one or the end of its own.

pub mod protocol;
mod this_file;

#[cfg(target_os = "linux")]
mod attach;
#[cfg(target_os = "linux")]
mod executable;
#[cfg(target_os = "linux")]
mod leader;
#[cfg(target_os = "linux")]
mod line;
#[cfg(target_os = "linux")]
mod reexec;
#[cfg(target_os = "linux")]
mod refusal;
#[cfg(target_os = "linux")]
mod serve;
#[cfg(target_os = "linux")]
mod tree;

use std::ffi::OsString;
use std::process::ExitCode;

pub use this_file::this_file;

/// The first argument under which a larger program (`openclaw`) holds the runner.
pub const HIDDEN: &str = "__runner";

/// Whether commands can be run on this system: it needs what only Linux has, child subreapers and process handles.
pub const RUNS_HERE: bool = cfg!(target_os = "linux");

/// The runner's entry: `serve [--root DIR]...`, and the helpers that it starts of itself. Also the hidden `openclaw __runner`.
#[must_use]
#[cfg(target_os = "linux")]
pub fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    match arguments.next().as_ref().and_then(|a| a.to_str()) {
        Some("serve") => {
            let mut roots = Vec::new();
            while let Some(flag) = arguments.next() {
                match (flag.to_str(), arguments.next()) {
                    (Some("--root"), Some(root)) => roots.push(root.into()),
                    _ => return ExitCode::from(2),
                }
            }
            serve::main(roots)
        }
        Some("leader") => leader::main(),
        Some("attach") => attach::main(),
        _ => ExitCode::from(2),
    }
}

/// The runner's entry on other systems ([`RUNS_HERE`]): it refuses.
#[must_use]
#[cfg(not(target_os = "linux"))]
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let _ = arguments.count();
    ExitCode::from(2)
}
