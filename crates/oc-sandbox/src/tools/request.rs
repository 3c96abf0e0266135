//! The arguments of a core tool, typed: what cannot be read is refused before anything is decided.

use oc_policy::tool_name::canonical;
use serde_json::{Map, Value as Json};

use super::argument::{ArgumentError, Arguments};
use super::exec::ExecRequest;
use super::patch::Patch;

/// The tools that this crate carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CoreTool {
    /// Runs a command.
    Exec,
    /// Looks after background commands.
    Process,
    /// Reads a file.
    Read,
    /// Writes a file.
    Write,
    /// Replaces one piece of a file.
    Edit,
    /// Applies a patch to several files.
    ApplyPatch,
}

impl CoreTool {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Exec, Self::Process, Self::Read, Self::Write, Self::Edit, Self::ApplyPatch];

    /// The tool of a name in any spelling.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let name = canonical(name);
        Self::ALL.into_iter().find(|t| t.name() == name)
    }

    /// Its canonical name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exec => "exec",
            Self::Process => "process",
            Self::Read => "read",
            Self::Write => "write",
            Self::Edit => "edit",
            Self::ApplyPatch => "apply_patch",
        }
    }

    /// The parameters that name a file, for the rules about paths (SP-112).
    #[must_use]
    pub fn path_parameters(self) -> &'static [&'static str] {
        match self {
            Self::Read | Self::Write | Self::Edit => &["path", "file_path"],
            // The paths of a patch stand in its text.
            Self::ApplyPatch => &["input"],
            Self::Exec => &["workdir"],
            Self::Process => &[],
        }
    }
}

/// What a file is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadRequest {
    /// The file.
    pub path: String,
    /// First line, from 1.
    pub offset: u64,
    /// Most lines.
    pub limit: Option<u64>,
}

/// What a file is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteRequest {
    /// The file.
    pub path: String,
    /// Its new content.
    pub content: String,
}

/// Which piece of a file becomes what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditRequest {
    /// The file.
    pub path: String,
    /// The text that is there, exactly once.
    pub old: String,
    /// What takes its place.
    pub new: String,
}

/// What to do with background commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessRequest {
    /// `list`, `poll`, `log`, `write`, `send-keys`, `submit`, `paste`, `kill`, `clear`, `remove`.
    pub action: String,
    /// Which command.
    pub session: Option<String>,
    /// Input of `write`.
    pub data: Option<String>,
    /// Key names of `send-keys`.
    pub keys: Vec<String>,
    /// Bytes of `send-keys`, hexadecimal.
    pub hex: Vec<String>,
    /// Literal text of `send-keys`.
    pub literal: Option<String>,
    /// Text of `paste`.
    pub text: Option<String>,
    /// Whether a paste is bracketed.
    pub bracketed: Option<bool>,
    /// Whether input ends after this.
    pub eof: bool,
    /// First line of `log`.
    pub offset: Option<u64>,
    /// Most lines of `log`.
    pub limit: Option<u64>,
}

/// A call's arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// `exec`
    Exec(ExecRequest),
    /// `process`
    Process(ProcessRequest),
    /// `read`
    Read(ReadRequest),
    /// `write`
    Write(WriteRequest),
    /// `edit`
    Edit(EditRequest),
    /// `apply_patch`
    ApplyPatch(Patch),
}

const FILE_PATH: Option<&str> = Some("file_path");

impl Request {
    /// Reads the arguments of a tool. Unknown names are ignored, as upstream does.
    ///
    /// # Errors
    /// See [`ArgumentError`].
    pub fn parse(tool: CoreTool, arguments: &Map<String, Json>) -> Result<Self, ArgumentError> {
        let a = Arguments(arguments);
        let path = || -> Result<String, ArgumentError> {
            let path = a.required("path", FILE_PATH)?;
            if path.trim().is_empty() {
                Err(ArgumentError::Missing { name: "path" })
            } else {
                Ok(path.to_owned())
            }
        };
        Ok(match tool {
            CoreTool::Exec => Self::Exec(ExecRequest::parse(&a)?),
            CoreTool::Process => Self::Process(process(&a)?),
            CoreTool::Read => Self::Read(ReadRequest {
                path: path()?,
                offset: a.number("offset", 0, "a line number from 1 on")?.unwrap_or(1).max(1),
                limit: a.number("limit", 1, "a number of lines from 1 on")?,
            }),
            CoreTool::Write => {
                Self::Write(WriteRequest { path: path()?, content: a.required("content", None)?.to_owned() })
            }
            CoreTool::Edit => {
                let old = a.required("oldText", Some("old_string"))?;
                if old.is_empty() {
                    return Err(ArgumentError::Wrong {
                        name: "oldText",
                        expected: "the text that is to be replaced",
                    });
                }
                let new = a.required("newText", Some("new_string"))?;
                if old == new {
                    return Err(ArgumentError::Wrong {
                        name: "newText",
                        expected: "another text than `oldText`",
                    });
                }
                Self::Edit(EditRequest { path: path()?, old: old.to_owned(), new: new.to_owned() })
            }
            CoreTool::ApplyPatch => Self::ApplyPatch(Patch::parse(a.required("input", None)?)?),
        })
    }

    /// The tool that these are the arguments of.
    #[must_use]
    pub fn tool(&self) -> CoreTool {
        match self {
            Self::Exec(_) => CoreTool::Exec,
            Self::Process(_) => CoreTool::Process,
            Self::Read(_) => CoreTool::Read,
            Self::Write(_) => CoreTool::Write,
            Self::Edit(_) => CoreTool::Edit,
            Self::ApplyPatch(_) => CoreTool::ApplyPatch,
        }
    }
}

fn process(a: &Arguments<'_>) -> Result<ProcessRequest, ArgumentError> {
    const ACTIONS: [&str; 10] =
        ["list", "poll", "log", "write", "send-keys", "submit", "paste", "kill", "clear", "remove"];
    let action = a.required("action", None)?.trim().to_lowercase();
    if !ACTIONS.contains(&action.as_str()) {
        let expected = "one of list, poll, log, write, send-keys, submit, paste, kill, clear, remove";
        return Err(ArgumentError::Wrong { name: "action", expected });
    }
    let session = a.text("sessionId", None)?.map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned);
    if session.is_none() && action != "list" {
        return Err(ArgumentError::Missing { name: "sessionId" });
    }
    let owned = |t: Option<&str>| t.map(str::to_owned);
    Ok(ProcessRequest {
        action,
        session,
        data: owned(a.text("data", None)?),
        keys: a.list("keys")?,
        hex: a.list("hex")?,
        literal: owned(a.text("literal", None)?),
        text: owned(a.text("text", None)?),
        bracketed: a.flag("bracketed")?,
        eof: a.flag("eof")?.unwrap_or(false),
        offset: a.number("offset", 0, "a line number")?,
        limit: a.number("limit", 1, "a number of lines from 1 on")?,
    })
}
