//! The frames between an executor and its runner.
//!
//! A frame is a length (`u32`, big-endian, of what follows), a kind (one byte), a call id (`u32`, big-endian) and a body. Control bodies
//! are JSON, data bodies are the bytes themselves. Both sides refuse frames over [`MAX_FRAME`].
//!
//! No call can hold up another one: each side may have at most a window of unread data bytes under way for a call, in each direction.
//! The reader gives bytes back ([`Request::Window`], [`Reply::Window`]) as it takes them. At the start [`OUTPUT_WINDOW`] bytes may travel
//! from the runner and [`INPUT_WINDOW`] towards it.

pub mod frame;

use serde::{Deserialize, Serialize};

/// Raised when a frame changes its meaning; both sides refuse another one.
pub const VERSION: u32 = 1;
/// Largest frame, in bytes.
pub const MAX_FRAME: u32 = 1024 * 1024;
/// Largest body of a data frame that either side sends, in bytes.
pub const CHUNK: usize = 32 * 1024;
/// Bytes of output that may be under way for a call at its start.
pub const OUTPUT_WINDOW: u64 = 256 * 1024;
/// Bytes of input that may be under way for a call at its start; with the frames around it less than a pipe holds.
pub const INPUT_WINDOW: u64 = 32 * 1024;

/// What a frame's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A [`Request`], as JSON, towards the runner.
    Request,
    /// A [`Reply`], as JSON, from the runner.
    Reply,
    /// Bytes of standard input, or the content of a file to write.
    Input,
    /// Bytes of standard output or of the terminal, or of a file that is read.
    Output,
    /// Bytes of standard error.
    Error,
}

impl Kind {
    /// The byte on the wire.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::Request => 1,
            Self::Reply => 2,
            Self::Input => 3,
            Self::Output => 4,
            Self::Error => 5,
        }
    }

    /// The kind of a byte.
    #[must_use]
    pub fn of(byte: u8) -> Option<Self> {
        [Self::Request, Self::Reply, Self::Input, Self::Output, Self::Error]
            .into_iter()
            .find(|k| k.byte() == byte)
    }
}

/// What an executor asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Request {
    /// First frame: which version the executor speaks.
    Hello {
        /// [`VERSION`].
        version: u32,
    },
    /// Start a command; the frame's call id names it from then on.
    Run(Box<RunRequest>),
    /// No more standard input.
    EndInput,
    /// The terminal has a new size.
    Resize {
        /// Columns.
        columns: u16,
        /// Rows.
        rows: u16,
    },
    /// End the call's whole process tree, now.
    Kill,
    /// One file operation; the frame's call id names it.
    File(FileRequest),
    /// The executor took this many bytes of the call's output.
    Window {
        /// Bytes.
        bytes: u64,
    },
}

/// A command to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRequest {
    /// What runs.
    pub program: Program,
    /// Working directory, absolute.
    pub directory: String,
    /// Device and inode of the directory that the decision saw. With it no component may be a link and the opened directory must be that
    /// one (SP-171); `None` inside a sandbox.
    #[serde(default)]
    pub directory_identity: Option<(u64, u64)>,
    /// The whole environment, nothing is inherited.
    pub environment: Vec<(String, String)>,
    /// Whether standard input follows in data frames; otherwise it is empty.
    pub input: Input,
    /// A terminal of this size (columns, rows) instead of pipes.
    pub terminal: Option<(u16, u16)>,
    /// The tree is ended after this many milliseconds.
    pub timeout_ms: Option<u64>,
    /// Bytes of output after which the rest is dropped and counted, for both streams together.
    pub output_limit: u64,
}

/// Where standard input comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// It is empty.
    Empty,
    /// Data frames of this call.
    Frames,
}

/// What a command is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Program {
    /// The analysed line: pipelines in order, started without a shell (SP-145).
    Analysed {
        /// At least one.
        steps: Vec<Step>,
    },
    /// A text that goes to a shell: only what a person approved in full, or `full`, or the inside of a sandbox.
    Shell {
        /// The shell, absolute (`/bin/sh`).
        shell: String,
        /// The text.
        text: String,
    },
}

/// One pipeline of an analysed line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// When it runs.
    pub when: When,
    /// Joined by pipes.
    pub commands: Vec<Process>,
}

/// When a pipeline runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Always.
    Always,
    /// When the one before succeeded.
    Succeeded,
    /// When the one before failed.
    Failed,
}

