//! Replacing a file: a temporary in the same opened directory, then a rename through that directory's handle (SP-006).

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;

use super::change::ChangeRefused;
use super::{READ, Refused, Root};

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// What must be there for a write to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whatever is there.
    Anything,
    /// Nothing.
    Nothing,
}

/// What a write made of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// A file that was not there.
    Created,
    /// New content of a file.
    Replaced,
}

/// A new content on its way. Dropped before [`Writer::commit`] it leaves nothing behind.
#[derive(Debug)]
pub struct Writer {
    directory: OwnedFd,
    temporary: Option<OsString>,
    name: OsString,
    file: File,
    old: Option<File>,
    shown: PathBuf,
    expected: Expected,
}

impl Root {
    /// Begins to write a file; its directories are made. A link, a directory, a device and a file with several names are refused.
    ///
    /// # Errors
    /// See [`ChangeRefused`].
    pub fn write(&self, relative: &Path, expected: Expected) -> Result<Writer, ChangeRefused> {
        self.make_parents(relative)?;
        let (directory, name) = self.parent(relative)?;
        let shown = self.path().join(relative);
        let old = self.open_old(&directory, &name, relative)?;
        if old.is_some() && expected == Expected::Nothing {
            return Err(ChangeRefused::Exists(shown));
        }
        let failed = |e: Errno| self.changed(e, relative);
        let (temporary, file) = temporary(&directory).map_err(failed)?;
        let mut writer =
            Writer { directory, temporary: Some(temporary), name, file, old: None, shown, expected };
        if let Some((old, stat)) = old {
            keep_owner_and_mode(&writer.file, &stat).map_err(failed)?;
            writer.old = Some(old);
        }
        Ok(writer)
    }

    /// The file that is replaced: opened for writing, so that one that may not be written is not replaced either.
    fn open_old(
        &self,
        directory: &OwnedFd,
        name: &OsString,
        relative: &Path,
    ) -> Result<Option<(File, Stat)>, ChangeRefused> {
        let stat = match self.look_at(directory, Path::new(name), relative) {
            Ok(stat) => stat,
            Err(ChangeRefused::Path(Refused::Missing(_))) => return Ok(None),
            Err(e) => return Err(e),
        };
        let flags = READ.difference(OFlags::RDONLY).union(OFlags::RDWR);
        let opened = match rustix::fs::openat(directory, name, flags, Mode::empty()) {
            // A program that runs; replacing its name does not touch it.
            Err(Errno::TXTBSY) => rustix::fs::openat(directory, name, READ, Mode::empty()),
            other => other,
        };
        let opened = opened.map_err(|e| self.changed(e, relative))?;
        let now = rustix::fs::fstat(&opened).map_err(|e| self.changed(e, relative))?;
        if (now.st_dev, now.st_ino, now.st_nlink) != (stat.st_dev, stat.st_ino, stat.st_nlink) {
            return Err(ChangeRefused::Changed(self.path().join(relative)));
        }
        Ok(Some((File::from(opened), stat)))
    }
}

impl Writer {
    /// The file that is replaced, for reading; `None` when there was none.
    pub fn old(&mut self) -> Option<&mut File> {
        self.old.as_mut()
    }

    /// Makes the new content the file's content.
    ///
    /// # Errors
    /// See [`ChangeRefused`]; the old content is untouched then.
    pub fn commit(mut self) -> Result<Written, ChangeRefused> {
        let shown = self.shown.clone();
        let failed = |source: io::Error| ChangeRefused::System { path: shown.clone(), source };
        self.file.sync_all().map_err(failed)?;
        let Some(temporary) = self.temporary.clone() else {
            return Err(failed(io::Error::other("the write is over")));
        };
        let (directory, name) = (&self.directory, &self.name);
        let moved = match self.expected {
            Expected::Anything => rustix::fs::renameat(directory, &temporary, directory, name),
            Expected::Nothing => {
                let none = RenameFlags::NOREPLACE;
                match rustix::fs::renameat_with(directory, &temporary, directory, name, none) {
                    Err(Errno::INVAL | Errno::NOSYS) => {
                        rustix::fs::linkat(directory, &temporary, directory, name, AtFlags::empty())
                            .and_then(|()| rustix::fs::unlinkat(directory, &temporary, AtFlags::empty()))
                    }
                    other => other,
                }
            }
        };
        moved.map_err(|e| match e {
            Errno::EXIST => ChangeRefused::Exists(shown.clone()),
            Errno::ISDIR => Refused::NotRegular(shown.clone()).into(),
            e => failed(e.into()),
        })?;
        self.temporary = None;
        // The content is there; some file systems cannot sync a directory.
        let _ = rustix::fs::fsync(&self.directory);
        Ok(if self.old.is_some() { Written::Replaced } else { Written::Created })
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            let _ = rustix::fs::unlinkat(&self.directory, &temporary, AtFlags::empty());
        }
    }
}

/// A new file in the directory, under a name that was free.
fn temporary(directory: &OwnedFd) -> rustix::io::Result<(OsString, File)> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP | Mode::ROTH | Mode::WOTH;
    for _ in 0..1000 {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = OsString::from(format!(".openclaw-write-{}-{number}", std::process::id()));
        match rustix::fs::openat(directory, &name, flags, mode) {
            Err(Errno::EXIST) => {}
            other => return other.map(|fd| (name, File::from(fd))),
        }
    }
    Err(Errno::EXIST)
}

/// Permission bits of the old file (never set-id bits); its owner where that is allowed.
fn keep_owner_and_mode(file: &File, old: &Stat) -> rustix::io::Result<()> {
    let new = rustix::fs::fstat(file)?;
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid) {
        let (uid, gid) = (rustix::fs::Uid::from_raw(old.st_uid), rustix::fs::Gid::from_raw(old.st_gid));
        // Somebody else's file in a directory of ours becomes ours, as with every editor that replaces.
        let _ = rustix::fs::fchown(file, Some(uid), Some(gid));
    }
    rustix::fs::fchmod(file, Mode::from_raw_mode(old.st_mode & 0o777))
}
