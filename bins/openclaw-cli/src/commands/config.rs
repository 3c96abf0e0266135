//! `openclaw config`: read, check and change the configuration.

use std::process::ExitCode;

use anyhow::Result;

use crate::app::App;

mod log;
mod show;
mod write;

pub use write::note_access;

/// Arguments of `openclaw config`.
#[derive(Debug, clap::Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

/// What to do with the configuration.
#[derive(Debug, clap::Subcommand)]
enum ConfigCommand {
    /// Show the value of a key; credentials are never shown.
    Get(show::GetArgs),
    /// Set a key; comments, includes and `${VAR}` stay as they are.
    Set(write::SetArgs),
    /// Remove keys.
    Unset(write::UnsetArgs),
    /// Check the whole configuration.
    Validate(show::ValidateArgs),
    /// Print the path of the configuration file.
    File,
    /// Print the JSON Schema of the configuration.
    Schema,
    /// Say where a value comes from, what it shadows and who overrides it.
    Explain(Box<super::explain::config::ConfigArgs>),
    /// Show who changed which key when.
    Log(log::LogArgs),
}

/// Runs `openclaw config`.
///
/// # Errors
/// What the subcommand reports.
pub fn run(app: &App, args: &ConfigArgs) -> Result<ExitCode> {
    match &args.command {
        ConfigCommand::Get(args) => show::get(app, args),
        ConfigCommand::Set(args) => write::set(app, args),
        ConfigCommand::Unset(args) => write::unset(app, args),
        ConfigCommand::Validate(args) => show::validate(app, args),
        ConfigCommand::File => Ok(show::file(app)),
        ConfigCommand::Schema => show::schema(app),
        ConfigCommand::Explain(args) => super::explain::config::run(app, args),
        ConfigCommand::Log(args) => log::run(app, args),
    }
}

/// A JSON value as text with a line break.
fn pretty(value: &serde_json::Value) -> Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(value)?))
}
