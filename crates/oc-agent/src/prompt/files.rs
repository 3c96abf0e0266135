//! The files of the workspace that become part of the prompt (agent-runtime 4).

use std::path::Path;

use oc_fs::workspace_files::{Found, Workspace};

use super::Mode;

/// The files, in order. `MEMORY.md` has a second spelling.
pub const BOOTSTRAP: [&str; 8] = [
    "AGENTS.md",
    "SOUL.md",
    "TOOLS.md",
    "IDENTITY.md",
    "USER.md",
    "HEARTBEAT.md",
    "BOOTSTRAP.md",
    "MEMORY.md",
];
/// Characters of one file when nothing is configured (`agents.defaults.bootstrapMaxChars`).
pub const BOOTSTRAP_MAX_CHARS: usize = 20_000;
/// What a sub-agent gets.
const FOR_SUBAGENTS: [&str; 2] = ["AGENTS.md", "TOOLS.md"];
/// What is only named when it is there.
const OPTIONAL: [&str; 2] = ["BOOTSTRAP.md", "MEMORY.md"];

/// A file as the prompt holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceFile {
    /// One of [`BOOTSTRAP`].
    pub name: &'static str,
    /// Its text, cut to its size, or why there is none.
    pub text: String,
}

/// Reads them. Nothing outside of the workspace is ever read: a link is not followed and a file with a second name is not opened. Reads the
/// disk; not for the reactor.
#[must_use]
pub fn read_files(workspace: &Path, mode: Mode, max_chars: usize) -> Vec<WorkspaceFile> {
    let names: &[&'static str] = match mode {
        Mode::Full => &BOOTSTRAP,
        Mode::Minimal => &FOR_SUBAGENTS,
        Mode::None => &[],
    };
    let workspace = Workspace::open(workspace);
    let mut out = Vec::new();
    for name in names {
        let found = match workspace.read(name) {
            Found::Missing if *name == "MEMORY.md" => workspace.read("memory.md"),
            found => found,
        };
        let text = match found {
            Found::Text(text) => fitted(&text, max_chars),
            Found::Missing if OPTIONAL.contains(name) => continue,
            Found::Missing => "(this file is missing)".to_owned(),
            Found::Refused(why) => format!("(this file is not read: {why})"),
        };
        out.push(WorkspaceFile { name, text });
    }
    out
}

/// A text of at most `max` characters: of a longer one the first 70 % and the last 20 % with a mark between them.
#[must_use]
pub fn fitted(text: &str, max: usize) -> String {
    let text = text.trim_end();
    let length = text.chars().count();
    if length <= max {
        return text.to_owned();
    }
    let (head, tail) = (max.saturating_mul(7) / 10, max / 5);
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(length.saturating_sub(tail)).collect();
    format!(
        "{start}\n[… {} characters left out; read the file for the rest …]\n{end}",
        length.saturating_sub(head + tail)
    )
}
