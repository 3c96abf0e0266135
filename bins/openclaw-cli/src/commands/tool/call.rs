//! Who makes the call, and the configuration it is decided under.

use anyhow::{Result, bail};
use oc_config::load::Loaded;
use oc_policy::elevated::Turn;
use oc_policy::inbound::ConversationKind;
use oc_policy::inventory::{Inventory, Tool};
use oc_policy::owner_only::Ownership;
use oc_sandbox::gate::{CallSender, Caller, Snapshot, Surface};

use super::super::explain::{place, plugin_tools};
use crate::app::App;
use crate::caller_args::CallerArgs;

impl CallerArgs {
    /// The caller. The person at the command line vouches for what the flags say.
    ///
    /// # Errors
    /// A malformed session key, two agents, a model without provider.
    pub fn caller(&self, loaded: &Loaded) -> Result<Caller> {
        let subject = self.subject(loaded)?;
        let model = self.model()?;
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
    snapshot_with(loaded, app.process.get("OPENCLAW_PROFILE"), &[])
}

/// The same with tools of MCP servers, and the profile in use.
///
/// # Errors
/// As [`snapshot`].
pub fn snapshot_with(loaded: &Loaded, profile: Option<&str>, servers: &[Tool]) -> Result<Snapshot> {
    if let Some(issue) = loaded.issues.first() {
        bail!("the configuration is invalid: {issue}");
    }
    let texts: Vec<(String, &str)> =
        loaded.files.iter().map(|f| (f.path.to_string_lossy().into_owned(), f.text.as_str())).collect();
    let texts = texts.iter().map(|(path, text)| (path.as_str(), *text));
    let inventory = Inventory::with_plugins(plugin_tools(loaded).into_iter().chain(servers.iter().cloned()));
    let snapshot = Snapshot::new(loaded.tree.clone(), inventory, place(loaded), texts);
    Ok(snapshot.with_profile(profile.map(str::to_owned)))
}
