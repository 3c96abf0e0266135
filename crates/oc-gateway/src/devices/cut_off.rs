//! Taking access back without being asked for one token: a device unpaired, a role taken from everybody, every token at once; and putting
//! it back after a lockdown.

use indexmap::IndexMap;
use indexmap::map::Entry;

use super::{Devices, Paired};
use crate::protocol::connect::Role;

impl Devices {
    /// Takes a role from a device: its token is gone, and so is the record when it has no other role. Returns whether it had it; then its
    /// sockets of that role have to be closed (SP-328), and it needs a person to get it back.
    pub fn take_role_of(&mut self, device_id: &str, role: Role, now_ms: u64) -> bool {
        let Some(record) = self.paired.get_mut(device_id).filter(|p| has(p, role)) else { return false };
        record.tokens.shift_remove(role.word());
        record.roles.retain(|r| r != role.word());
        if record.role.as_deref() == Some(role.word()) {
            record.role = record.roles.first().cloned();
        }
        if record.role.is_none() && record.roles.is_empty() && record.tokens.is_empty() {
            self.paired.shift_remove(device_id);
        }
        self.remember_removed(device_id, role, now_ms);
        true
    }

    /// Takes a role from every device, and drops the requests for it. Returns the devices that had it.
    pub fn take_role(&mut self, role: Role, now_ms: u64) -> Vec<String> {
        self.pending.retain(|_, p| p.wanted_role() != Some(role));
        let had: Vec<String> =
            self.paired.iter().filter(|(_, p)| has(p, role)).map(|(id, _)| id.clone()).collect();
        for id in &had {
            self.take_role_of(id, role, now_ms);
        }
        had
    }

    /// Takes every live token back. The devices stay paired: with the gateway's new secret they get a new one. Returns whose sockets have
    /// to be closed, with the role's word.
    pub fn revoke_all(&mut self, now_ms: u64) -> Vec<(String, String)> {
        let mut ended = Vec::new();
        for (id, record) in &mut self.paired {
            for (role, token) in record.tokens.iter_mut().filter(|(_, t)| t.is_live()) {
                token.revoked_at_ms = Some(now_ms);
                ended.push((id.clone(), role.clone()));
            }
        }
        ended
    }

    /// Gives devices a role back that they had before it was taken: records that are gone, roles and tokens that are missing. A device that
    /// has come back with another key is left alone. Returns whom it gave something.
    pub fn put_back(&mut self, before: &IndexMap<String, Paired>, role: Role) -> Vec<String> {
        let mut back = Vec::new();
        for (id, old) in before.iter().filter(|(_, p)| has(p, role)) {
            let now = match self.paired.entry(id.clone()) {
                Entry::Vacant(slot) => {
                    slot.insert(old.clone());
                    back.push(id.clone());
                    continue;
                }
                Entry::Occupied(slot) => slot.into_mut(),
            };
            if now.public_key != old.public_key || has(now, role) {
                continue;
            }
            now.roles.push(role.word().to_owned());
            if let Some(token) = old.tokens.get(role.word()) {
                now.tokens.insert(role.word().to_owned(), token.clone());
            }
            back.push(id.clone());
        }
        for id in &back {
            self.forget_removed(id, role);
        }
        back
    }
}

/// Whether it has a role or a token of it: a file of another release may have one without the other.
fn has(record: &Paired, role: Role) -> bool {
    record.has_role(role) || record.tokens.contains_key(role.word())
}
