//! One call: its streams, windows, limits and end.

use std::collections::VecDeque;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::Pid;
use rustix::pty::OpenptFlags;
use rustix::termios::Winsize;

use super::Interest;
use super::job::Job;
use crate::line::{Ends, Line, null};
use crate::protocol::{CHUNK, Exit, Input, Kind, OUTPUT_WINDOW, Reply, RunRequest};
use crate::refusal::Refusal;
use crate::{reexec, tree};

/// A call.
#[derive(Debug)]
pub struct Call {
    /// The line that runs.
    pub job: Job,
    replies: VecDeque<Reply>,
    streams: Vec<Stream>,
    input: Feed,
    window: u64,
    output_left: u64,
    dropped: u64,
    deadline: Option<Instant>,
    stage: Stage,
    timed_out: bool,
    killed: bool,
    terminal: bool,
    refusal: Option<Refusal>,
    /// What the terminal helper said before it became the command.
    helper: Option<(OwnedFd, Vec<u8>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Processes run.
    Running,
    /// None is left; output may be.
    Draining,
    /// Everything was said.
    Over,
}

#[derive(Debug)]
struct Stream {
    kind: Kind,
    fd: OwnedFd,
    quiet: bool,
}

/// Standard input on its way.
#[derive(Debug, Default)]
struct Feed {
    fd: Option<OwnedFd>,
    queue: VecDeque<u8>,
    ended: bool,
}

impl Call {
    /// Starts a command. A refusal is the call's last word.
    pub fn start(request: &RunRequest) -> Self {
        let timeout = request.timeout_ms.map(Duration::from_millis);
        let mut call = Self {
            job: Job::default(),
            replies: VecDeque::new(),
            streams: Vec::new(),
            input: Feed::default(),
            window: OUTPUT_WINDOW,
            output_left: request.output_limit,
            dropped: 0,
            deadline: timeout.and_then(|t| Instant::now().checked_add(t)),
            stage: Stage::Running,
            timed_out: false,
            killed: false,
            terminal: request.terminal.is_some(),
            refusal: None,
            helper: None,
        };
        let started = match request.terminal {
            Some(size) => call.start_on_terminal(request, size),
            None => call.start_on_pipes(request),
        };
        match started {
            Ok(pid) => {
                let pid = pid.map_or(0, |p| p.as_raw_nonzero().get());
                call.replies.push_back(Reply::Started { pid: u32::try_from(pid).unwrap_or(0) });
            }
            Err(refusal) => call.refuse(refusal),
        }
        call
    }

    fn start_on_pipes(&mut self, request: &RunRequest) -> Result<Option<Pid>, Refusal> {
        let line = Line::check(request)?;
        let failed = |e: std::io::Error| Refusal::system("pipe", &e, "spawn-failed");
        let (out, out_end) = std::io::pipe().map_err(failed)?;
        let (err, err_end) = std::io::pipe().map_err(failed)?;
        let input = match request.input {
            Input::Empty => null(OFlags::RDONLY)?,
            Input::Frames => {
                let (reader, writer) = std::io::pipe().map_err(failed)?;
                self.input.fd = Some(nonblocking(writer.into())?);
                reader.into()
            }
        };
        for (kind, fd) in [(Kind::Output, out), (Kind::Error, err)] {
            self.streams.push(Stream { kind, fd: nonblocking(fd.into())?, quiet: false });
        }
        self.job = Job::of_line(line, Ends { input, out: out_end.into(), err: err_end.into() });
        self.job.start_next()
    }

