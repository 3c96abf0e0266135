//! The analysed line: the one value that is judged, shown, bound to an approval, kept and run (SP-139, SP-193).

use oc_shell::Connector;
use serde::{Deserialize, Serialize};

/// A command text with everything that was found out about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The exact text.
    pub text: String,
    /// The working directory, canonical.
    pub directory: String,
    /// The commands in order; empty when the text could not be read.
    pub segments: Vec<Segment>,
    /// Why the whole line is not automatic, when it is not; a stable word of exec-approval 14 and a detail.
    pub miss: Option<Miss>,
    /// Whether a wildcard or tilde was expanded.
    pub expansion: Expansion,
}

/// Whether the text stood for more than it said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expansion {
    /// Every word meant itself.
    None,
    /// Wildcards or `~` were replaced.
    Expanded,
}

/// One command of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// When its pipeline runs; meaningful for the first command of a pipeline.
    pub connector: Connector,
    /// Place in its pipeline, from 0.
    pub position: usize,
    /// The command word as written, then the expanded operands.
    pub argv: Vec<String>,
    /// Allowed assignments before it.
    pub assignments: Vec<(String, String)>,
    /// Allowed redirections.
    pub redirections: Vec<Redirect>,
    /// The program that the command word means; `None` when there is none.
    pub executable: Option<Executable>,
    /// What admits it; `None` when nothing does.
    pub matched: Option<Match>,
    /// Why it is not automatic, when it is not.
    pub miss: Option<Miss>,
}

/// A redirection with its file resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// Standard output to the null device.
    OutToNull,
    /// Standard error to the null device.
    ErrToNull,
    /// `2>&1`
    ErrToOut,
    /// `1>&2`
    OutToErr,
    /// Standard input from this absolute path.
    From(String),
}

/// A program found on the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Executable {
    /// The path as found.
    pub path: String,
    /// With every link resolved.
    pub canonical: String,
    /// Which file that was.
    pub identity: Identity,
}

/// Which file a path meant (exec-approval 6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Size in bytes.
    pub size: u64,
    /// Time of last change of the content, in nanoseconds since 1970.
    pub modified_ns: i128,
    /// SHA-256 in lower-case hexadecimal, where the file or its directory can be written by the user who runs it.
    pub sha256: Option<String>,
}

/// What admits a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// A use that fits its built-in or configured profile.
    SafeBin,
    /// An entry of the allow list: its pattern.
    Allowlist(String),
    /// A program of an installed skill.
    Skill,
}

/// Why something is not automatic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Miss {
    /// Stable word (exec-approval 14).
    pub word: String,
    /// What exactly; may be empty.
    pub detail: String,
}

impl Miss {
    /// A reason with a detail.
    #[must_use]
    pub fn new(word: &str, detail: impl Into<String>) -> Self {
        Self { word: word.to_owned(), detail: detail.into() }
    }

    /// `word` or `word: detail`.
    #[must_use]
    pub fn text(&self) -> String {
        if self.detail.is_empty() { self.word.clone() } else { format!("{}: {}", self.word, self.detail) }
    }
}
