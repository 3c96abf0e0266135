//! How file contents come in.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// Largest configuration or include file, in bytes.
pub const MAX_FILE_BYTES: u64 = 5 * 1024 * 1024;

/// What a file is read as; decides which checks the [`Source`] makes before it hands out bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role<'a> {
    /// The root configuration file. Links are followed (the audit reports them); the target must be a regular file.
    Root,
    /// An include, confined: after resolving links it must be a regular file with one link below `root`, and no component may be a link (SP-051).
    ConfinedInclude {
        /// The directory of the root configuration.
        root: &'a Path,
    },
    /// An include as the era release reads it (audit rules `2026.2` only): any regular file.
    EraInclude,
}

/// The bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The path that was opened.
    pub path: PathBuf,
    /// Its contents, at most [`MAX_FILE_BYTES`].
    pub bytes: Vec<u8>,
}

/// Why a file could not be read. The text names the path and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReadFailure {
    /// There is no such file.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// It may not be read, is no regular file, too large, outside the root, a link ...
    #[error("{} cannot be used: {why}", .path.display())]
    Refused {
        /// The path.
        path: PathBuf,
        /// What is wrong and what to do.
        why: String,
    },
}

/// Hands out file contents. Implemented by `oc-fs` over the real disk and by tests over a map.
pub trait Source {
    /// Reads a file in a role.
    ///
    /// # Errors
    /// See [`ReadFailure`].
    fn read(&self, path: &Path, role: Role<'_>) -> Result<SourceFile, ReadFailure>;
}
