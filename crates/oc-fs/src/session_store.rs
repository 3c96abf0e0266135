//! `sessions.json` and the transcripts beside it (sessions-routing 4, 5): read strictly, changed under a lock, replaced whole.
//!
//! INVARIANT: a store that is there and cannot be read is an error and stays as it is, never an empty one (SP-008).
//! INVARIANT: what an entry names as its transcript is used only when it lies in the store's own folder.

mod append;
mod mention;
mod retention;
#[cfg(test)]
mod tests;
mod transcript;

use std::io;
use std::path::{Path, PathBuf};

use oc_types::AgentId;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::fix_record::{self, FileRecord};
use crate::lock::{self, Convention, LockFailure};
use crate::{atomic, mode, owned_file};

pub use append::{Mended, OpenedTranscript, Transcript};
pub use mention::{LockdownStep, activated, mute, unmute};
pub use retention::{Act, Kind, Pruned, Removal, prune};
pub use transcript::{Compacted, Located, Tail, TranscriptFailure};

/// Name of the store.
pub const FILE_NAME: &str = "sessions.json";
/// Largest store, in bytes.
const LIMIT: u64 = 64 * 1024 * 1024;

/// An entry of the store: every member as it stands, those this program does not know too.
pub type Entry = Map<String, Value>;

/// What a store holds, by session key.
pub type Sessions = Map<String, Value>;

/// The session store of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionStore {
    path: PathBuf,
}

/// Why a store could not be used.
#[derive(Debug, Error)]
pub enum SessionStoreFailure {
    /// It cannot be opened, or is a link, or somebody else's.
    #[error("the session store cannot be used: {0}")]
    Unusable(io::Error),
    /// It is no session store.
    #[error("{}: not a session store ({why}); it is left as it is", path.display())]
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

impl SessionStore {
    /// The store of an agent: `<state>/agents/<agent>/sessions/sessions.json`, or what `session.store` names, in which `{agentId}` is
    /// the agent and a leading `~` the home. Creates nothing.
    #[must_use]
    pub fn of(state_dir: &Path, agent: &AgentId, configured: Option<&str>, home: &Path) -> Self {
        let configured = configured.map(str::trim).filter(|s| !s.is_empty());
        let path = match configured {
            None => folder(state_dir, agent).join(FILE_NAME),
            Some(text) => {
                let text = text.replace("{agentId}", agent.as_str());
                match text.strip_prefix('~') {
                    Some(rest) if rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
                    _ => PathBuf::from(text),
                }
            }
        };
        Self { path }
    }

    /// The store that this file is.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of the transcripts.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// Reads it; a missing one is empty. Entries that are no objects are left out.
    ///
    /// # Errors
    /// See [`SessionStoreFailure`].
    pub fn read(&self) -> Result<Sessions, SessionStoreFailure> {
        let mut all = self.read_all()?;
        all.retain(|_, entry| entry.is_object());
        Ok(all)
    }

    fn read_all(&self) -> Result<Sessions, SessionStoreFailure> {
        self.parse(self.text()?.as_deref())
    }

    fn text(&self) -> Result<Option<Vec<u8>>, SessionStoreFailure> {
        owned_file::read(&self.path, LIMIT).map_err(SessionStoreFailure::Unusable)
    }

    fn parse(&self, bytes: Option<&[u8]>) -> Result<Sessions, SessionStoreFailure> {
        let damaged = |why: String| SessionStoreFailure::Damaged { path: self.path.clone(), why };
        let Some(bytes) = bytes else { return Ok(Sessions::new()) };
        let value: Value =
            serde_json::from_slice(bytes).map_err(|e| damaged(format!("line {}: not JSON", e.line())))?;
        match value {
            Value::Object(all) => Ok(all),
            _ => Err(damaged("it is no object".to_owned())),
        }
    }