    fn start_on_terminal(&mut self, request: &RunRequest, size: (u16, u16)) -> Result<Option<Pid>, Refusal> {
        // Checked here as well, so that a refusal comes before anything starts.
        Line::check(request)?;
        let failed = |e: Errno| Refusal::system("terminal", &e.into(), "spawn-failed");
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = rustix::pty::openpt(flags).map_err(failed)?;
        rustix::pty::grantpt(&master).map_err(failed)?;
        rustix::pty::unlockpt(&master).map_err(failed)?;
        set_size(&master, size.0, size.1);
        let terminal = rustix::pty::ioctl_tiocgptpeer(&master, flags).map_err(failed)?;
        let broken = |e: std::io::Error| Refusal::system("terminal", &e, "spawn-failed");
        let (report, report_end) = std::io::pipe().map_err(broken)?;
        let mut command = reexec::command("attach");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::from(terminal))
            .stderr(Stdio::from(OwnedFd::from(report_end)));
        let mut child = command.spawn().map_err(broken)?;
        drop(command);
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            self.job = Job::of_process(pid);
        }
        self.helper = Some((nonblocking(report.into())?, Vec::new()));
        if let Some(mut stdin) = child.stdin.take() {
            let text = serde_json::to_vec(request).map_err(|e| Refusal::new("protocol", e.to_string()))?;
            stdin.write_all(&text).map_err(broken)?;
        }
        let master = nonblocking(master)?;
        self.input.fd = Some(master.try_clone().map_err(broken)?);
        self.streams.push(Stream { kind: Kind::Output, fd: master, quiet: false });
        Ok(pid)
    }

    fn refuse(&mut self, refusal: Refusal) {
        tree::end_own(|_, _| {});
        self.refusal.get_or_insert(refusal);
        self.stage = Stage::Over;
    }

    /// Whether there is still something to say.
    pub fn is_open(&self) -> bool {
        self.stage != Stage::Over || !self.replies.is_empty()
    }

    /// Whether the next round has work without anything arriving.
    pub fn is_settling(&self, room: bool) -> bool {
        let reads = room && (self.window > 0 || self.output_left == 0);
        match self.stage {
            Stage::Running => false,
            Stage::Draining => self.streams.is_empty() || (reads && self.streams.iter().any(|s| !s.quiet)),
            Stage::Over => true,
        }
    }

    /// A reply that is due.
    pub fn next_reply(&mut self) -> Option<Reply> {
        self.replies.pop_front()
    }

    /// How it ended.
    pub fn last_words(&mut self) -> Reply {
        if let Some(refusal) = self.refusal.take() {
            return refusal.reply();
        }
        let Self { timed_out, killed, dropped, .. } = *self;
        Reply::Exited(Exit { code: self.job.code(), timed_out, killed, dropped })
    }

    /// What to wait for.
    pub fn interests<'a>(&'a self, room: bool, fds: &mut Vec<Interest<'a>>) {
        self.job.interests(fds);
        if room && (self.window > 0 || self.output_left == 0) {
            fds.extend(self.streams.iter().map(|s| (s.fd.as_fd(), PollFlags::IN)));
        }
        if let (Some(fd), false) = (&self.input.fd, self.input.queue.is_empty()) {
            fds.push((fd.as_fd(), PollFlags::OUT));
        }
        if let Some((fd, _)) = &self.helper {
            fds.push((fd.as_fd(), PollFlags::IN));
        }
    }

    /// How long until the timeout.
    pub fn until_deadline(&self, now: Instant) -> Option<Duration> {
        self.deadline.map(|d| d.saturating_duration_since(now))
    }

    /// Ends the tree when its time is up.
    pub fn check_deadline(&mut self, now: Instant) {
        if self.deadline.is_some_and(|d| d <= now) {
            self.deadline = None;
            if self.stage == Stage::Running {
                self.timed_out = true;
            }
            self.end(true);
        }
    }

    /// Ends the tree on request.
    pub fn kill(&mut self) {
        if self.stage == Stage::Running {
            self.killed = true;
        }
        self.end(true);
    }

    /// Ends the tree; with `at_once` output beyond the window is dropped.
    fn end(&mut self, at_once: bool) {
        let job = &mut self.job;
        if self.stage == Stage::Running {
            tree::end_own(|pid, status| job.ended(pid, status));
            self.stage = Stage::Draining;
            self.input = Feed::default();
            self.streams.iter_mut().for_each(|s| s.quiet = false);
        }
        if at_once && self.stage == Stage::Draining {
            self.output_left = self.output_left.min(self.window);
        }
    }

    /// More output may travel.
    pub fn grant(&mut self, bytes: u64) {
        self.window = self.window.saturating_add(bytes);
    }

    /// A new terminal size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        if let (true, Some(fd)) = (self.terminal, &self.input.fd) {
            set_size(fd, columns, rows);
        }
    }

    /// Bytes for standard input. Without a reader they count as taken.
    pub fn input(&mut self, bytes: &[u8]) {
        if self.input.fd.is_some() && !self.input.ended {
            self.input.queue.extend(bytes);
        } else {
            self.replies.push_back(Reply::Window { bytes: bytes.len() as u64 });
        }
    }

    /// No more standard input.
    pub fn end_input(&mut self) {
        if self.terminal && !self.input.ended {
            // End of transmission: what a person types.
            self.input.queue.push_back(4);
        }
        self.input.ended = true;
    }

    /// Hands input over, as much as is taken now.
    pub fn feed(&mut self) {
        let Some(fd) = &self.input.fd else { return };
        let mut taken: u64 = 0;
        let mut broken = false;
        while !self.input.queue.is_empty() {
            let (first, _) = self.input.queue.as_slices();
            match rustix::io::write(fd, first) {
                Ok(n) => {
                    drop(self.input.queue.drain(..n));
                    taken = taken.saturating_add(n as u64);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(_) => {
                    taken = taken.saturating_add(self.input.queue.len() as u64);
                    self.input.queue.clear();
                    broken = true;
                }
            }
        }
        if taken > 0 {
            self.replies.push_back(Reply::Window { bytes: taken });
        }
        if broken || (self.input.ended && self.input.queue.is_empty() && !self.terminal) {
            self.input.fd = None;
        }
    }

    /// A piece of output that may travel now. Output beyond the limit is read, dropped and counted.
    pub fn take_output(&mut self) -> Option<(Kind, Vec<u8>)> {
        let mut index = 0;
        // A command that never stops writing must not keep the other work waiting.
        let mut reads = 0..64;
        while let (Some(stream), Some(_)) = (self.streams.get_mut(index), reads.next()) {
            if self.output_left > 0 && self.window == 0 {
                return None;
            }
            let mut buffer = vec![0; CHUNK];
            let most = if self.output_left == 0 { CHUNK as u64 } else { self.window.min(CHUNK as u64) };
            let room = buffer.get_mut(..usize::try_from(most).unwrap_or(CHUNK)).unwrap_or_default();
            match rustix::io::read(&stream.fd, room) {
                Ok(0) => drop(self.streams.remove(index)),
                Ok(n) => {
                    stream.quiet = false;
                    let kind = stream.kind;
                    let kept = self.output_left.min(n as u64);
                    self.output_left -= kept;
                    self.window = self.window.saturating_sub(kept);
                    self.dropped = self.dropped.saturating_add((n as u64).saturating_sub(kept));
                    if kept == 0 {
                        continue;
                    }
                    buffer.truncate(usize::try_from(kept).unwrap_or(0));
                    return Some((kind, buffer));
                }
                Err(Errno::AGAIN) => {
                    stream.quiet = true;
                    index += 1;
                }
                Err(Errno::INTR) => {}
                // A terminal whose last user is gone.
                Err(_) => drop(self.streams.remove(index)),
            }
        }
        None
    }

    /// Looks at what has ended and goes on.
    pub fn advance(&mut self) {
        self.hear_helper();
        if self.stage == Stage::Running {
            self.job.reap();
            while self.stage == Stage::Running && !self.job.is_running() {
                match self.job.start_next() {
                    Ok(Some(_)) => {}
                    Ok(None) => self.end(false),
                    Err(refusal) => self.refuse(refusal),
                }
            }
        } else if self.stage == Stage::Draining {
            // Nobody of the tree can write any more: what is silent now stays silent.
            if self.streams.iter().all(|s| s.quiet) {
                self.stage = Stage::Over;
                if self.refusal.is_none() {
                    self.refusal = self.helper_refusal();
                }
            }
        }
    }

    fn hear_helper(&mut self) {
        let Some((fd, heard)) = &mut self.helper else { return };
        let mut buffer = [0; 4096];
        match rustix::io::read(&*fd, &mut buffer[..]) {
            Ok(0) => {
                self.refusal = self.helper_refusal();
                self.helper = None;
            }
            Ok(n) => heard.extend_from_slice(buffer.get(..n).unwrap_or_default()),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => self.helper = None,
        }
    }

    fn helper_refusal(&self) -> Option<Refusal> {
        let (_, heard) = self.helper.as_ref()?;
        match serde_json::from_slice(heard).ok()? {
            Reply::Failed { code, message } => {
                let known = ["executable-changed", "changed", "not-found", "denied", "busy"];
                let code = known.into_iter().find(|k| *k == code).unwrap_or("spawn-failed");
                Some(Refusal::new(code, message))
            }
            _ => None,
        }
    }
}

fn set_size(terminal: &OwnedFd, columns: u16, rows: u16) {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    // A terminal of another size is still a terminal.
    let _ = rustix::termios::tcsetwinsize(terminal, size);
}

fn nonblocking(fd: OwnedFd) -> Result<OwnedFd, Refusal> {
    let failed = |e: Errno| Refusal::system("pipe", &e.into(), "spawn-failed");
    let flags = rustix::fs::fcntl_getfl(&fd).map_err(failed)?;
    rustix::fs::fcntl_setfl(&fd, flags | OFlags::NONBLOCK).map_err(failed)?;
    Ok(fd)
}
