//! For which session tools are offered, and the configuration that decides, read again when it changes.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use oc_config::load::{LoadRequest, Loaded, Reading};
use oc_mcp::serve::Policies;
use oc_policy::inbound::ConversationKind;
use oc_policy::inventory::Tool;
use oc_sandbox::gate::{Caller, Snapshot, Surface};

use super::super::tool::snapshot_with;
use crate::app::{App, load_with_plugins};

/// Flags that say for which session tools are offered.
#[derive(Debug, clap::Args)]
pub struct SessionArgs {
    /// The agent; default: the one in the session key, else the default agent.
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// The session key; default: the agent's main session.
    #[arg(long, value_name = "KEY")]
    session: Option<String>,
    /// The model behind the client, for rules about models.
    #[arg(long, value_name = "PROVIDER/MODEL")]
    model: Option<String>,
}

impl SessionArgs {
    /// The caller of every call. The client proves nothing about who speaks: it is never the owner, and its turns are never elevated.
    ///
    /// # Errors
    /// A malformed session key, two agents, a model without provider.
    pub fn caller(&self, loaded: &Loaded) -> Result<Caller> {
        let who = oc_gateway::explain::tool::Caller {
            agent: self.agent.clone(),
            session: self.session.clone(),
            model: self.model.clone(),
            ..Default::default()
        };
        let subject = who.subject(loaded)?;
        let direct = subject.session.room().is_none();
        let mut caller = Caller::of_session(Surface::Mcp, subject.agent.clone(), subject.session.as_str());
        caller.conversation = if direct { ConversationKind::Direct } else { ConversationKind::Group };
        caller.model = who.model()?.map(|(provider, model)| (provider.to_owned(), model.to_owned()));
        Ok(caller)
    }
}

/// The configuration on the disk.
#[derive(Debug)]
pub struct OnDisk {
    request: LoadRequest,
    profile: Option<String>,
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    digest: String,
    files: Vec<(PathBuf, String)>,
}

impl OnDisk {
    /// The one that this process was started with.
    pub fn new(app: &App) -> Self {
        let request = app.load_request(Reading::Product);
        Self {
            request,
            profile: app.process.get("OPENCLAW_PROFILE").map(str::to_owned),
            last: Mutex::default(),
        }
    }
}

impl Policies for OnDisk {
    fn fresh(&self, digest: &str, servers: &[Tool]) -> Result<Option<Snapshot>, String> {
        let loaded = load_with_plugins(&self.request);
        let files: Vec<(PathBuf, String)> =
            loaded.files.iter().map(|f| (f.path.clone(), f.text.clone())).collect();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.digest == digest && last.files == files && loaded.issues.is_empty() {
            return Ok(None);
        }
        let snapshot =
            snapshot_with(&loaded, self.profile.as_deref(), servers).map_err(|e| format!("{e:#}"))?;
        *last = Last { digest: snapshot.digest().to_owned(), files };
        Ok(Some(snapshot))
    }
}
