//! How file contents come in.

use std::collections::BTreeMap;
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
    /// A `.env` file. Links are followed; the target must be a regular file.
    DotEnv,
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

    /// Whether there is anything at this path; a link that leads nowhere is nothing.
    fn exists(&self, path: &Path) -> bool;
}

/// A source in which one file has other contents: what a configuration would mean after an edit, before anything is written.
pub struct Overlay<'a> {
    inner: &'a dyn Source,
    path: &'a Path,
    bytes: &'a [u8],
}

impl std::fmt::Debug for Overlay<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Overlay").field("path", &self.path).finish_non_exhaustive()
    }
}

impl<'a> Overlay<'a> {
    /// `inner`, but `path` holds `bytes`.
    #[must_use]
    pub fn new(inner: &'a dyn Source, path: &'a Path, bytes: &'a [u8]) -> Self {
        Self { inner, path, bytes }
    }
}

impl Source for Overlay<'_> {
    fn read(&self, path: &Path, role: Role<'_>) -> Result<SourceFile, ReadFailure> {
        if path == self.path {
            return Ok(SourceFile { path: path.to_path_buf(), bytes: self.bytes.to_vec() });
        }
        self.inner.read(path, role)
    }

    fn exists(&self, path: &Path) -> bool {
        path == self.path || self.inner.exists(path)
    }
}

/// Files in memory, for tests and embedders. Includes are confined by path alone: there are no links here.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Memory {
    /// No files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one file more.
    #[must_use]
    pub fn with(mut self, path: impl Into<PathBuf>, text: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.into(), text.into());
        self
    }
}

impl Source for Memory {
    fn read(&self, path: &Path, role: Role<'_>) -> Result<SourceFile, ReadFailure> {
        if let Role::ConfinedInclude { root } = role
            && !path.starts_with(root)
        {
            let why = format!("it lies outside {}", root.display());
            return Err(ReadFailure::Refused { path: path.to_path_buf(), why });
        }
        match self.files.get(path) {
            Some(bytes) => Ok(SourceFile { path: path.to_path_buf(), bytes: bytes.clone() }),
            None => Err(ReadFailure::Missing(path.to_path_buf())),
        }
    }

    fn exists(&self, path: &Path) -> bool {
        self.files.keys().any(|f| f.starts_with(path))
    }
}
