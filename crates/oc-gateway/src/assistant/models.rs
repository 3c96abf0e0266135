//! The models of the gateway: made anew for each snapshot of the configuration, shared by all sessions.

use std::sync::{Arc, Mutex, PoisonError};

use oc_agent::message::{Answer, Request};
use oc_agent::model::client::{Client, NoClient, Roots, Timeouts};
use oc_agent::model::clock::SystemClock;
use oc_agent::model::failover::{Failover, Models, Places};
use oc_agent::model::retry::Retry;
use oc_agent::model::settings::ModelSettings;
use oc_agent::model::{About, Delta, Model, ModelFailure, Pending};
use oc_fs::session_store::Entry;
use oc_types::AgentId;
use serde_json::Value;
use thiserror::Error;

use crate::server::snapshot::Snapshot;

/// Why no model can be asked.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct NoModels(#[from] NoClient);

/// The models of the snapshot that was seen last.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Option<(u64, Arc<Models>)>>);

impl Kept {
    /// The models under a snapshot.
    pub(super) fn of(&self, snapshot: &Snapshot) -> Result<Arc<Models>, NoModels> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((generation, models)) = kept.as_ref()
            && *generation == snapshot.generation
        {
            return Ok(Arc::clone(models));
        }
        let loaded = &snapshot.loaded;
        let place = snapshot.place();
        let places = Places {
            state_dir: loaded.locations.state_dir.clone(),
            home: loaded.locations.home.clone(),
            credentials: loaded.locations.credentials.clone(),
            workspaces: place.agents().iter().map(|a| place.workspace(a)).collect(),
            environment: loaded.environment.clone(),
        };
        let client = Client::new(Timeouts::default(), Roots::System)?;
        let settings = ModelSettings::read(&loaded.tree);
        let models = Arc::new(Models::new(settings, places, client, Retry::default(), Arc::new(SystemClock)));
        *kept = Some((snapshot.generation, Arc::clone(&models)));
        Ok(models)
    }
}

/// The model of one session.
#[derive(Debug)]
pub(super) struct SessionModels(Failover);

impl SessionModels {
    /// What the session's entry names, else what is configured for the agent or its sub-agents.
    pub(super) fn of(models: &Arc<Models>, agent: &AgentId, entry: &Entry, subagent: bool) -> Self {
        let settings = models.settings();
        let mut choice = if subagent { settings.subagent_choice(agent) } else { settings.choice(agent) };
        let text = |name: &str| entry.get(name).and_then(Value::as_str).filter(|t| !t.trim().is_empty());
        let named = text("modelOverride").map(|model| match text("providerOverride") {
            Some(provider) if !model.contains('/') => format!("{provider}/{model}"),
            Some(_) | None => model.to_owned(),
        });
        if let Some(named) = named.filter(|n| settings.resolve(n).is_ok()) {
            choice.fallbacks.splice(0..0, choice.primary.take());
            choice.primary = Some(named);
        }
        Self(models.for_session(agent, choice, text("authProfileOverride").map(str::to_owned)))
    }

    /// The credential that worked, for the session's entry.
    pub(super) fn pinned(&self) -> Option<String> {
        self.0.pinned()
    }
}

impl Model for SessionModels {
    fn about(&self) -> About {
        self.0.about()
    }

    fn ask<'a>(
        &'a self,
        request: &'a Request,
        on_delta: &'a mut (dyn FnMut(Delta) + Send),
    ) -> Pending<'a, Result<Answer, ModelFailure>> {
        self.0.ask(request, on_delta)
    }
}
