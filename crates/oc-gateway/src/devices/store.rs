//! The two files of the devices, kept.

use std::cell::RefCell;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use indexmap::IndexMap;
use oc_fs::fix_record::FileRecord;
use oc_fs::pairing_files::{Kind, PairingFailure, PairingFiles};

use super::{Devices, Paired, Pending, Removed};
use crate::protocol::connect::Role;

#[cfg(test)]
mod tests;

/// `<state>/devices/{pending,paired,removed}.json`: read strictly, changed under a lock, replaced whole.
#[derive(Clone, Debug)]
pub struct DeviceStore {
    files: PairingFiles,
}

impl DeviceStore {
    /// The store of a state directory. Creates nothing.
    #[must_use]
    pub fn of(state_dir: &Path) -> Self {
        Self { files: PairingFiles::of(state_dir, Kind::Devices) }
    }

    /// Where they lie.
    #[must_use]
    pub fn files(&self) -> &PairingFiles {
        &self.files
    }

    /// What they hold at this moment; requests that nobody answered in time are still there.
    ///
    /// # Errors
    /// When a file is there and cannot be read: nobody is paired then (SP-008).
    pub fn read(&self) -> Result<Devices, PairingFailure> {
        let (pending, paired) = self.files.read()?;
        self.verify(&pending, &paired)?;
        Ok(Devices { pending, paired, removed: self.files.read_removed()? })
    }

    /// Changes them, under the lock and in the content of this moment. The step also gets the time in milliseconds since 1970. What
    /// it returns may be a refusal; what it changed before that is written all the same.
    ///
    /// # Errors
    /// See [`PairingFailure`]; the step did not run unless it is [`PairingFailure::Write`].
    pub fn change<T>(&self, step: impl FnOnce(&mut Devices, u64) -> T) -> Result<T, PairingFailure> {
        self.change_noted(step, |_| Ok(()))
    }

    /// [`DeviceStore::change`] that hands over the texts of what will be replaced before anything is.
    ///
    /// # Errors
    /// As [`DeviceStore::change`], or `note`'s: then nothing was changed.
    pub fn change_noted<T>(
        &self,
        step: impl FnOnce(&mut Devices, u64) -> T,
        note: impl FnOnce(&[FileRecord]) -> Result<(), PairingFailure>,
    ) -> Result<T, PairingFailure> {
        // Read under the lock, written under it, before the other two are.
        let removed = RefCell::new((Removed::new(), Removed::new()));
        self.files.change_noted(
            |pending, paired| {
                let before: Removed = self.files.read_removed()?;
                *removed.borrow_mut() = (before.clone(), before);
                self.verify(pending, paired)
            },
            |pending, paired| {
                let mut removed = removed.borrow_mut();
                let mut all = Devices {
                    pending: std::mem::take(pending),
                    paired: std::mem::take(paired),
                    removed: std::mem::take(&mut removed.1),
                };
                let out = step(&mut all, now_ms());
                (*pending, *paired, removed.1) = (all.pending, all.paired, all.removed);
                out
            },
            |records| {
                let removed = removed.borrow();
                if removed.0 != removed.1 {
                    self.files.write_removed(&removed.1)?;
                }
                note(records)
            },
        )
    }

    /// Gives devices a role back that they had in an earlier text of `paired.json`. Returns whom it gave something.
    ///
    /// # Errors
    /// See [`PairingFailure`].
    pub fn put_back(&self, paired_before: &str, role: Role) -> Result<Vec<String>, PairingFailure> {
        let before: IndexMap<String, Paired> =
            serde_json::from_str(paired_before).map_err(|e| PairingFailure::Damaged {
                path: self.files.paired().to_owned(),
                why: format!("its earlier text, line {}, is not what belongs there", e.line()),
            })?;
        self.change(|all, _| all.put_back(&before, role))
    }

    /// Forgets what devices lost that have it, after their records came back as a whole.
    ///
    /// # Errors
    /// See [`PairingFailure`].
    pub fn settle_removed(&self) -> Result<(), PairingFailure> {
        self.change(|all, _| all.settle_removed())
    }

    /// A record stands under its own name, a token under its own role; else somebody edited the file by hand, and got it wrong.
    fn verify(
        &self,
        pending: &IndexMap<String, Pending>,
        paired: &IndexMap<String, Paired>,
    ) -> Result<(), PairingFailure> {
        let damaged = |path: &Path, why: &str| {
            Err(PairingFailure::Damaged { path: path.to_owned(), why: why.to_owned() })
        };
        if pending.iter().any(|(id, p)| *id != p.request_id) {
            return damaged(self.files.pending(), "a request stands under another one's id");
        }
        if paired.iter().any(|(id, p)| *id != p.device_id) {
            return damaged(self.files.paired(), "a device stands under another one's id");
        }
        if paired.values().any(|p| p.tokens.iter().any(|(role, t)| *role != t.role)) {
            return damaged(self.files.paired(), "a token stands under another role than its own");
        }
        Ok(())
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
