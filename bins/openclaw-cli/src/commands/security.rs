//! `openclaw security`: the audit, its fixes, its catalogue.

pub mod audit;
mod carry_out;
mod checks;
pub mod collect;
mod map;
mod undo;

use std::process::ExitCode;

use super::reach;
use crate::app::App;

/// Arguments of `openclaw security`.
#[derive(Debug, clap::Args)]
pub struct SecurityArgs {
    #[command(subcommand)]
    command: SecurityCommand,
}

#[derive(Debug, clap::Subcommand)]
enum SecurityCommand {
    /// Look for what would let a stranger in, and mend what can be mended safely.
    Audit(audit::AuditArgs),
    /// Put back what the last `security audit --fix` changed.
    Undo(undo::UndoArgs),
    /// Who reaches which tool, through which door, where, under which approval.
    Reach(reach::ReachArgs),
    /// List what is sensitive: where it is, who can read it, whether to back it up.
    Map(map::MapArgs),
    /// List every check: what it asks, how bad, what to do.
    Checks(checks::ChecksArgs),
}

/// Runs one of them.
///
/// # Errors
/// What the command reports.
pub fn run(app: &App, args: SecurityArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        SecurityCommand::Audit(args) => audit::run(app, &args),
        SecurityCommand::Map(args) => Ok(map::run(app, &args)),
        SecurityCommand::Undo(args) => undo::run(app, &args),
        SecurityCommand::Reach(args) => reach::run(app, &args),
        SecurityCommand::Checks(args) => checks::run(app, &args),
    }
}
