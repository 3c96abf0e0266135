//! What is to be found out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::SubtreeRequest;

/// The facts that the checks ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Paths to `lstat`.
    pub stats: BTreeSet<PathBuf>,
    /// Small files to read, each with the most bytes to take.
    pub texts: BTreeMap<PathBuf, u64>,
    /// Directories to list.
    pub listings: BTreeSet<PathBuf>,
    /// Directories to walk.
    pub subtrees: BTreeMap<PathBuf, SubtreeRequest>,
    /// Directories to look through for credentials.
    pub secret_scans: BTreeSet<PathBuf>,
}

impl Wanted {
    /// Most bytes of a state file that the checks read.
    pub const SMALL_FILE: u64 = 4 * 1024 * 1024;

    /// Asks for the mode and kind of a path.
    pub fn stat(&mut self, path: impl AsRef<Path>) {
        self.stats.insert(path.as_ref().to_owned());
    }

    /// Asks for the contents of a regular file of at most `limit` bytes. Links are followed, as the product would.
    pub fn text(&mut self, path: impl AsRef<Path>, limit: u64) {
        self.texts.insert(path.as_ref().to_owned(), limit);
    }

    /// Asks for the names in a directory (not a link to one), and what the directory itself is.
    pub fn list(&mut self, path: impl AsRef<Path>) {
        self.stats.insert(path.as_ref().to_owned());
        self.listings.insert(path.as_ref().to_owned());
    }

    /// Asks for the sum of a walk below a directory (not a link to one), and what the directory itself is.
    pub fn walk(&mut self, path: impl AsRef<Path>, request: SubtreeRequest) {
        self.stats.insert(path.as_ref().to_owned());
        self.subtrees.insert(path.as_ref().to_owned(), request);
    }

    /// Asks where credentials lie about below a directory (not a link to one).
    pub fn scan_secrets(&mut self, path: impl AsRef<Path>) {
        self.secret_scans.insert(path.as_ref().to_owned());
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stats.is_empty() && self.texts.is_empty() && self.listings.is_empty() && self.subtrees.is_empty()
    }
}
