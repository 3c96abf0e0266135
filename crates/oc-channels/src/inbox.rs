//! The durable inbox: what was acknowledged to a service is answered, over restarts too, and once.
//!
//! The [`book`] is a state machine over records; the [`Inbox`] around it writes each record to a journal, many with one sync.
//!
//! What a restart does with a message (Drill: `tests/drill.rs`):
//!
//! | it was | then |
//! |---|---|
//! | taken in, or its turn had begun and neither a tool had run nor anything been said | the turn runs, again if need be |
//! | its turn had run a tool or said something, and had no answer yet | it is not run again; the person is told that it was interrupted |
//! | its answer was made, pieces of it were not sent | these pieces are sent |
//! | a piece may or may not have arrived | sent again under the same key where the service knows keys; elsewhere it is not repeated, and the person is told |
//! | everything was sent | nothing |
//!
//! Invariant: nothing is acknowledged before it is on the disk, and nothing is sent before its text is.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use oc_fs::journal::Journal;
use oc_fs::random::token_hex;
use thiserror::Error;
use tokio::sync::oneshot;

use crate::adapter::Event;

pub mod book;
#[cfg(test)]
mod tests;

pub use book::{Answer, Book, Ending, Entry, Piece, Record, Recovered, Route};

/// Most messages that wait; more are refused and come again.
pub const MOST_WAITING: usize = 10_000;
/// Growth of the journal since it was last rewritten, in bytes, before it is rewritten.
const REWRITE: u64 = 16 * 1024 * 1024;

/// Why the journal could not be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InboxFailure {
    /// It cannot be read or written; nothing is acknowledged then.
    #[error("{}: {why}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Too much waits; the service shall deliver again later.
    #[error("the inbox is full: {0} messages wait")]
    Full(usize),
}

type Written = oneshot::Sender<Result<(), InboxFailure>>;

#[derive(Debug)]
struct State {
    book: Book,
    lines: Vec<String>,
    waiters: Vec<Written>,
    /// Why nothing can be written any more.
    dead: Option<InboxFailure>,
    closing: bool,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    state: Mutex<State>,
    work: Condvar,
}

/// The inbox of a state directory.
#[derive(Clone, Debug)]
pub struct Inbox {
    shared: Arc<Shared>,
    _closer: Arc<Closer>,
}

/// Ends the writer when the last [`Inbox`] goes; what was appended is written first.
#[derive(Debug)]
struct Closer(Arc<Shared>);

impl Drop for Closer {
    fn drop(&mut self) {
        self.0.lock().closing = true;
        self.0.work.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbox {
    /// Where the journal lies in a state directory.
    #[must_use]
    pub fn path_in(state_dir: &Path) -> PathBuf {
        state_dir.join("inbox").join("journal.jsonl")
    }

    /// Opens the journal, and says what a former process left undone. Blocks; only one process can.
    ///
    /// # Errors
    /// [`InboxFailure::Unusable`].
    pub fn open(path: &Path, now_ms: i64) -> Result<(Self, Vec<Recovered>), InboxFailure> {
        let unusable = |why: String| InboxFailure::Unusable { path: path.to_owned(), why };
        let (mut journal, lines) = Journal::open(path).map_err(|e| unusable(e.to_string()))?;
        let mut book = Book::default();
        for (i, line) in lines.iter().enumerate() {
            let record: Record =
                serde_json::from_str(line).map_err(|e| unusable(format!("record {}: {e}", i + 1)))?;
            book.apply(record);
        }
        if book.instance().is_empty() {
            let token = token_hex(16).map_err(|e| unusable(e.to_string()))?;
            book.apply(Record::Head { instance: token.expose().chars().take(16).collect(), next: 1 });
        }
        book.forget_old(now_ms);
        let lines = lines_of(&book.records()).map_err(&unusable)?;
        journal.replace(&lines).map_err(|e| unusable(e.to_string()))?;
        let left = book.recover();
        let state = State { book, lines: Vec::new(), waiters: Vec::new(), dead: None, closing: false };
        let shared =
            Arc::new(Shared { path: path.to_owned(), state: Mutex::new(state), work: Condvar::new() });
        let writer = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("inbox".to_owned())
            .spawn(move || write_all(&writer, journal))
            .map_err(|e| unusable(e.to_string()))?;
        let closer = Arc::new(Closer(Arc::clone(&shared)));
        Ok((Self { shared, _closer: closer }, left))
    }

    /// Names this inbox in keys of messages; random.
    #[must_use]
    pub fn instance(&self) -> String {
        self.shared.lock().book.instance().to_owned()
    }

    /// Whether an event of this key was taken in before.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.shared.lock().book.has(key)
    }

    /// Messages that are not done.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.lock().book.waiting()
    }

