//! The calls that run, by their number.

use std::collections::HashMap;
use std::io::Read;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::content::Content;
use super::files::Files;
use super::output::{Output, lock};
use super::supervisor::Supervisor;
use super::watch::{Supervisors, Watch};
use crate::protocol::frame::{Decoder, Frame, encode};
use crate::protocol::{FileRequest, Kind, Reply, Request, RunRequest};
use crate::refusal::Refusal;

/// How long a supervisor may take for what it was told, or for its own timeout, before it is ended by force.
const GRACE: Duration = Duration::from_secs(3);
/// File operations at a time.
const FILES_AT_A_TIME: usize = 32;
/// Commands at a time.
const COMMANDS_AT_A_TIME: usize = 256;

/// All calls.
#[derive(Debug)]
pub struct Calls {
    output: Arc<Output>,
    running: Mutex<HashMap<u32, Call>>,
    ended: Condvar,
    spare: Mutex<Option<Supervisor>>,
    supervisors: Arc<Supervisors>,
    watch: Arc<Watch>,
}

#[derive(Debug)]
enum Call {
    Command(Supervisor),
    File(Arc<Content>),
}

impl Calls {
    /// No call yet, and the threads that watch over them.
    pub fn start(output: Arc<Output>) -> Arc<Self> {
        let supervisors = Arc::new(Supervisors::default());
        let watch = Arc::new(Watch::default());
        let reaped = Arc::clone(&supervisors);
        let (watched, over) = (Arc::clone(&watch), Arc::clone(&supervisors));
        // Without the first, zombies stay; without the second, only a supervisor that was stopped is not ended. Neither is a reason not to serve.
        let _ = spawn("reaper", move || reaped.reap());
        let _ = spawn("watch", move || watched.run(&over));
        let calls = Self {
            output,
            running: Mutex::default(),
            ended: Condvar::new(),
            spare: Mutex::default(),
            supervisors,
            watch,
        };
        calls.prepare();
        Arc::new(calls)
    }

    /// Keeps one supervisor waiting, so that a command need not wait for one.
    fn prepare(&self) {
        let mut spare = lock(&self.spare);
        if spare.is_none() {
            *spare = self.supervisor().ok();
        }
    }

    fn supervisor(&self) -> Result<Supervisor, Refusal> {
        self.supervisors.adopt(|| Supervisor::start().map(|s| (s.pid, s)))
    }

    /// Starts a command.
    pub fn run(self: &Arc<Self>, frame: &Frame, request: &RunRequest) {
        if let Err(refusal) = self.try_run(frame, request) {
            self.output.reply(frame.call, refusal.reply());
        }
    }

    fn try_run(self: &Arc<Self>, frame: &Frame, request: &RunRequest) -> Result<(), Refusal> {
        self.admit(frame.call, |c| matches!(c, Call::Command(_)), COMMANDS_AT_A_TIME)?;
        let spare = lock(&self.spare).take().filter(|s| self.supervisors.has(s.pid));
        let mut supervisor = match spare {
            Some(supervisor) => supervisor,
            None => self.supervisor()?,
        };
        let (call, pid) = (frame.call, supervisor.pid);
        if !supervisor.send(&wire(frame)?) {
            self.supervisors.end(pid);
            return Err(Refusal::new("busy", "the supervisor did not take the command"));
        }
        if let Some(timeout) = request.timeout_ms {
            self.watch.add(Duration::from_millis(timeout).saturating_add(GRACE), call, pid);
        }
        let from = supervisor.from.take();
        lock(&self.running).insert(call, Call::Command(supervisor));
        let this = Arc::clone(self);
        let started = spawn("call", move || {
            this.prepare();
            let said = from.map(|from| relay(from, call, &this.output)).unwrap_or(Said::Nothing);
            this.over(call);
            if said == Said::Nothing {
                this.supervisors.end(pid);
                this.supervisors.end_orphans();
                let message =
                    "the command's supervisor was ended from outside; what it had started was ended too";
                this.output.reply(call, Refusal::new("failed", message).reply());
            }
        });
        started.map_err(|e| {
            self.over(call);
            self.supervisors.end(pid);
            Refusal::system("cannot start a thread", &e, "busy")
        })
    }

