//! Records that come together are written together, by a thread of the ledger's own.
//!
//! The thread starts with the first record and ends when the ledger and all its clones are gone.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::{Entry, Ledger, LedgerFailure};

/// Most records of one write.
const TOGETHER: usize = 256;

/// Hears what became of a record.
pub(super) type Told = Box<dyn FnOnce(Result<(), LedgerFailure>) + Send>;

/// A record that waits to be written.
pub(super) struct Waiting {
    /// What is recorded.
    pub entry: Entry,
    /// When.
    pub now: Timestamp,
    /// Who hears of it.
    pub told: Told,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiting").field("call", &self.entry.call).finish_non_exhaustive()
    }
}

/// The way to the thread; `None` until it was needed.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue(Arc<Mutex<Option<Sender<Waiting>>>>);

impl Queue {
    pub(super) fn submit(&self, ledger: &Ledger, waiting: Waiting) {
        let mut to = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A thread that died took its end of the way with it: a new one.
        let rest = match to.as_ref() {
            Some(to) => to.send(waiting).err().map(|unsent| unsent.0),
            None => Some(waiting),
        };
        let Some(waiting) = rest else { return };
        let (sender, receiver) = mpsc::channel();
        // Without a queue of its own: else it would keep itself alive.
        let writer = Ledger { queue: Self::default(), ..ledger.clone() };
        let thread = std::thread::Builder::new().name("ledger".to_owned());
        match thread.spawn(move || write(&writer, &receiver)) {
            Ok(_) => match sender.send(waiting) {
                Ok(()) => *to = Some(sender),
                Err(unsent) => ended(ledger, unsent.0),
            },
            Err(source) => {
                let path = ledger.directory.clone();
                (waiting.told)(Err(LedgerFailure::Unwritable { path, source }));
            }
        }
    }
}

fn ended(ledger: &Ledger, waiting: Waiting) {
    let source = std::io::Error::other("the thread that writes it has ended");
    (waiting.told)(Err(LedgerFailure::Unwritable { path: ledger.directory.clone(), source }));
}

/// Writes what comes until nobody can send any more.
fn write(ledger: &Ledger, from: &Receiver<Waiting>) {
    while let Ok(first) = from.recv() {
        let mut all = vec![first];
        all.extend(from.try_iter().take(TOGETHER - 1));
        let entries: Vec<_> = all.iter().map(|w| (&w.entry, w.now)).collect();
        match ledger.append_all(&entries, &|_| ()) {
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
    }
}