    /// The event of an entry that is not done.
    #[must_use]
    pub fn event(&self, entry: u64) -> Option<Arc<Event>> {
        self.shared.lock().book.event(entry)
    }

    /// Takes an event in. When this returns its number, it is on the disk.
    ///
    /// # Errors
    /// See [`InboxFailure`]; the event was not taken then.
    pub async fn accept(&self, key: &str, event: Arc<Event>, now_ms: i64) -> Result<u64, InboxFailure> {
        let (id, written) = {
            let mut state = self.shared.lock();
            let waiting = state.book.waiting();
            if waiting >= MOST_WAITING {
                return Err(InboxFailure::Full(waiting));
            }
            state.book.forget_old(now_ms);
            let id = state.book.number();
            let record = Record::Accepted { id, key: key.to_owned(), at: now_ms, event };
            (id, self.push(&mut state, record, true)?)
        };
        match self.wait(written).await {
            Ok(()) => Ok(id),
            Err(why) => {
                self.shared.lock().book.take_back(id);
                Err(why)
            }
        }
    }

    /// A turn begins over these entries; gives its number.
    ///
    /// # Errors
    /// See [`InboxFailure`].
    pub fn started(&self, entries: &[u64]) -> Result<u64, InboxFailure> {
        let mut state = self.shared.lock();
        let turn = state.book.number();
        self.push(&mut state, Record::Started { turn, entries: entries.to_vec() }, false)?;
        Ok(turn)
    }

    /// An entry joins a running turn.
    ///
    /// # Errors
    /// See [`InboxFailure`].
    pub fn joined(&self, turn: u64, entry: u64) -> Result<(), InboxFailure> {
        let mut state = self.shared.lock();
        self.push(&mut state, Record::Started { turn, entries: vec![entry] }, false).map(|_| ())
    }

    /// A tool of the turn is about to run, or something is about to be said: it is not run again after a crash.
    ///
    /// # Errors
    /// See [`InboxFailure`]; then the tool must not run.
    pub async fn acted(&self, turn: u64) -> Result<(), InboxFailure> {
        let written = {
            let mut state = self.shared.lock();
            match state.book.has_acted(turn) {
                // Said already, though perhaps not yet on the disk.
                true => Some(self.waiter(&mut state)?),
                false => self.push(&mut state, Record::Acted { turn }, true)?,
            }
        };
        self.wait(written).await
    }

    /// The answer of these entries is made; when this returns its number, it is on the disk and may be sent.
    ///
    /// # Errors
    /// See [`InboxFailure`]; then it must not be sent.
    pub async fn answering(
        &self,
        entries: &[u64],
        route: Route,
        pieces: Vec<Piece>,
        is_notice: bool,
    ) -> Result<u64, InboxFailure> {
        let (id, written) = {
            let mut state = self.shared.lock();
            let id = state.book.number();
            let answer = Answer::new(id, entries.to_vec(), route, pieces, is_notice);
            (id, self.push(&mut state, Record::Answer(answer), true)?)
        };
        self.wait(written).await.map(|()| id)
    }

    /// A piece is about to be sent to a service that does not know keys.
    ///
    /// # Errors
    /// See [`InboxFailure`]; then it must not be sent.
    pub async fn sending(&self, answer: u64, piece: usize) -> Result<(), InboxFailure> {
        let written = {
            let mut state = self.shared.lock();
            self.push(&mut state, Record::Sending { answer, piece }, true)?
        };
        self.wait(written).await
    }

