//! The analysed line: the one value that is judged, shown, bound to an approval, kept and run (SP-139, SP-193).

pub use oc_shell::Connector;
use serde::{Deserialize, Serialize};

/// A command text with everything that was found out about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The exact text.
    pub text: String,
    /// The working directory, canonical; as requested when there is none.
    pub directory: String,
    /// The environment overrides of the request, sorted by name: the one map that is bound, shown and used (SP-211).
    pub overrides: Vec<(String, String)>,
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
    /// What kind of program it starts.
    pub form: Form,
    /// The commands that it starts in turn, outermost first: `nice ls` starts `ls`. Empty when it starts none, or none that could be read.
    pub inner: Vec<Inner>,
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

/// What kind of program a command starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// It acts as itself.
    Plain,
    /// It starts another program that its arguments name (exec-approval 5.3).
    Wrapper,
    /// A shell or a language runtime that runs a file or its standard input.
    Interpreter,
    /// Code stands in the arguments: `sh -c`, `python -c`, `find -exec` (SP-143).
    InlineCode,
}

/// A command started by a wrapper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inner {
    /// Where its command word stands in the `argv` of the segment.
    pub at: usize,
    /// The program; `None` when there is none.
    pub executable: Option<Executable>,
    /// What admits it; `None` when nothing does.
    pub matched: Option<Match>,
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
    /// Who can put another program in its place.
    pub guard: Guard,
}

/// Whether somebody but the owner can replace a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guard {
    /// Only root and the user who runs it can.
    Kept,
    /// The file, a link to it or a directory on the way can be written by others.
    Open,
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

/// How a line stands before any policy is asked (exec-approval 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Read completely, and every command of it is admitted.
    Hit,
    /// Anything else that a person may be asked about.
    Miss,
    /// Malformed: nobody is asked.
    Refused,
}

impl Plan {
    /// How the line stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match &self.miss {
            None => Standing::Hit,
            Some(miss) if miss.is_refusal() => Standing::Refused,
            Some(_) => Standing::Miss,
        }
    }
}

/// Words of a [`Miss`] that nobody is asked about.
const REFUSALS: [&str; 5] = ["empty", "nul", "env-forbidden", "no-directory", "bad-request"];

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

    /// Whether the request is malformed, so that nobody is asked.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        REFUSALS.contains(&self.word.as_str())
    }

    /// `word` or `word: detail`.
    #[must_use]
    pub fn text(&self) -> String {
        if self.detail.is_empty() { self.word.clone() } else { format!("{}: {}", self.word, self.detail) }
    }
}
