//! Paired devices and those that ask to be, as a pure state machine over the files `devices/pending.json`, `devices/paired.json`
//! and `devices/removed.json` (gateway 5, SP-324 to SP-328).
//!
//! Clock, ids and tokens are arguments. [`DeviceStore`] keeps the files.
//!
//! Invariant: a record's role and scopes change through an approval only; connecting again changes neither (SP-326).
//! Invariant: a device that lost a role comes back in that role through a person's approval only, also on this machine (SP-328).
//! Invariant: a token never carries more than its device's record, and nobody approves, rotates or mints beyond what they hold (SP-324, SP-325).

mod admit;
mod change;
mod cut_off;
mod record;
mod removed;
mod store;
#[cfg(test)]
mod tests;

pub use admit::{Admission, Why, Wish};
pub use change::{Actor, Ask, DeviceError, Rotated};
pub use record::{MAX_PENDING, PENDING_TTL_MS, Paired, Pending, Token};
pub use removed::{MAX_REMOVED, Removed};
pub use store::DeviceStore;
pub(crate) use store::now_ms;

use indexmap::IndexMap;

/// All three files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Devices {
    /// By request id, oldest first.
    pub pending: IndexMap<String, Pending>,
    /// By device id.
    pub paired: IndexMap<String, Paired>,
    /// What was taken from whom.
    pub removed: Removed,
}

impl Devices {
    /// Drops requests that nobody answered in time. Returns their ids.
    pub fn expire(&mut self, now_ms: u64) -> Vec<String> {
        let old: Vec<String> = self
            .pending
            .iter()
            .filter(|(_, p)| now_ms.saturating_sub(p.ts) >= PENDING_TTL_MS)
            .map(|(id, _)| id.clone())
            .collect();
        for id in &old {
            self.pending.shift_remove(id);
        }
        old
    }
}
