//! `openclaw tool list`.

use std::process::ExitCode;

use anyhow::Result;
use oc_config::load::Reading;
use oc_sandbox::gate::{Gate, ToolCall};
use oc_sandbox::tools::CoreTool;
use oc_text::visible::visible;
use serde_json::{Map, json};

use super::call::snapshot;
use crate::app::App;
use crate::caller_args::CallerArgs;

/// Arguments of `openclaw tool list`.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// For whom.
    #[command(flatten)]
    caller: CallerArgs,
    /// Print one JSON array.
    #[arg(long)]
    json: bool,
}

/// Shows the tools of a session.
pub fn run(app: &App, args: &ListArgs) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    let snapshot = snapshot(app, &loaded)?;
    let caller = args.caller.caller(&loaded)?;
    let mut rows = Vec::new();
    for tool in snapshot.policy().inventory().tools() {
        let call = ToolCall {
            id: String::new(),
            tool: tool.name().to_owned(),
            arguments: Map::new(),
            caller: caller.clone(),
            behind: std::sync::Arc::default(),
        };
        rows.push((tool.name(), Gate::would(&snapshot, &call)));
    }
    if args.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(tool, would)| {
                let d = would.as_ref().err().map(|r| &r.explanation().decided_by);
                json!({
                    "tool": tool,
                    "allowed": would.is_ok(),
                    "sandboxed": would.as_ref().ok().map(|runs| runs.is_sandboxed()),
                    "layer": d.map(|d| &d.layer),
                    "rule": d.map(|d| &d.rule),
                    "key": d.and_then(|d| d.key_path.as_ref()).map(ToString::to_string),
                    "carriedOut": would.is_ok() && carried_out(tool),
                })
            })
            .collect();
        app.print(&format!("{}\n", serde_json::to_string_pretty(&rows)?));
        return Ok(ExitCode::SUCCESS);
    }
    for (tool, would) in rows {
        let (verdict, why) = match &would {
            Ok(_) if !carried_out(tool) => ("allowed", "this program does not carry it out".to_owned()),
            Ok(runs) if runs.is_sandboxed() => ("allowed", "in a sandbox".to_owned()),
            Ok(_) => ("allowed", "on the host".to_owned()),
            Err(refused) => {
                let d = &refused.explanation().decided_by;
                (
                    "denied",
                    match &d.key_path {
                        Some(key) => format!("{}: {key}", d.layer),
                        None => format!("{}, {}", d.layer, d.rule),
                    },
                )
            }
        };
        app.print(&format!("{tool:<18} {verdict:<8} {}\n", visible(&why, 200)));
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether a call that the policy lets through is carried out.
fn carried_out(tool: &str) -> bool {
    CoreTool::of(tool).is_some()
}
