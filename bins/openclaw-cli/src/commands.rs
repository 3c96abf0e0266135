//! The commands, one module each.

mod approvals;
mod completion;
mod config;
mod discover;
mod doctor;
mod exec;
mod explain;
mod ledger;
mod onboard;
mod policy;
mod policy_diff;
mod reach;
mod sandbox;
mod security;
mod service;
mod tool;

use std::process::ExitCode;

use crate::app::{App, Global};

/// Guard for a personal AI assistant: who may talk to it, where it may act, what it may touch.
#[derive(Debug, clap::Parser)]
#[command(name = "openclaw", version, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Audit the security of this setup, mend it, undo the mending.
    Security(security::SecurityArgs),
    /// Read, check and change the configuration.
    Config(config::ConfigArgs),
    /// Look the setup over and repair what can be repaired.
    Doctor(doctor::DoctorArgs),
    /// Ask the tool policy many questions, or check it against your own examples.
    Policy(policy::PolicyArgs),
    /// Write a first configuration with a generated gateway token.
    Onboard(onboard::OnboardArgs),
    /// Say which rule decides, where it stands and what would change the answer. Writes nothing.
    Explain(Box<explain::ExplainArgs>),
    /// Answer commands that wait for a person, and keep the lists of allowed programs.
    #[command(visible_alias = "exec-approvals")]
    Approvals(approvals::ApprovalsArgs),
    /// Judge command lines: may they run without a person, and why?
    Exec(exec::ExecArgs),
    /// Look at sandboxes.
    Sandbox(sandbox::SandboxArgs),
    /// Make one tool call through the gate, or list a session's tools.
    Tool(tool::ToolArgs),
    /// Look at the record of what was decided and done, and check that it is whole.
    Ledger(ledger::LedgerArgs),
    /// Print the completion script of a shell.
    Completion(completion::CompletionArgs),
    /// Write the man pages to a folder.
    #[command(hide = true)]
    Man(completion::ManArgs),
}

/// Runs a command.
///
/// # Errors
/// What the command reports; printed as one line, exit code 1.
pub fn run(app: &App, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Security(args) => security::run(app, args),
        Command::Config(args) => config::run(app, &args),
        Command::Doctor(args) => doctor::run(app, &args),
        Command::Policy(args) => policy::run(app, &args),
        Command::Onboard(args) => onboard::run(app, &args),
        Command::Explain(args) => explain::run(app, &args),
        Command::Approvals(args) => approvals::run(app, &args),
        Command::Exec(args) => exec::run(app, &args),
        Command::Sandbox(args) => sandbox::run(app, &args),
        Command::Tool(args) => tool::run(app, &args),
        Command::Ledger(args) => ledger::run(app, &args),
        Command::Completion(args) => Ok(completion::completion(app, &args)),
        Command::Man(args) => completion::man(app, &args),
    }
}
