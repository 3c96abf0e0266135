//! What of other sessions is shown to a session.

use oc_policy::session_key::SessionKey;
use oc_policy::session_visibility::{Target, Viewer};
use oc_sandbox::gate::{Caller, ToolCall};
use oc_types::AgentId;
use serde_json::{Map, Value, json};

use super::read::target;
use crate::methods::{Place, sessions};

/// The one answer about sessions that are not there or not visible.
pub(super) const NOT_FOUND: &str = "there is no session of this key";

/// Who looks, and everybody behind (SP-420): agents and keys in their one form. The one who calls stands first.
#[derive(Debug)]
pub(super) struct Eyes {
    first: (AgentId, String),
    behind: Vec<(AgentId, String)>,
}

impl Eyes {
    pub(super) fn of(place: &Place, call: &ToolCall) -> Result<Self, String> {
        let one = |caller: &Caller| {
            let key = SessionKey::parse(&caller.session).map_err(|e| e.to_string())?;
            Ok::<_, String>((caller.agent.clone(), place.canonical(&caller.agent, &key)))
        };
        let first = one(&call.caller)?;
        let mut behind: Vec<_> = call.behind.iter().map(one).collect::<Result<_, _>>()?;
        behind.retain(|who| *who != first);
        Ok(Self { first, behind })
    }

    pub(super) fn session(&self) -> &str {
        &self.first.1
    }

    pub(super) fn viewers<'a>(&'a self, place: &'a Place) -> Viewers<'a> {
        let all = std::iter::once(&self.first).chain(&self.behind);
        Viewers(all.map(|(agent, session)| Viewer::new(&place.config, agent, session)).collect())
    }
}

/// Those who look together: a session is seen when each of them sees it.
#[derive(Debug)]
pub(super) struct Viewers<'a>(Vec<Viewer<'a>>);

impl Viewers<'_> {
    fn see(&self, target: &Target<'_>) -> bool {
        self.0.iter().all(|viewer| viewer.sees(target))
    }
}

/// Whether a row of a list is shown.
pub(super) fn row_is_visible(place: &Place, viewers: &Viewers<'_>, row: &Value) -> bool {
    let Some(key) = row.get("key").and_then(Value::as_str) else { return false };
    let Ok(parsed) = SessionKey::parse(key) else { return false };
    let agent = parsed.agent().cloned().unwrap_or_else(|| place.default_agent());
    viewers.see(&target(&agent, key, row))
}

/// The row of a session by its key, when it is visible. The decision stands on the key and the parent; nothing else is read before.
pub(super) fn visible_row(place: &Place, viewers: &Viewers<'_>, wanted: &str) -> Result<Value, String> {
    let (_, key) = place.session(wanted).map_err(|_| NOT_FOUND.to_owned())?;
    let all = sessions::list(place, json!({ "includeGlobal": true })).map_err(|_| NOT_FOUND.to_owned())?;
    let rows = all.get("sessions").and_then(Value::as_array).into_iter().flatten();
    let row = rows.filter(|row| row.get("key").and_then(Value::as_str) == Some(key.as_str()));
    let row = row.into_iter().find(|row| row_is_visible(place, viewers, row));
    row.cloned().ok_or_else(|| NOT_FOUND.to_owned())
}

/// The row of a session by its label, when exactly one that is visible has it. `agent`: only one of that agent.
pub(super) fn labelled_row(
    place: &Place,
    viewers: &Viewers<'_>,
    label: &str,
    agent: Option<&AgentId>,
) -> Result<Value, String> {
    let all = sessions::list(place, json!({ "includeGlobal": true })).map_err(|_| NOT_FOUND.to_owned())?;
    let rows = all.get("sessions").and_then(Value::as_array).into_iter().flatten();
    let fits = |row: &&Value| {
        let key = row.get("key").and_then(Value::as_str).unwrap_or_default();
        let of = SessionKey::parse(key).ok().and_then(|k| k.agent().cloned());
        row.get("label").and_then(Value::as_str) == Some(label)
            && agent.is_none_or(|a| of.as_ref() == Some(a))
            && row_is_visible(place, viewers, row)
    };
    let found: Vec<&Value> = rows.filter(fits).collect();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(NOT_FOUND.to_owned()),
        _ => Err("several sessions have this label; name one by its key".to_owned()),
    }
}

/// A message of a history: role, time, texts of at most `most` characters; results of tools only when asked for. Thinking never.
pub(super) fn shown(message: &Value, tools: bool, most: usize) -> Option<Value> {
    let role = message.get("role").and_then(Value::as_str)?;
    if matches!(role, "toolResult" | "tool" | "tool_result") && !tools {
        return None;
    }
    let cut = |text: &str| -> String {
        let mut out: String = text.chars().take(most).collect();
        if out.len() < text.len() {
            out.push_str(" [cut]");
        }
        out
    };
    let content: Vec<Value> = match message.get("content") {
        Some(Value::String(text)) => vec![json!({ "type": "text", "text": cut(text) })],
        Some(Value::Array(blocks)) => {
            blocks.iter().filter_map(|block| block_shown(block, tools, &cut)).collect()
        }
        Some(_) | None => Vec::new(),
    };
    if content.is_empty() {
        return None;
    }
    let mut out = Map::new();
    out.insert("role".to_owned(), json!(role));
    for name in ["timestamp", "toolName"] {
        if let Some(value) = message.get(name) {
            out.insert(name.to_owned(), value.clone());
        }
    }
    out.insert("content".to_owned(), Value::Array(content));
    Some(Value::Object(out))
}

fn block_shown(block: &Value, tools: bool, cut: &dyn Fn(&str) -> String) -> Option<Value> {
    let of = |name: &str| block.get(name).and_then(Value::as_str);
    match of("type")? {
        "text" => Some(json!({ "type": "text", "text": cut(of("text")?) })),
        "toolCall" if tools => Some(json!({
            "type": "toolCall",
            "name": of("name"),
            "arguments": cut(&block.get("arguments").map(Value::to_string).unwrap_or_default()),
        })),
        "image" => Some(json!({ "type": "text", "text": "[a picture]" })),
        _ => None,
    }
}
