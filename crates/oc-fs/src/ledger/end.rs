//! Where the chain goes on: kept open between two appends.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::chain::Head;
use super::record::Entry;
use super::{LedgerFailure, files};
use crate::lock::LockFile;
use crate::mode;

/// A file that is open, and what tells whether it is still the one under its name.
#[derive(Debug)]
pub(super) struct Open {
    /// The file.
    pub file: File,
    /// Device and number of its inode.
    inode: (u64, u64),
}

impl Open {
    pub(super) fn new(file: File) -> io::Result<Self> {
        let meta = file.metadata()?;
        Ok(Self { file, inode: (meta.dev(), meta.ino()) })
    }

    /// Whether it stands under its name, with that size and these last bytes.
    fn is_at(&self, path: &Path, size: u64, last: &[u8]) -> bool {
        let there = std::fs::symlink_metadata(path);
        let same = |m: Metadata| (m.dev(), m.ino()) == self.inode && m.is_file() && m.len() == size;
        let Some(at) = size.checked_sub(last.len() as u64) else { return false };
        let mut bytes = vec![0; last.len()];
        there.is_ok_and(same) && self.file.read_exact_at(&mut bytes, at).is_ok() && bytes == last
    }
}

/// The end of the chain, with its files open.
///
/// Invariant: [`End::is_current`] answers `true` only when reading the end again would give the same; under the lock.
#[derive(Debug)]
pub(super) struct End {
    /// Number of the part.
    pub number: u32,
    /// Its path.
    pub path: PathBuf,
    /// Where a writer goes on that finds this part full.
    next: PathBuf,
    /// The part.
    pub part: Open,
    /// Its size in bytes.
    pub size: u64,
    /// Its last line with its end; empty when it has none.
    pub last: Vec<u8>,
    /// The last record.
    pub head: Head,
    /// The note of the head, once it was written.
    pub note: Option<Open>,
    /// What it says: the last record that was synced, and how that reads.
    noted: (Head, String),
    /// The file of the ledger's lock, once an append left it open.
    pub locks: Option<LockFile>,
    /// What has to be recorded before anything else.
    pub recovery: Option<Entry>,
}

impl End {
    /// The end of a part that goes so far.
    pub(super) fn new(directory: &Path, number: u32, part: Open, size: u64, head: Head) -> Self {
        Self {
            number,
            path: files::part(directory, number),
            next: files::part(directory, number.saturating_add(1)),
            part,
            size,
            last: Vec::new(),
            head,
            note: None,
            noted: (Head::empty(), String::new()),
            locks: None,
            recovery: None,
        }
    }

    /// The end in a part that was begun just now.
    pub(super) fn in_next(&mut self, directory: &Path, part: Open) -> Self {
        let next = Self::new(directory, self.number.saturating_add(1), part, 0, self.head.clone());
        Self { note: self.note.take(), noted: self.noted.clone(), locks: self.locks.take(), ..next }
    }

    /// Whether the disk still ends as noted here: the same files under the same names, of that size, with that last line and that note.
    pub(super) fn is_current(&self, directory: &Path) -> bool {
        let parts = files::parts(directory).unwrap_or_default();
        let noted = self.noted.1.as_bytes();
        let is_noted = |note: &Open| note.is_at(&files::note_path(directory), noted.len() as u64, noted);
        parts.last().is_some_and(|(number, path)| *number == self.number && *path == self.path)
            && self.goes_on_here()
            && self.note.as_ref().is_some_and(is_noted)
    }

    /// The same for a record that needs no synchronisation: without the note, which is looked at with the next one, and without a list of the
    /// folder; of other parts only the next one is looked for, which is where another writer goes on.
    pub(super) fn goes_on_here(&self) -> bool {
        self.note.is_some()
            && std::fs::symlink_metadata(&self.next).is_err_and(|e| e.kind() == io::ErrorKind::NotFound)
            && self.part.is_at(&self.path, self.size, &self.last)
    }

    /// Whether the note says how far the chain goes: then all of it was synced.
    pub(super) fn is_noted(&self) -> bool {
        self.note.is_some() && self.noted.0 == self.head
    }

    /// Number of the last record that the note names.
    pub(super) fn noted_seq(&self) -> u64 {
        self.noted.0.seq
    }

    /// Notes a head up to which the ledger was synced: one write, not synced (after a crash it may lag behind).
    pub(super) fn write_note(&mut self, directory: &Path, head: Head) -> Result<(), LedgerFailure> {
        let path = files::note_path(directory);
        let unwritable = |source| LedgerFailure::Unwritable { path: path.clone(), source };
        let text = files::note_text(&head);
        self.noted = (head, text.clone());
        if let Some(note) = &self.note {
            return note.file.write_all_at(text.as_bytes(), 0).map_err(unwritable);
        }
        let file = mode::open_in_place(&path).map_err(unwritable)?;
        let new = file.metadata().map_err(unwritable)?.len() == 0;
        file.write_all_at(text.as_bytes(), 0).map_err(unwritable)?;
        if new {
            // From now on it is there, whatever happens: later its absence means that somebody took it away.
            file.sync_all().and_then(|()| files::sync_directory(directory)).map_err(unwritable)?;
        }
        self.note = Some(Open::new(file).map_err(unwritable)?);
        Ok(())
    }
}
