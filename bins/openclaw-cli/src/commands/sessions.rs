//! `openclaw sessions`: the sessions that lie on this machine.

mod prune;

use std::process::ExitCode;

use anyhow::Result;

use crate::app::App;

/// Arguments of `openclaw sessions`.
#[derive(Debug, clap::Args)]
pub struct SessionsArgs {
    /// What to do.
    #[command(subcommand)]
    command: SessionsCommand,
}

/// What can be done with sessions.
#[derive(Debug, clap::Subcommand)]
enum SessionsCommand {
    /// Remove idle sessions, their transcripts, archives and copies of older files that are older than an age.
    Prune(prune::PruneArgs),
}

/// Runs the command.
///
/// # Errors
/// What the sub-command reports.
pub fn run(app: &App, args: &SessionsArgs) -> Result<ExitCode> {
    match &args.command {
        SessionsCommand::Prune(args) => prune::run(app, args),
    }
}
