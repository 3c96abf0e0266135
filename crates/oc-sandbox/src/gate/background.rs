//! Commands that go on after their call returned: handed to the process sessions, and recorded when they end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use oc_approval::life_cycle::Ending;
use oc_fs::durability::Durability;
use oc_runner::protocol::Exit;
use tokio::task::{JoinSet, spawn_blocking};

use super::commission::Commission;
use super::{Answer, Gate, GateError, Outcome, ToolResult, mask, recording};
use crate::executor::{ExecutorError, Place, Running};
use crate::process_sessions::{NewSession, Session};
use crate::tools::{Ran, ended};

/// Bytes of output after which a command in the background is cut off at its source. Of what comes before, the end is kept.
pub(super) const OUTPUT_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// Characters of the output that the end of a command tells.
const TAIL: usize = 400;
/// How long [`Gate::close`] waits for commands that it ended.
const CLOSING: Duration = Duration::from_secs(10);

/// The end of a command that went on in the background.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The call that started it.
    pub call: String,
    /// The agent.
    pub agent: String,
    /// The session.
    pub session: String,
    /// For whom the call acted.
    pub caller: super::Caller,
    /// Who stood behind it.
    pub behind: Arc<[super::Caller]>,
    /// Its name for the `process` tool.
    pub process: String,
    /// Its text, masked.
    pub command: String,
    /// Where it ran.
    pub place: Place,
    /// How it ended; `None` when that is not known.
    pub exit: Option<Exit>,
    /// The last 400 characters of its output with white space collapsed, masked.
    pub tail: String,
    /// The approval that it ran under.
    pub approval: Option<String>,
}

/// Whether commands go to the background, and what happens to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Background {
    /// They go there after a while, and stay as long as the gate.
    Kept,
    /// Only when a call asks for it; the process of this one call ends, and they with it.
    OneCall,
}

/// The tasks that wait for the ends of background commands.
#[derive(Debug, Default)]
pub(super) struct Watchers(Mutex<JoinSet<()>>);

impl Watchers {
    fn add(&self, watcher: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that are over leave.
        while tasks.try_join_next().is_some() {}
        tasks.spawn(watcher);
    }

    fn take(&self) -> JoinSet<()> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Gate {
    /// Hands a command over and waits for it so long. `None`: it has gone to the background, and `answer` says so.
    pub(super) async fn hand_over(
        &self,
        work: Commission,
        running: Running,
        patience: Duration,
    ) -> Result<Answer, GateError> {
        let new = NewSession {
            owner: owner(&work.case.call.caller),
            command: work.case.request.command.clone(),
            directory: work.order.directory.clone(),
            terminal: work.order.pty,
            place: work.place,
        };
        let session = match self.sessions.adopt(new, running) {
            Ok(session) => session,
            Err(e) => {
                let result = ToolResult::text(Outcome::Failed, e.to_string()).with("status", "failed");
                return self.over(work, Ran { result: Ok(result), exit: None }).await;
            }
        };
        // Whoever gives the call up while it waits here ends the command as well.
        let mut held = Held(Some(Arc::clone(&session)));
        session.wait(patience).await;
        if session.end().is_some() {
            held.let_go();
            let ran = ran(&session, &work);
            // What ended in time is nobody's background command.
            let _ = self.sessions.clear(session.owner(), session.id());
            return self.over(work, ran).await;
        }
        work.started().await;
        let tail = session.poll().text;
        let mut text = tail.clone();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&format!(
            "[it runs on in the background as {id}; `process` with action poll, log, write or kill and sessionId {id} looks after it]",
            id = session.id()
        ));
        let mut result = ToolResult::text(Outcome::Done, text)
            .with("status", "running")
            .with("sessionId", session.id())
            .with("tail", tail);
        result.details.extend(work.details.clone());
        let mut notes = work.notes.clone();
        if self.background == Background::OneCall {
            notes.push(format!(
                "{} ends now, with this process: nothing stays behind to run it",
                session.id()
            ));
        }
        let facts = serde_json::Map::from_iter([("process".to_owned(), session.id().into())]);
        self.record(recording::outcome(&work.case.snapshot, &work.case.call, work.place, "running", facts))
            .await?;
        let answer = Answer {
            call: work.case.call.id.clone(),
            place: work.place,
            notes,
            result: mask::redacted(work.case.snapshot.redactor(), result),
        };
        let (recorder, listener) = (self.recorder.clone(), self.listener());
        held.let_go();
        let mut work = work;
        self.watchers.add(async move {
            // Long enough for every timeout; then again.
            while session.end().is_none() {
                session.wait(Duration::from_secs(3600)).await;
            }
            work.notice = None;
            let finished = finished(&session, &work);
            let ran = ran(&session, &work);
            let entry = work.outcome(&ran);
            let written = spawn_blocking(move || work.end(&ran));
            // Nobody is there to hear that it could not be recorded; the next call will.
            let _ = recorder.record(entry, Durability::Synced).await;
            let _ = written.await;
            if let Some(listener) = listener {
                listener.finished(&finished);
            }
        });
        Ok(answer)
    }

