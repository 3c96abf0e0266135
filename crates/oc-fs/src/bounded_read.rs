//! Reads a text file that somebody else may have put there: regular files only, at most so many bytes, never blocking.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use thiserror::Error;

/// Why a file was not read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReadFailure {
    /// Nothing there.
    #[error("not found")]
    Missing,
    /// A folder, FIFO, socket or device.
    #[error("not a regular file")]
    NotRegular,
    /// Longer than allowed; the number is its size in bytes.
    #[error("too large ({0} bytes)")]
    TooLarge(u64),
    /// The system refused.
    #[error("{0}")]
    System(String),
}

impl ReadFailure {
    /// Sorts an error of the system into the kinds above.
    #[must_use]
    pub fn from_io(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Self::Missing,
            std::io::ErrorKind::PermissionDenied => Self::System("permission denied".to_owned()),
            _ => Self::System(error.to_string()),
        }
    }
}

/// The bytes of a regular file of at most `limit` bytes. Links are followed. A file that grows while it is read counts as too large.
///
/// # Errors
/// See [`ReadFailure`].
pub fn bytes(path: &Path, limit: u64) -> Result<Vec<u8>, ReadFailure> {
    // Without NONBLOCK, opening a FIFO waits for a writer that may never come (SP-289).
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let file = fs::OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or(0))
        .open(path)
        .map_err(|e| ReadFailure::from_io(&e))?;
    let meta = file.metadata().map_err(|e| ReadFailure::from_io(&e))?;
    if !meta.is_file() {
        return Err(ReadFailure::NotRegular);
    }
    if meta.len() > limit {
        return Err(ReadFailure::TooLarge(meta.len()));
    }
    let mut out = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0));
    file.take(limit.saturating_add(1)).read_to_end(&mut out).map_err(|e| ReadFailure::from_io(&e))?;
    let read = u64::try_from(out.len()).unwrap_or(u64::MAX);
    if read > limit { Err(ReadFailure::TooLarge(read)) } else { Ok(out) }
}

/// The same as text; bytes that are no UTF-8 become U+FFFD.
///
/// # Errors
/// See [`ReadFailure`].
pub fn text(path: &Path, limit: u64) -> Result<String, ReadFailure> {
    Ok(match String::from_utf8(bytes(path, limit)?) {
        Ok(text) => text,
        Err(e) => String::from_utf8_lossy(e.as_bytes()).into_owned(),
    })
}
