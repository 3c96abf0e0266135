//! Ending process trees: all of a tree, and nothing but it (SP-250).
//!
//! The process that owns a tree is its child subreaper: whoever forks twice or starts its own session becomes its child again. Every
//! descendant is stopped first, so that nobody forks while the others are looked up, then killed.
//!
//! INVARIANT: a process is signalled through a handle that was opened before its place in the tree was read, and its parent was alive
//! after that. A number that another process got in between is never signalled.

use std::collections::{HashSet, VecDeque};
use std::fs;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, WaitStatus};

/// Rounds of looking for processes that are not stopped yet.
const FREEZE_ROUNDS: usize = 256;
/// Open handles at a time; beyond them a parent is looked up by its number.
const HANDLES: usize = 256;
/// Rounds of killing what is still there: about a second.
const KILL_ROUNDS: usize = 64;
/// Longest pause between two attempts to end a tree.
const PAUSE: Duration = Duration::from_millis(20);

/// A process of the tree.
#[derive(Debug)]
struct Member {
    pid: Pid,
    /// `None`: this kernel or an old container profile has no process handles.
    handle: Option<OwnedFd>,
}

impl Member {
    fn open(pid: Pid) -> Option<Self> {
        match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
            Ok(handle) => Some(Self { pid, handle: Some(handle) }),
            Err(Errno::NOSYS | Errno::PERM | Errno::MFILE | Errno::NFILE) => Some(Self { pid, handle: None }),
            Err(_) => None,
        }
    }

    fn signal(&self, signal: Signal) {
        // Either it is gone, or the next round sees it again.
        let _ = match &self.handle {
            Some(handle) => rustix::process::pidfd_send_signal(handle, signal),
            None => rustix::process::kill_process(self.pid, signal),
        };
    }

    /// Whether the very process that was opened has not ended.
    fn is_alive(&self) -> bool {
        match &self.handle {
            // A handle can be read from once its process has ended.
            Some(handle) => {
                let now = Timespec { tv_sec: 0, tv_nsec: 0 };
                matches!(rustix::event::poll(&mut [PollFd::new(handle, PollFlags::IN)], Some(&now)), Ok(0))
            }
            None => parent_of(self.pid).is_some(),
        }
    }
}

/// Parent and whether it is a zombie.
fn stat(pid: Pid) -> Option<(Pid, bool)> {
    let text = fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // The name in parentheses may hold anything; the fields start after the last one.
    let end = text.iter().rposition(|b| *b == b')')?;
    let rest = String::from_utf8_lossy(text.get(end.checked_add(1)?..)?).into_owned();
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok().and_then(Pid::from_raw)?;
    Some((parent, state == "Z" || state == "X"))
}

fn parent_of(pid: Pid) -> Option<Pid> {
    stat(pid).map(|(parent, _)| parent)
}

/// Children of all threads of a process, by number.
fn children(pid: Pid) -> Vec<Pid> {
    let tasks = format!("/proc/{}/task", pid.as_raw_nonzero());
    let Ok(entries) = fs::read_dir(&tasks) else { return Vec::new() };
    let mut out = Vec::new();
    for entry in entries.flatten() {
        match fs::read_to_string(entry.path().join("children")) {
            Ok(text) => out.extend(text.split_ascii_whitespace().filter_map(number)),
            // A kernel without these lists: ask every process for its parent.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && entry.path().exists() => return scan(pid),
            Err(_) => {}
        }
    }
    out
}

fn scan(parent: Pid) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|e| number(e.file_name().to_str()?));
    pids.filter(|pid| parent_of(*pid) == Some(parent)).collect()
}

fn number(text: &str) -> Option<Pid> {
    text.parse().ok().and_then(Pid::from_raw)
}

/// Calls `each` for everything below `root` that has not ended, parents first. `root` must not be reaped meanwhile.
fn descend(root: Pid, spared: &HashSet<Pid>, mut each: impl FnMut(&Member)) {
    let mut seen = HashSet::from([root]);
    let mut queue = VecDeque::from([Member { pid: root, handle: None }]);
    while let Some(parent) = queue.pop_front() {
        let mut found = Vec::new();
        for pid in children(parent.pid) {
            if (parent.pid == root && spared.contains(&pid)) || !seen.insert(pid) {
                continue;
            }
            let Some(member) = Member::open(pid) else { continue };
            match stat(pid) {
                Some((of, zombie)) if of == parent.pid && !zombie => found.push(member),
                _ => {}
            }
        }
        // Had it ended, its number could be another's, and these that one's children. They are the root's by now.
        if parent.pid != root && !parent.is_alive() {
            continue;
        }
        for mut member in found {
            each(&member);
            if queue.len() > HANDLES {
                member.handle = None;
            }
            queue.push_back(member);
        }
    }
}

/// Stops, then kills everything below `root` except the children in `spared` and what is below those. Returns when nothing of it is alive, or
/// after about a second of trying (a process that waits for a disk cannot be ended sooner).
pub fn kill_below(root: Pid, spared: &HashSet<Pid>) {
    let mut stopped = HashSet::new();
    for _ in 0..FREEZE_ROUNDS {
        let before = stopped.len();
        // Whoever is found is stopped at once, so that a tree that grows stops growing while it is looked at.
        descend(root, spared, |member| {
            if stopped.insert(member.pid) {
                member.signal(Signal::STOP);
            }
        });
        if stopped.len() == before {
            break;
        }
    }
    // A parent that dies at once hands its children to somebody whose list was read before: they are found in the next round.
    let mut pause = Duration::from_micros(200);
    for _ in 0..KILL_ROUNDS {
        let mut alive = false;
        descend(root, spared, |member| {
            alive = true;
            member.signal(Signal::KILL);
        });
        if !alive {
            break;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(PAUSE);
    }
}

/// One child that ended, without waiting for one.
pub enum Reaped {
    /// This one.
    Child(Pid, WaitStatus),
    /// There are children, none has ended.
    Waiting,
    /// There is no child.
    Childless,
}

/// Reaps one child of this process, if one has ended.
pub fn reap() -> Reaped {
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) => return Reaped::Child(pid, status),
            Ok(None) => return Reaped::Waiting,
            Err(Errno::INTR) => {}
            Err(_) => return Reaped::Childless,
        }
    }
}

/// Ends everything below this process and returns when nothing is left; `seen` hears of every child that was reaped.
pub fn end_own(mut seen: impl FnMut(Pid, WaitStatus)) {
    let own = rustix::process::getpid();
    let mut pause = Duration::from_micros(200);
    loop {
        loop {
            match reap() {
                Reaped::Child(pid, status) => seen(pid, status),
                Reaped::Waiting => break,
                Reaped::Childless => return,
            }
        }
        kill_below(own, &HashSet::new());
        std::thread::sleep(pause);
        pause = (pause * 2).min(PAUSE);
    }
}

/// Ends a child of this process and everything below it. The caller keeps the child from being reaped meanwhile.
pub fn end_child(pid: Pid) {
    kill_below(pid, &HashSet::new());
    let _ = rustix::process::kill_process(pid, Signal::KILL);
}
