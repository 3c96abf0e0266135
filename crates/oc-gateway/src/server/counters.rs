//! What is counted, for `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counters.
#[derive(Debug, Default)]
pub struct Counters {
    requests: AtomicU64,
    failures: AtomicU64,
    admitted: AtomicU64,
    refused: AtomicU64,
}

/// Their values at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Requests of clients.
    pub requests: u64,
    /// Requests that were answered with an error.
    pub failures: u64,
    /// Handshakes that ended in a connection.
    pub admitted: u64,
    /// Handshakes that did not.
    pub refused: u64,
}

impl Counters {
    /// A request was answered.
    pub fn request(&self, ok: bool) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if !ok {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A handshake ended.
    pub fn handshake(&self, admitted: bool) {
        let counter = if admitted { &self.admitted } else { &self.refused };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// The values.
    #[must_use]
    pub fn read(&self) -> Counts {
        let of = |c: &AtomicU64| c.load(Ordering::Relaxed);
        Counts {
            requests: of(&self.requests),
            failures: of(&self.failures),
            admitted: of(&self.admitted),
            refused: of(&self.refused),
        }
    }
}
