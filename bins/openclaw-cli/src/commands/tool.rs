//! `openclaw tool`: one call through the gate, from policy to ledger.

mod call;
mod door;
mod invoke;
mod list;

use std::process::ExitCode;

use anyhow::Result;

use crate::app::App;

pub use call::{snapshot, snapshot_with};
pub use door::call as through_the_gate;
pub use door::{at_terminal, environment, gate};
pub use invoke::{as_one, refusal};

/// Arguments of `openclaw tool`.
#[derive(Debug, clap::Args)]
pub struct ToolArgs {
    /// What to do.
    #[command(subcommand)]
    command: ToolCommand,
}

/// What can be done with tools.
#[derive(Debug, clap::Subcommand)]
enum ToolCommand {
    /// Make one call as a session would: policy, approval, place, run, record.
    ///
    /// A command that needs an answer waits for it (`openclaw approvals list`); Ctrl-C gives it up.
    Invoke(Box<invoke::InvokeArgs>),
    /// Show which tools a session has, and what takes the others away.
    List(Box<list::ListArgs>),
}

/// Runs the command.
///
/// # Errors
/// An invalid configuration, arguments that are no JSON object.
pub fn run(app: &App, args: &ToolArgs) -> Result<ExitCode> {
    match &args.command {
        ToolCommand::Invoke(args) => invoke::run(app, args),
        ToolCommand::List(args) => list::run(app, args),
    }
}
