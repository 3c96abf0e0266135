//! What the last fix changed, kept so that `openclaw security undo` can put it back.
//!
//! The record holds the old texts of configuration files, so it is as secret as they are: 0600, in the state directory, replaced by the
//! next fix. It is made before anything is changed; what it does not name is not undone.

use std::path::{Path, PathBuf};

use ring::digest;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{atomic, backup, bounded_read, config_store, mode, narrow};

mod stored_path;
#[cfg(test)]
mod tests;

/// Name of the record in the state directory.
pub const NAME: &str = "security-last-fix.json";

/// Largest record that is read, in bytes.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// One fix.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FixRecord {
    /// Milliseconds since 1970.
    pub at: u64,
    /// Configuration files that were rewritten.
    pub files: Vec<FileRecord>,
    /// Modes that were changed.
    pub modes: Vec<ModeRecord>,
}

/// A configuration file before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileRecord {
    /// The file.
    #[serde(with = "stored_path")]
    pub path: PathBuf,
    /// Its text before.
    pub before: String,
    /// SHA-256 of its bytes after, hexadecimal.
    pub after_sha256: String,
}

/// A mode before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModeRecord {
    /// The path.
    #[serde(with = "stored_path")]
    pub path: PathBuf,
    /// Its permission bits before.
    pub before: u32,
    /// Its permission bits after.
    pub after: u32,
}

/// Why nothing was undone.
#[derive(Debug, Error)]
pub enum UndoRefused {
    /// There was no fix, or it was undone already.
    #[error("there is no fix to undo ({} does not exist)", .0.display())]
    Nothing(PathBuf),
    /// The record cannot be read.
    #[error("{} cannot be used: {why}", .path.display())]
    Unreadable {
        /// The record.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Something was changed since; nothing was touched.
    #[error("{} was changed since the fix; nothing was undone", .0.display())]
    Changed(PathBuf),
    /// Putting something back failed.
    #[error("{}: {why}", .path.display())]
    Failed {
        /// The path.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
}

/// SHA-256 of bytes as hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    digest::digest(&digest::SHA256, bytes).as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

fn place(state_dir: &Path) -> PathBuf {
    state_dir.join(NAME)
}

/// Writes the record, owner-only.
///
/// # Errors
/// When it cannot be written; then nothing should be fixed.
pub fn write(state_dir: &Path, record: &FixRecord) -> Result<(), UndoRefused> {
    let path = place(state_dir);
    let failed = |why: String| UndoRefused::Failed { path: path.clone(), why };
    let text = serde_json::to_string_pretty(record).map_err(|e| failed(e.to_string()))?;
    atomic::replace(&path, text.as_bytes()).map_err(|e| failed(e.to_string()))
}

/// Reads the record of the last fix.
///
/// # Errors
/// See [`UndoRefused`].
pub fn read(state_dir: &Path) -> Result<FixRecord, UndoRefused> {
    let path = place(state_dir);
    let unreadable = |why: String| UndoRefused::Unreadable { path: path.clone(), why };
    match narrow::present(&path) {
        None => return Err(UndoRefused::Nothing(path)),
        // Whoever can write the record chooses what undo writes.
        Some(bits) if bits & 0o077 != 0 => {
            return Err(unreadable(format!("its mode is {bits:04o}, others may have changed it")));
        }
        Some(_) => {}
    }
    let bytes = bounded_read::bytes(&path, MAX_BYTES).map_err(|e| unreadable(e.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|e| unreadable(e.to_string()))
}

/// Puts everything back: first it is checked that nothing was changed since, then files, then modes, then the record goes.
///
/// # Errors
/// See [`UndoRefused`]. After [`UndoRefused::Changed`] nothing was touched.
pub fn undo(state_dir: &Path) -> Result<FixRecord, UndoRefused> {
    let record = read(state_dir)?;
    for file in &record.files {
        let now = bounded_read::bytes(&file.path, MAX_BYTES).map(|b| sha256(&b));
        if now.as_deref() != Ok(&file.after_sha256) {
            return Err(UndoRefused::Changed(file.path.clone()));
        }
    }
    for entry in &record.modes {
        if narrow::present(&entry.path) != Some(entry.after) {
            return Err(UndoRefused::Changed(entry.path.clone()));
        }
    }
    for file in &record.files {
        let failed = |why: String| UndoRefused::Failed { path: file.path.clone(), why };
        let now = bounded_read::bytes(&file.path, MAX_BYTES).map_err(|e| failed(e.to_string()))?;
        backup::rotate(&file.path).map_err(|e| failed(e.to_string()))?;
        atomic::replace(&file.path, file.before.as_bytes()).map_err(|e| failed(e.to_string()))?;
        // The file is back, which is what was asked; without a record the next write notes a change from outside.
        let now = String::from_utf8_lossy(&now);
        let _ = config_store::record_replaced(
            state_dir,
            &file.path,
            &now,
            &file.before,
            "openclaw security undo",
        );
    }
    for entry in &record.modes {
        // A file that was rewritten just now is 0600 whatever it was after the fix.
        let rewritten = record.files.iter().any(|f| f.path == entry.path);
        let present = if rewritten { mode::FILE } else { entry.after };
        narrow::restore(&entry.path, present, entry.before)
            .map_err(|why| UndoRefused::Failed { path: entry.path.clone(), why })?;
    }
    let path = place(state_dir);
    std::fs::remove_file(&path).map_err(|e| UndoRefused::Failed { path, why: e.to_string() })?;
    Ok(record)
}