    /// A piece was sent.
    pub fn sent(&self, answer: u64, piece: usize, id: Option<String>) {
        let mut state = self.shared.lock();
        // A failure shows at the next record that somebody waits for.
        let _ = self.push(&mut state, Record::Sent { answer, piece, id }, false);
    }

    /// Nothing more is to be done for these entries.
    pub fn done(&self, entries: &[u64], how: Ending, now_ms: i64) {
        if entries.is_empty() {
            return;
        }
        let mut state = self.shared.lock();
        let record = Record::Done { entries: entries.to_vec(), how, at: now_ms };
        let _ = self.push(&mut state, record, false);
    }

    /// Waits until everything so far is on the disk.
    ///
    /// # Errors
    /// See [`InboxFailure`].
    pub async fn flush(&self) -> Result<(), InboxFailure> {
        let written = {
            let mut state = self.shared.lock();
            self.waiter(&mut state)?
        };
        self.wait(Some(written)).await
    }

    /// Applies a record and hands its line to the writer.
    fn push(
        &self,
        state: &mut State,
        record: Record,
        durable: bool,
    ) -> Result<Option<oneshot::Receiver<Result<(), InboxFailure>>>, InboxFailure> {
        if let Some(why) = &state.dead {
            return Err(why.clone());
        }
        let line = serde_json::to_string(&record)
            .map_err(|e| InboxFailure::Unusable { path: self.shared.path.clone(), why: e.to_string() })?;
        state.book.apply(record);
        state.lines.push(line);
        let waiter = if durable { Some(self.waiter(state)?) } else { None };
        self.shared.work.notify_one();
        Ok(waiter)
    }

    fn waiter(&self, state: &mut State) -> Result<oneshot::Receiver<Result<(), InboxFailure>>, InboxFailure> {
        if let Some(why) = &state.dead {
            return Err(why.clone());
        }
        let (tell, told) = oneshot::channel();
        state.waiters.push(tell);
        self.shared.work.notify_one();
        Ok(told)
    }

    async fn wait(
        &self,
        written: Option<oneshot::Receiver<Result<(), InboxFailure>>>,
    ) -> Result<(), InboxFailure> {
        let Some(written) = written else { return Ok(()) };
        written.await.unwrap_or_else(|_| {
            Err(InboxFailure::Unusable {
                path: self.shared.path.clone(),
                why: "its writer has ended".to_owned(),
            })
        })
    }
}

fn lines_of(records: &[Record]) -> Result<Vec<String>, String> {
    records.iter().map(|r| serde_json::to_string(r).map_err(|e| e.to_string())).collect()
}

/// The writer: everything that has come together goes to the disk with one sync.
fn write_all(shared: &Shared, mut journal: Journal) {
    let mut rewritten = journal.size();
    loop {
        let (lines, waiters, whole) = {
            let mut state = shared.lock();
            while state.lines.is_empty() && state.waiters.is_empty() {
                if state.closing {
                    return;
                }
                state = shared.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let lines = std::mem::take(&mut state.lines);
            let waiters = std::mem::take(&mut state.waiters);
            let grown = journal.size().saturating_sub(rewritten) > REWRITE.max(rewritten);
            // The book holds what these lines say, so that its records stand for them.
            (lines, waiters, grown.then(|| state.book.records()))
        };
        let result = match whole {
            Some(records) => lines_of(&records).and_then(|lines| {
                journal.replace(&lines).map_err(|e| e.to_string())?;
                rewritten = journal.size();
                Ok(())
            }),
            None => journal.append(&lines).and_then(|()| journal.sync()).map_err(|e| e.to_string()),
        };
        let result = result.map_err(|why| InboxFailure::Unusable { path: shared.path.clone(), why });
        if let Err(why) = &result {
            // A line that is missing would let a later one be misread: nothing is written after it.
            let mut state = shared.lock();
            state.dead = Some(why.clone());
            state.lines.clear();
            for waiter in state.waiters.drain(..) {
                let _ = waiter.send(Err(why.clone()));
            }
        }
        for waiter in waiters {
            let _ = waiter.send(result.clone());
        }
    }
}
