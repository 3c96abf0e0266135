//! Transcripts: where one lies, its last lines, its shortening and its archive.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use thiserror::Error;

use super::{Entry, SessionStore, session_id};
use crate::lock::{self, Convention, LockFailure};
use crate::{atomic, mode, owned_file};

/// Largest transcript that is shortened, in bytes.
pub(super) const LIMIT: u64 = 512 * 1024 * 1024;

/// Where the transcript of an entry lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The file, whether it is there or not.
    pub path: PathBuf,
    /// The `sessionFile` of the entry that was ignored, because it leads out of the folder.
    pub ignored: Option<String>,
}

/// The last lines of a transcript.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// The lines, in the order of the file, without blank ones.
    pub lines: Vec<String>,
    /// Whether earlier lines were left out.
    pub cut: bool,
}

/// What became of a transcript that was to be shortened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compacted {
    /// There is none.
    Missing,
    /// It was short enough.
    Kept(usize),
    /// It was shortened.
    Shortened {
        /// Lines that are left.
        kept: usize,
        /// Where the whole text is kept.
        archived: PathBuf,
    },
}

/// Why a transcript could not be used.
#[derive(Debug, Error)]
pub enum TranscriptFailure {
    /// It cannot be opened, or is a link, or somebody else's.
    #[error("the transcript cannot be used: {0}")]
    Unusable(#[from] io::Error),
    /// Another process writes it.
    #[error(transparent)]
    Lock(#[from] LockFailure),
    /// The new content could not be written; the old one stands.
    #[error(transparent)]
    Write(#[from] atomic::WriteFailure),
}

impl SessionStore {
    /// Where the transcript of an entry lies; `None` when the entry has no usable session id.
    ///
    /// `sessionFile` counts only when it is a `.jsonl` file that lies, links resolved, in the store's folder.
    #[must_use]
    pub fn transcript(&self, entry: &Entry) -> Option<Located> {
        let default = self.folder().join(format!("{}.jsonl", session_id(entry)?));
        let Some(named) = entry.get("sessionFile").and_then(Value::as_str).filter(|s| !s.is_empty()) else {
            return Some(Located { path: default, ignored: None });
        };
        match self.inside(named) {
            Some(path) => Some(Located { path, ignored: None }),
            None => Some(Located { path: default, ignored: Some(named.to_owned()) }),
        }
    }

    fn inside(&self, named: &str) -> Option<PathBuf> {
        let path = self.folder().join(named);
        if path.extension().is_none_or(|e| e != "jsonl") {
            return None;
        }
        let folder = std::fs::canonicalize(self.folder()).ok()?;
        let parent = std::fs::canonicalize(path.parent()?).ok()?;
        let name = path.file_name()?;
        parent.starts_with(&folder).then(|| parent.join(name))
    }
}

/// The last lines of a transcript within `bytes` bytes; a missing one is empty. A first line that is cut in two is left out.
///
/// # Errors
/// When it is there and cannot be read.
pub(super) fn tail(path: &Path, bytes: u64) -> Result<Tail, TranscriptFailure> {
    let Some(mut file) = open(path)? else { return Ok(Tail::default()) };
    let size = file.metadata()?.len();
    let start = size.saturating_sub(bytes);
    // One byte earlier: when it ends a line, the first line that is read is whole.
    file.seek(SeekFrom::Start(start.saturating_sub(1)))?;
    let mut raw = Vec::new();
    file.take(bytes.saturating_add(1)).read_to_end(&mut raw)?;
    let text = String::from_utf8_lossy(&raw);
    let text = if start == 0 { &*text } else { text.split_once('\n').map_or("", |(_, rest)| rest) };
    let lines = text.lines().filter(|l| !l.trim().is_empty()).map(str::to_owned).collect();
    Ok(Tail { lines, cut: start > 0 })
}

fn open(path: &Path) -> io::Result<Option<File>> {
    let opened = OpenOptions::new().read(true).custom_flags(mode::no_follow()).open(path);
    let file = match opened {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(mode::describe_link(e, path)),
    };
    if !file.metadata()?.is_file() {
        return Err(mode::refused(path, "it is not a regular file"));
    }
    Ok(Some(file))
}

impl SessionStore {
    /// The last lines of the transcript of an entry, at most `bytes` bytes of them.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn tail(&self, entry: &Entry, bytes: u64) -> Result<Tail, TranscriptFailure> {
        match self.transcript(entry) {
            Some(located) => tail(&located.path, bytes),
            None => Ok(Tail::default()),
        }
    }

    /// Shortens the transcript of an entry to its first line, which names the session, and its last lines: `max` in all. The whole text
    /// is kept beside it. `stamp` names the moment in its name.
    ///
    /// # Errors
    /// See [`TranscriptFailure`]; the transcript is then as it was.
    pub fn compact(&self, entry: &Entry, max: usize, stamp: &str) -> Result<Compacted, TranscriptFailure> {
        let Some(path) = self.transcript(entry).map(|l| l.path) else { return Ok(Compacted::Missing) };
        if open(&path)?.is_none() {
            return Ok(Compacted::Missing);
        }
        let _lock = lock::acquire(&path, Convention::UpstreamTranscript, lock::WAIT)?;
        let Some(bytes) = owned_file::read(&path, LIMIT)? else { return Ok(Compacted::Missing) };
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
        if lines.len() <= max {
            return Ok(Compacted::Kept(lines.len()));
        }
        let head = lines.first().filter(|l| is_header(l)).copied();
        let room = max.saturating_sub(usize::from(head.is_some())).max(1);
        let mut kept: Vec<String> = head.map(str::to_owned).into_iter().collect();
        let rest = lines.iter().skip(lines.len().saturating_sub(room));
        kept.extend(
            rest.enumerate().map(|(at, line)| if at == 0 { rooted(line) } else { (*line).to_owned() }),
        );
        let archived = free_name(&path, "bak", stamp);
        atomic::replace(&archived, &bytes)?;
        let count = kept.len();
        atomic::replace(&path, format!("{}\n", kept.join("\n")).as_bytes())?;
        Ok(Compacted::Shortened { kept: count, archived })
    }

    /// Renames the transcript of an entry to `<name>.<reason>.<stamp>`; `None` when there is none.
    ///
    /// # Errors
    /// When the name cannot be changed.
    pub fn archive(
        &self,
        entry: &Entry,
        reason: &str,
        stamp: &str,
    ) -> Result<Option<PathBuf>, TranscriptFailure> {
        let Some(path) = self.transcript(entry).map(|l| l.path) else { return Ok(None) };
        let Some(file) = open(&path)? else { return Ok(None) };
        mode::owner_only(&file, &path)?;
        let to = free_name(&path, reason, stamp);
        std::fs::rename(&path, &to)?;
        Ok(Some(to))
    }
}

fn is_header(line: &str) -> bool {
    let value: Option<Value> = serde_json::from_str(line).ok();
    value.is_some_and(|v| v.get("type").and_then(Value::as_str) == Some("session"))
}

/// A line whose parent is gone: it becomes a root of the tree.
fn rooted(line: &str) -> String {
    match serde_json::from_str::<Value>(line) {
        Ok(Value::Object(mut members)) if members.contains_key("parentId") => {
            members.insert("parentId".to_owned(), Value::Null);
            Value::Object(members).to_string()
        }
        _ => line.to_owned(),
    }
}

/// `<name>.<reason>.<stamp>`, with a number when that is taken.
pub(super) fn free_name(path: &Path, reason: &str, stamp: &str) -> PathBuf {
    const MOST: u32 = 1000;
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let plain = path.with_file_name(format!("{name}.{reason}.{stamp}"));
    let numbered = (1..MOST).map(|n| path.with_file_name(format!("{name}.{reason}.{stamp}-{n}")));
    std::iter::once(plain.clone())
        .chain(numbered)
        .find(|p| std::fs::symlink_metadata(p).is_err())
        .unwrap_or(plain)
}
