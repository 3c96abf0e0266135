//! The flags that say for whom a question is asked or a call is made (`explain tool`, `tool list`, `tool invoke`).

use anyhow::{Result, bail};
use oc_config::load::Loaded;
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
    /// The agent and session that are meant.
    ///
    /// # Errors
    /// A malformed session key, or two agents.
    pub fn subject(&self, loaded: &Loaded) -> Result<Subject> {
        let subject = Subject::read(&loaded.tree, self.agent.as_deref(), self.session.as_deref())?;
        if let Some(own) = subject.session.agent().filter(|own| **own != subject.agent) {
            bail!(
                "--agent {} and --session {} name two agents; the tools of a session are those of {own}",
                subject.agent,
                subject.session
            );
        }
        Ok(subject)
    }

    /// Provider and model.
    ///
    /// # Errors
    /// A model without its provider.
    pub fn model(&self) -> Result<Option<(&str, &str)>> {
        match self.model.as_deref().map(|m| m.split_once('/')) {
            None => Ok(None),
            Some(Some((provider, model))) if !provider.is_empty() && !model.is_empty() => {
                Ok(Some((provider, model)))
            }
            Some(_) => bail!("--model takes PROVIDER/MODEL, for example openai/gpt-5.2"),
        }
    }
}
