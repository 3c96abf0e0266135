//! The containers of this installation on one engine.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oc_fs::sandbox_registry::{self, Registry, RegistryFailure, RegistryFile};
use thiserror::Error;
use tokio::sync::{Mutex as AsyncMutex, OnceCell};

use super::engine::Engine;
use super::error::EngineError;
use super::found::{Found, LABEL_OURS, LABEL_OWNER};
use super::link::{Link, Run};
use super::resident::Resident;
use super::traffic::Traffic;
use super::workspace::WorkspaceError;
use crate::config_hash::digest_of;
use crate::executor::{ExecutorError, Place};
use crate::lifecycle::{EnsureError, Ownership};
use crate::naming::NameError;
use crate::registry::Entry;

/// Why a container could not be had, or not be cleaned up.
#[derive(Debug, Error)]
pub enum ContainerError {
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The name or the container under it is not ours to use.
    #[error(transparent)]
    Ensure(#[from] EnsureError),
    /// It cannot be named.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Its directories.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryFailure),
    /// Another process works on the same container.
    #[error(transparent)]
    Locked(#[from] oc_fs::lock::LockFailure),
    /// The setup command failed; the container was removed.
    #[error("docker.setupCommand ended with {0} in a fresh container; correct it, the next call tries again")]
    Setup(i64),
    /// A command in the old container did not end.
    #[error("container {0} has to be made anew, but a command still runs in it; try again when it has ended")]
    Busy(String),
    /// Something of the machine failed.
    #[error("{0}")]
    System(String),
    /// The runner in the container.
    #[error(transparent)]
    Runner(#[from] ExecutorError),
}

impl ContainerError {
    /// The executor's form.
    pub(super) fn unavailable(&self) -> ExecutorError {
        if let Self::Runner(e) = self {
            return e.clone();
        }
        ExecutorError::Unavailable { place: Place::Container, cause: self.to_string() }
    }
}

/// What is known about one container name in this process.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// Held while the container is looked at, made or removed.
    pub ready: AsyncMutex<Ready>,
    /// The calls of this process in it.
    pub traffic: Arc<Traffic>,
}

/// What the last look brought.
#[derive(Debug, Default)]
pub(super) struct Ready {
    /// The way to its runner.
    pub link: Option<Link>,
    /// When a call came by last.
    pub seen: Option<tokio::time::Instant>,
    /// When the registry was last told of a use.
    pub told_ms: u64,
}

/// The containers of one installation (one state directory) on one engine.
#[derive(Debug)]
pub struct Containers {
    engine: Engine,
    state_dir: PathBuf,
    owner: String,
    runner: Option<PathBuf>,
    resident: OnceCell<Option<Resident>>,
    slots: Mutex<HashMap<String, Arc<Slot>>>,
    pruned_ms: Mutex<Option<u64>>,
}

impl Containers {
    /// The containers that `state_dir` has on an engine. Nothing is asked or made yet. `runner` is the runner's program; without one
    /// commands go through the engine's own exec, slower, and there are no file operations.
    #[must_use]
    pub fn new(engine: Engine, state_dir: &Path, runner: Option<PathBuf>) -> Self {
        Self {
            runner,
            resident: OnceCell::new(),
            owner: owner_of(state_dir),
            engine,
            state_dir: state_dir.to_owned(),
            slots: Mutex::default(),
            pruned_ms: Mutex::default(),
        }
    }

    /// The runner's program, read at the first use.
    pub(super) async fn resident(&self) -> Result<Option<Resident>, ContainerError> {
        let read = self.resident.get_or_try_init(|| async {
            let Some(path) = self.runner.clone() else { return Ok(None) };
            let shown = path.display().to_string();
            let read = tokio::task::spawn_blocking(move || Resident::read(&path)).await;
            let read = read.map_err(|e| ContainerError::System(e.to_string()))?;
            let read = read.map_err(|e| ContainerError::System(format!("{shown} cannot be read: {e}")))?;
            Ok::<_, ContainerError>(Some(read))
        });
        Ok(read.await?.clone())
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The text of the owner label.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    pub(super) fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    pub(super) fn registry_file(&self) -> RegistryFile<Entry> {
        sandbox_registry::containers(&self.state_dir)
    }

    pub(super) fn slot(&self, name: &str) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(name.to_owned()).or_default())
    }

    /// Whether a run of a container still goes on.
    pub(super) async fn still_runs(&self, container: &Run) -> bool {
        matches!(self.engine.find(&container.id).await, Ok(Some(f)) if f.running && f.started_at == container.started_at)
    }

    /// Nothing that was known about a container name counts any more.
    pub(super) async fn forget(&self, name: &str) {
        *self.slot(name).ready.lock().await = Ready::default();
    }

    /// Whether a prune run is due; if so, it counts as done.
    pub(super) fn prune_is_due(&self, now_ms: u64) -> bool {
        let mut last = self.pruned_ms.lock().unwrap_or_else(PoisonError::into_inner);
        let due = crate::lifecycle::prune_due(*last, now_ms);
        if due {
            *last = Some(now_ms);
        }
        due
    }

    /// The registry. A damaged one is made anew from what the engine reports; the note says so.
    ///
    /// # Errors
    /// [`ContainerError`].
    pub async fn registry(&self) -> Result<(Registry, Option<String>), ContainerError> {
        let file = self.registry_file();
        match file.read() {
            Ok(registry) => Ok((registry, None)),
            Err(damaged @ RegistryFailure::Damaged { .. }) => {
                let entries = self.ours().await?.iter().filter_map(Found::entry).collect();
                file.rebuild(entries)?;
                Ok((file.read()?, Some(damaged.to_string())))
            }
            Err(other) => Err(other.into()),
        }
    }

    /// Changes the registry, made anew first when it is damaged.
    pub(super) async fn record<T>(
        &self,
        change: impl FnOnce(&mut Registry) -> T,
    ) -> Result<T, ContainerError> {
        self.registry().await?;
        Ok(self.registry_file().update(change)?)
    }

    /// The engine's containers with the product's label that are ours.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn ours(&self) -> Result<Vec<Found>, EngineError> {
        let labels = [format!("{LABEL_OURS}=1"), format!("{LABEL_OWNER}={}", self.owner)];
        let mut found = self.engine.labelled(&labels).await?;
        found.retain(|f| f.ownership(&self.owner) == Ownership::Ours && f.label(LABEL_OWNER).is_some());
        Ok(found)
    }
}

/// A short name of an installation: it tells state directories apart without saying where they lie.
fn owner_of(state_dir: &Path) -> String {
    let real = state_dir.canonicalize().unwrap_or_else(|_| state_dir.to_owned());
    digest_of(&real.display().to_string().into()).chars().take(16).collect()
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
