//! `openclaw status`: how this setup stands. Read-only; never fails because a gateway does not answer.

mod conceal;
mod look;
mod render;

use std::process::ExitCode;

use anyhow::Result;
use oc_config::load::Reading;

use crate::app::App;
use crate::wire::{self, WireArgs};

/// Arguments of `openclaw status`.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    #[command(flatten)]
    wire: WireArgs,
    /// Everything, fit to be pasted into a report: credentials are masked.
    #[arg(long)]
    all: bool,
    /// Have the gateway try its channels.
    #[arg(long)]
    deep: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Looks and prints.
///
/// # Errors
/// Never because of the gateway; only when there is no way to look at all.
pub fn run(app: &App, args: &StatusArgs) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    let target = wire::resolve(&loaded, &args.wire.asked());
    let ask = look::Ask { all: args.all, deep: args.deep, timeout: args.wire.timeout };
    let picture = look::picture(app, &loaded, &target, &ask);
    let conceal = conceal::Conceal::of(&loaded, &target);
    let text = if args.json {
        format!("{:#}\n", conceal.value(render::json(&picture)))
    } else {
        render::text(&picture, &conceal)
    };
    app.print(&text);
    Ok(ExitCode::SUCCESS)
}
