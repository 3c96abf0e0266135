//! The flags that say for whom a question is asked or a call is made (`explain tool`, `tool list`, `tool invoke`).

use anyhow::Result;
use oc_config::load::Loaded;
use oc_gateway::explain::tool::Caller;
use oc_policy::sandbox::Subject;

/// Flags that say for whom a call is made.
#[derive(Debug, clap::Args)]
pub struct CallerArgs {
    /// The agent; default: the one in the session key, else the default agent.
    #[arg(long, value_name = "ID")]
    pub agent: Option<String>,
    /// The session key; default: the agent's main session.
    #[arg(long, value_name = "KEY")]
    pub session: Option<String>,
    /// The channel the message came through.
    #[arg(long, value_name = "ID")]
    pub channel: Option<String>,
    /// The channel account that received it.
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// The sender's id; on phone channels the number with `+`.
    #[arg(long, value_name = "ID")]
    pub sender: Option<String>,
    /// The sender's user name.
    #[arg(long, value_name = "@NAME")]
    pub username: Option<String>,
    /// The sender's display name.
    #[arg(long, value_name = "NAME")]
    pub sender_name: Option<String>,
    /// The session that spawned this one.
    #[arg(long, value_name = "KEY")]
    pub spawned_by: Option<String>,
    /// The model in use.
    #[arg(long, value_name = "PROVIDER/MODEL")]
    pub model: Option<String>,
    /// The sender is known to be the owner.
    #[arg(long)]
    pub owner: bool,
}

impl CallerArgs {
    /// The flags as plain data.
    pub fn plain(&self) -> Caller {
        Caller {
            agent: self.agent.clone(),
            session: self.session.clone(),
            channel: self.channel.clone(),
            account: self.account.clone(),
            sender: self.sender.clone(),
            username: self.username.clone(),
            sender_name: self.sender_name.clone(),
            spawned_by: self.spawned_by.clone(),
            model: self.model.clone(),
            owner: self.owner,
        }
    }

    /// The agent and session that are meant.
    ///
    /// # Errors
    /// A malformed session key, or two agents.
    pub fn subject(&self, loaded: &Loaded) -> Result<Subject> {
        Ok(self.plain().subject(loaded)?)
    }
    /// Provider and model.
    ///
    /// # Errors
    /// A model without its provider.
    pub fn model(&self) -> Result<Option<(String, String)>> {
        Ok(self.plain().model()?.map(|(provider, model)| (provider.to_owned(), model.to_owned())))
    }
}
