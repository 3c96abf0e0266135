//! An opened directory and what can be done beneath it (SP-001 to SP-003, SP-006, SP-242).
//!
//! On Linux the kernel resolves (`openat2` with beneath, no links, no magic links); where that call is missing, every component is
//! opened by itself without following links.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use thiserror::Error;

mod change;
mod listing;
#[cfg(test)]
mod tests;
mod write;

pub use change::ChangeRefused;
pub use listing::{Entry, Kind};
pub use write::{Expected, Writer, Written};

/// An opened directory beneath which paths from untrusted text are resolved.
#[derive(Debug)]
pub struct Root {
    handle: OwnedFd,
    path: PathBuf,
    hard_links: HardLinks,
}

/// What files with several names mean beneath a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HardLinks {
    /// Another name may lie outside: they are neither read nor replaced (SP-003).
    Refused,
    /// The root confines nothing (it is the whole file system).
    Allowed,
}

/// Why a path beneath a root was refused.
#[derive(Debug, Error)]
pub enum Refused {
    /// There is no such file.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// The path is absolute, empty or has `..`, or a component is a link.
    #[error("{} leaves the directory or goes through a link; name a file beneath it", .0.display())]
    Escapes(PathBuf),
    /// It is a directory, device, FIFO or socket.
    #[error("{} is not a regular file", .0.display())]
    NotRegular(PathBuf),
    /// It has a second name, which may lie outside (SP-003).
    #[error("{} has a second name (hard link); copy it instead", .0.display())]
    HardLinked(PathBuf),
    /// It is larger than the caller's limit.
    #[error("{} is larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The system refused.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Root {
    /// Opens a directory. Links in its own path are followed: the operator named it.
    ///
    /// # Errors
    /// When it cannot be opened as a directory.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Self { handle, path: path.to_owned(), hard_links: HardLinks::Refused })
    }

    /// A directory beneath this one as a root of its own. No component may be a link.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn beneath(&self, relative: &Path) -> Result<Self, Refused> {
        let handle = self.open_directory(relative)?;
        Ok(Self { handle, path: self.path.join(relative), hard_links: self.hard_links })
    }

    /// The same root with another rule for files with several names.
    #[must_use]
    pub fn with_hard_links(self, hard_links: HardLinks) -> Self {
        Self { hard_links, ..self }
    }

    /// The path it was opened with, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a regular file with one name beneath the root, for reading. The handle that comes back is the file that was checked.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn open_file(&self, relative: &Path) -> Result<File, Refused> {
        let shown = self.path.join(relative);
        let parts =
            parts(relative).filter(|p| !p.is_empty()).ok_or_else(|| Refused::Escapes(shown.clone()))?;
        let opened = open_beneath(&self.handle, &parts, READ).map_err(|e| classify(e, &shown))?;
        let file = File::from(opened);
        let meta = file.metadata().map_err(|source| Refused::Unreadable { path: shown.clone(), source })?;
        if !meta.is_file() {
            return Err(Refused::NotRegular(shown));
        }
        if meta.nlink() > 1 && self.hard_links == HardLinks::Refused {
            return Err(Refused::HardLinked(shown));
        }
        Ok(file)
    }

    /// Opens a directory beneath the root; an empty path or `.` is the root itself.
    fn open_directory(&self, relative: &Path) -> Result<OwnedFd, Refused> {
        let shown = self.path.join(relative);
        let parts = parts(relative).ok_or_else(|| Refused::Escapes(shown.clone()))?;
        let opened = if parts.is_empty() {
            rustix::fs::openat(&self.handle, ".", DIRECTORY, Mode::empty())
        } else {
            open_beneath(&self.handle, &parts, DIRECTORY)
        };
        opened.map_err(|e| classify(e, &shown))
    }

    /// The opened directory that holds a path's last component, and that component.
    fn parent(&self, relative: &Path) -> Result<(OwnedFd, OsString), Refused> {
        let escapes = || Refused::Escapes(self.path.join(relative));
        let mut parts = parts(relative).ok_or_else(escapes)?;
        let last = parts.pop().ok_or_else(escapes)?;
        let directory: PathBuf = parts.iter().collect();
        Ok((self.open_directory(&directory)?, last))
    }

    /// Reads a file beneath the root, at most `limit` bytes.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn read(&self, relative: &Path, limit: u64) -> Result<Vec<u8>, Refused> {
        let file = self.open_file(relative)?;
        read_at_most(file, &self.path.join(relative), limit)
    }
}

/// Reads an opened file to its end, at most `limit` bytes. The length that the file claims is not trusted for allocation.
///
/// # Errors
/// [`Refused::TooLarge`] or [`Refused::Unreadable`].
pub fn read_at_most(file: File, path: &Path, limit: u64) -> Result<Vec<u8>, Refused> {
    let mut bytes = Vec::new();
    let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|source| Refused::Unreadable { path: path.to_owned(), source })?;
    if bytes.len() as u64 > limit {
        return Err(Refused::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

/// The components of a relative path; `None` when it is absolute or goes up. `.` is dropped.
fn parts(relative: &Path) -> Option<Vec<OsString>> {
    let mut out = Vec::new();
    for c in relative.components() {
        match c {
            Component::Normal(part) => out.push(part.to_owned()),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(out)
}

/// Reading flags that neither follow a last link nor wait for a FIFO's writer.
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);
const DIRECTORY: OFlags = READ.union(OFlags::DIRECTORY);

#[cfg(target_os = "linux")]
fn open_beneath(root: &OwnedFd, parts: &[OsString], flags: OFlags) -> rustix::io::Result<OwnedFd> {
    use rustix::fs::ResolveFlags;
    use rustix::io::Errno;
    let path: PathBuf = parts.iter().collect();
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    for _ in 0..16 {
        match rustix::fs::openat2(root, &path, flags, Mode::empty(), resolve) {
            // A rename somewhere on the way while the kernel looked: it asks to try again.
            Err(Errno::AGAIN) => {}
            // No such call in this kernel, or an old container profile forbids it.
            Err(Errno::NOSYS | Errno::PERM) => return walk(root, parts, flags),
            other => return other,
        }
    }
    Err(Errno::AGAIN)
}

#[cfg(not(target_os = "linux"))]
fn open_beneath(root: &OwnedFd, parts: &[OsString], flags: OFlags) -> rustix::io::Result<OwnedFd> {
    walk(root, parts, flags)
}

/// Opens component by component, none of them through a link.
fn walk(root: &OwnedFd, parts: &[OsString], flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let Some((last, directories)) = parts.split_last() else { return Err(rustix::io::Errno::INVAL) };
    let mut here: Option<OwnedFd> = None;
    for part in directories {
        let from = here.as_ref().map_or_else(|| root.as_fd(), AsFd::as_fd);
        here = Some(rustix::fs::openat(from, part, READ.union(OFlags::DIRECTORY), Mode::empty())?);
    }
    let from = here.as_ref().map_or_else(|| root.as_fd(), AsFd::as_fd);
    rustix::fs::openat(from, last, flags, Mode::empty())
}

fn classify(e: rustix::io::Errno, path: &Path) -> Refused {
    use rustix::io::Errno;
    match e {
        Errno::NOENT => Refused::Missing(path.to_owned()),
        // NOTDIR: a link where a directory should be, seen by the walk.
        Errno::LOOP | Errno::XDEV | Errno::NOTDIR => Refused::Escapes(path.to_owned()),
        // NXIO: a socket, or a device without a driver.
        Errno::NXIO => Refused::NotRegular(path.to_owned()),
        e => Refused::Unreadable { path: path.to_owned(), source: e.into() },
    }
}
