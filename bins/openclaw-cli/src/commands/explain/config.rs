//! `openclaw explain config`, also `openclaw config explain`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use oc_config::explain::{Asked, explain};
use oc_types::{AccountId, AgentId, KeyPath};

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
    let key = KeyPath::parse(&args.key).context("cannot read the key path")?;
    let agent = args.agent.as_deref().map(AgentId::normalized);
    let account = args.account.as_deref().map(AccountId::normalized);
    let loaded = load(app, &args.common);
    let asked = Asked { key: &key, agent: agent.as_ref(), account: account.as_ref() };
    Ok(show(app, &args.common, explain(&loaded, &asked)))
}
