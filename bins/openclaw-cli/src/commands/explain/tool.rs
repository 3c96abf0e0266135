//! `openclaw explain tool`.

use anyhow::{Result, bail};
use oc_config::load::Loaded;
use oc_fs::bounded_read;
use oc_fs::code_walk::plugin_folders;
use oc_policy::explain_tool::{Question, explain as explain_tool};
use oc_policy::inventory::{Inventory, Tool};
use oc_policy::owner_only::Ownership;
use oc_policy::sandbox::Subject;
use oc_policy::sender::Sender;
use oc_policy::tool_policy::{Context, IdsFrom};
use oc_types::{Explanation, Node};
use serde_json::Value as Json;

use super::Common;

/// Largest plugin manifest that is read, in bytes.
const MANIFEST_LIMIT: u64 = 1024 * 1024;

/// Arguments of `openclaw explain tool`.
#[derive(Debug, clap::Args)]
pub struct ToolArgs {
    /// The tool, in any spelling.
    #[arg(value_name = "TOOL")]
    tool: String,
    /// The agent; default: the one in the session key, else the default agent.
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// The session key; default: the agent's main session.
    #[arg(long, value_name = "KEY")]
    session: Option<String>,
    /// The channel the message came through.
    #[arg(long, value_name = "ID")]
    channel: Option<String>,
    /// The channel account that received it.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// The sender's id; on phone channels the number with `+`.
    #[arg(long, value_name = "ID")]
    sender: Option<String>,
    /// The sender's user name.
    #[arg(long, value_name = "@NAME")]
    username: Option<String>,
    /// The sender's display name.
    #[arg(long, value_name = "NAME")]
    sender_name: Option<String>,
    /// The session that spawned this one.
    #[arg(long, value_name = "KEY")]
    spawned_by: Option<String>,
    /// The model in use.
    #[arg(long, value_name = "PROVIDER/MODEL")]
    model: Option<String>,
    /// The sender is known to be the owner.
    #[arg(long)]
    owner: bool,
    /// Flags of every subject.
    #[command(flatten)]
    pub common: Common,
}

/// Answers.
///
/// # Errors
/// A malformed session key, an agent that is not the one in the key, settings that have no answer.
pub fn explain(loaded: &Loaded, args: &ToolArgs) -> Result<Explanation> {
    let subject = Subject::read(&loaded.tree, args.agent.as_deref(), args.session.as_deref())?;
    if let Some(own) = subject.session.agent().filter(|own| **own != subject.agent) {
        bail!(
            "--agent {} and --session {} name two agents; the tools of a session are those of {own}",
            subject.agent,
            subject.session
        );
    }
    let (provider, model) = match &args.model {
        None => (None, None),
        Some(text) => match text.split_once('/') {
            Some((provider, model)) if !provider.is_empty() && !model.is_empty() => {
                (Some(provider), Some(model))
            }
            _ => bail!("--model takes PROVIDER/MODEL, for example openai/gpt-5.2"),
        },
    };
    let sender = args.sender.as_deref();
    let question = Question {
        config: &loaded.tree,
        inventory: &Inventory::with_plugins(plugin_tools(loaded)),
        context: Context {
            session_key: Some(subject.session.as_str()),
            spawned_by: args.spawned_by.as_deref(),
            provider,
            model,
            channel: args.channel.as_deref(),
            account_id: args.account.as_deref(),
            sender: Sender {
                id: sender,
                e164: sender.filter(|s| s.starts_with('+')),
                username: args.username.as_deref(),
                name: args.sender_name.as_deref(),
            },
            owner: if args.owner { Ownership::Proven } else { Ownership::NotProven },
            ids_from: IdsFrom::Adapter,
            ..Context::default()
        },
        tool: &args.tool,
        model_sees_images: None,
    };
    Ok(explain_tool(&question)?)
}

/// The tools that a session has not, each with the layer and key that take it away: the `policy.removed` of `sandbox explain`.
pub fn removed(loaded: &Loaded, session: &str) -> Result<Vec<Json>> {
    let inventory = Inventory::with_plugins(plugin_tools(loaded));
    let mut out = Vec::new();
    for tool in inventory.tools() {
        let context =
            Context { session_key: Some(session), ids_from: IdsFrom::Adapter, ..Context::default() };
        let question = Question {
            config: &loaded.tree,
            inventory: &inventory,
            context,
            tool: tool.name(),
            model_sees_images: None,
        };
        let answer = explain_tool(&question)?;
        if answer.verdict != oc_policy::explain_tool::ALLOWED {
            let d = answer.decided_by;
            out.push(serde_json::json!({
                "tool": tool.name(),
                "verdict": answer.verdict,
                "layer": d.layer,
                "rule": d.rule,
                "key": d.key_path.map(|k| k.to_string()),
                "source": d.source,
            }));
        }
    }
    Ok(out)
}

/// The tools that installed and enabled plugins declare in their manifest: `tools: ["name", {name, optional}]`.
pub fn plugin_tools(loaded: &Loaded) -> Vec<Tool> {
    let folders = plugin_folders(&loaded.locations.state_dir.join("extensions"), false).unwrap_or_default();
    let mut out = Vec::new();
    for (folder, path) in folders {
        let Ok(text) = bounded_read::text(&path.join("openclaw.plugin.json"), MANIFEST_LIMIT) else {
            continue;
        };
        let Ok(manifest) = serde_json::from_str::<Json>(&text) else { continue };
        let id = manifest.get("id").and_then(Json::as_str).unwrap_or(&folder).to_owned();
        if !is_enabled(&loaded.tree, &id) {
            continue;
        }
        for tool in manifest.get("tools").and_then(Json::as_array).into_iter().flatten() {
            let name = tool.as_str().or_else(|| tool.get("name").and_then(Json::as_str));
            let optional = tool.get("optional").and_then(Json::as_bool).unwrap_or(false);
            out.extend(name.map(|n| {
                let tool = Tool::plugin(n, id.as_str());
                if optional { tool.optional() } else { tool }
            }));
        }
    }
    out
}

fn is_enabled(tree: &Node, id: &str) -> bool {
    let off = |path: &[&str]| tree.path(path).and_then(Node::as_bool) == Some(false);
    let listed = |name: &str| {
        let list = tree.path(&["plugins", name]).and_then(Node::entries);
        list.map(|l| l.iter().any(|e| e == id))
    };
    !off(&["plugins", "enabled"])
        && !off(&["plugins", "entries", id, "enabled"])
        && listed("deny") != Some(true)
        && listed("allow") != Some(false)
}
