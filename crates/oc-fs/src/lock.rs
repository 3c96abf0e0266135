//! One writer at a time, across processes (SP-007).
//!
//! The lock is the kernel's (`flock` on an own sibling file), so a killed holder releases it. Stores that upstream programs
//! write too also take upstream's `<file>.lock`: a file that exists while somebody writes.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::mode;

#[cfg(test)]
mod tests;

/// How long a caller waits for a lock.
pub const WAIT: Duration = Duration::from_secs(10);
/// Age after which an upstream lock file whose holder is unknown counts as left behind.
pub const STALE: Duration = Duration::from_secs(30);
/// The same for transcripts: a run holds theirs from its first to its last message (sessions-routing 5).
pub const STALE_TRANSCRIPT: Duration = Duration::from_secs(30 * 60);

/// Who else writes the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// Only this product.
    Own,
    /// Also upstream programs, which look at `<file>.lock`.
    Upstream,
    /// The same for a transcript, whose lock may rightly be old.
    UpstreamTranscript,
}

/// A held lock; released on drop.
#[derive(Debug)]
pub struct StoreLock {
    /// Keeps the kernel lock.
    _file: File,
    marker: Option<PathBuf>,
}

/// Why a lock was not taken.
#[derive(Debug, Error)]
pub enum LockFailure {
    /// Another process holds it.
    #[error("{} is being written by another process; try again in a moment{hint}", path.display())]
    Busy {
        /// The store.
        path: PathBuf,
        /// Which file to look at, when there is one.
        hint: String,
    },
    /// The lock file cannot be used.
    #[error("{} cannot be locked: {source}", path.display())]
    Unusable {
        /// The store.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The file of a lock, kept open by somebody who takes the lock often. Nothing is locked by having it.
#[derive(Debug)]
pub(crate) struct LockFile {
    file: File,
    path: PathBuf,
    inode: (u64, u64),
}

/// A lock taken with a [`LockFile`]; released on drop.
#[derive(Debug)]
pub(crate) struct Taken<'f>(&'f File);

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        // What cannot be unlocked stays locked until the process ends: others wait, nothing is lost.
        let _ = self.0.unlock();
    }
}

impl LockFile {
    /// Opens the file that [`acquire`] locks for this store.
    ///
    /// # Errors
    /// [`LockFailure::Unusable`].
    pub(crate) fn open(path: &Path) -> Result<Self, LockFailure> {
        let unusable = |source| LockFailure::Unusable { path: path.to_owned(), source };
        let own = sibling(path, ".", ".flock").map_err(unusable)?;
        let file = mode::open_in_place(&own).map_err(unusable)?;
        let meta = file.metadata().map_err(unusable)?;
        Ok(Self { file, path: own, inode: (meta.dev(), meta.ino()) })
    }

    /// Takes the lock if nobody has it. `None`: somebody has, or another file bears the name by now, so that this lock would keep nobody away.
    pub(crate) fn try_take(&self) -> Option<Taken<'_>> {
        self.file.try_lock().ok()?;
        let taken = Taken(&self.file);
        let there = std::fs::symlink_metadata(&self.path).ok()?;
        ((there.dev(), there.ino()) == self.inode).then_some(taken)
    }
}

/// Takes the lock of a store file, waiting at most `wait`.
///
/// # Errors
/// See [`LockFailure`].
pub fn acquire(path: &Path, convention: Convention, wait: Duration) -> Result<StoreLock, LockFailure> {
    let unusable = |source| LockFailure::Unusable { path: path.to_owned(), source };
    let deadline = Instant::now() + wait;
    let own = sibling(path, ".", ".flock").map_err(unusable)?;
    let file = mode::open_in_place(&own).map_err(unusable)?;
    let mut pause = Duration::from_millis(1);
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => nap(&mut pause),
            Err(TryLockError::WouldBlock) => {
                return Err(LockFailure::Busy { path: path.to_owned(), hint: String::new() });
            }
            Err(TryLockError::Error(e)) => return Err(unusable(e)),
        }
    }
    let marker = match convention {
        Convention::Own => None,
        Convention::Upstream => Some(take_marker(path, deadline, STALE)?),
        Convention::UpstreamTranscript => Some(take_marker(path, deadline, STALE_TRANSCRIPT)?),
    };
    Ok(StoreLock { _file: file, marker })
}

impl Drop for StoreLock {
    fn drop(&mut self) {
        if let Some(marker) = &self.marker {
            let _ = std::fs::remove_file(marker);
        }
    }
}

/// Creates `<file>.lock` exclusively. Among our own processes the kernel lock is held already, so the only other writers are upstream's.
fn take_marker(path: &Path, deadline: Instant, stale: Duration) -> Result<PathBuf, LockFailure> {
    let unusable = |source| LockFailure::Unusable { path: path.to_owned(), source };
    let marker = sibling(path, "", ".lock").map_err(unusable)?;
    let mut pause = Duration::from_millis(5);
    loop {
        let made = OpenOptions::new().write(true).create_new(true).mode(mode::FILE).open(&marker);
        match made {
            Ok(mut file) => {
                let created = format!("{:.3}", jiff::Timestamp::now());
                let text = format!("{{\"pid\":{},\"createdAt\":\"{created}\"}}\n", std::process::id());
                file.write_all(text.as_bytes()).map_err(unusable)?;
                return Ok(marker);
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(unusable(e)),
        }
        if left_behind(&marker, stale) {
            // A directory is how one of upstream's lock libraries marks; it is empty.
            let _ = std::fs::remove_file(&marker).or_else(|_| std::fs::remove_dir(&marker));
        } else if Instant::now() >= deadline {
            let hint = format!(", or remove {} if nothing runs", marker.display());
            return Err(LockFailure::Busy { path: path.to_owned(), hint });
        } else {
            nap(&mut pause);
        }
    }
}

/// Whether a marker is older than `stale`, or names a process that is gone.
fn left_behind(marker: &Path, stale: Duration) -> bool {
    let Ok(meta) = std::fs::symlink_metadata(marker) else { return false };
    if meta.modified().ok().and_then(|m| m.elapsed().ok()).is_some_and(|age| age > stale) {
        return true;
    }
    if !meta.is_file() || meta.len() > 4096 {
        return false;
    }
    let Ok(text) = std::fs::read_to_string(marker) else { return false };
    let holder = serde_json::from_str::<serde_json::Value>(&text).ok().and_then(|v| v.get("pid")?.as_i64());
    let pid = holder.and_then(|p| i32::try_from(p).ok()).and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH))
}

fn sibling(path: &Path, before: &str, after: &str) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{} names no file", path.display()))
    })?;
    let mut own = std::ffi::OsString::from(before);
    own.push(name);
    own.push(after);
    Ok(path.with_file_name(own))
}

fn nap(pause: &mut Duration) {
    std::thread::sleep(*pause);
    *pause = (*pause * 2).min(Duration::from_millis(50));
}
