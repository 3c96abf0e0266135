//! `memory_search`, `memory_get`: the notes of the agent's workspace, `MEMORY.md` and what lies below `memory/`.
//!
//! Read beneath the workspace and never through a link (SP-001, SP-003). A sandboxed session that does not see the workspace does not see its
//! notes either.

mod search;

use oc_fs::workspace_files::{Found, Workspace};
use oc_policy::sandbox::{SandboxPlan, WorkspaceAccess};
use oc_sandbox::executor::{ExecutorError, Pending, Place as Where};
use oc_sandbox::gate::{Forbidden, Handled, Judging, Outcome, Snapshot, ToolCall, ToolHandler, ToolResult};
use oc_types::KeyPath;
use serde_json::{Map, Value, json};

use super::{Facts, pretty, text};

/// Names of the one note beside the folder.
const MAIN: [&str; 2] = ["MEMORY.md", "memory.md"];
/// The folder.
const FOLDER: &str = "memory";
/// How deep it is looked into.
const DEPTH: usize = 3;
/// Most notes that are looked into.
const NOTES: usize = 500;
/// Most bytes of all of them.
const BYTES: usize = 16 * 1024 * 1024;
/// Places of one search when the call names no number, and at most.
const PLACES: u64 = 6;
const MOST_PLACES: u64 = 20;
/// Lines of one reading when the call names no number, and at most.
const LINES: u64 = 200;
const MOST_LINES: u64 = 2000;
/// Most characters of one reading.
const READ: usize = 50_000;

/// One of the two tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryTool {
    /// `memory_search`
    Search,
    /// `memory_get`
    Get,
}

/// Its handler.
#[derive(Debug)]
pub struct Memory {
    tool: MemoryTool,
    facts: Facts,
}

impl Memory {
    /// Both handlers over some facts.
    #[must_use]
    pub fn both(facts: &Facts) -> [Self; 2] {
        [MemoryTool::Search, MemoryTool::Get].map(|tool| Self { tool, facts: facts.clone() })
    }
}

impl ToolHandler for Memory {
    fn tool(&self) -> &str {
        match self.tool {
            MemoryTool::Search => "memory_search",
            MemoryTool::Get => "memory_get",
        }
    }

    fn check(&self, call: &ToolCall) -> Result<(), String> {
        let whole = |name: &str| match call.arguments.get(name).filter(|v| !v.is_null()) {
            None => Ok(()),
            Some(v) if v.as_u64().is_some_and(|n| n > 0) => Ok(()),
            Some(_) => Err(format!("`{name}` must be a number from 1 on")),
        };
        match self.tool {
            MemoryTool::Search => {
                whole("maxResults")?;
                let query = text(&call.arguments, "query").ok_or("`query` is missing")?;
                if search::words(query).next().is_none() {
                    return Err("`query` holds no word of two letters or more".to_owned());
                }
                Ok(())
            }
            MemoryTool::Get => {
                whole("from")?;
                whole("lines")?;
                note(text(&call.arguments, "path").ok_or("`path` is missing")?).map(drop)
            }
        }
    }

    fn forbids<'a>(
        &'a self,
        _: &'a ToolCall,
        _: &'a Snapshot,
        sandbox: Option<&'a SandboxPlan>,
    ) -> Judging<'a> {
        let hidden = sandbox.is_some_and(|p| match p.settings.workspace_access.value {
            WorkspaceAccess::None => true,
            WorkspaceAccess::Ro | WorkspaceAccess::Rw => false,
        });
        let forbidden = hidden.then(|| Forbidden {
            rule: "workspace-access",
            key: Some(KeyPath::dotted("agents.defaults.sandbox.workspaceAccess")),
            why: "a session whose sandbox does not see the agent's workspace does not see its notes"
                .to_owned(),
        });
        Box::pin(std::future::ready(forbidden))
    }

    fn run<'a>(&'a self, handled: Handled<'a>) -> Pending<'a, ToolResult> {
        Box::pin(async move {
            let gone =
                |cause: &str| ExecutorError::Unavailable { place: Where::Gateway, cause: cause.to_owned() };
            let place = self.facts.place().ok_or_else(|| gone("the gateway is stopping"))?;
            let (tool, call) = (self.tool, handled.call.clone());
            let read = tokio::task::spawn_blocking(move || {
                let workspace = Workspace::open(&place.workspace(&call.caller.agent));
                match tool {
                    MemoryTool::Search => Ok(find(&workspace, &call.arguments)),
                    MemoryTool::Get => lines(&workspace, &call.arguments),
                }
            });
            Ok(match read.await.map_err(|_| gone("the answer was not finished"))? {
                Ok(value) => ToolResult::text(Outcome::Done, pretty(&value)),
                Err(why) => ToolResult::text(Outcome::Failed, why),
            })
        })
    }
}

/// The path of a note below the workspace. Whatever it is, nothing outside is opened; this says early what is no note.
fn note(path: &str) -> Result<&str, String> {
    let path = path.strip_prefix("./").unwrap_or(path);
    let inside = path.strip_prefix("memory/").is_some_and(|rest| {
        rest.ends_with(".md") && rest.split('/').all(|part| !part.is_empty() && !part.starts_with('.'))
    });
    if MAIN.contains(&path) || inside {
        Ok(path)
    } else {
        Err("`path` is no note: those are MEMORY.md and the .md files below memory/".to_owned())
    }
}

/// Name and text of every note.
fn notes(workspace: &Workspace) -> Vec<(String, String)> {
    let main = MAIN.iter().map(|n| (*n).to_owned());
    let below = workspace.files(FOLDER, ".md", DEPTH, NOTES);
    let mut room = BYTES;
    let mut out: Vec<(String, String)> = Vec::new();
    for path in main.chain(below) {
        // Where the two names are one file, it is read once.
        if path == MAIN[1] && out.iter().any(|(p, _)| p == MAIN[0]) {
            continue;
        }
        let Found::Text(text) = workspace.read(&path) else { continue };
        if text.len() > room {
            break;
        }
        room -= text.len();
        out.push((path, text));
    }
    out
}

fn number(arguments: &Map<String, Value>, name: &str, default: u64, most: u64) -> usize {
    let asked = arguments.get(name).and_then(Value::as_u64).unwrap_or(default).clamp(1, most);
    usize::try_from(asked).unwrap_or(1)
}

fn find(workspace: &Workspace, arguments: &Map<String, Value>) -> Value {
    let query = text(arguments, "query").unwrap_or_default();
    let all = notes(workspace);
    let found = search::search(&all, query, number(arguments, "maxResults", PLACES, MOST_PLACES));
    json!({ "notes": all.len(), "results": found })
}

fn lines(workspace: &Workspace, arguments: &Map<String, Value>) -> Result<Value, String> {
    let path = note(text(arguments, "path").unwrap_or_default())?;
    let whole = match workspace.read(path) {
        Found::Text(text) => text,
        Found::Missing => return Err(format!("there is no note {path}")),
        Found::Refused(why) => return Err(format!("the note {path} is not read: {why}")),
    };
    let from =
        arguments.get("from").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
    let most = number(arguments, "lines", LINES, MOST_LINES);
    let count = whole.lines().count();
    let mut text = String::new();
    let mut taken = 0usize;
    for line in whole.lines().skip(from.saturating_sub(1)).take(most) {
        if text.len().saturating_add(line.len()) > READ {
            break;
        }
        text.push_str(line);
        text.push('\n');
        taken += 1;
    }
    Ok(json!({ "path": path, "from": from, "lines": taken, "of": count, "text": text }))
}
