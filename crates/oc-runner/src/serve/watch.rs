//! The two threads that never wait for anybody: the reaper, and the watch over supervisors that should have ended.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, WaitOptions};

use super::output::lock;

/// How often a process without children looks for new ones.
const IDLE: Duration = Duration::from_millis(500);

/// Direct children that are supervisors. A number is in here as long as it is theirs for sure.
#[derive(Debug, Default)]
pub struct Supervisors {
    pids: Mutex<HashSet<Pid>>,
    born: Condvar,
}

impl Supervisors {
    /// Runs `start` and keeps the process that it returns; nobody looks at the children meanwhile.
    ///
    /// # Errors
    /// Those of `start`.
    pub fn adopt<T, E>(&self, start: impl FnOnce() -> Result<(Pid, T), E>) -> Result<T, E> {
        let mut pids = lock(&self.pids);
        let (pid, made) = start()?;
        pids.insert(pid);
        self.born.notify_all();
        Ok(made)
    }

    /// Ends a supervisor by force with everything below it, if it is still there.
    pub fn end(&self, pid: Pid) {
        let pids = lock(&self.pids);
        if pids.contains(&pid) {
            crate::tree::end_child(pid);
        }
    }

    /// Ends what supervisors left behind: every child that is none, with everything below it.
    pub fn end_orphans(&self) {
        let pids = lock(&self.pids);
        let spared = pids.clone();
        crate::tree::kill_below(rustix::process::getpid(), &spared);
    }

    /// Whether a supervisor is still there.
    pub fn has(&self, pid: Pid) -> bool {
        lock(&self.pids).contains(&pid)
    }

    /// Reaps children for ever.
    pub fn reap(&self) {
        loop {
            // First look, then forget the number, then let go of it: nobody signals a number that may be another's by then.
            match rustix::process::waitid(WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
                Ok(_) => self.bury(),
                Err(Errno::INTR) => {}
                Err(_) => {
                    let pids = lock(&self.pids);
                    let _ = self.born.wait_timeout(pids, IDLE);
                }
            }
        }
    }

    fn bury(&self) {
        let mut pids = lock(&self.pids);
        while let Ok(Some((pid, _))) = rustix::process::wait(WaitOptions::NOHANG) {
            pids.remove(&pid);
        }
    }
}

/// Supervisors that must have ended by a time.
#[derive(Debug, Default)]
pub struct Watch {
    due: Mutex<Vec<(Instant, u32, Pid)>>,
    changed: Condvar,
}

impl Watch {
    /// From `after` on, the call's supervisor is ended by force.
    pub fn add(&self, after: Duration, call: u32, pid: Pid) {
        let Some(at) = Instant::now().checked_add(after) else { return };
        lock(&self.due).push((at, call, pid));
        self.changed.notify_all();
    }

    /// A call that is over.
    pub fn drop_call(&self, call: u32) {
        lock(&self.due).retain(|(_, c, _)| *c != call);
    }

    /// Ends what is due, for ever.
    pub fn run(&self, supervisors: &Supervisors) {
        let mut due = lock(&self.due);
        loop {
            let now = Instant::now();
            let ripe: Vec<Pid> = due.iter().filter(|(at, ..)| *at <= now).map(|(.., pid)| *pid).collect();
            due.retain(|(at, ..)| *at > now);
            drop(due);
            for pid in ripe {
                supervisors.end(pid);
            }
            due = lock(&self.due);
            let next = due.iter().map(|(at, ..)| at.saturating_duration_since(now)).min();
            let waited = self.changed.wait_timeout(due, next.unwrap_or(Duration::from_secs(3600)));
            due = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
    }
}
