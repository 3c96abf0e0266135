//! Rotated copies of a file before it is replaced (audit spec 4.8, SP-055): `.bak`, `.bak.1` ... `.bak.4`.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::{atomic, mode};

#[cfg(test)]
mod tests;

/// Most copies kept.
pub const COPIES: usize = 5;

/// The name of a copy: 0 is the newest (`.bak`), then `.bak.1` ...
#[must_use]
pub fn name(path: &Path, age: usize) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(".bak");
    if age > 0 {
        name.push(format!(".{age}"));
    }
    path.with_file_name(name)
}

/// Moves every copy one place on, drops the oldest, and copies the current file to `.bak` with its own mode made owner-only. A missing
/// file leaves the copies alone. A link is not followed: nothing is copied, because the file behind it is not replaced either.
///
/// # Errors
/// When a copy cannot be written; the file itself is untouched.
pub fn rotate(path: &Path) -> io::Result<()> {
    let Some((bytes, source_mode)) = read_regular(path)? else { return Ok(()) };
    keep(path, &bytes)?;
    let strict = source_mode & mode::FILE;
    if strict != mode::FILE {
        std::fs::set_permissions(name(path, 0), Permissions::from_mode(strict))?;
    }
    Ok(())
}

/// Moves every copy one place on, drops the oldest, and writes these bytes to `.bak`, 0600. For a link that is about to be replaced by a
/// file: the caller has read what stands behind it.
///
/// # Errors
/// When a copy cannot be written; the file itself is untouched.
pub fn keep(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let oldest = name(path, COPIES - 1);
    match std::fs::remove_file(&oldest) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    for age in (0..COPIES - 1).rev() {
        match std::fs::rename(name(path, age), name(path, age + 1)) {
            Ok(()) => tighten(&name(path, age + 1))?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    atomic::replace(&name(path, 0), bytes).map_err(io::Error::other)
}

/// Takes away what group and others may do with an older copy (a copy that an earlier program left open).
fn tighten(path: &Path) -> io::Result<()> {
    let opened = OpenOptions::new().read(true).custom_flags(mode::no_follow()).open(path);
    let Ok(file) = opened else { return Ok(()) };
    let meta = file.metadata()?;
    let now = meta.permissions().mode() & 0o7777;
    if meta.is_file() && now & mode::FILE != now {
        file.set_permissions(Permissions::from_mode(now & mode::FILE))?;
    }
    Ok(())
}

fn read_regular(path: &Path) -> io::Result<Option<(Vec<u8>, u32)>> {
    let opened: io::Result<File> = OpenOptions::new().read(true).custom_flags(mode::no_follow()).open(path);
    let mut file = match opened {
        Ok(f) => f,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) if e.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => return Ok(None),
        Err(e) => return Err(e),
    };
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(mode::refused(path, "it is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Some((bytes, meta.permissions().mode() & 0o7777)))
}
