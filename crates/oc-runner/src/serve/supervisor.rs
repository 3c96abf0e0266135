//! A supervisor as the server sees it: its pipes, and writing to it without waiting for ever.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::Pid;

use crate::reexec;
use crate::refusal::Refusal;

/// A supervisor that does not take its frames for so long was stopped by somebody.
const PATIENCE: Duration = Duration::from_secs(2);

/// A started supervisor.
#[derive(Debug)]
pub struct Supervisor {
    /// Its process, a child of this one.
    pub pid: Pid,
    control: OwnedFd,
    /// What it says, until somebody takes it.
    pub from: Option<File>,
}

impl Supervisor {
    /// Starts one. It waits for its request.
    ///
    /// # Errors
    /// What the system says.
    pub fn start() -> Result<Self, Refusal> {
        let failed = |e: std::io::Error| Refusal::system("cannot start a supervisor", &e, "spawn-failed");
        let mut command = reexec::command("leader");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.current_dir("/").spawn().map_err(failed)?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let (Some(pid), Some(control), Some(from)) = (pid, child.stdin.take(), child.stdout.take()) else {
            return Err(Refusal::new("spawn-failed", "a supervisor without pipes"));
        };
        let control = OwnedFd::from(control);
        rustix::fs::fcntl_setfl(&control, OFlags::WRONLY | OFlags::NONBLOCK).map_err(|e| failed(e.into()))?;
        Ok(Self { pid, control, from: Some(File::from(OwnedFd::from(from))) })
    }

    /// Sends whole frames; whether they were taken in time.
    pub fn send(&self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        let limit = Instant::now().checked_add(PATIENCE);
        while !rest.is_empty() {
            match rustix::io::write(&self.control, rest) {
                Ok(n) => rest = rest.get(n..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    if limit.is_none_or(|l| l <= Instant::now()) {
                        return false;
                    }
                    let step = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
                    let _ =
                        rustix::event::poll(&mut [PollFd::new(&self.control, PollFlags::OUT)], Some(&step));
                }
                // It is gone; its end is reported where its output ends.
                Err(_) => return true,
            }
        }
        true
    }
}
