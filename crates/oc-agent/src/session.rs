//! Sessions as upstream keeps them: an entry in `sessions.json` and a transcript of lines that form a tree (sessions-routing 4 to 6).
//!
//! * [`entry`]: what the store says of a session; [`reset`]: when it begins anew.
//! * [`mod@line`]: one line of a transcript; [`history`]: what of it a model reads.
//!
//! Files are `oc-fs`'s work ([`oc_fs::session_store`]); here is what stands in them. One turn writes a session at a time: the transcript's
//! lock is held from its first to its last message.
//!
//! Invariant: a transcript only grows; what is mended is mended by further lines or in what is read.
//! Invariant: every call of a tool has exactly one result in what a model reads.

pub mod entry;
pub mod history;
pub mod line;
pub mod reset;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use oc_fs::durability::Durability;
use oc_fs::session_store::{
    Entry, Mended, OpenedTranscript, SessionStore, Transcript, TranscriptFailure, session_id,
};
use thiserror::Error;
use tokio::task::spawn_blocking;

use crate::message::Message;
use history::{History, Recorded};
use line::{Compaction, Head};

/// Where the time comes from.
pub type Clock = fn() -> Timestamp;

/// Why a session could not be opened or written. For the owner: it may name files.
#[derive(Debug, Error)]
pub enum SessionFailure {
    /// Its transcript.
    #[error(transparent)]
    Transcript(#[from] TranscriptFailure),
    /// The system's random source.
    #[error(transparent)]
    Random(#[from] oc_fs::random::NoRandomness),
    /// The work was lost.
    #[error("the transcript's writer was lost: {0}")]
    Lost(String),
}

/// A session that is being written. Clones are the same session; the lock is free when the last one is gone.
#[derive(Clone, Debug)]
pub struct Session {
    shared: Arc<Mutex<Shared>>,
    clock: Clock,
    id: String,
}

#[derive(Debug)]
struct Shared {
    transcript: Transcript,
    history: History,
}

/// What was mended when a session was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenNotes {
    /// A torn end.
    pub mended: Option<Mended>,
    /// Calls that had no result and got one.
    pub unanswered: usize,
    /// The `sessionFile` that led out of the folder.
    pub ignored: Option<String>,
}

impl Session {
    /// Opens the transcript of an entry for one turn. `directory` is the workspace; a new transcript names it. Calls at its end that have no
    /// result get one that says so.
    ///
    /// # Errors
    /// See [`SessionFailure`].
    pub async fn open(
        store: SessionStore,
        entry: Entry,
        directory: String,
        clock: Clock,
        wait: Duration,
    ) -> Result<(Self, OpenNotes), SessionFailure> {
        let opening = spawn_blocking(move || Self::open_now(&store, &entry, &directory, clock, wait));
        opening.await.map_err(|e| SessionFailure::Lost(e.to_string()))?
    }

    /// The same, where waiting is allowed.
    ///
    /// # Errors
    /// See [`SessionFailure`].
    pub fn open_now(
        store: &SessionStore,
        entry: &Entry,
        directory: &str,
        clock: Clock,
        wait: Duration,
    ) -> Result<(Self, OpenNotes), SessionFailure> {
        let now = clock();
        let id = session_id(entry).unwrap_or_default().to_owned();
        let header = line::header(&id, now, directory, None);
        let OpenedTranscript { transcript, lines, mended, ignored } =
            store.open_transcript(entry, &header, &stamp(now), wait)?;
        let history = History::read(&lines);
        let unanswered = history.unanswered();
        let session = Self { shared: Arc::new(Mutex::new(Shared { transcript, history })), clock, id };
        for (call_id, tool) in &unanswered {
            session.append_now(&[broken_off(call_id, tool)], None, Durability::Written)?;
        }
        Ok((session, OpenNotes { mended, unanswered: unanswered.len(), ignored }))
    }

    /// The session's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The time, by this session's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The transcript.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        let shared = self.held();
        let path: &Path = shared.transcript.path();
        path.to_owned()
    }

    /// What a model reads of it, oldest first.
    #[must_use]
    pub fn recorded(&self) -> Vec<Recorded> {
        self.held().history.for_model()
    }

    /// Appends messages, all or none. `said`: the word of what started the turn, for messages from outside.
    ///
    /// # Errors
    /// See [`SessionFailure`]; the transcript is then as it was.
    pub async fn append(
        &self,
        messages: Vec<Message>,
        said: Option<&'static str>,
        durability: Durability,
    ) -> Result<(), SessionFailure> {
        let session = self.clone();
        let writing = spawn_blocking(move || session.append_now(&messages, said, durability));
        writing.await.map_err(|e| SessionFailure::Lost(e.to_string()))?
    }

    /// The same, where waiting is allowed.
    ///
    /// # Errors
    /// See [`SessionFailure`].
    pub fn append_now(
        &self,
        messages: &[Message],
        said: Option<&str>,
        durability: Durability,
    ) -> Result<(), SessionFailure> {
        let mut shared = self.held();
        let mut parent = shared.history.leaf().map(str::to_owned);
        let (mut lines, mut new) = (Vec::new(), Vec::new());
        for message in messages {
            let head = Head { id: new_id(&shared.history)?, parent, at: (self.clock)() };
            lines.push(line::message(&head, message, said));
            parent = Some(head.id.clone());
            new.push((head, message.clone()));
        }
        shared.transcript.append(&lines, durability)?;
        for (head, message) in new {
            shared.history.push_message(head, message);
        }
        Ok(())
    }

    /// Puts a summary in the place of everything before `first_kept`, the id of an entry.
    ///
    /// # Errors
    /// See [`SessionFailure`].
    pub async fn compact(
        &self,
        summary: String,
        first_kept: String,
        tokens_before: u64,
    ) -> Result<(), SessionFailure> {
        let session = self.clone();
        let writing = spawn_blocking(move || {
            let mut shared = session.held();
            let parent = shared.history.leaf().map(str::to_owned);
            let head = Head { id: new_id(&shared.history)?, parent, at: (session.clock)() };
            let compaction = Compaction { summary, first_kept, tokens_before };
            shared.transcript.append(&[line::compaction(&head, &compaction)], Durability::Synced)?;
            shared.history.push_compaction(head, compaction);
            Ok::<(), SessionFailure>(())
        });
        writing.await.map_err(|e| SessionFailure::Lost(e.to_string()))?
    }

    fn held(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What stands for a result that never came.
#[must_use]
pub fn broken_off(call_id: &str, tool: &str) -> Message {
    Message::ToolResult {
        call_id: call_id.to_owned(),
        tool: tool.to_owned(),
        content: vec![crate::message::Block::Text(
            "This call was broken off; nobody knows how far it came. Look before you repeat it.".to_owned(),
        )],
        is_error: true,
    }
}

/// An id that the transcript does not hold yet.
fn new_id(history: &History) -> Result<String, oc_fs::random::NoRandomness> {
    loop {
        let id: String = oc_fs::random::token_hex(16)?.expose().chars().take(12).collect();
        if !history.knows(&id) {
            return Ok(id);
        }
    }
}

/// A moment as file names hold it: `2026-01-01T00-00-00.000Z`.
#[must_use]
pub fn stamp(at: Timestamp) -> String {
    format!("{at:.3}").replace(':', "-")
}
