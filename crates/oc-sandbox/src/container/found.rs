//! What the engine reports about one container, reduced to what decisions need.

use std::collections::HashMap;

use bollard::models::ContainerInspectResponse;

use crate::lifecycle::{Activity, Ownership, Reported};
use crate::registry::Entry;

/// The label that every container of the product carries.
pub const LABEL_OURS: &str = "openclaw.sandbox";
/// The scope key.
pub const LABEL_SCOPE: &str = "openclaw.sessionKey";
/// When it was created, in milliseconds since 1970.
pub const LABEL_CREATED: &str = "openclaw.createdAtMs";
/// Upstream's hash.
pub const LABEL_HASH: &str = "openclaw.configHash";
/// The digest that decides.
pub const LABEL_DIGEST: &str = "openclaw.configDigest";
/// Digest of all options it was created with, the runner's program included.
pub const LABEL_BASELINE: &str = "openclaw.baseline";
/// Which installation made it.
pub const LABEL_OWNER: &str = "openclaw.owner";
/// Browser containers.
pub const LABEL_BROWSER: &str = "openclaw.sandboxBrowser";

/// A container as the engine reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The engine's id: names can move to other containers, ids cannot.
    pub id: String,
    /// The name, without the leading slash.
    pub name: String,
    /// Whether it runs.
    pub running: bool,
    /// When it was started last, as the engine writes it.
    pub started_at: String,
    /// The image it was made from, as it was named.
    pub image: String,
    /// Its labels.
    pub labels: HashMap<String, String>,
    /// The engine's ids of commands that run in it.
    pub commands: Vec<String>,
    /// Whether its first process is a resident runner.
    pub runner_first: bool,
}

impl Found {
    pub(super) fn read(answer: ContainerInspectResponse) -> Self {
        let (state, config) = (answer.state.unwrap_or_default(), answer.config.unwrap_or_default());
        Self {
            id: answer.id.unwrap_or_default(),
            name: answer.name.unwrap_or_default().trim_start_matches('/').to_owned(),
            running: state.running.unwrap_or(false),
            started_at: state.started_at.unwrap_or_default(),
            image: config.image.unwrap_or_default(),
            labels: config.labels.unwrap_or_default(),
            commands: answer.exec_ids.unwrap_or_default(),
            runner_first: answer.path.as_deref() == Some(super::resident::PROGRAM),
        }
    }

    /// A label's text.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).map(String::as_str)
    }

    /// Whose it is. A container without an owner label was made before there was one, or by upstream.
    #[must_use]
    pub fn ownership(&self, owner: &str) -> Ownership {
        match (self.label(LABEL_OURS), self.label(LABEL_OWNER)) {
            (Some("1"), None) => Ownership::Ours,
            (Some("1"), Some(other)) if other != owner => Ownership::Neighbour,
            (Some("1"), Some(_)) => Ownership::Ours,
            _ => Ownership::Foreign,
        }
    }

    /// What decides about reuse. `busy`: whether a command is known to run in it. A container that was created with other options than
    /// `baseline` says (another user, runner, or release of the product) counts as one without a digest.
    #[must_use]
    pub fn reported(&self, owner: &str, busy: Activity, baseline: &str) -> Reported {
        let fits = self.label(LABEL_BASELINE) == Some(baseline);
        Reported {
            activity: if self.running { busy } else { Activity::Stopped },
            ownership: self.ownership(owner),
            scope_key: self.label(LABEL_SCOPE).map(str::to_owned),
            digest: self.label(LABEL_DIGEST).filter(|_| fits).map(str::to_owned),
        }
    }

    /// The registry's entry for it, when it carries what an entry needs. Used when the registry has to be made anew.
    #[must_use]
    pub fn entry(&self) -> Option<Entry> {
        self.label(LABEL_SCOPE)?;
        Some(self.as_entry())
    }

    /// What an entry for it would say; without a scope key where it has none.
    pub(super) fn as_entry(&self) -> Entry {
        let created = self.label(LABEL_CREATED).and_then(|t| t.parse().ok()).unwrap_or(0);
        Entry {
            container_name: self.name.clone(),
            session_key: self.label(LABEL_SCOPE).unwrap_or_default().to_owned(),
            created_at_ms: created,
            // Not known; its creation is the last use that is certain.
            last_used_at_ms: created,
            image: self.image.clone(),
            config_hash: self.label(LABEL_HASH).map(str::to_owned),
        }
    }
}
