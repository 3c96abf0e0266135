//! Background commands: what `exec` leaves running and `process` looks after (agent-runtime 3).
//!
//! Each belongs to one session of the assistant; another session neither sees nor touches it. Their output is kept up to a limit, the end of it rather than the
//! beginning. A finished one is forgotten after a while. Dropping the registry ends them all.

mod keys;
mod paste;
mod session;
#[cfg(test)]
mod tests;
mod transcript;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use thiserror::Error;

pub use keys::{KeyError, encode as encode_keys};
pub use paste::paste;
pub use session::{Session, Status};

use crate::executor::{ExecutorError, Order, Place, Running};

/// Limits of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Characters of output kept for one command, the last ones.
    pub output: usize,
    /// How long a finished command is kept.
    pub keep: Duration,
    /// Commands of one session that run at a time.
    pub running: usize,
}

impl Limits {
    /// The limits of a configuration: `cleanup_ms` from `tools.exec.cleanupMs` (1 minute to 3 hours, 30 minutes), `output` characters (1,000 to
    /// 200,000).
    #[must_use]
    pub fn new(cleanup_ms: Option<u64>, output: Option<usize>) -> Self {
        let keep = cleanup_ms.unwrap_or(30 * 60 * 1000).clamp(60_000, 3 * 3600 * 1000);
        Self {
            output: output.unwrap_or(200_000).clamp(1_000, 200_000),
            keep: Duration::from_millis(keep),
            running: 32,
        }
    }
}

/// Why a background command could not be reached.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SessionError {
    /// This session has no such command.
    #[error("there is no background command `{0}` of this session; `list` names them")]
    Unknown(String),
    /// It has ended.
    #[error("the background command `{0}` has ended")]
    Ended(String),
    /// It still runs.
    #[error("the background command `{0}` still runs; `kill` or `remove` it")]
    Runs(String),
    /// Too many run.
    #[error("{0} background commands of this session run already; end one first")]
    TooMany(usize),
    /// It does not read its input.
    #[error("the background command `{0}` does not take its input; try again later")]
    Full(String),
    /// Keys that have no meaning.
    #[error(transparent)]
    Keys(#[from] KeyError),
}

/// A command that is handed over.
#[derive(Debug)]
pub struct NewSession {
    /// The session of the assistant that it belongs to.
    pub owner: String,
    /// Its text, for listings.
    pub command: String,
    /// Its working directory, as the owner may see it.
    pub directory: String,
    /// Whether it has a terminal.
    pub terminal: bool,
    /// Where it runs.
    pub place: Place,
}

/// All background commands of one process.
#[derive(Debug)]
pub struct ProcessSessions {
    limits: Limits,
    number: AtomicU64,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
}

impl ProcessSessions {
    /// No command yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, number: AtomicU64::new(1), sessions: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        sessions.retain(|_, s| s.ended_at().is_none_or(|at| now.duration_since(at) < self.limits.keep));
        sessions
    }

    /// Takes over a command that runs. It is in the registry from now on.
    ///
    /// # Errors
    /// [`SessionError::TooMany`]; the command is ended then.
    pub fn adopt(&self, new: NewSession, running: Running) -> Result<Arc<Session>, SessionError> {
        let mut sessions = self.lock();
        let open = sessions.values().filter(|s| s.owner() == new.owner && s.status() == Status::Running);
        if open.count() >= self.limits.running {
            return Err(SessionError::TooMany(self.limits.running));
        }
        let id = format!("p{}", self.number.fetch_add(1, Ordering::Relaxed));
        let session = Session::start(id.clone(), new, running, self.limits.output);
        sessions.insert(id, Arc::clone(&session));
        Ok(session)
    }

    /// A command of a session.
    ///
    /// # Errors
    /// [`SessionError::Unknown`], also for a command of another session.
    pub fn get(&self, owner: &str, id: &str) -> Result<Arc<Session>, SessionError> {
        let sessions = self.lock();
        let found = sessions.get(id).filter(|s| s.owner() == owner);
        found.cloned().ok_or_else(|| SessionError::Unknown(id.to_owned()))
    }

    /// The commands of a session, oldest first.
    #[must_use]
    pub fn list(&self, owner: &str) -> Vec<Arc<Session>> {
        let mut found: Vec<_> = self.lock().values().filter(|s| s.owner() == owner).cloned().collect();
        found.sort_by_key(|s| s.started_at());
        found
    }

    /// Ends a command; it stays in the list.
    ///
    /// # Errors
    /// [`SessionError::Unknown`], [`SessionError::Ended`].
    pub fn kill(&self, owner: &str, id: &str) -> Result<Arc<Session>, SessionError> {
        let session = self.get(owner, id)?;
        if session.status() != Status::Running {
            return Err(SessionError::Ended(id.to_owned()));
        }
        session.kill();
        Ok(session)
    }

    /// Forgets a finished command.
    ///
    /// # Errors
    /// [`SessionError::Unknown`], [`SessionError::Runs`].
    pub fn clear(&self, owner: &str, id: &str) -> Result<(), SessionError> {
        if self.get(owner, id)?.status() == Status::Running {
            return Err(SessionError::Runs(id.to_owned()));
        }
        self.lock().remove(id);
        Ok(())
    }

    /// Ends a command, if it runs, and forgets it.
    ///
    /// # Errors
    /// [`SessionError::Unknown`].
    pub fn remove(&self, owner: &str, id: &str) -> Result<(), SessionError> {
        self.get(owner, id)?.kill();
        self.lock().remove(id);
        Ok(())
    }

    /// Ends everything that runs; it stays in the lists.
    pub fn end_all(&self) {
        for session in self.lock().values() {
            session.kill();
        }
    }

    /// Ends and forgets everything of a session of the assistant (`/stop`, its end). `true` when something ran.
    pub fn end_owner(&self, owner: &str) -> bool {
        let mut ran = false;
        self.lock().retain(|_, s| {
            let ends = s.owner() == owner;
            if ends {
                ran |= s.status() == Status::Running;
                s.kill();
            }
            !ends
        });
        ran
    }
}

impl Drop for ProcessSessions {
    fn drop(&mut self) {
        for session in self.sessions.get_mut().unwrap_or_else(PoisonError::into_inner).values() {
            session.kill();
        }
    }
}

/// How a command ended, for its owner.
pub type Ended = Result<oc_runner::protocol::Exit, ExecutorError>;

/// Orders of a session.
type Orders = tokio::sync::mpsc::Sender<Order>;