/// One process of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// The executable, absolute; opened, compared with `identity` and started from that handle.
    pub executable: String,
    /// What the decision saw; `None` inside a sandbox.
    pub identity: Option<Identity>,
    /// `argv[0]` and the arguments.
    pub argv: Vec<String>,
    /// Added to the call's environment.
    pub environment: Vec<(String, String)>,
    /// In order.
    pub redirections: Vec<Redirect>,
}

/// A redirection of an analysed command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Redirect {
    /// Standard output to the null device.
    OutToNull,
    /// Standard error to the null device.
    ErrToNull,
    /// Standard error where standard output goes at that point.
    ErrToOut,
    /// Standard output where standard error goes at that point.
    OutToErr,
    /// Standard input from this file.
    From(String),
}

/// Which file a path meant when the decision was made.
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
    #[serde(with = "decimal")]
    pub modified_ns: i128,
    /// SHA-256 in lower-case hexadecimal, where the file or its directory can be written by the user who runs it.
    pub sha256: Option<String>,
}

/// One file operation beneath one root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileRequest {
    /// Absolute directory beneath which the paths lie (the workspace; `/` where the whole host is meant). `None`: the runner's own roots
    /// (`serve --root`), which bound it in any case.
    pub root: Option<String>,
    /// What is done.
    pub operation: FileOperation,
}

/// What is done with a file. Paths are relative to the root (the first of the runner's, when none is named) or absolute beneath it; no
/// component may be a link. Files with several hard links are refused beneath any root but `/` (SP-003).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum FileOperation {
    /// Bytes of a regular file, from `offset`, at most `limit`. The bytes come back as data frames, then [`Reply::FileDone`].
    Read {
        /// The file.
        path: String,
        /// First byte.
        offset: u64,
        /// Most bytes.
        limit: u64,
    },
    /// Replace or create a file with the data frames of this call up to [`Request::EndInput`]; parents are created.
    Write {
        /// The file.
        path: String,
        /// Replace only when the present content has this SHA-256 (hexadecimal); empty: only when there is no file.
        expected: Option<String>,
    },
    /// Remove a regular file.
    Remove {
        /// The file.
        path: String,
    },
    /// Move a file; the target must not exist.
    Rename {
        /// From.
        path: String,
        /// To.
        target: String,
    },
    /// Make a directory and its parents; one that exists is fine.
    MakeDirectory {
        /// The directory.
        path: String,
    },
    /// Names and kinds in a directory, at most `limit`.
    List {
        /// The directory.
        path: String,
        /// Most entries.
        limit: u32,
    },
    /// What a path is: one entry comes back, with its kind.
    Look {
        /// The path.
        path: String,
    },
}

/// What a runner answers. Output travels in data frames.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Reply {
    /// First frame.
    Ready {
        /// [`VERSION`].
        version: u32,
    },
    /// The command runs.
    Started {
        /// Its process group, in the runner's view.
        pid: u32,
    },
    /// The runner took this many bytes of the call's input.
    Window {
        /// Bytes.
        bytes: u64,
    },
    /// The whole process tree has ended. Processes that the command left behind are ended with it.
    Exited(Exit),
    /// A file operation is done.
    FileDone {
        /// Bytes of the file, where that says something.
        size: u64,
        /// SHA-256 of the content after the operation, in hexadecimal; empty where there is none.
        sha256: String,
        /// Entries of a listing: name, and one of `file`, `directory`, `link`, `other`.
        entries: Vec<(String, String)>,
    },
    /// The call failed.
    Failed {
        /// Stable word: `not-found`, `escapes`, `not-regular`, `hard-linked`, `changed`, `too-large`, `executable-changed`, `spawn-failed`,
        /// `exists`, `read-only`, `no-space`, `denied`, `busy`, `protocol`, `failed`.
        code: String,
        /// One sentence, with paths in the runner's view only (SP-245).
        message: String,
    },
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exit {
    /// Exit code of the last pipeline; 128 + signal when a signal ended it.
    pub code: i32,
    /// Whether the timeout ended it.
    pub timed_out: bool,
    /// Whether it was ended on request.
    pub killed: bool,
    /// Bytes of output that were dropped.
    pub dropped: u64,
}

/// A number of 128 bits as decimal text: JSON readers disagree about larger ones.
mod decimal {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &i128, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<i128, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
