//! `openclaw exec`: command lines, judged.

mod check;

use std::process::ExitCode;

use crate::app::App;

/// Arguments of `openclaw exec`.
#[derive(Debug, clap::Args)]
pub struct ExecArgs {
    /// What to do.
    #[command(subcommand)]
    command: ExecCommand,
}

/// The commands below `openclaw exec`.
#[derive(Debug, clap::Subcommand)]
enum ExecCommand {
    /// Say what would happen to a command line under a fixed policy: listed uses run, everything else asks. Runs and writes nothing.
    ///
    /// Exit code of a single question: 0 allow, 10 ask, 11 deny.
    Check(check::CheckArgs),
}

/// Runs the command.
///
/// # Errors
/// What cannot be read or written.
pub fn run(app: &App, args: &ExecArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        ExecCommand::Check(args) => check::run(app, args),
    }
}
