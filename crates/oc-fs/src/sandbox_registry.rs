//! The registry of sandbox containers: `<state>/sandbox/containers.json` (and `browsers.json`), with upstream's layout.
//!
//! One writer at a time, old bytes or new bytes, owner-only (SP-236). It says when a container was made and used last; whether a
//! container is there and whose it is, only the engine can say. A file that cannot be read is reported, never taken as empty: the caller
//! makes it anew from what the engine reports, and the damaged one is kept beside it.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::bounded_read::{self, ReadFailure};
use crate::lock::{self, Convention, LockFailure};
use crate::{atomic, mode};

#[cfg(test)]
mod tests;

/// Largest registry that is read, in bytes: tens of thousands of entries.
const LIMIT: u64 = 16 * 1024 * 1024;

/// A container that was made for a scope key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The container's name.
    pub container_name: String,
    /// The scope key. The file calls it `sessionKey`.
    pub session_key: String,
    /// When it was created, in milliseconds since 1970.
    pub created_at_ms: u64,
    /// When it was last used, in milliseconds since 1970.
    pub last_used_at_ms: u64,
    /// The image it was made from.
    pub image: String,
    /// Upstream's configuration hash; absent in entries of older releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_hash: Option<String>,
}

/// A browser container that was made for a scope key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BrowserEntry {
    /// The container's name.
    pub container_name: String,
    /// The scope key.
    pub session_key: String,
    /// When it was created, in milliseconds since 1970.
    pub created_at_ms: u64,
    /// When it was last used, in milliseconds since 1970.
    pub last_used_at_ms: u64,
    /// The image it was made from.
    pub image: String,
    /// Port of the debugging protocol on the host.
    pub cdp_port: u16,
    /// Port of noVNC on the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_vnc_port: Option<u16>,
}

/// What every kind of entry has.
pub trait Named {
    /// The container's name.
    fn name(&self) -> &str;
    /// The scope key.
    fn scope_key(&self) -> &str;
}

impl Named for Entry {
    fn name(&self) -> &str {
        &self.container_name
    }
    fn scope_key(&self) -> &str {
        &self.session_key
    }
}

impl Named for BrowserEntry {
    fn name(&self) -> &str {
        &self.container_name
    }
    fn scope_key(&self) -> &str {
        &self.session_key
    }
}

/// The registry file's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registry<E = Entry> {
    /// The containers.
    pub entries: Vec<E>,
}

impl<E> Default for Registry<E> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<E: Named> Registry<E> {
    /// The scope key that owns a container name.
    #[must_use]
    pub fn owner(&self, container_name: &str) -> Option<&str> {
        self.entry(container_name).map(Named::scope_key)
    }

    /// The entry of a container name.
    #[must_use]
    pub fn entry(&self, container_name: &str) -> Option<&E> {
        self.entries.iter().find(|e| e.name() == container_name)
    }

    /// Adds an entry, or replaces the one of the same name.
    pub fn put(&mut self, entry: E) {
        match self.entries.iter_mut().find(|e| e.name() == entry.name()) {
            Some(old) => *old = entry,
            None => self.entries.push(entry),
        }
    }

    /// Takes the entry of a container name out.
    pub fn drop_entry(&mut self, container_name: &str) {
        self.entries.retain(|e| e.name() != container_name);
    }
}

/// Why the registry cannot be used.
#[derive(Debug, Error)]
pub enum RegistryFailure {
    /// Its text is no registry.
    #[error("{} is damaged ({why}); it is made anew from the containers that the engine has", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and what.
        why: String,
    },
    /// It cannot be read or written.
    #[error("{} cannot be used: {why}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// Somebody else writes it.
    #[error(transparent)]
    Locked(#[from] LockFailure),
}

/// One registry file.
#[derive(Clone, Debug)]
pub struct RegistryFile<E = Entry> {
    path: PathBuf,
    entries: std::marker::PhantomData<fn() -> E>,
}

/// The containers' registry of a state directory.
#[must_use]
pub fn containers(state_dir: &Path) -> RegistryFile<Entry> {
    RegistryFile { path: state_dir.join("sandbox/containers.json"), entries: std::marker::PhantomData }
}

/// The browsers' registry of a state directory.
#[must_use]
pub fn browsers(state_dir: &Path) -> RegistryFile<BrowserEntry> {
    RegistryFile { path: state_dir.join("sandbox/browsers.json"), entries: std::marker::PhantomData }
}

impl<E: Named + Serialize + DeserializeOwned> RegistryFile<E> {
    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it; a missing file is an empty registry.
    ///
    /// # Errors
    /// [`RegistryFailure::Damaged`], [`RegistryFailure::Unusable`].
    pub fn read(&self) -> Result<Registry<E>, RegistryFailure> {
        match bounded_read::text(&self.path, LIMIT) {
            Ok(text) => serde_json::from_str(&text)
                .map_err(|e| RegistryFailure::Damaged { path: self.path.clone(), why: e.to_string() }),
            Err(ReadFailure::Missing) => Ok(Registry::default()),
            Err(failure) => Err(self.unusable(&failure)),
        }
    }

    /// Changes it under its lock.
    ///
    /// # Errors
    /// See [`RegistryFailure`]; a damaged registry is left as it is.
    pub fn update<T>(&self, change: impl FnOnce(&mut Registry<E>) -> T) -> Result<T, RegistryFailure> {
        let _lock = self.lock()?;
        let mut registry = self.read()?;
        let out = change(&mut registry);
        self.write(&registry)?;
        Ok(out)
    }

    /// Makes a damaged registry anew. The damaged text is kept as `<file>.damaged`. A registry that is readable by now stays.
    ///
    /// # Errors
    /// See [`RegistryFailure`].
    pub fn rebuild(&self, entries: Vec<E>) -> Result<(), RegistryFailure> {
        let _lock = self.lock()?;
        match self.read() {
            Ok(_) => return Ok(()),
            Err(RegistryFailure::Damaged { .. }) => {}
            Err(other) => return Err(other),
        }
        let kept = self.path.with_extension("json.damaged");
        std::fs::rename(&self.path, kept).map_err(|e| self.unusable(&e))?;
        self.write(&Registry { entries })
    }

    fn lock(&self) -> Result<lock::StoreLock, RegistryFailure> {
        if let Some(directory) = self.path.parent() {
            mode::create_directories(directory).map_err(|e| self.unusable(&e))?;
        }
        Ok(lock::acquire(&self.path, Convention::Own, lock::WAIT)?)
    }

    fn write(&self, registry: &Registry<E>) -> Result<(), RegistryFailure> {
        atomic::sweep(&self.path);
        let mut text = serde_json::to_string_pretty(registry).map_err(|e| self.unusable(&e))?;
        text.push('\n');
        atomic::replace(&self.path, text.as_bytes()).map_err(|e| self.unusable(&e))
    }

    fn unusable(&self, why: &impl std::fmt::Display) -> RegistryFailure {
        RegistryFailure::Unusable { path: self.path.clone(), why: why.to_string() }
    }
}
