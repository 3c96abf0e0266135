//! The line that runs: which pipeline, its processes, its status.

use std::os::fd::{AsFd, OwnedFd};

use rustix::event::PollFlags;
use rustix::process::{Pid, PidfdFlags, WaitStatus};

use super::Interest;
use crate::attach::exit_code;
use crate::line::{Ends, Group, Line};
use crate::refusal::Refusal;
use crate::tree::{self, Reaped};

/// A line under way.
#[derive(Debug, Default)]
pub struct Job {
    line: Option<Line>,
    ends: Option<Ends>,
    running: Vec<Running>,
    last: Option<Pid>,
    status: Option<i32>,
}

#[derive(Debug)]
struct Running {
    pid: Pid,
    handle: Option<OwnedFd>,
}

impl Job {
    /// A line whose pipelines start with copies of `ends`.
    pub fn of_line(line: Line, ends: Ends) -> Self {
        Self { line: Some(line), ends: Some(ends), ..Self::default() }
    }

    /// One process that was started already.
    pub fn of_process(pid: Pid) -> Self {
        let mut job = Self::default();
        job.follow(vec![pid]);
        job
    }

    fn follow(&mut self, pids: Vec<Pid>) {
        self.last = pids.last().copied();
        let open = |pid| rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok();
        self.running = pids.into_iter().map(|pid| Running { pid, handle: open(pid) }).collect();
    }

    /// Starts the next pipeline when none runs; `None` when the line is at its end.
    pub fn start_next(&mut self) -> Result<Option<Pid>, Refusal> {
        let Some(line) = &mut self.line else { return Ok(None) };
        let Some(step) = line.next_step(self.status) else {
            self.ends = None;
            return Ok(None);
        };
        let Some(ends) = &self.ends else { return Ok(None) };
        let copy = |fd: &OwnedFd| fd.try_clone().map_err(|e| Refusal::system("pipe", &e, "spawn-failed"));
        let ends = Ends { input: copy(&ends.input)?, out: copy(&ends.out)?, err: copy(&ends.err)? };
        let mut pids = Vec::new();
        line.start(&step, ends, Group::Own, &mut pids)?;
        let first = pids.first().copied();
        self.follow(pids);
        Ok(first)
    }

    /// Whether a pipeline runs.
    pub fn is_running(&self) -> bool {
        !self.running.is_empty()
    }

    /// Whether the end of a process can only be found by looking.
    pub fn is_blind(&self) -> bool {
        self.running.iter().any(|r| r.handle.is_none())
    }

    /// Takes the end of a process into account.
    pub fn ended(&mut self, pid: Pid, status: WaitStatus) {
        self.running.retain(|r| r.pid != pid);
        if self.last == Some(pid) {
            self.status = Some(exit_code(status));
        }
    }

    /// Reaps what has ended.
    pub fn reap(&mut self) {
        while let Reaped::Child(pid, status) = tree::reap() {
            self.ended(pid, status);
        }
    }

    /// Exit code of the last pipeline that ran.
    pub fn code(&self) -> i32 {
        self.status.unwrap_or(0)
    }

    /// What to wait for.
    pub fn interests<'a>(&'a self, fds: &mut Vec<Interest<'a>>) {
        fds.extend(self.running.iter().filter_map(|r| Some((r.handle.as_ref()?.as_fd(), PollFlags::IN))));
    }
}
