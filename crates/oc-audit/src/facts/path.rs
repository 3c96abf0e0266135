//! What `lstat` says about one path.

use std::path::{Path, PathBuf};

/// What a path is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing there.
    Missing,
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, and what it leads to.
    Symlink(LinkTarget),
    /// A FIFO, socket or device.
    Special,
    /// It is there or not: the system refused to say.
    Unknown(String),
}

/// What a link leads to, looked at once, without opening it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkTarget {
    /// The path with every link resolved; `None` for a dangling or looping link.
    pub resolved: Option<PathBuf>,
    /// The target's permission bits.
    pub mode: Option<u32>,
    /// Whether the target is a regular file.
    pub file: bool,
    /// Whether the target is a directory.
    pub directory: bool,
}

/// One path. Links are not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathFact {
    /// The path asked for.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// The low 12 mode bits; of a link on Linux this is 0777.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// How many names the file has.
    pub links: u64,
    /// Size in bytes.
    pub size: u64,
}

impl PathFact {
    /// Nothing there.
    #[must_use]
    pub fn missing(path: &Path) -> Self {
        Self { path: path.to_owned(), kind: Kind::Missing, mode: 0, uid: 0, links: 0, size: 0 }
    }

    /// Whether something is there.
    #[must_use]
    pub fn exists(&self) -> bool {
        !matches!(self.kind, Kind::Missing | Kind::Unknown(_))
    }

    /// Whether it is a directory itself, not a link to one.
    #[must_use]
    pub fn is_dir(&self) -> bool {
        self.kind == Kind::Directory
    }

    /// Whether it is a regular file itself.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.kind == Kind::File
    }

    /// Whether it is a symbolic link.
    #[must_use]
    pub fn is_symlink(&self) -> bool {
        matches!(self.kind, Kind::Symlink(_))
    }

    /// Group may read.
    #[must_use]
    pub fn group_readable(&self) -> bool {
        self.mode & 0o040 != 0
    }

    /// Everybody may read.
    #[must_use]
    pub fn other_readable(&self) -> bool {
        self.mode & 0o004 != 0
    }

    /// Group may write.
    #[must_use]
    pub fn group_writable(&self) -> bool {
        self.mode & 0o020 != 0
    }

    /// Everybody may write.
    #[must_use]
    pub fn other_writable(&self) -> bool {
        self.mode & 0o002 != 0
    }

    /// Somebody but the owner may read.
    #[must_use]
    pub fn readable_by_others(&self) -> bool {
        self.mode & 0o044 != 0
    }

    /// Somebody but the owner may write.
    #[must_use]
    pub fn writable_by_others(&self) -> bool {
        self.mode & 0o022 != 0
    }

    /// The permission bits as people write them: `0644`.
    #[must_use]
    pub fn octal(&self) -> String {
        format!("{:04o}", self.mode & 0o7777)
    }
}
