//! `openclaw security`: the audit, its fixes, its catalogue.

pub mod audit;
mod checks;
pub mod collect;
mod evidence;
mod lockdown;
mod map;
mod rotate;
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
    /// After an incident: loopback only, no direct messages, mentions in rooms, no elevated tools, waiting commands denied, nodes revoked.
    Lockdown(lockdown::LockdownArgs),
    /// After an incident: a new secret where the old one stands, and what else is to be changed.
    Rotate(rotate::RotateArgs),
    /// After an incident: one file with what a report needs, every credential masked.
    Collect(evidence::CollectArgs),
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
        SecurityCommand::Lockdown(args) => lockdown::run(app, &args),
        SecurityCommand::Rotate(args) => rotate::run(app, &args),
        SecurityCommand::Collect(args) => evidence::run(app, &args),
        SecurityCommand::Checks(args) => checks::run(app, &args),
    }
}
