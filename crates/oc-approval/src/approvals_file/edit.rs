//! Changes to `exec-approvals.json` (exec-approval 4): in place, so that members this program does not know stay.

#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};
use thiserror::Error;

use super::{ApprovalsFile, ApprovalsFileError};
use crate::persist::Remembered;

/// What stands for the token of the socket in every view.
const HIDDEN: &str = "__OPENCLAW_REDACTED__";

/// The content of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    root: Map<String, Value>,
}

/// Whether a change changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Yes.
    Yes,
    /// It was so already.
    No,
}

/// Why a change was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EditRefused {
    /// A bare name would match nothing.
    #[error("`{0}` is no path: give the full path of the program, such as `/usr/bin/{0}` (see `which {0}`)")]
    Basename(String),
    /// Nothing.
    #[error("the pattern is empty")]
    Empty,
    /// An agent id that cannot be one.
    #[error("`{0}` is no agent id; use an id or `*`")]
    Agent(String),
    /// No randomness for an id.
    #[error("the operating system's random source failed; nothing was changed")]
    Random,
    /// The new content is no approvals file.
    #[error(transparent)]
    Content(#[from] ApprovalsFileError),
}

/// One run of a program that an entry admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use<'a> {
    /// The agent.
    pub agent: &'a str,
    /// The entry's pattern.
    pub pattern: &'a str,
    /// The text that ran.
    pub command: &'a str,
    /// The program file.
    pub resolved_path: &'a str,
    /// Milliseconds since 1970.
    pub at_ms: u64,
}

impl Default for Document {
    fn default() -> Self {
        let mut root = Map::new();
        root.insert("version".to_owned(), json!(1));
        root.insert("agents".to_owned(), json!({}));
        Self { root }
    }
}

impl Document {
    /// Reads the text of the file.
    ///
    /// # Errors
    /// See [`ApprovalsFileError`]; the file is then left as it is.
    pub fn parse(text: &str) -> Result<Self, ApprovalsFileError> {
        ApprovalsFile::parse(text)?;
        let text = text.trim_start_matches('\u{feff}');
        let value = serde_json::from_str(text).map_err(|e| ApprovalsFileError::Syntax(e.line()))?;
        Self::of(value)
    }

    /// Takes a value as the content.
    ///
    /// # Errors
    /// See [`ApprovalsFileError`].
    pub fn of(value: Value) -> Result<Self, ApprovalsFileError> {
        ApprovalsFile::parse(&value.to_string())?;
        match value {
            Value::Object(root) => Ok(Self { root }),
            _ => Err(ApprovalsFileError::Shape("the file")),
        }
    }

