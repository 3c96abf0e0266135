//! Replacing a file (SP-006): a temporary in the same directory, synced, renamed through the directory's handle.
//!
//! Whatever stops the writer, a reader finds the old bytes or the new ones. The destination is never opened, so a link in its
//! place is replaced by a file and its target stays untouched.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{AtFlags, Mode, OFlags};
use thiserror::Error;

use crate::mode;

#[cfg(test)]
mod tests;

/// The steps of a replacement, in order. A hook is called before each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteStep {
    /// The directory is opened.
    OpenDirectory,
    /// The temporary is created, exclusively, mode 0600.
    CreateTemporary,
    /// The first half of the bytes is written.
    WriteFirstHalf,
    /// The rest is written.
    WriteSecondHalf,
    /// The temporary is synced to the disk.
    SyncFile,
    /// The temporary gets the destination's name.
    Rename,
    /// The directory is synced to the disk.
    SyncDirectory,
    /// Nothing more is done: the new bytes are durable.
    Done,
}

impl WriteStep {
    /// Every step, in order.
    pub const ALL: [Self; 8] = [
        Self::OpenDirectory,
        Self::CreateTemporary,
        Self::WriteFirstHalf,
        Self::WriteSecondHalf,
        Self::SyncFile,
        Self::Rename,
        Self::SyncDirectory,
        Self::Done,
    ];
}

/// Called before each step; an error ends the replacement as if the step had failed. For tests of what a failure or a kill leaves.
pub type Hook<'a> = &'a dyn Fn(WriteStep) -> io::Result<()>;

/// Why a file was not replaced. The old bytes are untouched, unless the step is [`WriteStep::SyncDirectory`] or later: then the new
/// ones are in place, though perhaps not yet durable.
#[derive(Debug, Error)]
#[error("{} was not written: {source}", path.display())]
pub struct WriteFailure {
    path: PathBuf,
    step: WriteStep,
    source: io::Error,
}

impl WriteFailure {
    /// The step that failed.
    #[must_use]
    pub fn step(&self) -> WriteStep {
        self.step
    }
}

/// Replaces a file, or creates it, with mode 0600.
///
/// # Errors
/// See [`WriteFailure`].
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), WriteFailure> {
    replace_with(path, bytes, &|_| Ok(()))
}

/// [`replace`] with a hook before every step.
///
/// # Errors
/// See [`WriteFailure`].
pub fn replace_with(path: &Path, bytes: &[u8], hook: Hook<'_>) -> Result<(), WriteFailure> {
    let step = std::cell::Cell::new(WriteStep::OpenDirectory);
    let enter = |next: WriteStep| {
        step.set(next);
        hook(next)
    };
    run(path, bytes, &enter).map_err(|source| WriteFailure {
        path: path.to_owned(),
        step: step.get(),
        source,
    })
}

fn run(path: &Path, bytes: &[u8], enter: Hook<'_>) -> io::Result<()> {
    enter(WriteStep::OpenDirectory)?;
    let (directory, name) = open_parent(path)?;
    enter(WriteStep::CreateTemporary)?;
    let (temporary, file) = create_temporary(&directory, &name)?;
    let written = write_and_rename(&directory, &temporary, file, &name, bytes, enter);
    if written.is_err() {
        // Gone already when the rename succeeded: then there is nothing to remove, and nothing to report.
        let _ = rustix::fs::unlinkat(&directory, &temporary, AtFlags::empty());
    }
    written?;
    enter(WriteStep::SyncDirectory)?;
    rustix::fs::fsync(&directory)?;
    enter(WriteStep::Done)
}

fn write_and_rename(
    directory: &OwnedFd,
    temporary: &OsStr,
    mut file: File,
    name: &OsStr,
    bytes: &[u8],
    enter: Hook<'_>,
) -> io::Result<()> {
    // The umask may have taken owner bits away.
    file.set_permissions(Permissions::from_mode(mode::FILE))?;
    let (first, second) = bytes.split_at_checked(bytes.len() / 2).unwrap_or((bytes, &[]));
    enter(WriteStep::WriteFirstHalf)?;
    file.write_all(first)?;
    enter(WriteStep::WriteSecondHalf)?;
    file.write_all(second)?;
    enter(WriteStep::SyncFile)?;
    file.sync_all()?;
    enter(WriteStep::Rename)?;
    rustix::fs::renameat(directory, temporary, directory, name)?;
    Ok(())
}

/// Opens the directory of a path, and gives the last component.
pub(crate) fn open_parent(path: &Path) -> io::Result<(OwnedFd, OsString)> {
    let name = path.file_name().ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{} names no file", path.display()))
    })?;
    let parent = match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok((rustix::fs::open(parent, flags, Mode::empty())?, name.to_owned()))
}

/// Creates `.<name>.<pid>.<n>.tmp`; exclusively, so nothing that stands there is used.
pub(crate) fn create_temporary(directory: &OwnedFd, name: &OsStr) -> io::Result<(OsString, File)> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    const ATTEMPTS: u32 = 1000;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    for _ in 0..ATTEMPTS {
        let mut temporary = prefix(name);
        temporary.push(format!("{}.{}.tmp", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        match rustix::fs::openat(directory, &temporary, flags, Mode::from_raw_mode(mode::FILE)) {
            Ok(fd) => return Ok((temporary, File::from(fd))),
            Err(rustix::io::Errno::EXIST) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "no free name for a temporary file"))
}

fn prefix(name: &OsStr) -> OsString {
    let mut out = OsString::from(".");
    out.push(name);
    out.push(".");
    out
}

/// Removes temporaries that writers of `path` left behind when they were killed. Call it only under the lock of that path.
/// Failures are not reported: a leftover harms nothing but tidiness.
pub fn sweep(path: &Path) {
    let Ok((directory, name)) = open_parent(path) else { return };
    let (Some(parent), prefix) = (path.parent(), prefix(&name)) else { return };
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let found = entry.file_name();
        let bytes = found.as_encoded_bytes();
        let middle = bytes
            .strip_prefix(prefix.as_encoded_bytes())
            .and_then(|rest| rest.strip_suffix(b".tmp"))
            .is_some_and(|m| !m.is_empty() && m.iter().all(|b| b.is_ascii_digit() || *b == b'.'));
        if middle {
            let _ = rustix::fs::unlinkat(&directory, &found, AtFlags::empty());
        }
    }
}
