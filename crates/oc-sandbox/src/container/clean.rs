//! Removal: what is idle or old, what belongs to an ended session, what the operator wants gone. Only containers with our labels are
//! touched, each by the id that was looked at (SP-249).

use std::time::Duration;

use oc_policy::sandbox::Prune;

use super::containers::{ContainerError, Containers, now_ms};
use super::error::EngineError;
use super::found::Found;
use crate::lifecycle::{self, Ownership, PruneVerdict};
use crate::registry::Entry;

/// How long the first process of a container may take to end.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// What a clean-up did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Names of containers that were removed.
    pub removed: Vec<String>,
    /// Names of containers that were stopped.
    pub stopped: Vec<String>,
    /// What could not be done, one sentence each.
    pub failed: Vec<String>,
}

impl Cleaned {
    /// Whether a container is gone, or was never there.
    fn settled(&self, name: &str) -> bool {
        !self.failed.iter().any(|f| f.split_once(": ").is_some_and(|(n, _)| n == name))
    }
}

impl Containers {
    /// Removes what is idle or old, at most every five minutes. A failure is no reason to refuse the call that came by.
    pub(super) async fn prune_when_due(&self, prune: &Prune) {
        if self.prune_is_due(now_ms()) {
            // What fails is tried again in five minutes.
            let _ = self.prune(prune).await;
        }
    }

    /// Removes the containers that were not used for long or are old (tool-policy 10.9). The entry goes even when the engine fails. What
    /// carries our label and is not in the registry (a killed process left it in the middle of its work) counts from its creation.
    ///
    /// # Errors
    /// [`ContainerError`]: the registry cannot be used, or the engine does not say what it has.
    pub async fn prune(&self, prune: &Prune) -> Result<Cleaned, ContainerError> {
        let (registry, _) = self.registry().await?;
        let now = now_ms();
        let due = |e: &&Entry| {
            lifecycle::prune(prune.idle_hours.value, prune.max_age_days.value, e, now) != PruneVerdict::Keep
        };
        let names = registry.entries.iter().filter(due).map(|e| e.container_name.clone()).collect();
        let mut cleaned = self.remove_named(names).await?;
        let known = |name: &str| registry.entry(name).is_some();
        for stray in self.ours().await?.into_iter().filter(|c| !known(&c.name)) {
            if !due(&&stray.as_entry()) {
                continue;
            }
            match self.engine().remove(&stray).await {
                Ok(()) => cleaned.removed.push(stray.name),
                Err(e) => cleaned.failed.push(format!("{}: {e}", stray.name)),
            }
        }
        Ok(cleaned)
    }

    /// Removes the containers of one ended session.
    ///
    /// # Errors
    /// [`ContainerError`]: the registry cannot be used.
    pub async fn end_session(&self, session: &str) -> Result<Cleaned, ContainerError> {
        let (registry, _) = self.registry().await?;
        let ended = lifecycle::ended_session_containers(&registry.entries, Some(session));
        let names = ended.map(|e| e.container_name.clone()).collect();
        self.remove_named(names).await
    }

    /// At the start of the gateway: what a killed one left behind becomes known again, and the containers of all sessions go.
    ///
    /// # Errors
    /// [`ContainerError`]: the engine does not answer or the registry cannot be used.
    pub async fn gateway_starts(&self) -> Result<Cleaned, ContainerError> {
        self.registry().await?;
        let mut unfinished = Vec::new();
        let mut found = Vec::new();
        for container in self.ours().await? {
            if container.name.ends_with(super::ensure::UNFINISHED) {
                unfinished.push(container.name);
            } else {
                found.extend(container.entry());
            }
        }
        self.record(|r| {
            for entry in found {
                if r.entry(&entry.container_name).is_none() {
                    r.put(entry);
                }
            }
        })
        .await?;
        for name in unfinished {
            self.remove_unfinished(&name).await?;
        }
        let (registry, _) = self.registry().await?;
        let ended = lifecycle::ended_session_containers(&registry.entries, None);
        let names = ended.map(|e| e.container_name.clone()).collect();
        self.remove_named(names).await
    }

    /// At the stop of the gateway: session containers go, the others stop; they are used again when their digest still fits.
    ///
    /// # Errors
    /// [`ContainerError`]: the engine does not answer or the registry cannot be used.
    pub async fn gateway_stops(&self) -> Result<Cleaned, ContainerError> {
        let mut cleaned = self.gateway_starts().await?;
        for container in self.ours().await?.into_iter().filter(|c| c.running) {
            self.forget(&container.name).await;
            match self.engine().stop(&container.id, STOP_GRACE).await {
                Ok(()) => cleaned.stopped.push(container.name),
                Err(e) => cleaned.failed.push(e.to_string()),
            }
        }
        Ok(cleaned)
    }

    /// Removes containers by the names that the registry has for them, and their entries, whether the engine did its part or not.
    async fn remove_named(&self, names: Vec<String>) -> Result<Cleaned, ContainerError> {
        let cleaned = self.remove_all(&names).await;
        if !names.is_empty() {
            self.record(|r| names.iter().for_each(|n| r.drop_entry(n))).await?;
        }
        Ok(cleaned)
    }

    /// Removes containers that the operator wants made anew. The entry of one that could not be removed stays.
    ///
    /// # Errors
    /// [`ContainerError`]: the registry cannot be used.
    pub async fn recreate(&self, names: Vec<String>) -> Result<Cleaned, ContainerError> {
        let cleaned = self.remove_all(&names).await;
        self.record(|r| names.iter().filter(|n| cleaned.settled(n)).for_each(|n| r.drop_entry(n))).await?;
        Ok(cleaned)
    }

    /// The same for browser containers.
    ///
    /// # Errors
    /// [`ContainerError`]: the registry cannot be used.
    pub async fn recreate_browsers(&self, names: Vec<String>) -> Result<Cleaned, ContainerError> {
        let cleaned = self.remove_all(&names).await;
        oc_fs::sandbox_registry::browsers(self.state_dir())
            .update(|r| names.iter().filter(|n| cleaned.settled(n)).for_each(|n| r.drop_entry(n)))?;
        Ok(cleaned)
    }

    async fn remove_all(&self, names: &[String]) -> Cleaned {
        let mut cleaned = Cleaned::default();
        for name in names {
            self.forget(name).await;
            match self.remove_ours(name).await {
                Ok(Some(_)) => cleaned.removed.push(name.clone()),
                Ok(None) => {}
                Err(e) => cleaned.failed.push(format!("{name}: {e}")),
            }
        }
        cleaned
    }

    /// Removes the container of a name when it is one of ours. `None`: there is none, or it is somebody else's.
    async fn remove_ours(&self, name: &str) -> Result<Option<Found>, EngineError> {
        let Some(found) = self.engine().find(name).await? else { return Ok(None) };
        if found.name != name || found.ownership(self.owner()) != Ownership::Ours {
            return Ok(None);
        }
        self.engine().remove(&found).await?;
        Ok(Some(found))
    }
}
