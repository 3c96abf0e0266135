//! Devices that lost a role: unpaired, or taken out by a lockdown. A program of this machine is let in without a person the first time
//! only; what somebody took away does not come back by connecting again.

use indexmap::IndexMap;

use super::Devices;
use crate::protocol::connect::Role;

/// Most devices that are remembered; the one that was taken out first goes first.
pub const MAX_REMOVED: usize = 4096;

/// By device id: the words of the roles, with the moment in milliseconds since 1970.
pub type Removed = IndexMap<String, IndexMap<String, u64>>;

impl Devices {
    /// Whether a role was taken from a device, and nobody gave it back since.
    #[must_use]
    pub fn is_removed(&self, device_id: &str, role: Role) -> bool {
        self.removed.get(device_id).is_some_and(|roles| roles.contains_key(role.word()))
    }

    /// Remembers that a role was taken.
    pub(super) fn remember_removed(&mut self, device_id: &str, role: Role, now_ms: u64) {
        // The latest stands last.
        let mut roles = self.removed.shift_remove(device_id).unwrap_or_default();
        roles.insert(role.word().to_owned(), now_ms);
        self.removed.insert(device_id.to_owned(), roles);
        while self.removed.len() > MAX_REMOVED {
            self.removed.shift_remove_index(0);
        }
    }

    /// Somebody gave it back.
    pub(super) fn forget_removed(&mut self, device_id: &str, role: Role) {
        let Some(roles) = self.removed.get_mut(device_id) else { return };
        roles.shift_remove(role.word());
        if roles.is_empty() {
            self.removed.shift_remove(device_id);
        }
    }

    /// Forgets what devices lost that have it: their records came back as a whole (the undo of a lockdown).
    pub fn settle_removed(&mut self) {
        let paired = &self.paired;
        for (id, roles) in &mut self.removed {
            let has =
                |word: &str| Role::parse(word).is_some_and(|r| paired.get(id).is_some_and(|p| p.has_role(r)));
            roles.retain(|word, _| !has(word));
        }
        self.removed.retain(|_, roles| !roles.is_empty());
    }
}
