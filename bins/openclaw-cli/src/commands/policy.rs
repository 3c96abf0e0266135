//! `openclaw policy`: batch decisions and the operator's own tests of the policy.

mod eval;
mod expectations;
mod replay;

use std::process::ExitCode;

use super::policy_diff;
use crate::app::App;

/// Arguments of `openclaw policy`.
#[derive(Debug, clap::Args)]
pub struct PolicyArgs {
    /// What to do.
    #[command(subcommand)]
    command: PolicyCommand,
}

/// What can be asked of the policy.
#[derive(Debug, clap::Subcommand)]
enum PolicyCommand {
    /// Answer many questions at once: one JSON object a line in, one a line out, in the same order.
    ///
    /// In: `{name, config, context, tools, pluginTools}`. Out: `{name, allowed, removedBy, error?}`.
    Eval(eval::EvalArgs),
    /// Check the configuration against `policy-tests.json5` beside it: examples that must and must not match.
    Test(expectations::TestArgs),
    /// What a change of the configuration opens and closes; exit code 1 when anything opens.
    Diff(policy_diff::DiffArgs),
    /// Which decisions of a ledger this configuration (`--config FILE`) would change; exit code 1 when any lets more through.
    Replay(replay::ReplayArgs),
}

/// Runs the command.
///
/// # Errors
/// What cannot be read or written.
pub fn run(app: &App, args: &PolicyArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        PolicyCommand::Eval(args) => eval::run(app, args),
        PolicyCommand::Test(args) => expectations::run(app, args),
        PolicyCommand::Replay(args) => replay::run(app, args),
        PolicyCommand::Diff(args) => policy_diff::run(app, args),
    }
}
