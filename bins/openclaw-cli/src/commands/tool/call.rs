//! Who makes the call, and the configuration it is decided under.

use anyhow::{Result, bail};
use oc_config::load::Loaded;
use oc_policy::elevated::Turn;
use oc_policy::inbound::ConversationKind;
use oc_policy::inventory::Inventory;
use oc_policy::owner_only::Ownership;
use oc_policy::sandbox::Subject;
use oc_sandbox::gate::{CallSender, Caller, Snapshot, Surface};

use super::super::explain::{place, plugin_tools};
use crate::app::App;

/// Flags that say for whom a call is made.
#[derive(Debug, clap::Args)]
pub struct CallerArgs {
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
    #[arg(long, value_name = "ID")]
    sender: Option<String>,
    /// The sender's user name.
    #[arg(long, value_name = "@NAME")]
    username: Option<String>,
    /// The sender's display name.
    #[arg(long, value_name = "NAME")]
    sender_name: Option<String>,
    /// The session that spawned this one.
    #[arg(long, value_name = "KEY")]
    spawned_by: Option<String>,
    /// The model in use.
    #[arg(long, value_name = "PROVIDER/MODEL")]
    model: Option<String>,
    /// The sender is known to be the owner.
    #[arg(long)]
    owner: bool,
}

impl CallerArgs {
    /// The caller. The person at the command line vouches for what the flags say.
    ///
    /// # Errors
    /// A malformed session key, two agents, a model without provider.
    pub fn caller(&self, loaded: &Loaded) -> Result<Caller> {
        let subject = Subject::read(&loaded.tree, self.agent.as_deref(), self.session.as_deref())?;
        if let Some(own) = subject.session.agent().filter(|own| **own != subject.agent) {
            bail!(
                "--agent {} and --session {} name two agents; the tools of a session are those of {own}",
                subject.agent,
                subject.session
            );
        }
        let model = match self.model.as_deref().map(|m| m.split_once('/')) {
            None => None,
            Some(Some((provider, model))) if !provider.is_empty() && !model.is_empty() => {
                Some((provider.to_owned(), model.to_owned()))
            }
            Some(_) => bail!("--model takes PROVIDER/MODEL, for example openai/gpt-5.2"),
        };
        let direct = subject.session.room().is_none();
        let mut caller =
            Caller::of_session(Surface::CommandLine, subject.agent.clone(), subject.session.as_str());
        caller.turn = Turn::Person;
        caller.spawned_by.clone_from(&self.spawned_by);
        caller.channel.clone_from(&self.channel);
        caller.account.clone_from(&self.account);
        caller.conversation = if direct { ConversationKind::Direct } else { ConversationKind::Group };
        caller.sender = CallSender {
            id: self.sender.clone(),
            e164: self.sender.clone().filter(|s| s.starts_with('+')),
            username: self.username.clone(),
            name: self.sender_name.clone(),
            from: None,
        };
        caller.owner = if self.owner { Ownership::Proven } else { Ownership::NotProven };
        caller.model = model;
        Ok(caller)
    }
}

/// The configuration as the gate takes it.
///
/// # Errors
/// When it is invalid: nothing is decided under a configuration that cannot be read.
pub fn snapshot(app: &App, loaded: &Loaded) -> Result<Snapshot> {
    if let Some(issue) = loaded.issues.first() {
        bail!("the configuration is invalid: {issue}");
    }
    let texts: Vec<(String, &str)> =
        loaded.files.iter().map(|f| (f.path.to_string_lossy().into_owned(), f.text.as_str())).collect();
    let texts = texts.iter().map(|(path, text)| (path.as_str(), *text));
    let inventory = Inventory::with_plugins(plugin_tools(loaded));
    let snapshot = Snapshot::new(loaded.tree.clone(), inventory, place(loaded), texts);
    Ok(snapshot.with_profile(app.process.get("OPENCLAW_PROFILE").map(str::to_owned)))
}
