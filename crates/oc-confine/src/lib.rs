//! Takes everything away from a process before it becomes the first process of a native sandbox.
//!
//! Question it answers: *how does a command run on this machine without a container engine and still reach nothing but its workspace?*
//!
//! Our own binary is started again, single-threaded, and goes through two stages, both in safe Rust:
//!
//! 1. [`outer`]: reads the [`spec::Spec`], becomes the workspace owner's user, enters new user, mount, process, network, IPC, host-name
//!    and cgroup namespaces, and builds a root of its own: a read-only view of the system, the workspace, private scratch directories.
//! 2. [`inner`]: process 1 of the new process namespace. Mounts its own `/proc`, moves into the new root and drops the old one, sets
//!    limits, drops every capability, binds itself with Landlock and seccomp, and becomes the runner.
//!
//! Invariant: a step that fails ends the process with its cause on standard error; nothing is ever run with less (SP-239).
//! Invariant: no file handle but the three standard ones crosses, and no variable of the environment (SP-244).
//!
//! It decides nothing about who may use the sandbox or what is mounted: that comes in as a `Spec`.

#![cfg(target_os = "linux")]

pub mod capabilities;
pub mod file_rules;
pub mod inner;
pub mod limits;
pub mod offer;
pub mod outer;
pub mod spec;
pub mod step;
pub mod system_calls;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// First argument of the outer stage, after `__runner`.
pub const OUTER: &str = "native";
/// First argument of the inner stage.
pub const INNER: &str = "native-inside";
/// Exit code when the sandbox could not be set up; the cause is one line on standard error.
pub const NOT_SET_UP: u8 = 125;

/// Whether the arguments of the hidden runner command are for this crate.
#[must_use]
pub fn is_for_us(first: Option<&OsString>) -> bool {
    first.is_some_and(|f| f == OUTER || f == INNER)
}

/// The entry of both stages. The process must be single-threaded.
#[must_use]
pub fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let done = match arguments.next() {
        Some(a) if a == OUTER => outer::run(),
        Some(a) if a == INNER => inner::run(),
        _ => return ExitCode::from(2),
    };
    match done {
        Ok(code) => code,
        Err(e) => {
            let _ = writeln!(std::io::stderr(), "{e}");
            ExitCode::from(NOT_SET_UP)
        }
    }
}
