//! The side of the queue that asked: wait, take up, report the end.

use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use oc_approval::binding::Binding;
use oc_approval::life_cycle::{Answer, Denial, Ending, Grant, NotGranted, Record, Waiting};

use super::{ApprovalQueue, QueueFailure};

/// How often the store is looked at.
const POLL: Duration = Duration::from_millis(40);
/// How much longer than the request's time a wait lasts at most, whatever the clock does.
const GRACE: Duration = Duration::from_secs(2);

/// A request that this process waits for. Dropped before it was taken up, the request is denied (`run-aborted`).
#[derive(Debug)]
pub struct Ticket {
    queue: ApprovalQueue,
    record: Record,
    deadline: Instant,
    open: bool,
}

/// How a wait ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Allowed; take it up with [`Ticket::consume`].
    Allowed(Answer),
    /// Not allowed.
    Denied {
        /// Why.
        reason: Denial,
        /// What exactly; may be empty.
        detail: String,
    },
}

impl Ticket {
    pub(super) fn new(queue: ApprovalQueue, record: Record, begun: Instant, timeout_ms: u64) -> Self {
        let longest = Duration::from_millis(timeout_ms.min(u64::from(u32::MAX))) + GRACE;
        Self { queue, record, deadline: begun + longest, open: true }
    }

    /// The request as it was taken.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Waits for the answer or the end of the request's time. `stop` is asked again and again; when it says so, the request is denied.
    ///
    /// # Errors
    /// See [`QueueFailure`]: then it is not approved.
    pub fn wait(&mut self, stop: &dyn Fn() -> bool) -> Result<Outcome, QueueFailure> {
        let mut seen = None;
        loop {
            if stop() {
                self.withdraw(Denial::RunAborted, "")?;
                return Ok(Outcome::Denied { reason: Denial::RunAborted, detail: String::new() });
            }
            let stamp = self.stamp();
            let due = super::now_ms() >= self.record.expires_at_ms;
            // A store that cannot be looked at is looked at under the lock, which says why.
            if due || stamp.is_none() || stamp != seen {
                seen = stamp;
                if let Some(outcome) = self.look()? {
                    return Ok(outcome);
                }
            }
            if Instant::now() >= self.deadline {
                self.withdraw(Denial::ApprovalTimeout, "")?;
                return Ok(Outcome::Denied { reason: Denial::ApprovalTimeout, detail: String::new() });
            }
            std::thread::sleep(POLL);
        }
    }

    /// Looks once. `None` while nobody has answered.
    ///
    /// # Errors
    /// See [`QueueFailure`].
    pub fn look(&mut self) -> Result<Option<Outcome>, QueueFailure> {
        let (id, owner) = (self.record.id.clone(), self.record.owner.clone());
        Ok(match self.queue.change(|requests, now| requests.wait(&id, &owner, now))? {
            Waiting::Pending { .. } => None,
            Waiting::Answered(answer) => Some(Outcome::Allowed(answer)),
            Waiting::Denied { reason, detail } => {
                self.open = false;
                Some(Outcome::Denied { reason, detail })
            }
            // Somebody removed the store.
            Waiting::Unknown => {
                self.open = false;
                Some(Outcome::Denied {
                    reason: Denial::ApprovalRequestFailed,
                    detail: "the request is no longer in the queue".to_owned(),
                })
            }
        })
    }

    /// Takes the approval up; at most once, and only for what was approved.
    ///
    /// # Errors
    /// The outer one when the queue cannot be used, the inner one when nothing may be started.
    pub fn consume(&mut self, about_to_start: &Binding) -> Result<Result<Grant, NotGranted>, QueueFailure> {
        let (id, owner) = (self.record.id.clone(), self.record.owner.clone());
        let got = self.queue.change(|requests, now| requests.consume(&id, &owner, about_to_start, now))?;
        self.open = matches!(got, Err(NotGranted::Pending));
        Ok(got)
    }

    /// The run has started.
    ///
    /// # Errors
    /// See [`QueueFailure`].
    pub fn started(&self) -> Result<(), QueueFailure> {
        self.queue.change(|requests, _| requests.started(&self.record.id, &self.record.owner))
    }

    /// The run is over.
    ///
    /// # Errors
    /// See [`QueueFailure`].
    pub fn finished(&self, ending: Ending) -> Result<(), QueueFailure> {
        self.queue.change(|requests, _| requests.finished(&self.record.id, &self.record.owner, ending))
    }

    /// Ends the request before its run has started.
    ///
    /// # Errors
    /// See [`QueueFailure`].
    pub fn withdraw(&mut self, reason: Denial, detail: &str) -> Result<(), QueueFailure> {
        self.open = false;
        let record = &self.record;
        self.queue.change(|requests, now| requests.withdraw(&record.id, &record.owner, reason, detail, now))
    }

    /// What changes with every replacement of the store.
    fn stamp(&self) -> Option<(u64, i64, i64)> {
        let meta = self.queue.path().symlink_metadata().ok()?;
        Some((meta.ino(), meta.mtime(), meta.mtime_nsec()))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.open {
            // Whoever opens the queue next denies it anyway once this process is gone.
            let _ = self.withdraw(Denial::RunAborted, "");
        }
    }
}
