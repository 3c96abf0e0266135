//! `exec-approvals.json` on disk (exec-approval 4, SP-183): read strictly, changed under a lock, replaced whole.
//!
//! INVARIANT: a file that is there and cannot be read is an error and stays as it is; host commands are refused meanwhile.

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use oc_approval::approvals_file::edit::{Changed, Document, EditRefused, Use};
use oc_approval::approvals_file::{ApprovalsFile, ApprovalsFileError};
use oc_approval::life_cycle::uuid_v4;
use oc_approval::persist::Remembered;
use oc_types::Secret;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use thiserror::Error;

use crate::lock::{self, Convention, LockFailure};
use crate::{atomic, mode, owned_file};

/// Name of the file in the state directory.
pub const FILE_NAME: &str = "exec-approvals.json";
/// Name of the companion's socket there.
pub const SOCKET_NAME: &str = "exec-approvals.sock";
/// Largest file, in bytes.
const LIMIT: u64 = 8 * 1024 * 1024;
/// Random bytes of the socket's token.
const TOKEN_BYTES: usize = 24;

/// The approvals file of a state directory.
#[derive(Clone, Debug)]
pub struct ApprovalsStore {
    path: PathBuf,
}

/// The file at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Its content; the empty one when there is no file.
    pub document: Document,
    /// Its settings; `None` when there is no file.
    pub file: Option<ApprovalsFile>,
    /// SHA-256 of its bytes in lower-case hexadecimal; of no bytes when there is no file.
    pub hash: String,
}

