//! The approval queue on disk: `<state>/exec-approval-queue.json`, the [`Requests`] of `oc-approval` behind one lock.
//!
//! Whoever asks keeps a [`Ticket`] and waits; whoever answers opens the same store. What a dead process left pending is denied by the
//! next one that opens the store, so no approval outlives the process that asked.
//!
//! INVARIANT: a store that exists and cannot be read is an error; nobody is asked and nothing is approved (SP-008, SP-183).

mod process;
#[cfg(test)]
mod tests;
mod ticket;

use std::io;
use std::path::{Path, PathBuf};

use oc_approval::approver::Permit;
use oc_approval::life_cycle::{
    Answered, Asking, Decision, Kind, NotTaken, Owner, Record, Reevaluated, Refused, Requests, Target,
};
use oc_approval::request::Asked;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::lock::{self, Convention, LockFailure};
use crate::{atomic, mode, owned_file};

pub use ticket::{Outcome, Ticket};

/// Name of the store in the state directory.
pub const FILE_NAME: &str = "exec-approval-queue.json";
/// Largest store, in bytes.
const LIMIT: u64 = 32 * 1024 * 1024;
/// The version of the form.
const VERSION: u32 = 1;

/// The queue of a state directory, as seen by this process.
#[derive(Clone, Debug)]
pub struct ApprovalQueue {
    path: PathBuf,
    owner: Owner,
}

/// Why the queue could not be used. Every one of them means: not approved.
#[derive(Debug, Error)]
pub enum QueueFailure {
    /// The store cannot be opened, or is a link, or somebody else's.
    #[error(
        "the approval queue cannot be used: {0}; commands that need approval are refused until it is mended"
    )]
    Store(io::Error),
    /// It is no queue of a version this program knows. It is left as it is.
    #[error("{} is damaged ({why}); commands that need approval are refused until it is mended or removed", path.display())]
    Damaged {
        /// The store.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// It would be larger than it may be.
    #[error("{} is full; answer or let expire what waits", .0.display())]
    Full(PathBuf),
    /// The lock.
    #[error(transparent)]
    Lock(#[from] LockFailure),
    /// The new content could not be written; the old one stands.
    #[error(transparent)]
    Write(#[from] atomic::WriteFailure),
    /// The request was not taken.
    #[error(transparent)]
    NotTaken(#[from] NotTaken),
    /// The answer does not count.
    #[error(transparent)]
    Refused(#[from] Refused),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    requests: Requests,
}

impl ApprovalQueue {
    /// The queue of a state directory. Creates nothing.
    ///
    /// # Errors
    /// When the system does not say who this process is.
    pub fn of(state_dir: &Path) -> Result<Self, QueueFailure> {
        let owner = process::this().map_err(QueueFailure::Store)?;
        Ok(Self { path: state_dir.join(FILE_NAME), owner })
    }

    /// The store.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts a request into the queue. It can be answered before this returns (exec-approval 9.4.7).
    ///
    /// # Errors
    /// See [`QueueFailure`].
    pub fn ask(
        &self,
        asked: Asked,
        kind: Kind,
        id: Option<String>,
        timeout_ms: u64,
    ) -> Result<Ticket, QueueFailure> {
        let begun = std::time::Instant::now();
        let asking = Asking { kind, owner: self.owner.clone(), id, timeout_ms };
        let record = self.change(|requests, now| requests.take(asked, asking, now, &mut random))??;
        Ok(Ticket::new(self.clone(), record, begun, timeout_ms))
    }

    /// Answers a request.
    ///
    /// # Errors
    /// See [`QueueFailure`]; [`QueueFailure::Refused`] when the answer does not count.
    pub fn answer(
        &self,
        key: &str,
        decision: Decision,
        target: Option<Target>,
        permit: &Permit,
    ) -> Result<Answered, QueueFailure> {
        Ok(self.change(|requests, now| requests.answer(key, decision, target, permit, now))??)
    }

    /// Every request, oldest first, after what expired or was left behind by dead processes is denied.
    ///
    /// # Errors
    /// See [`QueueFailure`].
    pub fn records(&self) -> Result<Vec<Record>, QueueFailure> {
        if matches!(self.path.symlink_metadata(), Err(e) if e.kind() == io::ErrorKind::NotFound) {
            return Ok(Vec::new());
        }
        self.change(|requests, _| requests.records().cloned().collect())
    }

    /// Denies what a session still waits for (its run was aborted, or it was reset). Returns the ids.
    ///
    /// # Errors
    /// See [`QueueFailure`].
    pub fn abort_session(&self, session: &str) -> Result<Vec<String>, QueueFailure> {
        self.change(|requests, now| requests.abort_session(session, now))
    }

    /// Asks the rules again about everything that has not started (SP-177). Returns the ids of what they refuse now.
    ///
    /// # Errors
    /// See [`QueueFailure`].
    pub fn reevaluate(
        &self,
        rules: &mut dyn FnMut(&Record) -> Reevaluated,
    ) -> Result<Vec<String>, QueueFailure> {
        self.change(|requests, now| requests.reevaluate(rules, now))
    }

    /// One step under the lock: read, bury the dead, change, write when something changed.
    fn change<T>(&self, step: impl FnOnce(&mut Requests, u64) -> T) -> Result<T, QueueFailure> {
        if let Some(directory) = self.path.parent() {
            mode::create_directories(directory).map_err(QueueFailure::Store)?;
        }
        let _lock = lock::acquire(&self.path, Convention::Own, lock::WAIT)?;
        atomic::sweep(&self.path);
        let before = self.read()?;
        let mut requests = before.clone();
        let now = now_ms();
        requests.bury(&mut |owner| *owner != self.owner && process::is_gone(owner), now);
        let out = step(&mut requests, now);
        if requests != before {
            self.write(requests)?;
        }
        Ok(out)
    }

    fn read(&self) -> Result<Requests, QueueFailure> {
        let Some(bytes) = owned_file::read(&self.path, LIMIT).map_err(QueueFailure::Store)? else {
            return Ok(Requests::default());
        };
        let damaged = |why: String| QueueFailure::Damaged { path: self.path.clone(), why };
        let stored: Stored =
            serde_json::from_slice(&bytes).map_err(|e| damaged(format!("line {}", e.line())))?;
        if stored.version != VERSION {
            return Err(damaged(format!("version {} instead of {VERSION}", stored.version)));
        }
        Ok(stored.requests)
    }

    fn write(&self, requests: Requests) -> Result<(), QueueFailure> {
        let damaged =
            |e: serde_json::Error| QueueFailure::Damaged { path: self.path.clone(), why: e.to_string() };
        let mut bytes = serde_json::to_vec(&Stored { version: VERSION, requests }).map_err(damaged)?;
        bytes.push(b'\n');
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LIMIT {
            return Err(QueueFailure::Full(self.path.clone()));
        }
        Ok(atomic::replace(&self.path, &bytes)?)
    }
}

fn now_ms() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}

fn random() -> Option<[u8; 16]> {
    let mut bytes = [0u8; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes)
}
