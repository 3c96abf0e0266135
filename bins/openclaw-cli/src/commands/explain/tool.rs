//! `openclaw explain tool`.

use anyhow::Result;
use oc_config::load::Loaded;
use oc_policy::explain_tool::{Question, explain as explain_tool};
use oc_policy::inventory::{Inventory, Tool};
use oc_policy::owner_only::Ownership;
use oc_policy::sender::Sender;
use oc_policy::tool_policy::{Context, IdsFrom};
use oc_types::Explanation;
use serde_json::Value as Json;

use super::Common;
use crate::caller_args::CallerArgs;

/// Arguments of `openclaw explain tool`.
#[derive(Debug, clap::Args)]
pub struct ToolArgs {
    /// The tool, in any spelling.
    #[arg(value_name = "TOOL")]
    tool: String,
    /// For whom.
    #[command(flatten)]
    who: CallerArgs,
    /// Flags of every subject.
    #[command(flatten)]
    pub common: Common,
}

/// Answers.
///
/// # Errors
/// A malformed session key, an agent that is not the one in the key, settings that have no answer.
pub fn explain(loaded: &Loaded, args: &ToolArgs) -> Result<Explanation> {
    let who = &args.who;
    let subject = who.subject(loaded)?;
    let (provider, model) = who.model()?.unzip();
    let sender = who.sender.as_deref();
    let question = Question {
        config: &loaded.tree,
        inventory: &Inventory::with_plugins(plugin_tools(loaded)),
        context: Context {
            session_key: Some(subject.session.as_str()),
            spawned_by: who.spawned_by.as_deref(),
            provider,
            model,
            channel: who.channel.as_deref(),
            account_id: who.account.as_deref(),
            sender: Sender {
                id: sender,
                e164: sender.filter(|s| s.starts_with('+')),
                username: who.username.as_deref(),
                name: who.sender_name.as_deref(),
            },
            owner: if who.owner { Ownership::Proven } else { Ownership::NotProven },
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

/// The tools that installed and enabled plugins declare in their manifest.
pub fn plugin_tools(loaded: &Loaded) -> Vec<Tool> {
    let declared = oc_fs::plugins::declared_tools(&loaded.locations.state_dir, &loaded.tree);
    let tool = |d: oc_fs::plugins::DeclaredTool| {
        let tool = Tool::plugin(&d.name, d.plugin.as_str());
        if d.optional { tool.optional() } else { tool }
    };
    declared.into_iter().map(tool).collect()
}
