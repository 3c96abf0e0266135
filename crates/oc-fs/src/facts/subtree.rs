//! Walks below a directory and keeps sums: memory does not grow with the number of files.
//!
//! Every directory is opened relative to its parent without following links, so a directory that is swapped for a link while
//! the walk goes on is not entered.

use std::ffi::{CStr, OsStr};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use oc_audit::facts::{LooseEntry, Subtree, SubtreeRequest};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, openat, statat};

/// Deepest directory that is entered; every level holds one descriptor.
const MAX_DEPTH: usize = 200;
/// Most failures that are named.
const MAX_FAILED: usize = 20;

/// The sum of what lies below `root`; empty when it is no directory itself.
pub(super) fn walk(root: &Path, request: &SubtreeRequest) -> Subtree {
    let limit = if request.limit == 0 { Subtree::MAX_ENTRIES } else { request.limit };
    let mut walk = Walk { request, left: limit, out: Subtree::default() };
    match open(CWD, root) {
        Ok(fd) => walk.directory(fd, root, 0),
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP) => {}
        Err(e) => walk.fail(root, e),
    }
    walk.out
}

fn open<P: rustix::path::Arg>(at: BorrowedFd<'_>, name: P) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    openat(at, name, flags, Mode::empty())
}

struct Walk<'a> {
    request: &'a SubtreeRequest,
    left: u64,
    out: Subtree,
}

impl Walk<'_> {
    fn directory(&mut self, fd: OwnedFd, path: &Path, depth: usize) {
        let mut inner = Vec::new();
        let entries = match Dir::read_from(&fd) {
            Ok(entries) => entries,
            Err(e) => return self.fail(path, e),
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(e) => return self.fail(path, e),
            };
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            if self.left == 0 {
                self.out.truncated = true;
                return;
            }
            self.left -= 1;
            if self.entry(&fd, name, path) {
                inner.push(name.to_owned());
            }
        }
        for name in inner {
            let below = join(path, &name);
            if depth >= MAX_DEPTH {
                self.out.truncated = true;
                return;
            }
            match open(std::os::fd::AsFd::as_fd(&fd), &*name) {
                Ok(child) => self.directory(child, &below, depth + 1),
                // Gone or swapped since: nothing of ours any more.
                Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP) => {}
                Err(e) => self.fail(&below, e),
            }
        }
    }

    /// Counts one entry; whether it is a directory to enter.
    fn entry(&mut self, dir: &OwnedFd, name: &CStr, path: &Path) -> bool {
        let Ok(stat) = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) else { return false };
        let kind = FileType::from_raw_mode(stat.st_mode);
        match kind {
            FileType::Directory => self.out.directories += 1,
            FileType::RegularFile => self.out.files += 1,
            FileType::Symlink => self.out.links += 1,
            _ => self.out.special += 1,
        }
        let directory = kind == FileType::Directory;
        if directory || kind == FileType::RegularFile {
            let loose = stat.st_mode & 0o066;
            if loose != 0 {
                if loose & 0o022 == 0 {
                    self.out.readable += 1;
                } else {
                    self.out.writable += 1;
                }
                if self.out.loose.len() < Subtree::MAX_LOOSE {
                    let mode = stat.st_mode & 0o7777;
                    self.out.loose.push(LooseEntry { path: join(path, name), mode, directory });
                }
            }
        }
        directory && !self.request.skip.iter().any(|s| s.as_bytes() == name.to_bytes())
    }

    fn fail(&mut self, path: &Path, e: rustix::io::Errno) {
        if self.out.failed.len() < MAX_FAILED {
            self.out.failed.push((path.to_owned(), super::inspect::plain(&e.into())));
        }
    }
}

fn join(path: &Path, name: &CStr) -> PathBuf {
    path.join(OsStr::from_bytes(name.to_bytes()))
}
