//! `openclaw gateway call`.

use std::process::ExitCode;

use anyhow::Result;

use crate::app::App;
use crate::wire::{self, WireArgs};

/// Arguments of `openclaw gateway call`.
#[derive(Debug, clap::Args)]
pub struct CallArgs {
    /// The method, for example `health`, `status` or `system-presence`.
    method: String,
    /// Its parameters, one JSON object.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    params: String,
    /// Wait for what came of it, when the method first says that it was accepted (`agent`).
    #[arg(long)]
    expect_final: bool,
    /// Print nothing but the answer.
    #[arg(long)]
    json: bool,
}

/// Calls and prints. The answer goes to standard output as JSON either way; without `--json` the method is named on standard error.
pub fn run(app: &App, wire: &WireArgs, args: &CallArgs) -> Result<ExitCode> {
    let params = wire::params(&args.params)?;
    let answer = wire::with(app, wire, |c| {
        if args.expect_final { c.call_to_the_end(&args.method, params) } else { c.call(&args.method, params) }
    })?;
    if !args.json {
        app.note(&format!("{}:", oc_text::visible(&args.method, 100)));
    }
    wire::print_json(app, &answer);
    Ok(ExitCode::SUCCESS)
}
