//! What the reading tools answer.

use oc_policy::session_visibility::{Target, across_agents};
use oc_sandbox::gate::ToolCall;
use oc_types::AgentId;
use serde_json::{Map, Value, json};

use super::seen::{self, NOT_FOUND, Viewers};
use super::text;
use crate::methods::{Place, agents, sessions};

/// Characters of one text of a history.
const TEXT: usize = 4000;
/// Bytes of a history.
const HISTORY: usize = 80 * 1024;
/// Messages of a history when the call names no number, and at most.
const MESSAGES: u64 = 50;
const MOST_MESSAGES: u64 = 200;
/// Rows of a list when the call names no number, and at most.
const ROWS: u64 = 50;
const MOST_ROWS: u64 = 200;
/// Last messages that a row of a list shows at most.
const ROW_MESSAGES: u64 = 20;

/// A tool that reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReadTool {
    /// `agents_list`
    AgentsList,
    /// `sessions_list`
    SessionsList,
    /// `sessions_history`
    SessionsHistory,
    /// `session_status`
    SessionStatus,
}

impl ReadTool {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::AgentsList, Self::SessionsList, Self::SessionsHistory, Self::SessionStatus];

    /// The canonical name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AgentsList => "agents_list",
            Self::SessionsList => "sessions_list",
            Self::SessionsHistory => "sessions_history",
            Self::SessionStatus => "session_status",
        }
    }

    /// Whether files are read for an answer, not only the configuration in force.
    pub(super) fn reads_stores(self) -> bool {
        self != Self::AgentsList
    }

    /// Whether an answer can hold what somebody wrote.
    pub(super) fn shows_messages(self) -> bool {
        match self {
            Self::AgentsList | Self::SessionStatus => false,
            Self::SessionsList | Self::SessionsHistory => true,
        }
    }

    /// Whether the arguments can be used.
    pub(super) fn check(self, arguments: &Map<String, Value>) -> Result<(), String> {
        let whole = |name: &str| match arguments.get(name).filter(|v| !v.is_null()) {
            None => Ok(()),
            Some(v) if v.as_u64().is_some_and(|n| n > 0) => Ok(()),
            Some(_) => Err(format!("`{name}` must be a number from 1 on")),
        };
        match self {
            Self::AgentsList => Ok(()),
            Self::SessionsList => {
                ["limit", "activeMinutes"].into_iter().try_for_each(whole)?;
                match arguments.get("kinds").filter(|v| !v.is_null()) {
                    Some(v) if !v.is_array() => Err("`kinds` must be a list of texts".to_owned()),
                    Some(_) | None => Ok(()),
                }
            }
            Self::SessionsHistory => {
                whole("limit")?;
                text(arguments, "sessionKey").map(drop).ok_or_else(|| "`sessionKey` is missing".to_owned())
            }
            // A model of its own choice is a change, and this tool changes nothing.
            Self::SessionStatus if text(arguments, "model").is_some() => {
                Err("`model` cannot be set here; the owner sets it with /model".to_owned())
            }
            Self::SessionStatus => Ok(()),
        }
    }

    /// Answers, or says in words for the model why not.
    pub(super) fn read(self, place: &Place, call: &ToolCall) -> Result<Value, String> {
        let eyes = seen::Eyes::of(place, call)?;
        match self {
            Self::AgentsList => agents_list(place, call),
            Self::SessionsList => sessions_list(place, &eyes.viewers(place), &call.arguments),
            Self::SessionsHistory => {
                let wanted = text(&call.arguments, "sessionKey").unwrap_or_default();
                history(place, &eyes.viewers(place), wanted, &call.arguments)
            }
            Self::SessionStatus => {
                let wanted = text(&call.arguments, "sessionKey").unwrap_or(eyes.session());
                let row = seen::visible_row(place, &eyes.viewers(place), wanted)?;
                Ok(json!({ "session": row }))
            }
        }
    }
}

/// The agents that the session may start or talk to: its own and those that `tools.agentToAgent` opens.
fn agents_list(place: &Place, call: &ToolCall) -> Result<Value, String> {
    let mut all = agents::list(place, json!({})).map_err(|f| f.message)?;
    let own = &call.caller.agent;
    let asking = || std::iter::once(own).chain(call.behind.iter().map(|who| &who.agent));
    if let Some(list) = all.get_mut("agents").and_then(Value::as_array_mut) {
        list.retain(|row| {
            let id = row.get("id").and_then(Value::as_str).map(AgentId::normalized);
            id.is_some_and(|id| asking().all(|a| id == *a || across_agents(&place.config, a, &id)))
        });
    }
    if let Some(members) = all.as_object_mut() {
        members.insert("requester".to_owned(), json!(own));
    }
    Ok(all)
}

fn sessions_list(
    place: &Place,
    viewers: &Viewers<'_>,
    arguments: &Map<String, Value>,
) -> Result<Value, String> {
    let number = |name: &str| arguments.get(name).and_then(Value::as_u64);
    let kinds: Vec<&str> = arguments
        .get("kinds")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let messages = number("messageLimit").unwrap_or(0).min(ROW_MESSAGES);
    let mut params = json!({ "includeGlobal": true, "includeLastMessage": messages > 0 });
    if let (Some(minutes), Some(members)) = (number("activeMinutes"), params.as_object_mut()) {
        members.insert("activeMinutes".to_owned(), json!(minutes));
    }
    let all = sessions::list(place, params).map_err(|f| f.message)?;
    let most = usize::try_from(number("limit").unwrap_or(ROWS).min(MOST_ROWS)).unwrap_or(usize::MAX);
    let rows: Vec<Value> = all
        .get("sessions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|row| seen::row_is_visible(place, viewers, row))
        .filter(|row| {
            kinds.is_empty() || row.get("kind").and_then(Value::as_str).is_some_and(|k| kinds.contains(&k))
        })
        .take(most)
        .cloned()
        .collect();
    Ok(json!({ "count": rows.len(), "sessions": rows }))
}

fn history(
    place: &Place,
    viewers: &Viewers<'_>,
    wanted: &str,
    arguments: &Map<String, Value>,
) -> Result<Value, String> {
    let row = seen::visible_row(place, viewers, wanted)?;
    let key = row.get("key").and_then(Value::as_str).ok_or(NOT_FOUND)?;
    let limit = arguments.get("limit").and_then(Value::as_u64).unwrap_or(MESSAGES).min(MOST_MESSAGES);
    let tools = arguments.get("includeTools").and_then(Value::as_bool) == Some(true);
    let found =
        sessions::history(place, json!({ "sessionKey": key, "limit": limit })).map_err(|f| f.message)?;
    let mut room = HISTORY;
    let mut messages = Vec::new();
    let all = found.get("messages").and_then(Value::as_array);
    for message in all.into_iter().flatten().rev() {
        let Some(message) = seen::shown(message, tools, TEXT) else { continue };
        let size = message.to_string().len();
        if size > room {
            break;
        }
        room -= size;
        messages.push(message);
    }
    messages.reverse();
    Ok(json!({ "sessionKey": key, "messages": messages }))
}

/// The target that a row of a list stands for.
pub(super) fn target<'a>(agent: &'a AgentId, key: &'a str, row: &'a Value) -> Target<'a> {
    Target { agent, session: key, spawned_by: row.get("spawnedBy").and_then(Value::as_str) }
}
