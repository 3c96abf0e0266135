//! Why a text was not read.

use std::fmt;

use thiserror::Error;

/// A text that cannot be said to run certain programs and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason} at byte {at}")]
pub struct Unreadable {
    /// Why.
    pub reason: Reason,
    /// Where the first offending byte stands.
    pub at: usize,
}

/// The stable words of exec-approval 14 that reading can produce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Nothing but blanks (malformed: denied).
    Empty,
    /// A NUL (malformed: denied).
    Nul,
    /// Unterminated quote, dangling operator, empty segment and the like.
    Parse,
    /// A line break or carriage return, anywhere.
    LineBreak,
    /// A control, format or unusual white-space character.
    ControlChar,
    /// A non-ASCII character in a command word.
    NonAsciiCommand,
    /// `$(`, backticks, process substitution.
    Substitution,
    /// Any other `$` expansion, `~user`, history.
    Expansion,
    /// An unquoted brace expansion.
    Brace,
    /// A redirection that is not on the list, here-documents included.
    Redirection,
    /// `&` or `|&`.
    Background,
    /// Subshell, group, reserved word, function.
    Compound,
    /// A wildcard in a command word or where none is allowed.
    Glob,
    /// An assignment without a command, or with a value that is not literal.
    Assignment,
    /// Over a limit.
    TooLong,
}

impl Reason {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Nul => "nul",
            Self::Parse => "parse",
            Self::LineBreak => "line-break",
            Self::ControlChar => "control-char",
            Self::NonAsciiCommand => "non-ascii-command",
            Self::Substitution => "substitution",
            Self::Expansion => "expansion",
            Self::Brace => "brace",
            Self::Redirection => "redirection",
            Self::Background => "background",
            Self::Compound => "compound",
            Self::Glob => "glob",
            Self::Assignment => "assignment",
            Self::TooLong => "too-long",
        }
    }

    /// Whether the request is malformed and refused before anybody is asked.
    #[must_use]
    pub fn is_malformed(self) -> bool {
        matches!(self, Self::Empty | Self::Nul)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
