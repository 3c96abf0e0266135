//! `openclaw security reach [--json|--html]`: who reaches which tool, where, under which approval.

mod html;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use oc_config::load::Reading;

pub use oc_gateway::reach::{facts, reach_of};

use crate::app::App;

/// Arguments of `openclaw security reach`.
#[derive(Debug, clap::Args)]
pub struct ReachArgs {
    /// One JSON object on standard output.
    #[arg(long, conflicts_with = "html")]
    json: bool,
    /// One self-contained HTML page on standard output.
    #[arg(long)]
    html: bool,
    /// Write to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Prints the reach of the configuration.
///
/// # Errors
/// When the configuration is invalid, or the output cannot be written.
pub fn run(app: &App, args: &ReachArgs) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    if !loaded.is_valid() {
        for issue in &loaded.issues {
            app.note(&issue.to_string());
        }
        bail!("the configuration is invalid: nothing is reachable from it, the gateway does not start");
    }
    let reach = reach_of(&loaded.tree, facts(&loaded));
    for note in &reach.refused {
        app.note(&format!("note: {note}"));
    }
    let text = if args.json {
        format!("{}\n", serde_json::to_string_pretty(&reach)?)
    } else if args.html {
        html::page(&reach)
    } else {
        table::text(&reach)
    };
    match &args.output {
        Some(file) => oc_fs::atomic::replace(&app.cwd.join(file), text.as_bytes())?,
        None => app.print(&text),
    }
    Ok(ExitCode::SUCCESS)
}
