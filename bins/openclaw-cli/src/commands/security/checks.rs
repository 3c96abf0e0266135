//! `openclaw security checks`: the catalogue.

use std::process::ExitCode;

use anyhow::Result;
use oc_audit::catalogue;

use crate::app::App;

/// Arguments of `openclaw security checks`.
#[derive(Debug, clap::Args)]
pub struct ChecksArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Print the reference page in Markdown.
    #[arg(long, conflicts_with = "json", hide = true)]
    markdown: bool,
}

/// Prints every check.
///
/// # Errors
/// None at present.
pub fn run(app: &App, args: &ChecksArgs) -> Result<ExitCode> {
    if args.json {
        let all: Vec<_> = catalogue::all().collect();
        app.print(&format!("{}\n", serde_json::to_string_pretty(&all)?));
    } else if args.markdown {
        app.print(&catalogue::page::markdown());
    } else {
        app.print(&catalogue::page::text());
    }
    Ok(ExitCode::SUCCESS)
}
