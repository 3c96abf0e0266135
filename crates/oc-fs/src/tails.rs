//! The newest files of a folder and the ends of long ones: logs and transcripts for a report. Links are not followed.

use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::bounded_read::ReadFailure;
use crate::mode;

#[cfg(test)]
mod tests;

/// Most entries of one folder that are looked at.
const MAX_ENTRIES: usize = 20_000;
/// How deep [`files_below`] goes.
const MAX_DEPTH: usize = 6;

/// A file of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated {
    /// Where it is.
    pub path: PathBuf,
    /// When it was last written, in milliseconds since 1970.
    pub modified_ms: u64,
}

/// The end of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// Whole lines, bytes that are no UTF-8 replaced.
    pub lines: Vec<String>,
    /// Whether there is more before them.
    pub cut: bool,
    /// The file's length in bytes.
    pub length: u64,
}

/// The regular files of a folder whose names satisfy a test, newest first, at most `count`. A folder that cannot be read has none.
#[must_use]
pub fn newest(folder: &Path, count: usize, wanted: &dyn Fn(&str) -> bool) -> Vec<Dated> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<Dated> = entries
        .take(MAX_ENTRIES)
        .flatten()
        .filter(|e| e.file_name().to_str().is_some_and(wanted))
        .filter_map(|e| {
            let meta = std::fs::symlink_metadata(e.path()).ok().filter(std::fs::Metadata::is_file)?;
            let age = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
            Some(Dated { path: e.path(), modified_ms: u64::try_from(age.as_millis()).unwrap_or(u64::MAX) })
        })
        .collect();
    found.sort_by(|a, b| b.modified_ms.cmp(&a.modified_ms).then_with(|| a.path.cmp(&b.path)));
    found.truncate(count);
    found
}

/// The folders directly below a folder, sorted; links are none.
#[must_use]
pub fn folders(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut out: Vec<PathBuf> = entries
        .take(MAX_ENTRIES)
        .flatten()
        .filter(|e| e.file_type().is_ok_and(|t| t.is_dir()))
        .map(|e| e.path())
        .collect();
    out.sort();
    out
}

/// The regular files below a folder, sorted, at most `count`.
#[must_use]
pub fn files_below(folder: &Path, count: usize) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut open = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = open.pop() {
        out.extend(newest(&folder, count, &|_| true).into_iter().map(|d| d.path));
        if depth < MAX_DEPTH {
            open.extend(folders(&folder).into_iter().map(|f| (f, depth + 1)));
        }
    }
    out.sort();
    out.truncate(count);
    out
}

/// The last lines of a regular file: at most `max_bytes` bytes and `max_lines` lines of it.
///
/// # Errors
/// See [`ReadFailure`].
pub fn tail(path: &Path, max_bytes: u64, max_lines: usize) -> Result<Tail, ReadFailure> {
    let io = |e: std::io::Error| ReadFailure::from_io(&e);
    let mut file = OpenOptions::new().read(true).custom_flags(mode::no_follow()).open(path).map_err(io)?;
    let meta = file.metadata().map_err(io)?;
    if !meta.is_file() {
        return Err(ReadFailure::NotRegular);
    }
    let skipped = meta.len().saturating_sub(max_bytes);
    file.seek(SeekFrom::Start(skipped)).map_err(io)?;
    let mut bytes = Vec::new();
    file.take(max_bytes).read_to_end(&mut bytes).map_err(io)?;
    let text = String::from_utf8_lossy(&bytes);
    // The first line is a part of one.
    let mut lines: Vec<&str> = text.lines().skip(usize::from(skipped > 0)).collect();
    let more = lines.len().saturating_sub(max_lines);
    lines.drain(..more);
    let lines = lines.into_iter().map(str::to_owned).collect();
    Ok(Tail { lines, cut: skipped > 0 || more > 0, length: meta.len() })
}
