//! What the analysis wants to know about the host of execution, on request. `oc-fs` answers from the disk; tests answer from a table.

use serde::{Deserialize, Serialize};

/// Facts about files. Paths are absolute and UTF-8; a name that is not UTF-8 is [`Entry::Unknown`].
pub trait HostView {
    /// What stands at a path, without following a link in its last component.
    fn entry(&self, path: &str) -> Entry;
    /// Names in a directory, unsorted, at most `limit`; `None` when it cannot be listed or holds more.
    fn names(&self, directory: &str, limit: usize) -> Option<Vec<String>>;
    /// SHA-256 of a regular file in lower-case hexadecimal; `None` when it cannot be read.
    fn sha256(&self, path: &str) -> Option<String>;
    /// The user who will run the command.
    fn uid(&self) -> u32;
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Nothing.
    Missing,
    /// A regular file.
    File(FileFacts),
    /// A directory.
    Directory(FileFacts),
    /// A link and where it points, as written in it.
    Link {
        /// The link itself.
        facts: FileFacts,
        /// Its text.
        target: String,
    },
    /// A device, FIFO or socket.
    Other(FileFacts),
    /// It cannot be said. Counts as the most harmful possibility.
    Unknown,
}

/// Numbers of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Permission bits, `0o7777`.
    pub mode: u32,
    /// Size in bytes.
    pub size: u64,
    /// Time of last change of the content, in nanoseconds since 1970.
    pub modified_ns: i128,
}
