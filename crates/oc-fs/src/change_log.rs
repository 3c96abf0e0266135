//! The configuration change log on disk: one JSON record a line in `<state>/logs/config-changes.jsonl`, 0600, append only.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use oc_config::change_log::Record;

use crate::{bounded_read, mode};

#[cfg(test)]
mod tests;

/// Size in bytes at which the log is put aside (one older log is kept).
const ROTATE_AT: u64 = 8 * 1024 * 1024;
/// Most bytes read of one log.
const READ_AT_MOST: u64 = 2 * ROTATE_AT;

/// What the log holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChangeLog {
    /// The records, oldest first.
    pub records: Vec<Record>,
    /// Lines that are no record (damaged, or written by a newer version).
    pub unreadable: usize,
}

/// Where the log is.
#[must_use]
pub fn path(state_dir: &Path) -> PathBuf {
    state_dir.join("logs").join("config-changes.jsonl")
}

fn older(state_dir: &Path) -> PathBuf {
    state_dir.join("logs").join("config-changes.1.jsonl")
}

/// Appends records: each is one write of one line.
///
/// # Errors
/// When the log cannot be written, or is a link.
pub fn append(state_dir: &Path, records: &[Record]) -> io::Result<()> {
    let path = path(state_dir);
    if let Some(directory) = path.parent() {
        mode::create_directories(directory)?;
    }
    if std::fs::symlink_metadata(&path).is_ok_and(|m| m.is_file() && m.len() >= ROTATE_AT) {
        std::fs::rename(&path, older(state_dir))?;
    }
    let mut file = mode::open_append(&path)?;
    for record in records {
        let mut line = serde_json::to_string(record).map_err(io::Error::other)?;
        line.push('\n');
        file.write_all(line.as_bytes())?;
    }
    file.sync_data()
}

/// Reads the log, the older part included. A missing log is an empty one.
///
/// # Errors
/// When a log exists and cannot be read.
pub fn read(state_dir: &Path) -> io::Result<ChangeLog> {
    let mut out = ChangeLog::default();
    for path in [older(state_dir), path(state_dir)] {
        let bytes = match bounded_read::bytes(&path, READ_AT_MOST) {
            Ok(bytes) => bytes,
            Err(bounded_read::ReadFailure::Missing) => continue,
            Err(e) => return Err(io::Error::other(format!("{}: {e:?}", path.display()))),
        };
        for line in bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            match serde_json::from_slice(line) {
                Ok(record) => out.records.push(record),
                Err(_) => out.unreadable += 1,
            }
        }
    }
    Ok(out)
}
