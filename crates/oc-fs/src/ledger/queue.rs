//! Records that come together are written together, by a thread of the ledger's own, which also synchronises later what was only written.
//!
//! The thread starts with the first record and ends when the ledger and all its clones are gone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;

use super::{Entry, Ledger, LedgerFailure, SYNC_WITHIN};
use crate::durability::Durability;

/// Most records of one write.
const TOGETHER: usize = 256;

/// Hears what became of a record.
pub(super) type Told = Box<dyn FnOnce(Result<(), LedgerFailure>) + Send>;

/// A record that waits to be written.
pub(super) struct Waiting {
    /// What is recorded.
    pub entry: Entry,
    /// How safe it has to be before somebody hears of it.
    pub durability: Durability,
    /// When.
    pub now: Timestamp,
    /// Who hears of it.
    pub told: Told,
}

/// What the thread is asked for.
enum Order {
    /// Write this.
    Write(Box<Waiting>),
    /// Something was written and not synced.
    SyncSoon,
}

/// The way to the thread; `None` until it was needed.
#[derive(Clone, Default)]
pub(super) struct Queue {
    to: Arc<Mutex<Option<Sender<Order>>>>,
    /// Whether the thread knows that something is to be synced.
    unsynced: Arc<AtomicBool>,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Queue")
    }
}

impl Queue {
    pub(super) fn submit(&self, ledger: &Ledger, waiting: Waiting) {
        self.send(ledger, Order::Write(Box::new(waiting)));
    }

    /// Has the thread synchronise what was written before this; at once when it cannot be had.
    pub(super) fn sync_soon(&self, ledger: &Ledger) {
        if !self.unsynced.swap(true, Ordering::AcqRel) {
            self.send(ledger, Order::SyncSoon);
        }
    }

    fn send(&self, ledger: &Ledger, order: Order) {
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        // A thread that died took its end of the way with it: a new one.
        let rest = match to.as_ref() {
            Some(to) => to.send(order).err().map(|unsent| unsent.0),
            None => Some(order),
        };
        let Some(order) = rest else { return };
        let (sender, receiver) = mpsc::channel();
        // Without a way to itself: else it would keep itself alive.
        let queue = Self { to: Arc::default(), unsynced: Arc::clone(&self.unsynced) };
        let writer = Ledger { queue, ..ledger.clone() };
        let thread = std::thread::Builder::new().name("ledger".to_owned());
        match thread.spawn(move || serve(&writer, &receiver)) {
            Ok(_) => match sender.send(order) {
                Ok(()) => *to = Some(sender),
                Err(unsent) => {
                    not_done(ledger, unsent.0, std::io::Error::other("the thread that writes it has ended"));
                }
            },
            Err(source) => not_done(ledger, order, source),
        }
    }
}

fn not_done(ledger: &Ledger, order: Order, source: std::io::Error) {
    match order {
        Order::Write(waiting) => {
            let path = ledger.directory.clone();
            (waiting.told)(Err(LedgerFailure::Unwritable { path, source }));
        }
        Order::SyncSoon => sync(ledger),
    }
}

/// Writes what comes, and synchronises what was only written, until nobody can send any more.
fn serve(ledger: &Ledger, from: &Receiver<Order>) {
    let mut due: Option<Instant> = None;
    loop {
        let order = match due {
            None => from.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => from.recv_timeout(at.saturating_duration_since(Instant::now())),
        };
        let mut waiting = Vec::new();
        match order {
            Ok(first) => {
                for order in std::iter::once(first).chain(from.try_iter()).take(TOGETHER) {
                    match order {
                        Order::Write(one) => waiting.push(*one),
                        Order::SyncSoon => due = due.or_else(|| Some(Instant::now() + SYNC_WITHIN)),
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                if due.is_some() {
                    sync(ledger);
                }
                return;
            }
        }
        if !waiting.is_empty() && write(ledger, waiting) == Durability::Written {
            due = due.or_else(|| Some(Instant::now() + SYNC_WITHIN));
        }
        if due.is_some_and(|at| at <= Instant::now()) {
            due = None;
            sync(ledger);
        }
    }
}

/// Writes records together, and answers how safe they are.
fn write(ledger: &Ledger, all: Vec<Waiting>) -> Durability {
    let synced = all.iter().any(|w| w.durability == Durability::Synced);
    let durability = if synced { Durability::Synced } else { Durability::Written };
    let entries: Vec<_> = all.iter().map(|w| (&w.entry, w.now)).collect();
    match ledger.append_all(&entries, durability, None) {
        Ok(records) => {
            for (waiting, record) in all.into_iter().zip(records) {
                (waiting.told)(record.map(drop).map_err(LedgerFailure::Record));
            }
        }
        Err(failure) => {
            for waiting in all {
                (waiting.told)(Err(failure.again()));
            }
        }
    }
    durability
}

/// Synchronises. Whoever writes from now on asks anew.
fn sync(ledger: &Ledger) {
    ledger.queue.unsynced.store(false, Ordering::Release);
    if ledger.sync().is_err() {
        // The records were acknowledged as written, which they are. The next writer has no end at hand, so it synchronises first: it meets
        // the same trouble and is refused, with its cause.
        ledger.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
