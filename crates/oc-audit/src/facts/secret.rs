//! Where credentials lie about, without the credentials.

use std::path::PathBuf;

/// One place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretHit {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// Name of the pattern that matched. The value is never kept (SP-280).
    pub pattern: &'static str,
}

/// The scan of one folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretScan {
    /// What was found, in walking order.
    pub hits: Vec<SecretHit>,
    /// How many files were read.
    pub files: usize,
    /// Whether the scan stopped at one of its limits.
    pub truncated: bool,
}
