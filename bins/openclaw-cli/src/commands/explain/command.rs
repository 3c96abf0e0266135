//! `openclaw explain command`: would this line run, where, who would be asked, and which rule says so.

use std::path::PathBuf;

use anyhow::Result;
use oc_config::load::Loaded;
use oc_gateway::explain::command::{self, Here, Question};
use oc_types::Explanation;

use super::Common;
use crate::app::App;

/// Arguments of `openclaw explain command`.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub struct CommandArgs {
    /// The command line, as one argument.
    #[arg(value_name = "COMMAND", allow_hyphen_values = true)]
    command: String,
    /// The agent; default: the one in the session key, else the default agent.
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// The session key; default: the agent's main session.
    #[arg(long, value_name = "KEY")]
    session: Option<String>,
    /// The channel the message came through.
    #[arg(long, value_name = "ID")]
    channel: Option<String>,
    /// The channel account that received it.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// The sender's id; on phone channels the number with `+`.
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    sender: Option<String>,
    /// The sender's user name.
    #[arg(long, value_name = "@NAME")]
    username: Option<String>,
    /// The sender's display name.
    #[arg(long, value_name = "NAME")]
    sender_name: Option<String>,
    /// The host that the call asks for.
    #[arg(long, value_name = "HOST", value_parser = ["sandbox", "gateway", "node"])]
    host: Option<String>,
    /// The working directory; default: the current one.
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// A variable that the call sets. Repeatable.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    env: Vec<(String, String)>,
    /// A variable of the host of execution; `PATH` and `HOME` count. Repeatable; default: this process's.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    base_env: Vec<(String, String)>,
    /// Answer as if this elevated directive stood in the message.
    #[arg(long, value_name = "LEVEL", value_parser = ["off", "on", "ask", "full"])]
    elevated: Option<String>,
    /// Whether an operator client is connected that can answer; default: not known.
    #[arg(long, value_name = "WHO", value_parser = ["none", "present"])]
    approvers: Option<String>,
    /// Flags of every subject.
    #[command(flatten)]
    pub common: Common,
}

/// Reads `NAME=VALUE`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Answers.
///
/// # Errors
/// A malformed session key, or settings that have no answer.
pub fn explain(app: &App, loaded: &Loaded, args: &CommandArgs) -> Result<Explanation> {
    let question = Question {
        command: args.command.clone(),
        agent: args.agent.clone(),
        session: args.session.clone(),
        channel: args.channel.clone(),
        sender: args.sender.clone(),
        username: args.username.clone(),
        sender_name: args.sender_name.clone(),
        host: args.host.clone(),
        cwd: args.cwd.clone(),
        env: args.env.clone(),
        base_env: args.base_env.clone(),
        elevated: args.elevated.clone(),
        approvers: args.approvers.clone(),
    };
    Ok(command::explain(Here { environment: &app.process, cwd: &app.cwd }, loaded, &question)?)
}
