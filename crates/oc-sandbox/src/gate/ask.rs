//! Asking a person: a request in the durable queue, announced, waited for off the reactor, taken up once.
//!
//! There is one queue of a state directory. Whoever answers (the command line, a client of the gateway, a chat) answers in that queue, and
//! nobody hands an answer to the gate directly (SP-176, SP-202).

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use oc_approval::binding::Binding;
use oc_approval::life_cycle::{Denial, Ending, Grant, Kind, NotGranted, Record};
use oc_approval::request::Asked;
use oc_fs::approval_queue::{ApprovalQueue, Outcome, QueueFailure, Ticket};
use tokio::task::{JoinError, spawn_blocking};

use super::background::Finished;
use super::still_running::StillRunning;

/// Whether a request reached somebody who can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// Yes, or it cannot be said; it is waited for.
    Somebody,
    /// Nobody; `askFallback` decides at once.
    Nobody,
}

/// Who hears of requests and of commands that ended in the background. Called outside of the reactor for requests; must not block for long.
pub trait Listener: fmt::Debug + Send + Sync {
    /// A request is in the queue and can be answered (`exec.approval.requested`).
    fn requested(&self, record: &Record) -> Reached {
        let _ = record;
        Reached::Somebody
    }

    /// A request was answered, or ended without an answer (`exec.approval.resolved`). Called once for each request.
    fn resolved(&self, record: &Record) {
        let _ = record;
    }

    /// A command that a person approved has run longer than `tools.exec.approvalRunningNoticeMs`. Called once for each.
    fn running(&self, running: &StillRunning) {
        let _ = running;
    }

    /// A command that went on in the background has ended.
    fn finished(&self, finished: &Finished) {
        let _ = finished;
    }
}

/// Nobody listens; the queue can be looked at.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Listener for Silent {}

/// The queue of a state directory, and who is told about it. A request of the gate and one of a client of the gateway go through the
/// same [`Approvals::put`].
#[derive(Clone, Debug)]
pub struct Approvals {
    queue: ApprovalQueue,
    listener: Arc<dyn Listener>,
}

/// A request that waits.
#[derive(Debug)]
pub struct Asking {
    ticket: Ticket,
    approvals: Approvals,
}

/// An approval that was taken up: the one run of its request.
#[derive(Debug)]
pub struct TakenUp {
    /// `None` once the end is reported.
    ticket: Option<Arc<Mutex<Ticket>>>,
    grant: Grant,
}

fn failed(e: JoinError) -> QueueFailure {
    QueueFailure::Store(std::io::Error::other(e))
}

impl Approvals {
    /// The queue of a state directory.
    ///
    /// # Errors
    /// When the system does not say who this process is.
    pub fn of(state_dir: &Path) -> Result<Self, QueueFailure> {
        Ok(Self { queue: ApprovalQueue::of(state_dir)?, listener: Arc::new(Silent) })
    }

    /// With somebody who is told.
    #[must_use]
    pub fn told_to(self, listener: Arc<dyn Listener>) -> Self {
        Self { listener, ..self }
    }

    /// The queue, for answers and lists.
    #[must_use]
    pub fn queue(&self) -> &ApprovalQueue {
        &self.queue
    }

    /// Who is told.
    #[must_use]
    pub fn listener(&self) -> &Arc<dyn Listener> {
        &self.listener
    }

    /// Puts a request into the queue; nobody has heard of it yet. `id`: one that a caller chose. Dropped without an answer, it is denied.
    ///
    /// # Errors
    /// See [`QueueFailure`]: then it is not approved.
    pub async fn put(
        &self,
        asked: Asked,
        id: Option<String>,
        timeout_ms: u64,
    ) -> Result<Asking, QueueFailure> {
        let queue = self.queue.clone();
        let put = spawn_blocking(move || queue.ask(asked, Kind::Exec, id, timeout_ms));
        let ticket = put.await.map_err(failed)??;
        Ok(Asking { ticket, approvals: self.clone() })
    }
}

/// Tells a waiting thread that nobody wants the answer any more.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Asking {
    /// The request as it was taken.
    #[must_use]
    pub fn record(&self) -> &Record {
        self.ticket.record()
    }

    /// Announces the request and waits for its end. Dropping the future denies the request (`run-aborted`).
    ///
    /// # Errors
    /// See [`QueueFailure`]: then it is not approved.
    pub async fn answered(self) -> Result<(Self, Outcome), QueueFailure> {
        let stop = Stop(Arc::new(AtomicBool::new(false)));
        let seen = Arc::clone(&stop.0);
        let waiting = spawn_blocking(move || {
            let Self { mut ticket, approvals } = self;
            let outcome = match approvals.listener.requested(ticket.record()) {
                Reached::Somebody => ticket.wait(&|| seen.load(Ordering::Relaxed)),
                Reached::Nobody => ticket
                    .withdraw(Denial::NoApprovalRoute, "")
                    .map(|()| Outcome::Denied { reason: Denial::NoApprovalRoute, detail: String::new() }),
            };
            let id = ticket.record().id.clone();
            // As it stands in the queue now; of one that is gone, as it was taken.
            let records = approvals.queue.records().unwrap_or_default();
            let now = records.iter().find(|r| r.id == id).unwrap_or_else(|| ticket.record());
            approvals.listener.resolved(now);
            outcome.map(|outcome| (Self { ticket, approvals }, outcome))
        });
        let out = waiting.await.map_err(failed)?;
        drop(stop);
        out
    }

    /// Takes the approval up for exactly this. The inner error: nothing may be started.
    ///
    /// # Errors
    /// See [`QueueFailure`].
    pub async fn take_up(self, about_to_start: Binding) -> Result<Result<TakenUp, NotGranted>, QueueFailure> {
        let taking = spawn_blocking(move || {
            let mut ticket = self.ticket;
            let got = ticket.consume(&about_to_start)?;
            Ok(got.map(|grant| TakenUp { ticket: Some(Arc::new(Mutex::new(ticket))), grant }))
        });
        taking.await.map_err(failed)?
    }

    /// Ends the request before anything ran.
    pub async fn withdraw(self, reason: Denial, detail: &'static str) {
        let mut ticket = self.ticket;
        // What cannot be written is denied by the next one who opens the queue.
        let _ = spawn_blocking(move || ticket.withdraw(reason, detail)).await;
    }
}

impl TakenUp {
    /// The right that was given.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// The run has started.
    pub async fn started(&self) {
        let Some(ticket) = self.ticket.clone() else { return };
        // The list says `consumed` instead of `running` when this cannot be written; nothing depends on it.
        let _ = spawn_blocking(move || held(&ticket).started()).await;
    }

    /// The run is over. Writes the queue; not for the reactor.
    pub fn finished(mut self, ending: Ending) {
        if let Some(ticket) = self.ticket.take() {
            let _ = held(&ticket).finished(ending);
        }
    }

    /// It did not start after all. Writes the queue; not for the reactor.
    pub fn withdraw(mut self, reason: Denial, detail: &str) {
        if let Some(ticket) = self.ticket.take() {
            let _ = held(&ticket).withdraw(reason, detail);
        }
    }
}

fn held(ticket: &Mutex<Ticket>) -> MutexGuard<'_, Ticket> {
    ticket.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for TakenUp {
    fn drop(&mut self) {
        // Given up while it ran: its end is not known.
        if let Some(ticket) = self.ticket.take() {
            let _ = held(&ticket).finished(Ending::Lost);
        }
    }
}
