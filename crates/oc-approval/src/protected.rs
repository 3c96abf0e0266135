//! Paths that are never read without a person (exec-approval 7.4), and the read rule that the profiles of safe programs ask.
//!
//! Both the spelling of a path and where it leads are judged. A protected name is judged by its spelling first, so that the answer does
//! not tell whether it exists.

mod list;
mod read_rule;

pub use list::Places;
pub(crate) use read_rule::Reads;

/// Which files an operand may name (`tools.exec.safeBinReads`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReadScope {
    /// Anything but protected paths.
    NonSensitive,
    /// Also inside the workspace or the working directory.
    Workspace,
    /// No file at all.
    Stdin,
}

impl ReadScope {
    /// Reads the word of the configuration; another word is the tightest scope (SP-119).
    #[must_use]
    pub fn read(word: &str) -> Self {
        match word {
            "non-sensitive" => Self::NonSensitive,
            "workspace" => Self::Workspace,
            _ => Self::Stdin,
        }
    }
}

#[cfg(test)]
mod tests;
