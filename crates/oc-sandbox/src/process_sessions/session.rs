//! One background command.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use oc_runner::protocol::Exit;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::transcript::{Tail, Transcript};
use super::{Ended, NewSession, Orders, SessionError};
use crate::executor::{ExecutorError, Order, Output, Place, Running};

/// Whether it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It runs.
    Running,
    /// It ended with code 0.
    Completed,
    /// It ended otherwise.
    Failed,
    /// It was ended on request.
    Killed,
}

impl Status {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Killed => "killed",
        }
    }
}

/// One background command.
#[derive(Debug)]
pub struct Session {
    id: String,
    new: NewSession,
    started: Instant,
    orders: Orders,
    state: Mutex<State>,
    ended: watch::Sender<bool>,
    abandon: Notify,
}

#[derive(Debug)]
struct State {
    transcript: Transcript,
    end: Option<(Ended, Instant)>,
}

impl Session {
    /// Collects the output of a command until it ends.
    pub(super) fn start(id: String, new: NewSession, running: Running, limit: usize) -> Arc<Self> {
        let state = State { transcript: Transcript::new(limit), end: None };
        let session = Arc::new(Self {
            id,
            new,
            started: Instant::now(),
            orders: running.orders.clone(),
            state: Mutex::new(state),
            ended: watch::Sender::new(false),
            abandon: Notify::new(),
        });
        tokio::spawn(collect(Arc::clone(&session), running));
        session
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The session of the assistant that it belongs to.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.new.owner
    }

    /// Its text.
    #[must_use]
    pub fn command(&self) -> &str {
        &self.new.command
    }

    /// Its working directory.
    #[must_use]
    pub fn directory(&self) -> &str {
        &self.new.directory
    }

    /// Whether it has a terminal.
    #[must_use]
    pub fn has_terminal(&self) -> bool {
        self.new.terminal
    }

    /// Where it runs.
    #[must_use]
    pub fn place(&self) -> Place {
        self.new.place
    }

    /// When it was handed over.
    #[must_use]
    pub fn started_at(&self) -> Instant {
        self.started
    }

    /// When it ended.
    #[must_use]
    pub fn ended_at(&self) -> Option<Instant> {
        self.lock().end.as_ref().map(|(_, at)| *at)
    }

    /// How it ended.
    #[must_use]
    pub fn end(&self) -> Option<Ended> {
        self.lock().end.as_ref().map(|(end, _)| end.clone())
    }

    /// Whether it runs.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.end() {
            None => Status::Running,
            Some(Ok(Exit { killed: true, .. })) => Status::Killed,
            Some(Ok(Exit { code: 0, timed_out: false, .. })) => Status::Completed,
            Some(Ok(_) | Err(_)) => Status::Failed,
        }
    }

    /// Waits for its end, at most so long; whether it has ended.
    pub async fn wait(&self, limit: Duration) -> Status {
        let mut ended = self.ended.subscribe();
        let _ = timeout(limit, ended.wait_for(|e| *e)).await;
        self.status()
    }

    /// The output that nobody has taken yet (`poll`).
    #[must_use]
    pub fn poll(&self) -> Tail {
        self.lock().transcript.take_pending()
    }

    /// All output that is kept.
    #[must_use]
    pub fn output(&self) -> Tail {
        self.lock().transcript.kept().clone()
    }

    /// Lines of the kept output (`log`): from `offset` (0-based), at most `limit`; without an offset the last `limit`. The second value is
    /// how many lines there are.
    #[must_use]
    pub fn log(&self, offset: Option<usize>, limit: Option<usize>) -> (String, usize) {
        let output = self.output();
        let lines: Vec<&str> = output.text.lines().collect();
        let limit = limit.unwrap_or(usize::MAX);
        let from = offset.unwrap_or_else(|| lines.len().saturating_sub(limit)).min(lines.len());
        let taken: Vec<&str> = lines.iter().skip(from).take(limit).copied().collect();
        (taken.join("\n"), lines.len())
    }

    /// Bytes for its input (`write`, `send-keys`, `submit`, `paste`); with `eof` nothing follows.
    ///
    /// # Errors
    /// [`SessionError::Ended`], [`SessionError::Full`].
    pub fn write(&self, bytes: Vec<u8>, eof: bool) -> Result<(), SessionError> {
        let refused = |e: TrySendError<Order>| match e {
            TrySendError::Full(_) => SessionError::Full(self.id.clone()),
            TrySendError::Closed(_) => SessionError::Ended(self.id.clone()),
        };
        if self.status() != Status::Running {
            return Err(SessionError::Ended(self.id.clone()));
        }
        if !bytes.is_empty() {
            self.orders.try_send(Order::Input(bytes)).map_err(refused)?;
        }
        if eof {
            self.orders.try_send(Order::EndInput).map_err(refused)?;
        }
        Ok(())
    }

    /// Ends it with everything that it started.
    pub fn kill(&self) {
        if self.orders.try_send(Order::Kill).is_err() {
            // Its input is stuck; letting go of the command ends it as well.
            self.abandon.notify_one();
        }
    }
}

async fn collect(session: Arc<Session>, running: Running) {
    let Running { mut output, orders, mut exit } = running;
    // The session holds the other end; without this one the input ends with the session.
    drop(orders);
    let mut end = None;
    loop {
        tokio::select! {
            piece = output.recv() => match piece {
                Some(Output::Out(bytes)) => session.lock().transcript.push(0, &bytes),
                Some(Output::Err(bytes)) => session.lock().transcript.push(1, &bytes),
                None => break,
            },
            ended = &mut exit, if end.is_none() => end = Some(ended),
            () = session.abandon.notified() => {
                end = Some(Ok(Ok(Exit { code: 137, timed_out: false, killed: true, dropped: 0 })));
                break;
            }
        }
    }
    let end = match end {
        Some(end) => end,
        None => exit.await,
    };
    let lost = || ExecutorError::Failed {
        code: "failed".to_owned(),
        message: "the command's runner ended without a word".to_owned(),
    };
    let mut state = session.lock();
    state.transcript.end();
    state.end = Some((end.unwrap_or_else(|_| Err(lost())), Instant::now()));
    drop(state);
    session.ended.send_replace(true);
}