/// Why the file could not be used. Host commands are refused then.
#[derive(Debug, Error)]
pub enum StoreFailure {
    /// It cannot be opened, or is a link, or somebody else's.
    #[error("the approvals file cannot be used: {0}; host commands are refused until it is mended")]
    Unusable(io::Error),
    /// It is no approvals file.
    #[error("{}: {why}; host commands are refused until it is mended, and it is left as it is", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: ApprovalsFileError,
    },
    /// It is not UTF-8.
    #[error("{}: not UTF-8 text; host commands are refused until it is mended, and it is left as it is", .0.display())]
    NotText(PathBuf),
    /// It changed since it was read.
    #[error("{} has changed since it was read; read it again", .0.display())]
    Conflict(PathBuf),
    /// The change is refused.
    #[error(transparent)]
    Refused(#[from] EditRefused),
    /// The lock.
    #[error(transparent)]
    Lock(#[from] LockFailure),
    /// The new content could not be written; the old one stands.
    #[error(transparent)]
    Write(#[from] atomic::WriteFailure),
}

impl ApprovalsStore {
    /// The file of a state directory. Creates nothing.
    #[must_use]
    pub fn of(state_dir: &Path) -> Self {
        Self { path: state_dir.join(FILE_NAME) }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it.
    ///
    /// # Errors
    /// See [`StoreFailure`].
    pub fn read(&self) -> Result<Snapshot, StoreFailure> {
        let bytes = owned_file::read(&self.path, LIMIT).map_err(StoreFailure::Unusable)?;
        let hash = hex(bytes.as_deref().unwrap_or_default());
        let Some(bytes) = bytes else {
            return Ok(Snapshot { document: Document::default(), file: None, hash });
        };
        let text = String::from_utf8(bytes).map_err(|_| StoreFailure::NotText(self.path.clone()))?;
        let damaged = |why| StoreFailure::Damaged { path: self.path.clone(), why };
        let document = Document::parse(&text).map_err(damaged)?;
        let file = ApprovalsFile::parse(&text).map_err(damaged)?;
        Ok(Snapshot { document, file: Some(file), hash })
    }

    /// Replaces the content; path and token of the socket stay where the new content has none. With `base`, only when the present
    /// content has that hash.
    ///
    /// # Errors
    /// See [`StoreFailure`].
    pub fn set(&self, mut document: Document, base: Option<&str>) -> Result<Snapshot, StoreFailure> {
        self.locked(|before| {
            if base.is_some_and(|b| !b.eq_ignore_ascii_case(&before.hash)) {
                return Err(StoreFailure::Conflict(self.path.clone()));
            }
            document.keep_socket(&before.document);
            Ok((document, Changed::Yes))
        })?;
        self.read()
    }

    /// Lets a program run with any arguments.
    ///
    /// # Errors
    /// See [`StoreFailure`].
    pub fn add(&self, agent: &str, pattern: &str) -> Result<Changed, StoreFailure> {
        self.change(|d| d.add(agent, pattern, &id().ok_or(EditRefused::Random)?))
    }

    /// Takes a program from the list.
    ///
    /// # Errors
    /// See [`StoreFailure`].
    pub fn remove(&self, agent: &str, pattern: &str) -> Result<Changed, StoreFailure> {
        self.change(|d| d.remove(agent, pattern))
    }

    /// Stores what a person allowed always (SP-180): the commands that ran.
    ///
    /// # Errors
    /// See [`StoreFailure`].
    pub fn remember(&self, agent: &str, entries: &[Remembered]) -> Result<Changed, StoreFailure> {
        self.change(|d| {
            let mut changed = Changed::No;
            for entry in entries {
                if d.remember(agent, entry, &id().ok_or(EditRefused::Random)?)? == Changed::Yes {
                    changed = Changed::Yes;
                }
            }
            Ok(changed)
        })
    }

    /// Notes that an entry admitted a run, in the content of this moment.
    ///
    /// # Errors
    /// See [`StoreFailure`].
    pub fn used(&self, run: &Use<'_>) -> Result<Changed, StoreFailure> {
        self.change(|d| Ok(d.used(run)))
    }

    /// Path and token of the companion's socket; made when they are absent.
    ///
    /// # Errors
    /// See [`StoreFailure`].
    pub fn socket(&self) -> Result<(PathBuf, Secret), StoreFailure> {
        let default = self.path.with_file_name(SOCKET_NAME);
        let token = token().ok_or(EditRefused::Random)?;
        self.change(|d| Ok(d.set_socket(&default.to_string_lossy(), &token)))?;
        let now = self.read()?;
        match now.document.socket() {
            (Some(path), Some(token)) => Ok((PathBuf::from(path), Secret::new(token.to_owned()))),
            _ => Err(EditRefused::Random.into()),
        }
    }

    fn change(
        &self,
        step: impl FnOnce(&mut Document) -> Result<Changed, EditRefused>,
    ) -> Result<Changed, StoreFailure> {
        self.locked(|before| {
            let mut document = before.document.clone();
            let changed = step(&mut document)?;
            Ok((document, changed))
        })
    }

    fn locked(
        &self,
        step: impl FnOnce(&Snapshot) -> Result<(Document, Changed), StoreFailure>,
    ) -> Result<Changed, StoreFailure> {
        if let Some(directory) = self.path.parent() {
            mode::create_directories(directory).map_err(StoreFailure::Unusable)?;
        }
        let _lock = lock::acquire(&self.path, Convention::Upstream, lock::WAIT)?;
        atomic::sweep(&self.path);
        let (mut document, changed) = step(&self.read()?)?;
        if changed == Changed::Yes {
            document.normalise(&mut id)?;
            atomic::replace(&self.path, document.text().as_bytes())?;
        }
        Ok(changed)
    }
}

fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0u8; N];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes)
}

fn id() -> Option<String> {
    random().map(uuid_v4)
}

/// 24 random bytes in the URL-safe alphabet of base 64: 32 characters, without padding.
fn token() -> Option<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bytes: [u8; TOKEN_BYTES] = random()?;
    let sextets = bytes.chunks(3).flat_map(|c| {
        let n = c.iter().fold(0usize, |n, b| (n << 8) | usize::from(*b));
        [n >> 18, n >> 12, n >> 6, n].map(|s| s & 63)
    });
    sextets.map(|s| ALPHABET.get(s).copied().map(char::from)).collect()
}

fn hex(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|b| format!("{b:02x}")).collect()
}
