//! `openclaw explain tool`.

use anyhow::Result;
use oc_config::load::Loaded;
use oc_gateway::explain::tool;
use oc_policy::explain_tool::{Question, explain as explain_tool};
use oc_policy::inventory::Inventory;
use oc_policy::tool_policy::{Context, IdsFrom};
use oc_types::Explanation;
use serde_json::Value as Json;

pub use oc_gateway::explain::tool::plugin_tools;

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
    let question = tool::Question { tool: args.tool.clone(), who: args.who.plain() };
    Ok(tool::explain(loaded, &question)?)
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
