//! `openclaw explain config`, also `openclaw config explain`.

use std::process::ExitCode;

use anyhow::Result;
use oc_gateway::explain::config::{Question, explain};

use super::{Common, load, show};
use crate::app::App;

/// Arguments of `openclaw explain config`.
#[derive(Debug, clap::Args)]
pub struct ConfigArgs {
    /// The key path: dots, `[0]` for list elements, `["-1001"]` for other keys.
    #[arg(value_name = "KEY")]
    key: String,
    /// The value that is in force for this agent.
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// The value that is in force for this account of the channel.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Flags of every subject.
    #[command(flatten)]
    common: Common,
}

/// Explains a value.
///
/// # Errors
/// A key path that cannot be read.
pub fn run(app: &App, args: &ConfigArgs) -> Result<ExitCode> {
    let loaded = load(app, &args.common);
    let question =
        Question { key: args.key.clone(), agent: args.agent.clone(), account: args.account.clone() };
    Ok(show(app, &args.common, explain(&loaded, &question)?))
}