    /// The text to write: indented, with a line feed at the end.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(&self.root).unwrap_or_default();
        text.push('\n');
        text
    }

    /// What may be shown: everything but the token of the socket.
    #[must_use]
    pub fn shown(&self) -> Value {
        let mut root = self.root.clone();
        if let Some(token) = root.get_mut("socket").and_then(|s| s.get_mut("token")) {
            *token = json!(HIDDEN);
        }
        root.into()
    }

    /// The older forms become the present one: agent `default` is `main`, texts are entries, entries have ids, what is no entry goes.
    ///
    /// # Errors
    /// When no id can be drawn.
    pub fn normalise(&mut self, ids: &mut dyn FnMut() -> Option<String>) -> Result<(), EditRefused> {
        let agents = object(&mut self.root, "agents")?;
        if let Some(Value::Object(old)) = agents.shift_remove("default") {
            let main = agents.entry("main").or_insert_with(|| json!({}));
            merge(main, old);
        }
        for settings in agents.values_mut() {
            let Some(list) = settings.get_mut("allowlist").and_then(Value::as_array_mut) else { continue };
            list.retain(|entry| pattern(entry).is_some_and(|p| !p.trim().is_empty()));
            for entry in list {
                if let Value::String(text) = entry {
                    *entry = json!({ "pattern": text });
                }
                let Some(members) = entry.as_object_mut() else { continue };
                if members.get("id").and_then(Value::as_str).is_none_or(str::is_empty) {
                    let id = ids().ok_or(EditRefused::Random)?;
                    members.shift_insert(0, "id".to_owned(), json!(id));
                }
            }
        }
        Ok(())
    }

    /// Lets a program run with any arguments.
    ///
    /// # Errors
    /// See [`EditRefused`].
    pub fn add(&mut self, agent: &str, wanted: &str, id: &str) -> Result<Changed, EditRefused> {
        let wanted = wanted.trim();
        check_pattern(wanted)?;
        let list = self.list(agent)?;
        let there =
            |e: &Value| pattern(e).is_some_and(|p| p.trim() == wanted) && e.get("argPattern").is_none();
        if list.iter().any(there) {
            return Ok(Changed::No);
        }
        list.push(json!({ "id": id, "pattern": wanted }));
        Ok(Changed::Yes)
    }

    /// Takes every entry with this pattern from the list.
    ///
    /// # Errors
    /// See [`EditRefused`].
    pub fn remove(&mut self, agent: &str, wanted: &str) -> Result<Changed, EditRefused> {
        let wanted = wanted.trim();
        if wanted.is_empty() {
            return Err(EditRefused::Empty);
        }
        check_agent(agent)?;
        let list =
            self.root.get_mut("agents").and_then(|a| a.get_mut(agent)).and_then(|a| a.get_mut("allowlist"));
        let Some(list) = list.and_then(Value::as_array_mut) else { return Ok(Changed::No) };
        let before = list.len();
        list.retain(|e| pattern(e).is_none_or(|p| p.trim() != wanted));
        Ok(if list.len() == before { Changed::No } else { Changed::Yes })
    }

    /// Stores what a person allowed always.
    ///
    /// # Errors
    /// See [`EditRefused`].
    pub fn remember(&mut self, agent: &str, entry: &Remembered, id: &str) -> Result<Changed, EditRefused> {
        check_pattern(&entry.pattern)?;
        let list = self.list(agent)?;
        let same = |e: &Value| {
            let text = |key: &str| e.get(key).and_then(Value::as_str);
            text("pattern") == Some(&entry.pattern)
                && text("argPattern") == Some(&entry.arguments)
                && text("cwd") == Some(&entry.directory)
        };
        if list.iter().any(same) {
            return Ok(Changed::No);
        }
        list.push(json!({
            "id": id,
            "pattern": entry.pattern,
            "argPattern": entry.arguments,
            "cwd": entry.directory,
            "source": "allow-always",
        }));
        Ok(Changed::Yes)
    }

    /// Notes that an entry admitted a run. An entry that is gone meanwhile does not come back.
    pub fn used(&mut self, run: &Use<'_>) -> Changed {
        let mut changed = Changed::No;
        for agent in [run.agent, "*"] {
            let list = self
                .root
                .get_mut("agents")
                .and_then(|a| a.get_mut(agent))
                .and_then(|a| a.get_mut("allowlist"));
            for entry in list.and_then(Value::as_array_mut).into_iter().flatten() {
                let Some(members) = entry.as_object_mut() else { continue };
                if members.get("pattern").and_then(Value::as_str) == Some(run.pattern) {
                    members.insert("lastUsedAt".to_owned(), json!(run.at_ms));
                    members.insert("lastUsedCommand".to_owned(), json!(run.command));
                    members.insert("lastResolvedPath".to_owned(), json!(run.resolved_path));
                    changed = Changed::Yes;
                }
            }
            if changed == Changed::Yes || agent == "*" {
                break;
            }
        }
        changed
    }

    /// Keeps path and token of the socket where the new content has none, or the word that stands for it in views.
    pub fn keep_socket(&mut self, before: &Self) {
        let Some(old) = before.root.get("socket").and_then(Value::as_object) else { return };
        let socket = self.root.entry("socket").or_insert_with(|| json!({}));
        let Some(socket) = socket.as_object_mut() else { return };
        for key in ["path", "token"] {
            let given = socket.get(key).and_then(Value::as_str).is_some_and(|t| !t.is_empty() && t != HIDDEN);
            if let Some(value) = old.get(key).filter(|_| !given) {
                socket.insert(key.to_owned(), value.clone());
            }
        }
    }

    /// Path and token of the socket, as they stand.
    #[must_use]
    pub fn socket(&self) -> (Option<&str>, Option<&str>) {
        let text = |key: &str| {
            self.root.get("socket").and_then(|s| s.get(key)).and_then(Value::as_str).filter(|t| !t.is_empty())
        };
        (text("path"), text("token"))
    }

    /// Sets path and token of the socket where they are absent.
    pub fn set_socket(&mut self, path: &str, token: &str) -> Changed {
        let (has_path, has_token) = (self.socket().0.is_some(), self.socket().1.is_some());
        let socket = self.root.entry("socket").or_insert_with(|| json!({}));
        if !socket.is_object() {
            *socket = json!({});
        }
        let Some(socket) = socket.as_object_mut() else { return Changed::No };
        if !has_path {
            socket.insert("path".to_owned(), json!(path));
        }
        if !has_token {
            socket.insert("token".to_owned(), json!(token));
        }
        if has_path && has_token { Changed::No } else { Changed::Yes }
    }

    fn list(&mut self, agent: &str) -> Result<&mut Vec<Value>, EditRefused> {
        check_agent(agent)?;
        let settings = object(object(&mut self.root, "agents")?, agent)?;
        let list = settings.entry("allowlist").or_insert_with(|| json!([]));
        if !list.is_array() {
            *list = json!([]);
        }
        list.as_array_mut().ok_or(EditRefused::Empty)
    }
}

