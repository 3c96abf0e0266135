//! `openclaw completion SHELL` and `openclaw man DIR`: both from the one definition of the arguments.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;
use crate::app::App;

/// Arguments of `openclaw completion`.
#[derive(Debug, clap::Args)]
pub struct CompletionArgs {
    /// The shell to complete for.
    shell: Shell,
}

/// Arguments of `openclaw man`.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// An existing folder for the pages.
    dir: PathBuf,
}

/// Prints the completion script.
pub fn completion(app: &App, args: &CompletionArgs) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "openclaw", &mut script);
    app.print(&String::from_utf8_lossy(&script));
    ExitCode::SUCCESS
}

/// Writes one page a command.
///
/// # Errors
/// When the folder cannot be written.
pub fn man(app: &App, args: &ManArgs) -> Result<ExitCode> {
    clap_mangen::generate_to(Cli::command(), &args.dir).with_context(|| {
        format!("cannot write man pages to {}: is it an existing folder?", args.dir.display())
    })?;
    app.note(&format!("wrote the man pages to {}", args.dir.display()));
    Ok(ExitCode::SUCCESS)
}
