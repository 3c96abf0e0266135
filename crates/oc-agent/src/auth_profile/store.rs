//! The file, read strictly, changed under its lock, replaced whole, owner only.

use std::io;
use std::path::{Path, PathBuf};

use oc_fs::lock::{self, Convention, LockFailure};
use oc_fs::{atomic, mode, owned_file};
use oc_types::AgentId;
use thiserror::Error;

use super::{Profiles, import};

#[cfg(test)]
mod tests;

/// Name of the file.
pub const FILE_NAME: &str = "auth-profiles.json";
/// Largest file, in bytes.
const LIMIT: u64 = 1024 * 1024;

/// The profiles of an agent on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthStore {
    path: PathBuf,
    /// The logins of older versions, taken over once.
    older: PathBuf,
}

/// Why the profiles cannot be used. Holds nothing of their content.
#[derive(Debug, Error)]
pub enum AuthStoreFailure {
    /// It cannot be opened, or is a link, or somebody else's.
    #[error("the model credentials cannot be used: {0}")]
    Unusable(io::Error),
    /// It is no such file.
    #[error("{}: no model credentials ({why}); it is left as it is", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The lock.
    #[error(transparent)]
    Lock(#[from] LockFailure),
    /// The new content could not be written; the old one stands.
    #[error(transparent)]
    Write(#[from] atomic::WriteFailure),
}

impl AuthStore {
    /// The store of an agent: `<state>/agents/<agent>/agent/auth-profiles.json`, or in the directory that `agentDir` names. `credentials` is
    /// the directory of `oauth.json`. Creates nothing.
    #[must_use]
    pub fn of(
        state_dir: &Path,
        agent: &AgentId,
        directory: Option<&Path>,
        home: &Path,
        credentials: &Path,
    ) -> Self {
        let directory = match directory {
            None => state_dir.join("agents").join(agent.as_str()).join("agent"),
            Some(named) => match named.strip_prefix("~") {
                Ok(rest) => home.join(rest),
                Err(_) => named.to_owned(),
            },
        };
        Self { path: directory.join(FILE_NAME), older: credentials.join(import::FILE_NAME) }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it. The first time, when there is none yet, the logins of an older version are taken over.
    ///
    /// # Errors
    /// See [`AuthStoreFailure`].
    pub fn read(&self) -> Result<Profiles, AuthStoreFailure> {
        if let Some(found) = self.read_file()? {
            return Ok(found);
        }
        let Some(older) = self.read_older()? else { return Ok(Profiles::default()) };
        let _lock = self.lock()?;
        // Another process may have been first.
        if let Some(found) = self.read_file()? {
            return Ok(found);
        }
        self.write(&older)?;
        Ok(older)
    }

    /// Changes it: read, changed and replaced under its lock. When nothing changes nothing is written.
    ///
    /// # Errors
    /// See [`AuthStoreFailure`].
    pub fn change<T>(&self, step: impl FnOnce(&mut Profiles) -> T) -> Result<T, AuthStoreFailure> {
        let _lock = self.lock()?;
        let before = match self.read_file()? {
            Some(found) => found,
            None => self.read_older()?.unwrap_or_default(),
        };
        let mut now = before.clone();
        let out = step(&mut now);
        if now != before {
            self.write(&now)?;
        }
        Ok(out)
    }

    fn lock(&self) -> Result<lock::StoreLock, AuthStoreFailure> {
        if let Some(folder) = self.path.parent() {
            mode::create_directories(folder).map_err(AuthStoreFailure::Unusable)?;
        }
        let held = lock::acquire(&self.path, Convention::Upstream, lock::WAIT)?;
        atomic::sweep(&self.path);
        Ok(held)
    }

    fn write(&self, profiles: &Profiles) -> Result<(), AuthStoreFailure> {
        Ok(atomic::replace(&self.path, profiles.text().as_bytes())?)
    }

    fn read_file(&self) -> Result<Option<Profiles>, AuthStoreFailure> {
        let bytes = owned_file::read(&self.path, LIMIT).map_err(AuthStoreFailure::Unusable)?;
        let damaged = |why| AuthStoreFailure::Damaged { path: self.path.clone(), why };
        bytes.map(|b| Profiles::parse(&b).map_err(damaged)).transpose()
    }

    fn read_older(&self) -> Result<Option<Profiles>, AuthStoreFailure> {
        let bytes = owned_file::read(&self.older, LIMIT).map_err(AuthStoreFailure::Unusable)?;
        let damaged = |why| AuthStoreFailure::Damaged { path: self.older.clone(), why };
        let read = bytes.map(|b| import::profiles(&b).map_err(damaged)).transpose()?;
        Ok(read.filter(|p| p.ids().next().is_some()))
    }
}
