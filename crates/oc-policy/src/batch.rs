//! One question as data: `{name, config, context, tools, pluginTools}` in, `{name, allowed, removedBy, error?}` out.
//!
//! The form of `openclaw policy eval --jsonl`, of the case files, and of embedders that speak JSON.

use oc_types::{Node, Origin};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::inventory::{Inventory, Presence, ReadOnlyFiles, Tool, materialize};
use crate::owner_only::{Ownership, is_owner_only};
use crate::sandbox::{Runs, WorkspaceAccess, workspace_access};
use crate::sender::Sender;
use crate::tool_name::{MEMORY, MEMORY_PLUGIN};
use crate::tool_policy::{CompiledPolicy, Context, IdsFrom};

/// The answer to one row.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The row's name.
    pub name: String,
    /// The tools that are left, sorted by code unit, spelled as given.
    pub allowed: Vec<String>,
    /// Every other candidate, with the layer that removed it first.
    pub removed_by: Map<String, Value>,
    /// Why the evaluation was refused; then nothing is allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What followed from configuration and context on the way.
    #[serde(skip)]
    pub derived: Derived,
    /// The tools that were there before any policy, sorted, for a row without `tools`.
    #[serde(skip)]
    pub materialized: Option<Vec<String>>,
}

/// What a row implies without saying it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Derived {
    /// The agent whose policies apply; `None` without a session key.
    pub policy_agent: Option<String>,
    /// The agent whose sandbox settings apply.
    pub sandbox_agent: String,
    /// Whether the session is sandboxed.
    pub sandboxed: bool,
}

/// Answers one row. Rows of unusable shape are answered with an error, never with tools.
///
/// Without a member `tools` the product's own inventory is taken, as far as its gates let it through.
#[must_use]
pub fn answer(row: &Value) -> Answer {
    let name = row.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    match evaluate(row) {
        Ok(answer) => Answer { name, ..answer },
        Err(error) => Answer { name, error: Some(error), ..Answer::default() },
    }
}

fn evaluate(row: &Value) -> Result<Answer, String> {
    let bad = |what: &str| format!("bad_row: {what}");
    let config = row.get("config").filter(|c| c.is_object()).ok_or_else(|| bad("config is no object"))?;
    let config = Node::from_json(config, &Origin::Default);
    let empty = Value::Object(Map::new());
    let given = row.get("context").unwrap_or(&empty);
    if !given.is_object() {
        return Err(bad("context is no object"));
    }
    let context = context(given).map_err(|key| bad(&format!("context.{key} is no text")))?;
    let listed = match row.get("tools") {
        Some(tools) => {
            Some(tools_of(tools, row.get("pluginTools")).ok_or_else(|| bad("tools or pluginTools"))?)
        }
        None => None,
    };
    let inventory = match &listed {
        Some(tools) => Inventory::new(tools.iter().cloned()),
        None => shipped(),
    };
    let policy = CompiledPolicy::compile_quietly(&config, &inventory);
    let stack = policy.stack(&context).map_err(|refusal| refusal.word().to_owned())?;
    let sandboxed = stack.runs() == Runs::Sandboxed;
    let mut materialized = None;
    let candidates = match listed {
        Some(tools) => tools,
        None => {
            let access =
                workspace_access(&config, stack.sandbox_agent()).map_err(|_| "config_invalid")?.value;
            let presence = Presence {
                provider: context.provider,
                model: context.model,
                model_sees_images: None,
                read_only: match access {
                    WorkspaceAccess::Ro if sandboxed => ReadOnlyFiles::Yes,
                    _ => ReadOnlyFiles::No,
                },
            };
            let mut there = materialize(&config, policy.inventory(), &presence);
            there.retain(|t| context.owner == Ownership::Proven || !is_owner_only(t.name()));
            materialized = Some(names(&there));
            there
        }
    };
    let filtered = stack.filter(&candidates);
    let removed = filtered.removed().iter().map(|(t, layer)| (t.name().to_owned(), layer.word()));
    let absent = filtered.absent().iter().map(|(t, why)| (t.name().to_owned(), why.word()));
    let removed_by = removed.chain(absent).map(|(name, why)| (name, Value::from(why))).collect();
    let derived = Derived {
        policy_agent: stack.policy_agent().map(|a| a.as_str().to_owned()),
        sandbox_agent: stack.sandbox_agent().as_str().to_owned(),
        sandboxed,
    };
    Ok(Answer { allowed: names(filtered.tools()), removed_by, derived, materialized, ..Answer::default() })
}

fn names(tools: &[Tool]) -> Vec<String> {
    let mut names: Vec<String> = tools.iter().map(|t| t.name().to_owned()).collect();
    names.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
    names
}

/// Without the channel's login tool, which is there only while the channel is set up.
fn shipped() -> Inventory {
    let own = crate::tool_name::CORE.iter().map(|n| Tool::core(*n));
    Inventory::new(own.chain(MEMORY.iter().map(|n| Tool::plugin(*n, MEMORY_PLUGIN))))
}

fn tools_of(tools: &Value, plugins: Option<&Value>) -> Option<Vec<Tool>> {
    let plugins = match plugins {
        None | Some(Value::Null) => None,
        Some(map) => Some(map.as_object()?),
    };
    let tool = |name: &Value| {
        let name = name.as_str()?;
        Some(match plugins.and_then(|p| p.get(name)) {
            None => Tool::core(name),
            Some(plugin) => Tool::plugin(name, plugin.as_str()?),
        })
    };
    tools.as_array()?.iter().map(tool).collect()
}

fn context(given: &Value) -> Result<Context<'_>, &'static str> {
    let text = |key: &'static str| match given.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(key),
    };
    let owner = match given.get("senderIsOwner") {
        None | Some(Value::Null | Value::Bool(false)) => Ownership::NotProven,
        Some(Value::Bool(true)) => Ownership::Proven,
        Some(_) => return Err("senderIsOwner"),
    };
    Ok(Context {
        session_key: text("sessionKey")?,
        spawned_by: text("spawnedBy")?,
        provider: text("provider")?,
        model: text("model")?,
        channel: text("channel")?,
        group_id: text("groupId")?,
        group_channel: text("groupChannel")?,
        group_space: text("groupSpace")?,
        account_id: text("accountId")?,
        sender: Sender {
            id: text("senderId")?,
            e164: text("senderE164")?,
            username: text("senderUsername")?,
            name: text("senderName")?,
        },
        owner,
        // A row states what the session's adapter knows.
        ids_from: IdsFrom::Adapter,
    })
}
