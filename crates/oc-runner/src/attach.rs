//! The terminal helper: makes its standard output the controlling terminal of a new session and becomes the command there.
//!
//! Standard input brings the request, standard output is the terminal, standard error takes a refusal. All three are gone, or are
//! the terminal, once the command runs.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;

use rustix::process::{Pid, WaitOptions, WaitStatus};

use crate::line::{Ends, Group, Line};
use crate::protocol::RunRequest;
use crate::refusal::Refusal;

/// Runs a request on the terminal that is standard output.
pub fn main() -> ExitCode {
    // A start that fails has put the terminal in the place of standard error already.
    let report = std::io::stderr().as_fd().try_clone_to_owned();
    match run() {
        Ok(code) => ExitCode::from(code),
        Err(refusal) => {
            let reply = serde_json::to_vec(&refusal.reply()).unwrap_or_default();
            // Without it the exit code is all that is known.
            let _ = report.and_then(|r| File::from(r).write_all(&reply));
            ExitCode::from(126)
        }
    }
}

fn run() -> Result<u8, Refusal> {
    let failed = |e: std::io::Error| Refusal::system("terminal", &e, "spawn-failed");
    let mut text = Vec::new();
    std::io::stdin().lock().read_to_end(&mut text).map_err(failed)?;
    let request: RunRequest =
        serde_json::from_slice(&text).map_err(|e| Refusal::new("protocol", e.to_string()))?;
    rustix::process::setsid().map_err(|e| failed(e.into()))?;
    let terminal = std::io::stdout().as_fd().try_clone_to_owned().map_err(failed)?;
    rustix::process::ioctl_tiocsctty(&terminal).map_err(|e| failed(e.into()))?;
    let ends = || -> Result<Ends, Refusal> {
        let copy = |fd: &OwnedFd| fd.try_clone().map_err(failed);
        Ok(Ends { input: copy(&terminal)?, out: copy(&terminal)?, err: copy(&terminal)? })
    };
    let mut line = Line::check(&request)?;
    if let Some(process) = line.only() {
        return Err(line.become_process(process, ends()?));
    }
    let mut status = None;
    while let Some(step) = line.next_step(status) {
        let mut pids = Vec::new();
        line.start(&step, ends()?, Group::Same, &mut pids)?;
        status = Some(wait_for(pids));
    }
    Ok(u8::try_from(status.unwrap_or(0)).unwrap_or(255))
}

fn wait_for(pids: Vec<Pid>) -> i32 {
    let mut code = 0;
    for pid in pids {
        if let Ok(Some((_, status))) = rustix::process::waitpid(Some(pid), WaitOptions::empty()) {
            code = exit_code(status);
        }
    }
    code
}

/// What a shell would call the end of a process: its code, or 128 and the signal.
pub fn exit_code(status: WaitStatus) -> i32 {
    let signal = || status.terminating_signal().map_or(255, |s| s.saturating_add(128));
    status.exit_status().unwrap_or_else(signal)
}
