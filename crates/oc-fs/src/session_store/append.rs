//! Writing a transcript: one writer, whole lines, torn ends cut off (sessions-routing 5).
//!
//! What is acknowledged and when: [`Transcript::append`] returns after one write of whole lines, so a process that is killed then has lost
//! nothing of them; with [`Durability::Synced`] it returns after the disk has them, so neither has a machine that loses power. A write that
//! fails is taken back. What a killed writer left unfinished is cut off by the next one, which keeps a copy.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::transcript::{LIMIT, free_name};
use super::{Entry, SessionStore, TranscriptFailure};
use crate::durability::Durability;
use crate::lock::{self, Convention, StoreLock};
use crate::{atomic, mode, owned_file};

/// What was done about an unfinished end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mended {
    /// The last line was whole and lacked its line break.
    Ended,
    /// The last line was torn and is cut off.
    Cut {
        /// How many bytes went.
        bytes: u64,
        /// The file as it was.
        kept: PathBuf,
    },
}

/// A transcript that this process writes. Nobody else does as long as it lives.
#[derive(Debug)]
pub struct Transcript {
    path: PathBuf,
    file: File,
    length: u64,
    _lock: StoreLock,
}

/// An opened transcript with what it holds.
#[derive(Debug)]
pub struct OpenedTranscript {
    /// The writer.
    pub transcript: Transcript,
    /// Its lines, without blank ones. The first one names the session.
    pub lines: Vec<String>,
    /// What was done about an unfinished end.
    pub mended: Option<Mended>,
    /// The `sessionFile` of the entry that was ignored, because it leads out of the folder.
    pub ignored: Option<String>,
}

impl SessionStore {
    /// Opens the transcript of an entry for writing, waiting at most `wait` for another writer. A new one begins with `header`, one line of
    /// JSON. `stamp` names the moment in the name of a copy.
    ///
    /// # Errors
    /// See [`TranscriptFailure`]; an entry without a usable session id is [`TranscriptFailure::Unusable`].
    pub fn open_transcript(
        &self,
        entry: &Entry,
        header: &str,
        stamp: &str,
        wait: Duration,
    ) -> Result<OpenedTranscript, TranscriptFailure> {
        let located = self.transcript(entry).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "the session has no usable `sessionId`")
        })?;
        let path = located.path;
        mode::create_directories(self.folder())?;
        let lock = lock::acquire(&path, Convention::UpstreamTranscript, wait)?;
        let before = owned_file::read(&path, LIMIT)?.unwrap_or_default();
        let mended = mend(&path, &before, stamp)?;
        let file = mode::open_append(&path)?;
        let length = file.metadata()?.len();
        let mut transcript = Transcript { path, file, length, _lock: lock };
        let mut lines = lines_of(&before, mended.as_ref());
        if lines.is_empty() {
            transcript.append(&[header.to_owned()], Durability::Synced)?;
            File::open(self.folder())?.sync_all()?;
            lines.push(header.to_owned());
        }
        Ok(OpenedTranscript { transcript, lines, mended, ignored: located.ignored })
    }
}

impl Transcript {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends lines, all of them or none. Each is one JSON value without line breaks.
    ///
    /// # Errors
    /// [`TranscriptFailure::Unusable`]: a line with a line break in it, or what the system said; the file is then as it was.
    pub fn append(&mut self, lines: &[String], durability: Durability) -> Result<(), TranscriptFailure> {
        let mut bytes = Vec::with_capacity(lines.iter().map(|l| l.len() + 1).sum());
        for line in lines {
            if line.contains('\n') {
                let why = "a line of a transcript holds a line break";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, why).into());
            }
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(b'\n');
        }
        let written = self.file.write_all(&bytes).and_then(|()| match durability {
            Durability::Written => Ok(()),
            Durability::Synced => self.file.sync_data(),
        });
        match written {
            Ok(()) => {
                self.length = self.length.saturating_add(bytes.len() as u64);
                Ok(())
            }
            Err(e) => {
                // What cannot be taken back is cut off when it is opened again.
                let _ = self.file.set_len(self.length);
                Err(e.into())
            }
        }
    }
}

/// Where the whole lines end, and whether what follows is a whole line as well.
fn whole(bytes: &[u8]) -> (usize, bool) {
    let end = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let rest = bytes.get(end..).unwrap_or_default();
    let is_line = serde_json::from_slice::<Value>(rest).is_ok_and(|v| v.is_object());
    (end, is_line)
}

fn mend(path: &Path, bytes: &[u8], stamp: &str) -> Result<Option<Mended>, TranscriptFailure> {
    let (end, is_line) = whole(bytes);
    if end == bytes.len() {
        return Ok(None);
    }
    if is_line {
        mode::open_append(path)?.write_all(b"\n")?;
        return Ok(Some(Mended::Ended));
    }
    let kept = free_name(path, "bak", stamp);
    atomic::replace(&kept, bytes)?;
    let file = mode::open_append(path)?;
    file.set_len(end as u64)?;
    file.sync_all()?;
    Ok(Some(Mended::Cut { bytes: (bytes.len() - end) as u64, kept }))
}

fn lines_of(bytes: &[u8], mended: Option<&Mended>) -> Vec<String> {
    let good = match mended {
        Some(Mended::Cut { .. }) => bytes.get(..whole(bytes).0).unwrap_or_default(),
        Some(Mended::Ended) | None => bytes,
    };
    let text = String::from_utf8_lossy(good);
    text.lines().filter(|l| !l.trim().is_empty()).map(str::to_owned).collect()
}
