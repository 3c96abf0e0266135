//! Reads a store that only its owner may have written: no link, no second name, nobody else's, not writable by others (SP-183).

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::mode;

#[cfg(test)]
mod tests;

/// Size, time of the last change in nanoseconds and inode of a file, without following a link; zeros when there is none. Two looks that
/// give the same saw the same content, unless somebody sets the time back.
///
/// # Errors
/// When it cannot be looked at.
pub fn stamp(path: &Path) -> io::Result<(u64, i128, u64)> {
    match std::fs::symlink_metadata(path) {
        Ok(meta) => {
            let at = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
            Ok((meta.len(), at, meta.ino()))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok((0, 0, 0)),
        Err(e) => Err(e),
    }
}

/// The bytes; `None` when there is no such file.
///
/// # Errors
/// When it is there and is a link, no regular file, another user's, writable by others, longer than `limit` bytes, or cannot be read.
pub fn read(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let opened = OpenOptions::new().read(true).custom_flags(mode::no_follow()).open(path);
    let file = match opened {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => {
            let e = mode::describe_link(e, path);
            return Err(if e.to_string().contains(&*path.to_string_lossy()) {
                e
            } else {
                io::Error::new(e.kind(), format!("{}: {e}", path.display()))
            });
        }
    };
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(mode::refused(path, "it is not a regular file"));
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(mode::refused(path, "it belongs to another user"));
    }
    if meta.nlink() > 1 {
        return Err(mode::refused(path, "it has a second name (hard link)"));
    }
    if meta.mode() & 0o022 != 0 {
        return Err(mode::refused(path, "others can write to it; check it, then `chmod 600` it"));
    }
    if meta.len() > limit {
        return Err(mode::refused(path, &format!("it is longer than {limit} bytes")));
    }
    let mut out = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut out)?;
    if u64::try_from(out.len()).unwrap_or(u64::MAX) > limit {
        return Err(mode::refused(path, &format!("it is longer than {limit} bytes")));
    }
    Ok(Some(out))
}
