//! The end of a log file that is written meanwhile: from a position of the last call on, or the last lines.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::mode;

#[cfg(test)]
mod tests;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The position after the last call, in bytes from the start of the file; `None` for the last lines.
    pub cursor: Option<u64>,
    /// Most lines; of more the last ones are given.
    pub lines: usize,
    /// Most bytes that are read.
    pub bytes: u64,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogTail {
    /// The position for the next call. Never inside a line, unless a line is longer than what may be read.
    pub cursor: u64,
    /// The size of the file, in bytes.
    pub size: u64,
    /// The lines; only whole ones.
    pub lines: Vec<String>,
    /// Whether lines before these were left out.
    pub truncated: bool,
    /// Whether the position of the caller was of no use: the file is another one or was cut, or the position is too far back.
    pub reset: bool,
}

/// Reads. A missing file is empty.
///
/// # Errors
/// When the file is there and cannot be read, is a link or no regular file.
pub fn read(path: &Path, wanted: &Wanted) -> io::Result<LogTail> {
    let opened = OpenOptions::new().read(true).custom_flags(mode::no_follow()).open(path);
    let mut file = match opened {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Ok(LogTail { reset: wanted.cursor.is_some_and(|c| c > 0), ..LogTail::default() });
        }
        Err(e) => return Err(mode::describe_link(e, path)),
    };
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(mode::refused(path, "it is not a regular file"));
    }
    let size = meta.len();
    let last = size.saturating_sub(wanted.bytes);
    let (start, truncated, reset) = match wanted.cursor {
        Some(cursor) if cursor > size => (last, last > 0, true),
        Some(cursor) if cursor < last => (last, true, true),
        Some(cursor) => (cursor, false, false),
        None => (last, last > 0, false),
    };
    // One byte earlier: it says whether the first line is whole. A caller's own position always starts one.
    let own = wanted.cursor == Some(start);
    let from = if own { start } else { start.saturating_sub(1) };
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(size.saturating_sub(from)).read_to_end(&mut bytes)?;
    let mut rest: &[u8] = &bytes;
    if !own && start > 0 {
        let at = rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |at| at + 1);
        rest = rest.get(at..).unwrap_or_default();
    }
    // The last line may still be in the making.
    let whole = rest.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let unfinished = u64::try_from(rest.len().saturating_sub(whole)).unwrap_or(0);
    let text = String::from_utf8_lossy(rest.get(..whole).unwrap_or_default());
    let mut lines: Vec<String> = text.lines().filter(|l| !l.is_empty()).map(str::to_owned).collect();
    let more = lines.len().saturating_sub(wanted.lines);
    lines.drain(..more);
    // A line longer than what may be read is passed over, or the caller would stand still.
    let stuck = own && whole == 0 && unfinished >= wanted.bytes;
    let cursor = if stuck { size } else { size.saturating_sub(unfinished) };
    Ok(LogTail { cursor, size, lines, truncated: truncated || more > 0 || stuck, reset })
}
