//! The log on disk: one file a day in a folder of its own, or a file that the configuration names (logging-redaction 1).
//!
//! INVARIANT: files are 0600 and folders of ours 0700 from the first byte; nothing here follows a link.
//! INVARIANT: a folder that somebody else could have prepared is not used.

mod folder;
mod rotate;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{AtFlags, Mode, OFlags};

use crate::{atomic, mode};

pub use rotate::ARCHIVES;

/// Size from which on a file is set aside when the configuration names none, in bytes.
pub const MAX_BYTES: u64 = 100 * 1024 * 1024;

/// Where a log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `openclaw-<date>.log` in the first of these folders that can be trusted. Old ones are removed.
    Daily(Vec<PathBuf>),
    /// This file. It is set aside when it is large, and never removed.
    Fixed(PathBuf),
}

impl Target {
    /// The folders of the default log: `/tmp/openclaw`, and `<tmp>/openclaw-<uid>` when that one cannot be trusted.
    #[must_use]
    pub fn standard(tmp: &Path) -> Self {
        let uid = rustix::process::geteuid().as_raw();
        Self::Daily(vec![PathBuf::from("/tmp/openclaw"), tmp.join(format!("openclaw-{uid}"))])
    }
}

/// A log that is written.
#[derive(Debug)]
pub struct LogFile {
    place: Place,
    max_bytes: u64,
    open: Option<Open>,
}

#[derive(Debug)]
enum Place {
    Folder { path: PathBuf, handle: OwnedFd },
    Fixed(PathBuf),
}

#[derive(Debug)]
struct Open {
    name: OsString,
    file: File,
    inode: u64,
    size: u64,
}

impl LogFile {
    /// Opens the place of a log; old daily files are removed. Gives with it why a folder was passed over. `max_bytes` 0 is no limit.
    ///
    /// # Errors
    /// When no place can be used.
    pub fn open(target: &Target, max_bytes: u64, now: SystemTime) -> io::Result<(Self, Vec<String>)> {
        let place = match target {
            Target::Fixed(path) => {
                return Ok((Self { place: Place::Fixed(path.clone()), max_bytes, open: None }, Vec::new()));
            }
            Target::Daily(folders) => folders,
        };
        let mut passed = Vec::new();
        for path in place {
            match folder::trusted(path) {
                Ok(handle) => {
                    rotate::prune(path, &handle, now);
                    let place = Place::Folder { path: path.clone(), handle };
                    return Ok((Self { place, max_bytes, open: None }, passed));
                }
                Err(why) => passed.push(why.to_string()),
            }
        }
        Err(io::Error::other(format!("no folder for the log: {}", passed.join("; "))))
    }

    /// The file that a line of this day (`2026-01-31`) goes to.
    #[must_use]
    pub fn path(&self, date: &str) -> PathBuf {
        match &self.place {
            Place::Folder { path, .. } => path.join(name(date)),
            Place::Fixed(path) => path.clone(),
        }
    }

    /// Appends a line; the line feed is added. The day decides the file at every line.
    ///
    /// # Errors
    /// When it cannot be written. The next line tries anew.
    pub fn write(&mut self, date: &str, line: &str) -> io::Result<()> {
        let done = self.append(date, line);
        if done.is_err() {
            self.open = None;
        }
        done
    }

    fn append(&mut self, date: &str, line: &str) -> io::Result<()> {
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX).saturating_add(1);
        self.ensure(date)?;
        let full = |o: &Open| o.size > 0 && o.size.saturating_add(length) > self.max_bytes;
        if self.max_bytes > 0 && self.open.as_ref().is_some_and(full) {
            self.open = None;
            let (handle, name) = self.parent(date)?;
            rotate::set_aside(&handle, &name)?;
            self.ensure(date)?;
        }
        let Some(open) = &mut self.open else { return Err(io::Error::other("the log is not open")) };
        open.file.write_all(format!("{line}\n").as_bytes())?;
        open.size = open.size.saturating_add(length);
        Ok(())
    }

    /// Opens the file of the day, unless it is open and still the one of that name.
    fn ensure(&mut self, date: &str) -> io::Result<()> {
        if let (Place::Folder { handle, .. }, Some(open)) = (&self.place, &self.open)
            && open.name == *name(date)
            && is_still(handle, open)
        {
            return Ok(());
        }
        let (handle, name) = self.parent(date)?;
        if self.open.as_ref().is_some_and(|o| o.name == name && is_still(&handle, o)) {
            return Ok(());
        }
        self.open = None;
        let flags = OFlags::WRONLY
            | OFlags::APPEND
            | OFlags::CREATE
            | OFlags::NOFOLLOW
            | OFlags::NONBLOCK
            | OFlags::CLOEXEC;
        let path = self.path(date);
        let fd = rustix::fs::openat(&handle, &name, flags, Mode::from_raw_mode(mode::FILE))
            .map_err(|e| mode::describe_link(e.into(), &path))?;
        let file = File::from(fd);
        mode::owner_only(&file, &path)?;
        let meta = file.metadata()?;
        self.open = Some(Open { name, file, inode: meta.ino(), size: meta.len() });
        Ok(())
    }

    /// The folder of the file of a day, and its name there.
    fn parent(&self, date: &str) -> io::Result<(OwnedFd, OsString)> {
        match &self.place {
            Place::Folder { handle, .. } => Ok((handle.try_clone()?, OsString::from(name(date)))),
            Place::Fixed(path) => {
                if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
                    mode::create_directories(parent)?;
                }
                atomic::open_parent(path)
            }
        }
    }
}

/// Whether what is open is still what the folder has under that name.
fn is_still(folder: &OwnedFd, open: &Open) -> bool {
    let now = rustix::fs::statat(folder, &open.name, AtFlags::SYMLINK_NOFOLLOW);
    now.is_ok_and(|s| s.st_ino == open.inode)
}

fn name(date: &str) -> String {
    format!("openclaw-{date}.log")
}
