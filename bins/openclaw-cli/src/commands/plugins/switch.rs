//! `openclaw plugins enable`, `disable` and `remove`.

use std::process::ExitCode;

use anyhow::Result;
use oc_config::load::Reading;
use oc_fs::plugin_switch;

use super::show::review_lines;
use super::{RESTART, id};
use crate::app::App;
use crate::sheet::Sheet;

/// Arguments of `openclaw plugins enable`.
#[derive(Debug, clap::Args)]
pub struct EnableArgs {
    /// The plugin.
    id: String,
    /// Accept one thing that the scan found, as it names it. May be given several times.
    #[arg(long, value_name = "RULE:FILE")]
    accept: Vec<String>,
}

/// Arguments of `openclaw plugins disable` and `remove`.
#[derive(Debug, clap::Args)]
pub struct OneArgs {
    /// The plugin.
    id: String,
}

/// Enables.
///
/// # Errors
/// Why it is not enabled.
pub fn enable(app: &App, args: &EnableArgs) -> Result<ExitCode> {
    let id = id(&args.id)?;
    let done = plugin_switch::enable(&app.load_request(Reading::Product), &id, &args.accept)?;
    let mut sheet = Sheet::new(10);
    sheet.line(&format!("Enabled {id}"));
    review_lines(&mut sheet, &done.review);
    if !args.accept.is_empty() {
        sheet.row("Accepted", &args.accept.join(", "));
    }
    if done.list_made {
        sheet.row("List", "plugins.allow is new; it names what was in use besides");
    }
    if done.all_off {
        sheet.row("Note", "plugins.enabled is false: no plugin is loaded");
    }
    app.print(&format!("{}\n{RESTART}", sheet.text()));
    Ok(ExitCode::SUCCESS)
}

/// Disables.
///
/// # Errors
/// Why nothing was changed.
pub fn disable(app: &App, args: &OneArgs) -> Result<ExitCode> {
    let id = id(&args.id)?;
    plugin_switch::disable(&app.load_request(Reading::Product), &id)?;
    app.print(&format!("Disabled {id}\n{RESTART}"));
    Ok(ExitCode::SUCCESS)
}

/// Removes.
///
/// # Errors
/// Why nothing was removed.
pub fn remove(app: &App, args: &OneArgs) -> Result<ExitCode> {
    let id = id(&args.id)?;
    let there = plugin_switch::remove(&app.load_request(Reading::Product), &id)?;
    let what = if there { "Removed" } else { "Removed what the configuration said about" };
    app.print(&format!("{what} {id}\n{RESTART}"));
    Ok(ExitCode::SUCCESS)
}
