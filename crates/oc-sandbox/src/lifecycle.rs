//! Reuse, re-creation and removal of containers, decided over data (tool-policy 10.7, 10.9).

use thiserror::Error;

use crate::registry::Entry;

mod prune;
pub use prune::{PRUNE_EVERY_MS, PruneVerdict, ended_session_containers, prune, prune_due};

/// What the engine reports about a container name. What it says counts, not the registry (SP-237).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Engine {
    /// No such container.
    Absent,
    /// There is one.
    Present(Reported),
}

/// What the engine reports about a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// Whether it runs.
    pub activity: Activity,
    /// The label `openclaw.sandbox`: whether it is one of ours.
    pub ownership: Ownership,
    /// The label `openclaw.sessionKey`.
    pub scope_key: Option<String>,
    /// The label `openclaw.configDigest`.
    pub digest: Option<String>,
}

/// Whether a container runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It is stopped.
    Stopped,
    /// It runs, no command in it.
    Idle,
    /// A command runs in it.
    Busy,
}

/// Whose a container is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// It carries our label.
    Ours,
    /// It carries the product's label and that of another installation (another state directory on the same engine).
    Neighbour,
    /// It does not.
    Foreign,
}

/// What the session needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The container's name.
    pub container_name: String,
    /// Who shares it.
    pub scope_key: String,
    /// The image.
    pub image: String,
    /// Upstream's configuration hash, written to the registry.
    pub legacy_hash: String,
    /// The digest that decides.
    pub digest: String,
}

/// One engine command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `rm -f`.
    Remove,
    /// `create`.
    Create,
    /// `start`.
    Start,
}

impl Action {
    /// The words of the engine's command line.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Remove => "rm -f",
            Self::Create => "create",
            Self::Start => "start",
        }
    }
}

/// Why a container is left, started or made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// There was none.
    New,
    /// It matches.
    Matches,
    /// Its digest is missing or another one.
    Changed,
}

/// What to do before the next command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ensure {
    /// Why.
    pub why: Why,
    /// The commands, in order. Before a removal a command that still runs is waited for when `after_running_command`.
    pub actions: Vec<Action>,
    /// Whether a command runs that the removal has to wait for.
    pub after_running_command: bool,
    /// The registry's entry afterwards.
    pub entry: Entry,
}

/// Why a container must not be touched or used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EnsureError {
    /// Somebody else's container has our name.
    #[error(
        "container {0} exists and was not made by openclaw; remove or rename it, or change docker.containerPrefix"
    )]
    Foreign(String),
    /// Another installation's container has our name.
    #[error(
        "container {0} belongs to another openclaw installation on this engine; give one of them its own docker.containerPrefix"
    )]
    Neighbour(String),
    /// It belongs to another scope key (SP-237).
    #[error("container {name} belongs to {owner:?}, not to {wanted:?}; shorten docker.containerPrefix")]
    OtherScope {
        /// The container.
        name: String,
        /// The scope key on its label.
        owner: String,
        /// The scope key that asked.
        wanted: String,
    },
}

/// Decides what to do so that the session's container is there and right. `now_ms` in milliseconds since 1970.
///
/// A container whose digest is missing or differs is never reused, whether it was used a second ago or not (SP-235).
///
/// # Errors
/// [`EnsureError`]: the container under that name is not this scope key's; nothing is done to it.
pub fn ensure(
    engine: &Engine,
    registry: Option<&Entry>,
    wanted: &Wanted,
    now_ms: u64,
) -> Result<Ensure, EnsureError> {
    let fresh = |created_at_ms, image: &str| Entry {
        container_name: wanted.container_name.clone(),
        session_key: wanted.scope_key.clone(),
        created_at_ms,
        last_used_at_ms: now_ms,
        image: image.to_owned(),
        config_hash: Some(wanted.legacy_hash.clone()),
    };
    let new_entry = || fresh(now_ms, &wanted.image);
    let Engine::Present(found) = engine else {
        let actions = vec![Action::Create, Action::Start];
        return Ok(Ensure { why: Why::New, actions, after_running_command: false, entry: new_entry() });
    };
    match found.ownership {
        Ownership::Ours => {}
        Ownership::Neighbour => return Err(EnsureError::Neighbour(wanted.container_name.clone())),
        Ownership::Foreign => return Err(EnsureError::Foreign(wanted.container_name.clone())),
    }
    if let Some(owner) = found.scope_key.as_ref().filter(|k| **k != wanted.scope_key) {
        return Err(EnsureError::OtherScope {
            name: wanted.container_name.clone(),
            owner: owner.clone(),
            wanted: wanted.scope_key.clone(),
        });
    }
    if found.scope_key.is_none() || found.digest.as_deref() != Some(wanted.digest.as_str()) {
        return Ok(Ensure {
            why: Why::Changed,
            actions: vec![Action::Remove, Action::Create, Action::Start],
            after_running_command: found.activity == Activity::Busy,
            entry: new_entry(),
        });
    }
    let actions = match found.activity {
        Activity::Stopped => vec![Action::Start],
        Activity::Idle | Activity::Busy => Vec::new(),
    };
    let entry = registry.map_or_else(new_entry, |old| fresh(old.created_at_ms, &old.image));
    Ok(Ensure { why: Why::Matches, actions, after_running_command: false, entry })
}
