//! `openclaw plugins`: install packages without running anything of them, look them over, name them in the configuration.

mod install;
mod show;
mod switch;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use oc_config::load::{Loaded, Reading};
use oc_extensions::plugin::PluginId;

use crate::app::App;

/// Arguments of `openclaw plugins`.
#[derive(Debug, clap::Args)]
pub struct PluginsArgs {
    #[command(subcommand)]
    command: PluginsCommand,
}

/// The commands below `openclaw plugins`.
#[derive(Debug, clap::Subcommand)]
enum PluginsCommand {
    /// List what is installed, and whether it is loaded.
    List(show::ListArgs),
    /// Install a package (`name@1.2.3`), a folder (`./x`) or a `.tgz` file. Nothing of it is run, and it is not enabled.
    Install(install::InstallArgs),
    /// Scan a plugin and name it in `plugins.allow`.
    Enable(switch::EnableArgs),
    /// Take a plugin out of `plugins.allow`.
    Disable(switch::OneArgs),
    /// Remove a plugin and what the configuration says about it.
    #[command(visible_alias = "uninstall")]
    Remove(switch::OneArgs),
    /// Look installed plugins over. Exit code 1 when something speaks against one that is loaded.
    #[command(visible_alias = "doctor")]
    Check(show::CheckArgs),
}

/// Runs `openclaw plugins`.
///
/// # Errors
/// What the subcommand reports.
pub fn run(app: &App, args: &PluginsArgs) -> Result<ExitCode> {
    match &args.command {
        PluginsCommand::List(args) => show::list(app, args),
        PluginsCommand::Install(args) => install::run(app, args),
        PluginsCommand::Enable(args) => switch::enable(app, args),
        PluginsCommand::Disable(args) => switch::disable(app, args),
        PluginsCommand::Remove(args) => switch::remove(app, args),
        PluginsCommand::Check(args) => show::check(app, args),
    }
}

/// The configuration, which must be valid.
fn loaded(app: &App) -> Result<Loaded> {
    let loaded = app.load(Reading::Product);
    if let Some(issue) = loaded.issues.first() {
        bail!("the configuration is invalid: {issue}");
    }
    Ok(loaded)
}

fn id(text: &str) -> Result<PluginId> {
    PluginId::parse(text.trim()).context("no plugin")
}

/// What must happen before a change counts.
const RESTART: &str = "A running gateway takes it up with its next start: `openclaw gateway restart`\n";