    /// Changes it: read, changed and replaced under its lock. When `step` fails, or changes nothing, nothing is written.
    ///
    /// # Errors
    /// See [`SessionStoreFailure`], and those of `step`.
    pub fn change<T, E: From<SessionStoreFailure>>(
        &self,
        step: impl FnOnce(&mut Sessions) -> Result<T, E>,
    ) -> Result<T, E> {
        self.change_noted(step, |_| Ok(()))
    }

    /// [`SessionStore::change`] that hands over the text that will be replaced before it is; when `note` fails, nothing is.
    ///
    /// # Errors
    /// As [`SessionStore::change`], or `note`'s.
    pub fn change_noted<T, E: From<SessionStoreFailure>>(
        &self,
        step: impl FnOnce(&mut Sessions) -> Result<T, E>,
        note: impl FnOnce(&FileRecord) -> Result<(), E>,
    ) -> Result<T, E> {
        mode::create_directories(self.folder()).map_err(SessionStoreFailure::Unusable)?;
        let _lock =
            lock::acquire(&self.path, Convention::Upstream, lock::WAIT).map_err(SessionStoreFailure::from)?;
        atomic::sweep(&self.path);
        let text_before = self.text()?;
        let mut now = self.parse(text_before.as_deref())?;
        // Compared as text: a second tree of a store with many sessions is many times its text.
        let before = written(&self.path, serde_json::to_vec(&now))?;
        let out = step(&mut now)?;
        if written(&self.path, serde_json::to_vec(&now))? != before {
            let mut text = written(&self.path, serde_json::to_string_pretty(&now))?;
            text.push('\n');
            // What is JSON is UTF-8.
            let old = String::from_utf8(text_before.unwrap_or_default()).unwrap_or_default();
            let after_sha256 = fix_record::sha256(text.as_bytes());
            note(&FileRecord { path: self.path.clone(), before: old, after_sha256 })?;
            atomic::replace(&self.path, text.as_bytes()).map_err(SessionStoreFailure::from)?;
        }
        Ok(out)
    }
}

/// A store as text. What has none is not written: the old one stands.
fn written<T>(path: &Path, text: serde_json::Result<T>) -> Result<T, SessionStoreFailure> {
    text.map_err(|e| SessionStoreFailure::Damaged { path: path.to_owned(), why: e.to_string() })
}

/// `<state>/agents/<agent>/sessions`.
fn folder(state_dir: &Path, agent: &AgentId) -> PathBuf {
    state_dir.join("agents").join(agent.as_str()).join("sessions")
}

/// The agents that have a folder below `<state>/agents`, in name order. Links and names that are no ids are left out.
#[must_use]
pub fn agents_on_disk(state_dir: &Path) -> Vec<AgentId> {
    let Ok(entries) = std::fs::read_dir(state_dir.join("agents")) else { return Vec::new() };
    let mut out: Vec<AgentId> = entries
        .flatten()
        .filter(|e| e.file_type().is_ok_and(|t| t.is_dir()))
        .filter_map(|e| AgentId::strict(&e.file_name().to_string_lossy()).ok())
        .collect();
    out.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    out.dedup();
    out
}

/// The session id of an entry, when it is one: 1 to 64 ASCII letters, digits and dashes.
#[must_use]
pub fn session_id(entry: &Entry) -> Option<&str> {
    let id = entry.get("sessionId").and_then(Value::as_str)?;
    let good = (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    good.then_some(id)
}

/// When an entry was updated last, in milliseconds since 1970; 0 when it does not say.
#[must_use]
pub fn updated_at(entry: &Entry) -> u64 {
    let value = entry.get("updatedAt");
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates"
    )]
    let from_float = |n: f64| n.max(0.0) as u64;
    value.and_then(|v| v.as_u64().or_else(|| v.as_f64().map(from_float))).unwrap_or(0)
}

/// A new session id.
///
/// # Errors
/// When the system's random source fails.
pub fn new_session_id() -> Result<String, crate::random::NoRandomness> {
    use ring::rand::{SecureRandom as _, SystemRandom};
    let mut bytes = [0u8; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| crate::random::NoRandomness)?;
    Ok(oc_approval::life_cycle::uuid_v4(bytes))
}
