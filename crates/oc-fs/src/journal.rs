//! An append-only file of checked lines, for what must survive a kill: every line carries its checksum, a torn last line is cut off, and
//! anything else that does not fit is an error that leaves the file as it is (SP-008).
//!
//! Invariant: what [`Journal::sync`] has returned for is on the disk.
//! Invariant: one process at a time holds the file.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::lock::{self, Convention, LockFailure, StoreLock};
use crate::{atomic, mode, owned_file};

#[cfg(test)]
mod tests;

/// Largest file that is read, in bytes.
pub const LIMIT: u64 = 512 * 1024 * 1024;
/// Characters of the checksum at the beginning of a line.
const SUM: usize = 16;

/// Why a journal cannot be used.
#[derive(Debug, Error)]
pub enum JournalFailure {
    /// Another process uses it.
    #[error(transparent)]
    Lock(#[from] LockFailure),
    /// A line in its midst does not fit its checksum.
    #[error("{} is damaged in line {line}; move it away to begin a new one", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// It cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Its replacement could not be written; the old one stands.
    #[error(transparent)]
    Write(#[from] atomic::WriteFailure),
    /// A line to be written holds a line break.
    #[error("a record of {} holds a line break", .0.display())]
    Line(PathBuf),
    /// An earlier write failed and could not be taken back.
    #[error("{} is not written any more after a failure; restart when its disk has room", .0.display())]
    Broken(PathBuf),
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    size: u64,
    broken: bool,
    _lock: StoreLock,
}

impl Journal {
    /// Opens a journal, or creates it, and gives its lines.
    ///
    /// # Errors
    /// See [`JournalFailure`].
    pub fn open(path: &Path) -> Result<(Self, Vec<String>), JournalFailure> {
        let io = |source| JournalFailure::Io { path: path.to_owned(), source };
        if let Some(parent) = path.parent() {
            mode::create_directories(parent).map_err(io)?;
        }
        let lock = lock::acquire(path, Convention::Own, lock::WAIT)?;
        atomic::sweep(path);
        let bytes = owned_file::read(path, LIMIT).map_err(io)?.unwrap_or_default();
        let (lines, whole) = read(&bytes, path)?;
        let file = mode::open_append(path).map_err(io)?;
        if whole < bytes.len() {
            file.set_len(whole as u64).and_then(|()| file.sync_all()).map_err(io)?;
        }
        sync_directory(path).map_err(io)?;
        Ok((Self { path: path.to_owned(), file, size: whole as u64, broken: false, _lock: lock }, lines))
    }

    /// Its length, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Writes lines behind the others. They are durable after the next [`Journal::sync`].
    ///
    /// # Errors
    /// See [`JournalFailure`]; none of the lines counts then.
    pub fn append(&mut self, lines: &[String]) -> Result<(), JournalFailure> {
        if self.broken {
            return Err(JournalFailure::Broken(self.path.clone()));
        }
        let bytes = sealed(lines, &self.path)?;
        if let Err(source) = self.file.write_all(&bytes) {
            // Half a line must not stand between two whole ones.
            self.broken = self.file.set_len(self.size).is_err();
            return Err(self.io(source));
        }
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Makes durable what was appended.
    ///
    /// # Errors
    /// See [`JournalFailure`]; the journal takes no more lines then, for nobody knows what is on the disk.
    pub fn sync(&mut self) -> Result<(), JournalFailure> {
        self.file.sync_data().map_err(|source| {
            self.broken = true;
            self.io(source)
        })
    }

    /// Puts these lines in the place of all others, at once.
    ///
    /// # Errors
    /// See [`JournalFailure`].
    pub fn replace(&mut self, lines: &[String]) -> Result<(), JournalFailure> {
        let bytes = sealed(lines, &self.path)?;
        atomic::replace(&self.path, &bytes)?;
        let opened = mode::open_append(&self.path);
        self.file = opened.map_err(|source| {
            self.broken = true;
            self.io(source)
        })?;
        self.size = bytes.len() as u64;
        self.broken = false;
        Ok(())
    }

    fn io(&self, source: io::Error) -> JournalFailure {
        JournalFailure::Io { path: self.path.clone(), source }
    }
}

fn sum(text: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text);
    digest.as_ref().iter().take(SUM / 2).map(|b| format!("{b:02x}")).collect()
}

fn sealed(lines: &[String], path: &Path) -> Result<Vec<u8>, JournalFailure> {
    let mut out = Vec::with_capacity(lines.iter().map(|l| l.len() + SUM + 2).sum());
    for line in lines {
        if line.contains('\n') {
            return Err(JournalFailure::Line(path.to_owned()));
        }
        out.extend_from_slice(sum(line.as_bytes()).as_bytes());
        out.push(b' ');
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    Ok(out)
}

/// The lines, and how many bytes they take: less than all when the last one is torn.
fn read(bytes: &[u8], path: &Path) -> Result<(Vec<String>, usize), JournalFailure> {
    let mut lines = Vec::new();
    let mut whole = 0;
    let mut pieces = bytes.split_inclusive(|b| *b == b'\n').peekable();
    while let Some(piece) = pieces.next() {
        match opened(piece) {
            Some(line) => {
                lines.push(line);
                whole += piece.len();
            }
            // Appends are synced in groups, so that a kill leaves at most an end that was never acknowledged.
            None if pieces.peek().is_none() => break,
            None => return Err(JournalFailure::Damaged { path: path.to_owned(), line: lines.len() + 1 }),
        }
    }
    Ok((lines, whole))
}

fn opened(piece: &[u8]) -> Option<String> {
    let line = piece.strip_suffix(b"\n")?;
    let (head, text) = (line.get(..SUM)?, line.get(SUM + 1..)?);
    let fits = line.get(SUM) == Some(&b' ') && sum(text).as_bytes() == head;
    fits.then(|| String::from_utf8(text.to_vec()).ok())?
}

fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}
