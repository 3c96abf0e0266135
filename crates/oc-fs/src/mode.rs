//! Owner-only modes (SP-005).

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

#[cfg(test)]
mod tests;

/// Mode of every file the product creates.
pub const FILE: u32 = 0o600;
/// Mode of every directory the product creates.
pub const DIRECTORY: u32 = 0o700;

/// Creates a directory, and its missing parents, with mode 0700 each. Directories that exist keep their mode.
///
/// # Errors
/// When a component cannot be created, or exists and is no directory.
pub fn create_directories(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        create_directories(parent)?;
    }
    match DirBuilder::new().mode(DIRECTORY).create(path) {
        // A umask can only take bits away; 0700 needs all of the owner's.
        Ok(()) => std::fs::set_permissions(path, Permissions::from_mode(DIRECTORY)),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(e) => Err(e),
    }
}

/// Opens a file for appending, creating it with mode 0600. An existing file that others may read or write is made owner-only
/// first. Links and anything but a regular file with one name are refused.
///
/// # Errors
/// As described, or when the file cannot be opened.
pub fn open_append(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(FILE)
        .custom_flags(no_follow())
        .open(path)
        .map_err(|e| describe_link(e, path))?;
    owner_only(&file, path)?;
    Ok(file)
}

/// Opens a file for reading and writing where it stands, creating it with mode 0600; otherwise as [`open_append`].
///
/// # Errors
/// See [`open_append`].
pub(crate) fn open_in_place(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE)
        .custom_flags(no_follow())
        .open(path)
        .map_err(|e| describe_link(e, path))?;
    owner_only(&file, path)?;
    Ok(file)
}

/// Makes an opened regular file owner-only: 0600 (a file that carries fewer owner bits gets them back).
pub(crate) fn owner_only(file: &File, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(refused(path, "it is not a regular file"));
    }
    if meta.nlink() > 1 {
        return Err(refused(path, "it has a second name (hard link)"));
    }
    if meta.mode() & 0o7777 != FILE {
        file.set_permissions(Permissions::from_mode(FILE))?;
    }
    Ok(())
}

/// The flags that keep an open from following a link or waiting for the other end of a FIFO.
pub(crate) fn no_follow() -> i32 {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::CLOEXEC | rustix::fs::OFlags::NONBLOCK;
    i32::try_from(flags.bits()).unwrap_or_default()
}

/// An error that names the path.
pub(crate) fn refused(path: &Path, why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, format!("{}: {why}", path.display()))
}

/// `ELOOP` of an open with `O_NOFOLLOW` as words.
pub(crate) fn describe_link(e: io::Error, path: &Path) -> io::Error {
    if e.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
        return refused(path, "it is a link; use the real file");
    }
    e
}
