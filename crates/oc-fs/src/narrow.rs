//! Carries out the modes of a fix plan (SP-281).
//!
//! What is changed is the very inode that was checked: it is reached without following links below the given directory, held by
//! a descriptor, looked at, and changed through that descriptor. Links, other kinds and files of other users are left alone.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use oc_audit::fix::{Expected, ModeChange, Skip};
use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;

#[cfg(test)]
mod tests;

/// What became of one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The mode was set (or, in a dry run, would be).
    Changed {
        /// The mode before.
        before: u32,
        /// The mode now.
        after: u32,
    },
    /// It was left alone.
    Skipped(Skip),
    /// The system refused.
    Failed(String),
}

/// What would become of a change. Nothing is changed.
#[must_use]
pub fn look(change: &ModeChange) -> Outcome {
    match checked(change) {
        Ok(found) => Outcome::Changed { before: found.before, after: found.after },
        Err(outcome) => outcome,
    }
}

/// Sets the mode, or says why not.
#[must_use]
pub fn apply(change: &ModeChange) -> Outcome {
    let found = match checked(change) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    match set(&found.fd, found.after) {
        Ok(()) => Outcome::Changed { before: found.before, after: found.after },
        Err(e) => failed(e),
    }
}

/// Sets exactly these bits on a file or directory that is neither a link nor somebody else's, for undoing a fix. The present bits must
/// be `expected`.
///
/// # Errors
/// Why it was left alone, in a few words.
pub fn restore(path: &Path, expected: u32, mode: u32) -> Result<(), String> {
    let fd = open(CWD, path).map_err(plain)?;
    let stat = fstat(&fd).map_err(plain)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory | FileType::RegularFile => {}
        _ => return Err("it is neither a file nor a directory".to_owned()),
    }
    if stat.st_mode & 0o7777 != expected {
        return Err(format!("its mode is {:04o} now, not {expected:04o}", stat.st_mode & 0o7777));
    }
    set(&fd, mode).map_err(plain)
}

/// The present mode of a file or directory that is no link; `None` when there is none.
#[must_use]
pub fn present(path: &Path) -> Option<u32> {
    let fd = open(CWD, path).ok()?;
    let stat = fstat(&fd).ok()?;
    matches!(FileType::from_raw_mode(stat.st_mode), FileType::Directory | FileType::RegularFile)
        .then_some(stat.st_mode & 0o7777)
}

struct Found {
    fd: OwnedFd,
    before: u32,
    after: u32,
}

fn checked(change: &ModeChange) -> Result<Found, Outcome> {
    let fd = reach(change)?;
    let stat = fstat(&fd).map_err(failed)?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    let skip = match (kind, change.expected) {
        (FileType::Symlink, _) => Some(Skip::Symlink),
        (FileType::Directory, Expected::Directory) | (FileType::RegularFile, Expected::File) => None,
        (_, Expected::Directory) => Some(Skip::NotADirectory),
        (_, Expected::File) => Some(Skip::NotAFile),
    };
    let before = stat.st_mode & 0o7777;
    let after = change.target.applied_to(before);
    match skip {
        Some(skip) => Err(Outcome::Skipped(skip)),
        None if before == after => Err(Outcome::Skipped(Skip::Already)),
        None if stat.st_uid != rustix::process::geteuid().as_raw() => Err(Outcome::Skipped(Skip::NotOwned)),
        None => Ok(Found { fd, before, after }),
    }
}

/// Opens the path; below the given directory no component may be a link.
fn reach(change: &ModeChange) -> Result<OwnedFd, Outcome> {
    let missing = |e| match e {
        Errno::NOENT | Errno::NOTDIR => Outcome::Skipped(Skip::Missing),
        Errno::LOOP => Outcome::Skipped(Skip::Symlink),
        e => failed(e),
    };
    let inner = change.below.as_deref().and_then(|below| {
        let rest = change.path.strip_prefix(below).ok()?;
        (!rest.as_os_str().is_empty()).then_some((below, rest))
    });
    let Some((below, rest)) = inner else { return open(CWD, &change.path).map_err(missing) };
    let mut fd = rustix::fs::open(below, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(missing)?;
    for part in rest.components() {
        let next = open(fd.as_fd(), Path::new(part.as_os_str())).map_err(missing)?;
        if FileType::from_raw_mode(fstat(&next).map_err(failed)?.st_mode) == FileType::Symlink {
            return Err(Outcome::Skipped(Skip::Symlink));
        }
        fd = next;
    }
    Ok(fd)
}

/// A descriptor for looking only: no permission on the file is needed, a FIFO does not wait, a link is not followed.
#[cfg(target_os = "linux")]
fn open(at: BorrowedFd<'_>, path: &Path) -> rustix::io::Result<OwnedFd> {
    openat(at, path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
}

#[cfg(not(target_os = "linux"))]
fn open(at: BorrowedFd<'_>, path: &Path) -> rustix::io::Result<OwnedFd> {
    openat(at, path, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())
}

#[cfg(target_os = "linux")]
fn set(fd: &OwnedFd, mode: u32) -> rustix::io::Result<()> {
    // A descriptor for looking cannot be changed through directly; its name under /proc leads to the same inode.
    rustix::fs::chmod(format!("/proc/self/fd/{}", fd.as_raw_fd()), Mode::from_raw_mode(mode))
}

#[cfg(not(target_os = "linux"))]
fn set(fd: &OwnedFd, mode: u32) -> rustix::io::Result<()> {
    rustix::fs::fchmod(fd, Mode::from_raw_mode(mode as rustix::fs::RawMode))
}

fn failed(e: Errno) -> Outcome {
    Outcome::Failed(plain(e))
}

fn plain(e: Errno) -> String {
    crate::facts::plain(&e.into())
}
