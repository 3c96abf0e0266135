//! `openclaw exec`: command lines, judged and run.

mod check;
mod run;

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
    /// Run a command line as a session's `exec` would: judged, asked about, recorded.
    ///
    /// Exit code: that of the command. When it does not run: 10 nobody answered, 11 refused, 1 anything else.
    Run(Box<run::RunArgs>),
    /// Say which rule decides about a command line, and what would change the answer. The same as `openclaw explain command`.
    Explain(Box<super::explain::CommandArgs>),
}

/// Runs the command.
///
/// # Errors
/// What cannot be read or written.
pub fn run(app: &App, args: &ExecArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        ExecCommand::Check(args) => check::run(app, args),
        ExecCommand::Run(args) => run::run(app, args),
        ExecCommand::Explain(args) => super::explain::command_line(app, args),
    }
}