    /// Ends every command in the background and waits until their ends are recorded, at most ten seconds.
    pub async fn close(&self) {
        self.sessions.end_all();
        let tasks = self.watchers.take();
        let _ = tokio::time::timeout(CLOSING, tasks.join_all()).await;
    }

    /// Ends what a session still runs in the background and denies what it waits for (`/stop`, its reset, its end).
    pub async fn end_session(&self, caller: &super::Caller) {
        self.sessions.end_owner(&owner(caller));
        if let Some(approvals) = self.approvals.clone() {
            let session = caller.session.clone();
            // What waits sees it in the queue; what cannot be written there expires.
            let _ = spawn_blocking(move || approvals.queue().abort_session(&session)).await;
        }
    }

    /// [`Gate::end_session`] where waiting is allowed. `true` when something ran or waited.
    pub fn end_session_now(&self, caller: &super::Caller) -> bool {
        let ran = self.sessions.end_owner(&owner(caller));
        let denied = self.approvals.as_ref().map(|a| a.queue().abort_session(&caller.session));
        ran || denied.is_some_and(|ids| ids.is_ok_and(|ids| !ids.is_empty()))
    }
}

/// A command that is not in the background yet: ended when this is dropped.
struct Held(Option<Arc<Session>>);

impl Held {
    /// It is over, or somebody looks after it.
    fn let_go(&mut self) {
        self.0 = None;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(session) = &self.0 {
            session.kill();
        }
    }
}

/// Whose a background command is: the session's of an agent.
pub(super) fn owner(caller: &super::Caller) -> String {
    format!("{}\n{}", caller.agent, caller.session)
}

fn ran(session: &Session, work: &Commission) -> Ran {
    let output = session.output();
    let end = session.end().unwrap_or_else(|| {
        Err(ExecutorError::Lost { place: work.place, cause: "its end was not seen".to_owned() })
    });
    let dropped = output.dropped.saturating_add(end.as_ref().map_or(0, |e| e.dropped));
    ended(output.text, dropped, end, &work.order, session.started_at().elapsed())
}

fn finished(session: &Session, work: &Commission) -> Finished {
    let redactor = work.case.snapshot.redactor();
    let collapsed = session.output().text.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = redactor.redact(&collapsed);
    let excess = shown.chars().count().saturating_sub(TAIL);
    let caller = &work.case.call.caller;
    Finished {
        call: work.case.call.id.clone(),
        agent: caller.agent.to_string(),
        session: caller.session.clone(),
        caller: caller.clone(),
        behind: Arc::clone(&work.case.call.behind),
        process: session.id().to_owned(),
        command: redactor.redact(session.command()),
        place: work.place,
        exit: session.end().and_then(Result::ok),
        tail: shown.chars().skip(excess).collect(),
        approval: work.approval_id().map(str::to_owned),
    }
}

/// How an approved run ended, for the queue.
pub(super) fn ending(exit: Option<Exit>) -> Ending {
    match exit {
        Some(exit) if exit.timed_out => Ending::Timeout,
        Some(exit) => Ending::Exit(exit.code),
        None => Ending::Lost,
    }
}