/// The member as an object; made when it is absent or something else.
fn object<'a>(map: &'a mut Map<String, Value>, key: &str) -> Result<&'a mut Map<String, Value>, EditRefused> {
    if !map.get(key).is_some_and(Value::is_object) {
        map.insert(key.to_owned(), json!({}));
    }
    let shape = EditRefused::Content(ApprovalsFileError::Shape("agents"));
    map.get_mut(key).and_then(Value::as_object_mut).ok_or(shape)
}

/// What `main` sets wins; its list comes first; patterns that differ in case alone are one.
fn merge(main: &mut Value, old: Map<String, Value>) {
    let Some(main) = main.as_object_mut() else { return };
    for (key, value) in old {
        if key != "allowlist" {
            main.entry(key).or_insert(value);
            continue;
        }
        let Value::Array(items) = value else { continue };
        let list = main.entry(key).or_insert_with(|| json!([]));
        let Some(list) = list.as_array_mut() else { continue };
        for item in items {
            let Some(new) = pattern(&item).map(|p| p.trim().to_lowercase()) else { continue };
            if !list.iter().any(|e| pattern(e).is_some_and(|p| p.trim().to_lowercase() == new)) {
                list.push(item);
            }
        }
    }
}

fn pattern(entry: &Value) -> Option<&str> {
    entry.as_str().or_else(|| entry.get("pattern")?.as_str())
}

fn check_pattern(pattern: &str) -> Result<(), EditRefused> {
    if pattern.is_empty() {
        Err(EditRefused::Empty)
    } else if pattern.contains(['/', '\\', '~']) {
        Ok(())
    } else {
        Err(EditRefused::Basename(pattern.to_owned()))
    }
}

fn check_agent(agent: &str) -> Result<(), EditRefused> {
    if agent == "*" || oc_types::AgentId::strict(agent).is_ok() {
        Ok(())
    } else {
        Err(EditRefused::Agent(agent.to_owned()))
    }
}
