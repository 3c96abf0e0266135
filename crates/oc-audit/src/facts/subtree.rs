//! What lies below a directory, summed up: a state directory may hold 100,000 transcripts.

use std::path::PathBuf;

/// How to walk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubtreeRequest {
    /// Directory names that are not entered (`node_modules`, `.git`).
    pub skip: Vec<String>,
    /// How many entries to look at before giving up; 0 means [`Subtree::MAX_ENTRIES`].
    pub limit: u64,
}

/// An entry that others than the owner may read or write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LooseEntry {
    /// Its path.
    pub path: PathBuf,
    /// Its permission bits.
    pub mode: u32,
    /// Whether it is a directory.
    pub directory: bool,
}

/// The sum of a walk. Links are counted, never followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subtree {
    /// Regular files.
    pub files: u64,
    /// Directories, the root not counted.
    pub directories: u64,
    /// Symbolic links.
    pub links: u64,
    /// FIFOs, sockets, devices.
    pub special: u64,
    /// Files and directories that group or others may write.
    pub writable: u64,
    /// Files and directories that group or others may read, and not write.
    pub readable: u64,
    /// The first [`Subtree::MAX_LOOSE`] of those, writable ones and readable ones, in walking order.
    pub loose: Vec<LooseEntry>,
    /// Whether the walk gave up at its limit.
    pub truncated: bool,
    /// The first directories that could not be read, and why.
    pub failed: Vec<(PathBuf, String)>,
}

impl Subtree {
    /// Most loose entries kept.
    pub const MAX_LOOSE: usize = 10_000;
    /// Most entries looked at.
    pub const MAX_ENTRIES: u64 = 5_000_000;
}
