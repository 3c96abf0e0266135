//! Which files an operand of a safe program may name (exec-approval 7.4): asked by the profiles, answered by the protected-path rules.

use crate::plan::Miss;

/// The read rule of one request: knows the directory, the home, the protected paths and the disk.
pub trait ReadRule {
    /// Whether a file operand may be read; relative to the request's directory. `-` is the caller's business.
    ///
    /// # Errors
    /// `protected-path` or `operand`. A protected name gives the same answer whether it exists or not.
    fn read(&self, operand: &str) -> Result<(), Miss>;
    /// Whether a directory's names may be listed (without descending).
    ///
    /// # Errors
    /// As [`ReadRule::read`].
    fn list(&self, operand: &str) -> Result<(), Miss>;
    /// Whether everything beneath may be walked and read: not rooted at or above the home, the state directory, `/` and the like,
    /// and holding no protected file (at most 20,000 entries are looked at).
    ///
    /// # Errors
    /// As [`ReadRule::read`].
    fn walk(&self, operand: &str, what: Walk) -> Result<(), Miss>;
}

/// What a walk does with what it meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// Names only (`ls -R`, `find`).
    Names,
    /// Names, and links to directories are entered (`ls -LR`, `find -L`).
    NamesThroughLinks,
    /// Contents (`grep -r`).
    Contents,
    /// Contents, and links are followed on the way (`grep -R`).
    ContentsThroughLinks,
}
