//! What `openclaw security lockdown` changed, kept so that `--undo` puts every byte back.
//!
//! The record holds the old texts of configuration and pairing files, so it is as secret as they are: 0600, in the state directory. It is
//! made before a file is changed. A second lockdown before the undo keeps what the first one recorded.

use std::path::{Path, PathBuf};

use oc_config::edit::{self, Change, EditedFile};
use serde::{Deserialize, Serialize};

use crate::fix_record::{FileRecord, ModeRecord, UndoRefused, sha256};
use crate::lock::{self, Convention};
use crate::{atomic, backup, bounded_read, config_store, mode, narrow};

#[cfg(test)]
mod tests;

/// Name of the record in the state directory.
pub const NAME: &str = "security-lockdown.json";
/// The writer in the change log.
const WRITER: &str = "openclaw security lockdown --undo";
/// Largest record that is read, in bytes.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// One lockdown that was not undone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LockdownRecord {
    /// Milliseconds since 1970.
    pub at: u64,
    /// Configuration files that were rewritten.
    pub config: Vec<FileRecord>,
    /// Their modes, where rewriting changed them.
    pub modes: Vec<ModeRecord>,
    /// Pairing lists that were rewritten.
    pub pairing: Vec<FileRecord>,
    /// Session stores that were rewritten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<FileRecord>,
}

/// What an undo did.
#[derive(Debug)]
pub struct Undone {
    /// The record that was undone.
    pub record: LockdownRecord,
    /// Pairing lists that changed meanwhile (a device connected, somebody paired): they are left as they are, and the caller puts the
    /// records back that are missing.
    pub merge: Vec<FileRecord>,
    /// Session stores that changed meanwhile, likewise.
    pub merge_sessions: Vec<FileRecord>,
}

/// Where the record lies.
#[must_use]
pub fn place(state_dir: &Path) -> PathBuf {
    state_dir.join(NAME)
}

impl LockdownRecord {
    /// Takes a file in. When an earlier lockdown changed the same file, and nobody else since, the text before that one is kept.
    pub fn note(list: &mut Vec<FileRecord>, new: FileRecord) {
        match list.iter_mut().find(|old| old.path == new.path) {
            Some(old) if old.after_sha256 == sha256(new.before.as_bytes()) => {
                old.after_sha256 = new.after_sha256;
            }
            Some(old) => *old = new,
            None => list.push(new),
        }
    }

    /// Takes a mode in; the one before the first lockdown is kept.
    pub fn note_mode(&mut self, new: ModeRecord) {
        if !self.modes.iter().any(|old| old.path == new.path) {
            self.modes.push(new);
        }
    }
}

/// Writes the record, owner-only.
///
/// # Errors
/// When it cannot be written; then nothing should be changed.
pub fn write(state_dir: &Path, record: &LockdownRecord) -> Result<(), UndoRefused> {
    let path = place(state_dir);
    let failed = |why: String| UndoRefused::Failed { path: path.clone(), why };
    mode::create_directories(state_dir).map_err(|e| failed(e.to_string()))?;
    let text = serde_json::to_string_pretty(record).map_err(|e| failed(e.to_string()))?;
    atomic::replace(&path, text.as_bytes()).map_err(|e| failed(e.to_string()))
}

/// Reads the record; `None` when nothing is locked down.
///
/// # Errors
/// When there is one and it cannot be used.
pub fn read(state_dir: &Path) -> Result<Option<LockdownRecord>, UndoRefused> {
    let path = place(state_dir);
    let unreadable = |why: String| UndoRefused::Unreadable { path: path.clone(), why };
    // Whoever can write the record chooses what undo writes.
    let bytes = crate::owned_file::read(&path, MAX_BYTES).map_err(|e| unreadable(e.to_string()))?;
    let Some(bytes) = bytes else { return Ok(None) };
    if narrow::present(&path).is_none_or(|bits| bits & 0o077 != 0) {
        return Err(unreadable("others may read or have changed it".to_owned()));
    }
    serde_json::from_slice(&bytes).map(Some).map_err(|e| unreadable(format!("line {} is damaged", e.line())))
}

/// Moves a record that cannot be used out of the way: closing must not wait for it. Returns where it is now.
///
/// # Errors
/// When it cannot be moved.
pub fn set_aside(state_dir: &Path) -> Result<PathBuf, UndoRefused> {
    let path = place(state_dir);
    let aside = path.with_extension("json.damaged");
    std::fs::rename(&path, &aside).map_err(|e| UndoRefused::Failed { path, why: e.to_string() })?;
    Ok(aside)
}

