//! Where the chain goes on: kept open between two appends.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::chain::Head;
use super::record::Entry;
use super::{LedgerFailure, files};

/// The end of the chain, with its files open.
///
/// Invariant: [`End::is_current`] answers `true` only when reading the end again would give the same; under the lock.
#[derive(Debug)]
pub(super) struct End {
    /// Number of the part.
    pub number: u32,
    /// Its path.
    pub path: PathBuf,
    /// The part.
    pub file: File,
    /// Its size in bytes.
    pub size: u64,
    /// Its last line with its end; empty when it has none.
    pub last: Vec<u8>,
    /// The last record.
    pub head: Head,
    /// The note of the head, once it was written.
    pub note: Option<File>,
    /// What it says: the last record that was synced.
    pub noted: Head,
    /// What has to be recorded before anything else.
    pub recovery: Option<Entry>,
}

impl End {
    /// Whether the disk still ends as noted here: the same files under the same names, of that size, with that last line and that note.
    pub(super) fn is_current(&self, directory: &Path) -> bool {
        let Some(note) = &self.note else { return false };
        let is_same = |file: &File, path: &Path, size: u64| {
            let (Ok(open), Ok(there)) = (file.metadata(), std::fs::symlink_metadata(path)) else {
                return false;
            };
            (open.dev(), open.ino()) == (there.dev(), there.ino()) && there.is_file() && there.len() == size
        };
        let ends_with = |file: &File, bytes: &[u8], size: u64| {
            let mut there = vec![0; bytes.len()];
            let at = size.checked_sub(bytes.len() as u64);
            at.is_some_and(|at| file.read_exact_at(&mut there, at).is_ok()) && there == bytes
        };
        let noted = files::note_text(&self.noted);
        let parts = files::parts(directory).unwrap_or_default();
        parts.last().is_some_and(|(number, path)| *number == self.number && *path == self.path)
            && is_same(&self.file, &self.path, self.size)
            && is_same(note, &files::note_path(directory), noted.len() as u64)
            && ends_with(&self.file, &self.last, self.size)
            && ends_with(note, noted.as_bytes(), noted.len() as u64)
    }

    /// Whether the note says how far the chain goes: then all of it was synced.
    pub(super) fn is_noted(&self) -> bool {
        self.note.is_some() && self.noted == self.head
    }

    /// Notes a head up to which the ledger was synced: one write, not synced (after a crash it may lag behind).
    pub(super) fn write_note(&mut self, directory: &Path, head: Head) -> Result<(), LedgerFailure> {
        let path = files::note_path(directory);
        let unwritable = |source| LedgerFailure::Unwritable { path: path.clone(), source };
        let text = files::note_text(&head);
        self.noted = head;
        if let Some(note) = &self.note {
            return note.write_all_at(text.as_bytes(), 0).map_err(unwritable);
        }
        let file = files::open(&path).map_err(unwritable)?;
        let new = file.metadata().map_err(unwritable)?.len() == 0;
        file.write_all_at(text.as_bytes(), 0).map_err(unwritable)?;
        if new {
            // From now on it is there, whatever happens: later its absence means that somebody took it away.
            file.sync_all().and_then(|()| files::sync_directory(directory)).map_err(unwritable)?;
        }
        self.note = Some(file);
        Ok(())
    }
}
