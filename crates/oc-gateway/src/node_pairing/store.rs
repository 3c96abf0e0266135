//! The two files of the nodes, kept.

use std::path::Path;

use indexmap::IndexMap;
use oc_fs::fix_record::FileRecord;
use oc_fs::pairing_files::{Kind, PairingFailure, PairingFiles};

use super::{NodePairing, NodePending, PairedNode};
use crate::devices::now_ms;

/// `<state>/nodes/{pending,paired}.json`: read strictly, changed under a lock, replaced whole.
#[derive(Clone, Debug)]
pub struct NodeStore {
    files: PairingFiles,
}

impl NodeStore {
    /// The store of a state directory. Creates nothing.
    #[must_use]
    pub fn of(state_dir: &Path) -> Self {
        Self { files: PairingFiles::of(state_dir, Kind::Nodes) }
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
    pub fn read(&self) -> Result<NodePairing, PairingFailure> {
        let (pending, paired) = self.files.read()?;
        self.verify(&pending, &paired)?;
        Ok(NodePairing { pending, paired })
    }

    /// Changes them, under the lock and in the content of this moment. The step also gets the time in milliseconds since 1970. What it
    /// returns may be a refusal; what it changed before that is written all the same.
    ///
    /// # Errors
    /// See [`PairingFailure`]; the step did not run unless it is [`PairingFailure::Write`].
    pub fn change<T>(&self, step: impl FnOnce(&mut NodePairing, u64) -> T) -> Result<T, PairingFailure> {
        self.change_noted(step, |_| Ok(()))
    }

    /// [`NodeStore::change`] that hands over the texts of what will be replaced before anything is.
    ///
    /// # Errors
    /// As [`NodeStore::change`], or `note`'s: then nothing was changed.
    pub fn change_noted<T>(
        &self,
        step: impl FnOnce(&mut NodePairing, u64) -> T,
        note: impl FnOnce(&[FileRecord]) -> Result<(), PairingFailure>,
    ) -> Result<T, PairingFailure> {
        self.files.change_noted(
            |pending, paired| self.verify(pending, paired),
            |pending, paired| {
                let mut all =
                    NodePairing { pending: std::mem::take(pending), paired: std::mem::take(paired) };
                let out = step(&mut all, now_ms());
                (*pending, *paired) = (all.pending, all.paired);
                out
            },
            note,
        )
    }

    /// Puts back the nodes of an earlier text of `paired.json` that are gone since. Returns whom.
    ///
    /// # Errors
    /// See [`PairingFailure`].
    pub fn put_back(&self, paired_before: &str) -> Result<Vec<String>, PairingFailure> {
        let before = serde_json::from_str(paired_before).map_err(|e| PairingFailure::Damaged {
            path: self.files.paired().to_owned(),
            why: format!("its earlier text, line {}, is not what belongs there", e.line()),
        })?;
        self.change(|all, _| all.put_back(before))
    }

    fn verify(
        &self,
        pending: &IndexMap<String, NodePending>,
        paired: &IndexMap<String, PairedNode>,
    ) -> Result<(), PairingFailure> {
        let damaged = |path: &Path, why: &str| {
            Err(PairingFailure::Damaged { path: path.to_owned(), why: why.to_owned() })
        };
        if pending.iter().any(|(id, p)| *id != p.request_id) {
            return damaged(self.files.pending(), "a request stands under another one's id");
        }
        if paired.iter().any(|(id, p)| *id != p.node_id) {
            return damaged(self.files.paired(), "a node stands under another one's id");
        }
        Ok(())
    }
}