/// Makes a change that was just written to a configuration file in the recorded text as well, so that the undo keeps it. A file that the
/// record does not have, or that somebody else changed since, is left as it is recorded.
///
/// # Errors
/// When the record cannot be read or written, or its text cannot take the change: then the undo will refuse.
pub fn amend(state_dir: &Path, written: &EditedFile, changes: &[Change]) -> Result<(), UndoRefused> {
    let Some(mut record) = read(state_dir)? else { return Ok(()) };
    let seen = sha256(written.before.as_bytes());
    let kept = record.config.iter_mut().find(|f| f.path == written.path && f.after_sha256 == seen);
    let Some(kept) = kept else { return Ok(()) };
    kept.before = edit::apply(&written.path, &kept.before, written.format, changes)
        .map_err(|e| UndoRefused::Failed { path: written.path.clone(), why: e.to_string() })?;
    kept.after_sha256 = sha256(written.after.as_bytes());
    write(state_dir, &record)
}

/// Forgets the recorded pairing lists: the tokens in them are not to come back. Whether there were any.
///
/// # Errors
/// When the record cannot be read or written.
pub fn drop_pairing(state_dir: &Path) -> Result<bool, UndoRefused> {
    let Some(mut record) = read(state_dir)?.filter(|r| !r.pairing.is_empty()) else { return Ok(false) };
    record.pairing.clear();
    write(state_dir, &record).map(|()| true)
}

/// Puts everything back: first it is checked that no configuration file was changed since, then the configuration, its modes, the pairing
/// lists and the sessions.
///
/// # Errors
/// See [`UndoRefused`]. After [`UndoRefused::Changed`] nothing was touched.
pub fn undo(state_dir: &Path) -> Result<Undone, UndoRefused> {
    let record = read(state_dir)?.ok_or_else(|| UndoRefused::Nothing(place(state_dir)))?;
    let mut back = Vec::new();
    for file in &record.config {
        match present(&file.path) {
            // The lockdown was stopped before it wrote this one.
            Some(now) if now == file.before.as_bytes() => {}
            Some(now) if sha256(&now) == file.after_sha256 => back.push(file),
            _ => return Err(UndoRefused::Changed(file.path.clone())),
        }
    }
    for file in back {
        restore_config(state_dir, file)?;
    }
    for entry in &record.modes {
        // A mode that somebody chose since stays.
        if narrow::present(&entry.path) == Some(mode::FILE) {
            narrow::restore(&entry.path, mode::FILE, entry.before)
                .map_err(|why| UndoRefused::Failed { path: entry.path.clone(), why })?;
        }
    }
    let mut merge = Vec::new();
    for file in &record.pairing {
        if !restore_list(file)? {
            merge.push(file.clone());
        }
    }
    let mut merge_sessions = Vec::new();
    for file in &record.sessions {
        if !restore_list(file)? {
            merge_sessions.push(file.clone());
        }
    }
    Ok(Undone { record, merge, merge_sessions })
}

/// Forgets the lockdown, after everything is back.
///
/// # Errors
/// When the record cannot be removed.
pub fn forget(state_dir: &Path) -> Result<(), UndoRefused> {
    let path = place(state_dir);
    std::fs::remove_file(&path).map_err(|e| UndoRefused::Failed { path, why: e.to_string() })
}

fn present(path: &Path) -> Option<Vec<u8>> {
    bounded_read::bytes(path, MAX_BYTES).ok()
}

fn restore_config(state_dir: &Path, file: &FileRecord) -> Result<(), UndoRefused> {
    let failed = |why: String| UndoRefused::Failed { path: file.path.clone(), why };
    let _lock = lock::acquire(&file.path, Convention::Own, lock::WAIT).map_err(|e| failed(e.to_string()))?;
    let now = present(&file.path).filter(|b| sha256(b) == file.after_sha256);
    let now = now.ok_or_else(|| UndoRefused::Changed(file.path.clone()))?;
    backup::rotate(&file.path).map_err(|e| failed(e.to_string()))?;
    atomic::replace(&file.path, file.before.as_bytes()).map_err(|e| failed(e.to_string()))?;
    // The file is back, which is what was asked; without a record the next write notes a change from outside.
    let now = String::from_utf8_lossy(&now);
    let _ = config_store::record_replaced(state_dir, &file.path, &now, &file.before, WRITER);
    Ok(())
}

/// Whether the list is as it was before. `false`: it changed meanwhile.
fn restore_list(file: &FileRecord) -> Result<bool, UndoRefused> {
    let failed = |why: String| UndoRefused::Failed { path: file.path.clone(), why };
    let _lock =
        lock::acquire(&file.path, Convention::Upstream, lock::WAIT).map_err(|e| failed(e.to_string()))?;
    let now = present(&file.path);
    if now.as_deref() == Some(file.before.as_bytes()) {
        return Ok(true);
    }
    if now.is_none_or(|b| sha256(&b) != file.after_sha256) {
        return Ok(false);
    }
    atomic::replace(&file.path, file.before.as_bytes()).map_err(|e| failed(e.to_string()))?;
    Ok(true)
}