    /// Starts a file operation.
    pub fn file(self: &Arc<Self>, call: u32, request: FileRequest, files: &Arc<Files>) {
        let content = Arc::new(Content::new(call, Arc::clone(&self.output)));
        let admitted = self.admit(call, |c| matches!(c, Call::File(_)), FILES_AT_A_TIME);
        let started = admitted.and_then(|()| {
            lock(&self.running).insert(call, Call::File(Arc::clone(&content)));
            let (this, files) = (Arc::clone(self), Arc::clone(files));
            let work = move || {
                let reply = files.serve(request, &content).unwrap_or_else(Refusal::reply);
                this.over(call);
                this.output.reply(call, reply);
            };
            spawn("file", work).map_err(|e| {
                self.over(call);
                Refusal::system("cannot start a thread", &e, "busy")
            })
        });
        if let Err(refusal) = started {
            self.output.reply(call, refusal.reply());
        }
    }

    fn admit(&self, call: u32, same: impl Fn(&Call) -> bool, limit: usize) -> Result<(), Refusal> {
        let running = lock(&self.running);
        if running.contains_key(&call) {
            return Err(Refusal::new("protocol", format!("call {call} runs already")));
        }
        if running.values().filter(|c| same(c)).count() >= limit {
            return Err(Refusal::new("busy", format!("{limit} calls of this kind run already")));
        }
        Ok(())
    }

    /// Hands a frame to its call. One for a call that is over is dropped: it crossed the end on its way.
    pub fn forward(&self, frame: Frame) {
        let running = lock(&self.running);
        let stuck = match running.get(&frame.call) {
            Some(Call::Command(supervisor)) => {
                let taken = wire(&frame).is_ok_and(|bytes| supervisor.send(&bytes));
                (!taken).then_some(supervisor.pid)
            }
            Some(Call::File(content)) => {
                content.take(frame);
                None
            }
            None => None,
        };
        drop(running);
        if let Some(pid) = stuck {
            self.supervisors.end(pid);
        }
    }

    /// Ends a call.
    pub fn kill(&self, frame: &Frame) {
        if let Some(Call::Command(supervisor)) = lock(&self.running).get(&frame.call) {
            self.watch.add(GRACE, frame.call, supervisor.pid);
        }
        self.forward(frame.clone());
    }

    fn over(&self, call: u32) {
        self.watch.drop_call(call);
        lock(&self.running).remove(&call);
        self.ended.notify_all();
    }

    /// Ends all calls and waits until they have ended; by force after `limit`.
    pub fn end_all(&self, limit: Duration) {
        lock(&self.spare).take();
        let until = Instant::now().checked_add(limit);
        let kill = Request::Kill;
        let kill = serde_json::to_vec(&kill).unwrap_or_default();
        let mut running = lock(&self.running);
        for (call, one) in running.iter() {
            match one {
                Call::Command(supervisor) => {
                    let sent = encode(Kind::Request, *call, &kill).is_ok_and(|bytes| supervisor.send(&bytes));
                    self.watch.add(if sent { GRACE } else { Duration::ZERO }, *call, supervisor.pid);
                }
                Call::File(content) => content.cancel(),
            }
        }
        while !running.is_empty() {
            let left = until.map_or(Duration::ZERO, |u| u.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                break;
            }
            running =
                self.ended.wait_timeout(running, left).unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
        let stuck = running.values().filter_map(|c| match c {
            Call::Command(supervisor) => Some(supervisor.pid),
            Call::File(_) => None,
        });
        let stuck: Vec<_> = stuck.collect();
        running.clear();
        drop(running);
        for pid in stuck {
            self.supervisors.end(pid);
        }
    }
}

fn wire(frame: &Frame) -> Result<Vec<u8>, Refusal> {
    encode(frame.kind, frame.call, &frame.body).map_err(|e| Refusal::new("protocol", e.to_string()))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// How the call ended.
    End,
    /// Nothing about it.
    Nothing,
}

/// Passes on what a supervisor says about its call.
fn relay(mut from: impl Read, call: u32, output: &Output) -> Said {
    let mut decoder = Decoder::default();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Said::Nothing,
            Ok(n) => decoder.push(buffer.get(..n).unwrap_or_default()),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return Said::Nothing,
        }
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) if frame.call == call => {
                    output.data(frame.kind, call, &frame.body);
                    let end = |r| matches!(r, Reply::Exited(_) | Reply::Failed { .. });
                    if frame.kind == Kind::Reply && frame.parse().is_ok_and(end) {
                        return Said::End;
                    }
                }
                Ok(None) => break,
                Ok(Some(_)) | Err(_) => return Said::Nothing,
            }
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).stack_size(256 * 1024).spawn(work).map(drop)
}
