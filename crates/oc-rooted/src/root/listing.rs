//! What lies beneath a root.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType};

use super::{Refused, Root, classify};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link; it is never followed.
    Link,
    /// A device, FIFO or socket.
    Other,
}

impl Kind {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Link => "link",
            Self::Other => "other",
        }
    }

    fn of(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Directory,
            FileType::Symlink => Self::Link,
            _ => Self::Other,
        }
    }
}

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name; bytes that are no UTF-8 are replaced.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Size in bytes, of a regular file that was looked at by itself.
    pub size: u64,
}

impl Root {
    /// Names in a directory, at most `limit`, sorted.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn list(&self, relative: &Path, limit: usize) -> Result<Vec<Entry>, Refused> {
        let shown = self.path().join(relative);
        let directory = self.open_directory(relative)?;
        let entries = Dir::read_from(&directory).map_err(|e| classify(e, &shown))?;
        let mut out = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| classify(e, &shown))?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            if out.len() >= limit {
                break;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW)
                    .map_or(FileType::Unknown, |s| FileType::from_raw_mode(s.st_mode)),
                known => known,
            };
            let name = String::from_utf8_lossy(name.to_bytes()).into_owned();
            out.push(Entry { name, kind: Kind::of(kind), size: 0 });
        }
        out.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(out)
    }

    /// What a path is. A link as its last component is a link.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn look(&self, relative: &Path) -> Result<Entry, Refused> {
        let shown = self.path().join(relative);
        if relative.components().all(|c| c == std::path::Component::CurDir) {
            return Ok(Entry { name: ".".to_owned(), kind: Kind::Directory, size: 0 });
        }
        let (directory, name) = self.parent(relative)?;
        let stat = rustix::fs::statat(&directory, &name, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|e| classify(e, &shown))?;
        let kind = Kind::of(FileType::from_raw_mode(stat.st_mode));
        let size = if kind == Kind::File { u64::try_from(stat.st_size).unwrap_or(0) } else { 0 };
        Ok(Entry { name: String::from_utf8_lossy(name.as_bytes()).into_owned(), kind, size })
    }
}
