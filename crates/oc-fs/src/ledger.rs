//! The ledger: who did what, under which rule; append-only and hash-chained (design 3.8).
//!
//! `<state>/ledger/ledger-000001.jsonl`, `-000002` ...: one JSON line a record, in files that are begun anew at a certain size; the chain
//! goes on across them. `head` notes the last record that was synced, so that lines missing at the end show too. A record is on the disk
//! before the effect that it tells of ([`Ledger::append`] returns after the sync). A record that no effect waits for (a refusal, a call
//! that only looks) may be [`Durability::Written`]: the kernel has it before anybody hears of it, and the disk within [`SYNC_WITHIN`].
//!
//! Invariant: an acknowledged record is never lost, changed or left out without [`verify`] saying where; one that was written and not yet
//! synced is lost only when the machine itself stops, and then from the end.
//! Invariant: on a damaged chain nothing is appended: what cannot be recorded does not happen (SP-008).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use oc_text::Redactor;
use serde_json::{Map, json};
use thiserror::Error;

use crate::durability::Durability;
use crate::lock::{self, Convention, LockFailure, LockFile, StoreLock};
use crate::{atomic, mode};

pub mod chain;
mod end;
mod files;
mod queue;
mod read;
pub mod record;
#[cfg(test)]
mod tests;
mod verify;

use end::{End, Open};
use queue::Queue;

pub use chain::Head;
pub use read::{Line, read};
pub use record::{Entry, Kind, Record};
pub use verify::{Break, Verification, verify};

/// Size in bytes at which a new file is begun.
pub const ROTATE_AT: u64 = 8 * 1024 * 1024;
/// A record that was only written is on the disk this much later, as long as the disk keeps up.
pub const SYNC_WITHIN: Duration = Duration::from_millis(100);

/// The steps of one append, for tests of what a kill leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendStep {
    /// The lock is held, nothing is written.
    Locked,
    /// Half of the line is written.
    HalfWritten,
    /// The whole line is written, not synced.
    Written,
    /// It is synced; the note of the head is old.
    Synced,
    /// The note is written.
    Noted,
}

impl AppendStep {
    /// Every step, in order.
    pub const ALL: [Self; 5] = [Self::Locked, Self::HalfWritten, Self::Written, Self::Synced, Self::Noted];
}

/// Called at each step; for tests.
pub type Hook<'a> = Option<&'a dyn Fn(AppendStep)>;

/// Why a record was not written. The call that it tells of must not act.
#[derive(Debug, Error)]
pub enum LedgerFailure {
    /// Another process writes for too long.
    #[error("the ledger is busy: {0}")]
    Locked(#[from] LockFailure),
    /// A file or the folder cannot be used.
    #[error("the ledger cannot be written: {}: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The chain is damaged at its end.
    #[error(
        "the ledger is damaged, so nothing can be recorded: {}: {why}; see `openclaw ledger verify`, then move the folder {} aside",
        path.display(), directory.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The folder of the ledger.
        directory: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The record itself cannot be stored.
    #[error("the record cannot be stored: {0}")]
    Record(#[from] serde_json::Error),
}

impl LedgerFailure {
    /// The same news for another one who waited for the same write.
    fn again(&self) -> Self {
        let copy = |e: &io::Error| io::Error::new(e.kind(), e.to_string());
        match self {
            Self::Locked(LockFailure::Busy { path, hint }) => {
                Self::Locked(LockFailure::Busy { path: path.clone(), hint: hint.clone() })
            }
            Self::Locked(LockFailure::Unusable { path, source }) => {
                Self::Locked(LockFailure::Unusable { path: path.clone(), source: copy(source) })
            }
            Self::Unwritable { path, source } => {
                Self::Unwritable { path: path.clone(), source: copy(source) }
            }
            Self::Damaged { path, directory, why } => {
                Self::Damaged { path: path.clone(), directory: directory.clone(), why: why.clone() }
            }
            Self::Record(e) => Self::Record(serde::ser::Error::custom(e)),
        }
    }
}

/// The ledger of a state directory.
///
/// Clones share what is kept open, so that appending reads the end of the chain from the disk only when somebody else wrote there.
#[derive(Clone, Debug)]
pub struct Ledger {
    directory: PathBuf,
    rotate_at: u64,
    kept: Arc<Mutex<Option<End>>>,
    /// Whether somebody holds `kept` and waits, for the disk or for another process.
    waiting: Arc<AtomicBool>,
    queue: Queue,
}

impl Ledger {
    /// The ledger of a state directory. Nothing is created yet.
    #[must_use]
    pub fn of(state_dir: &Path) -> Self {
        Self {
            directory: state_dir.join("ledger"),
            rotate_at: ROTATE_AT,
            kept: Arc::default(),
            waiting: Arc::default(),
            queue: Queue::default(),
        }
    }

    /// The same with files of another size, in bytes.
    #[must_use]
    pub fn rotating_at(self, bytes: u64) -> Self {
        Self { rotate_at: bytes, ..self }
    }

    /// Its folder.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Appends a record. When this returns, the record is on the disk.
    ///
    /// # Errors
    /// See [`LedgerFailure`]; then nothing may happen that should have been recorded.
    pub fn append(&self, entry: &Entry, now: Timestamp) -> Result<Record, LedgerFailure> {
        self.appended(entry, now, None)
    }

    /// Hands a record to the ledger's own thread; `told` hears when it is as safe as asked, or why it is not. Records that wait at the same
    /// time share one synchronisation. `told` runs on that thread and must not wait.
    pub fn submit(
        &self,
        entry: Entry,
        durability: Durability,
        now: Timestamp,
        told: impl FnOnce(Result<(), LedgerFailure>) + Send + 'static,
    ) {
        self.queue.submit(self, queue::Waiting { entry, durability, now, told: Box::new(told) });
    }

    /// Writes records here and now, in one piece; they are on the disk within [`SYNC_WITHIN`]. `None`: nothing was written, because the disk or
    /// another process would have to be waited for; [`Ledger::submit`] does so on a thread of its own.
    ///
    /// # Errors
    /// See [`LedgerFailure`]; then one of them at least is not recorded.
    pub fn write_at_once(&self, entries: &[(&Entry, Timestamp)]) -> Option<Result<(), LedgerFailure>> {
        if self.waiting.load(Ordering::Acquire) {
            return None;
        }
        // Whoever else holds it writes a few lines and waits for nothing.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Without an end at hand it would have to be read, and noted with a synchronisation.
        let mut end = kept.take()?;
        // The lock is taken by the file that the last append left open.
        let locks = end.locks.take()?;
        let taken = locks.try_take()?;
        // The last of them still belongs into this part, so that no other one has to be begun and synced.
        let before_last = entries.len().saturating_sub(1).saturating_mul(chain::MAX_LINE) as u64;
        if !end.goes_on_here() || end.size.saturating_add(before_last) >= self.rotate_at {
            return None;
        }
        let written = match self.write(&mut end, entries, None) {
            Ok(written) => written,
            Err(failure) => return Some(Err(failure)),
        };
        drop(taken);
        end.locks = Some(locks);
        *kept = Some(end);
        drop(kept);
        self.queue.sync_soon(self);
        Some(written.into_iter().try_for_each(|one| one.map(drop)).map_err(LedgerFailure::Record))
    }

    /// Brings what was only written to the disk, then notes the new head. Others write meanwhile.
    ///
    /// # Errors
    /// See [`LedgerFailure`].
    fn sync(&self) -> Result<(), LedgerFailure> {
        let (file, path, head) = {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(end) = kept.as_ref().filter(|end| !end.is_noted()) else { return Ok(()) };
            let at_part = |source| LedgerFailure::Unwritable { path: end.path.clone(), source };
            (end.part.file.try_clone().map_err(at_part)?, end.path.clone(), end.head.clone())
        };
        file.sync_data().map_err(|source| LedgerFailure::Unwritable { path, source })?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = self.waits(|| self.lock())?;
        // Another process wrote on: then its synchronisation notes a later head.
        let Some(mut end) = kept.take().filter(|end| end.is_current(&self.directory)) else { return Ok(()) };
        // So may have done this one, meanwhile.
        if end.noted_seq() < head.seq {
            end.write_note(&self.directory, head)?;
        }
        *kept = Some(end);
        Ok(())
    }

    /// Does what may take its time while `kept` is held; others do not queue up for it meanwhile.
    fn waits<T>(&self, what: impl FnOnce() -> T) -> T {
        self.waiting.store(true, Ordering::Release);
        let done = what();
        self.waiting.store(false, Ordering::Release);
        done
    }

    fn lock(&self) -> Result<StoreLock, LockFailure> {
        lock::acquire(&self.lock_path(), Convention::Own, lock::WAIT)
    }

    fn lock_path(&self) -> PathBuf {
        self.directory.join("head")
    }

    /// [`Ledger::append`] with a hook at every step.
    ///
    /// # Errors
    /// See [`LedgerFailure`].
    pub fn append_with(
        &self,
        entry: &Entry,
        now: Timestamp,
        hook: &dyn Fn(AppendStep),
    ) -> Result<Record, LedgerFailure> {
        self.appended(entry, now, Some(hook))
    }

    fn appended(&self, entry: &Entry, now: Timestamp, hook: Hook<'_>) -> Result<Record, LedgerFailure> {
        let mut links = self.append_all(&[(entry, now)], Durability::Synced, hook)?;
        let Link { prev, head } = links.pop().unwrap_or_else(|| Err(left_out()))?;
        let entry = entry.bounded(&Redactor::standard()).into_owned();
        Ok(Record { seq: head.seq, ts: stamp(now), prev, hash: head.hash, entry })
    }

    /// Appends records with at most one synchronisation for all: when this returns, they are as safe as asked. An entry that cannot be
    /// stored is answered by itself and leaves the others alone.
    ///
    /// # Errors
    /// See [`LedgerFailure`]; then none of them counts as recorded.
    fn append_all(
        &self,
        entries: &[(&Entry, Timestamp)],
        durability: Durability,
        hook: Hook<'_>,
    ) -> Result<Vec<Result<Link, serde_json::Error>>, LedgerFailure> {
        let at_folder = |source| LedgerFailure::Unwritable { path: self.directory.clone(), source };
        mode::create_directories(&self.directory).map_err(at_folder)?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = self.waits(|| self.lock())?;
        // Taken out: after a failure the end is read from the disk again.
        let mut end = match kept.take().filter(|end| end.is_current(&self.directory)) {
            Some(end) => end,
            None => self.end()?,
        };
        reached(hook, AppendStep::Locked);
        if let Some(recovery) = end.recovery.take() {
            self.write(&mut end, &[(&recovery, now_of(entries))], None)?;
        }
        let records = self.write(&mut end, entries, hook)?;
        // Without a note of its own an end would be read anew every time, so the first record after that is synced, whatever was asked.
        if durability == Durability::Synced || end.note.is_none() {
            self.waits(|| self.settle(&mut end, hook))?;
        }
        if end.locks.is_none() {
            end.locks = Some(LockFile::open(&self.lock_path())?);
        }
        *kept = Some(end);
        Ok(records)
    }

    fn write(
        &self,
        end: &mut End,
        entries: &[(&Entry, Timestamp)],
        hook: Hook<'_>,
    ) -> Result<Vec<Result<Link, serde_json::Error>>, LedgerFailure> {
        let redactor = Redactor::standard();
        let mut records = Vec::with_capacity(entries.len());
        let mut pending = Pending::after(end);
        for (entry, now) in entries {
            if end.size + pending.lines.len() as u64 >= self.rotate_at {
                self.flush(end, pending, hook)?;
                self.settle(end, hook)?;
                *end = self.next_part(end)?;
                pending = Pending::after(end);
            }
            records.push(pending.seal(&entry.bounded(&redactor), *now));
        }
        self.flush(end, pending, hook)?;
        Ok(records)
    }

    /// Hands lines to the kernel.
    fn flush(&self, end: &mut End, pending: Pending, hook: Hook<'_>) -> Result<(), LedgerFailure> {
        let Pending { lines, last, head } = pending;
        if lines.is_empty() {
            return Ok(());
        }
        let put = |bytes: &[u8], at: u64| {
            let unwritable = |source| LedgerFailure::Unwritable { path: end.path.clone(), source };
            end.part.file.write_all_at(bytes, at).map_err(unwritable)
        };
        match hook {
            None => put(lines.as_bytes(), end.size)?,
            Some(reached) => {
                let halves = lines.as_bytes().split_at_checked(lines.len() / 2);
                let (first, second) = halves.unwrap_or_default();
                put(first, end.size)?;
                reached(AppendStep::HalfWritten);
                put(second, end.size + first.len() as u64)?;
                reached(AppendStep::Written);
            }
        }
        end.size += lines.len() as u64;
        end.head = head;
        end.last = lines.into_bytes().split_off(last);
        Ok(())
    }

    /// Brings what was written to the disk, then notes the new head.
    fn settle(&self, end: &mut End, hook: Hook<'_>) -> Result<(), LedgerFailure> {
        if end.is_noted() || end.head.seq == 0 {
            return Ok(());
        }
        end.part
            .file
            .sync_data()
            .map_err(|source| LedgerFailure::Unwritable { path: end.path.clone(), source })?;
        reached(hook, AppendStep::Synced);
        end.write_note(&self.directory, end.head.clone())?;
        reached(hook, AppendStep::Noted);
        Ok(())
    }

    /// Opens the last part, sets an unfinished line aside, and checks that the chain can go on from there.
    fn end(&self) -> Result<End, LedgerFailure> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| LedgerFailure::Unwritable { path, source }
        };
        let parts = files::parts(&self.directory).map_err(io(&self.directory))?;
        let (number, path) = match parts.last() {
            Some((number, path)) => (*number, path.clone()),
            None => (1, files::part(&self.directory, 1)),
        };
        let damaged = |path: &Path, why: String| LedgerFailure::Damaged {
            path: path.to_owned(),
            directory: self.directory.clone(),
            why,
        };
        let file = mode::open_in_place(&path).map_err(io(&path))?;
        if parts.is_empty() {
            files::sync_directory(&self.directory).map_err(io(&self.directory))?;
        }
        let tail = files::tail(&file).map_err(|e| damaged(&path, e.to_string()))?;
        let head = match (&tail.line, parts.len()) {
            (Some(line), _) => {
                chain::head_after(&chain::open(line).map_err(|f| damaged(&path, f.to_string()))?)
            }
            (None, 0 | 1) => Head::empty(),
            // A part that was begun and got no line: the chain ends in the one before.
            (None, n) => {
                let before = parts.get(n - 2).map(|(_, p)| p.clone()).unwrap_or_default();
                let tail = File::open(&before).and_then(|f| files::tail(&f)).map_err(io(&before))?;
                let line = tail.line.unwrap_or_default();
                chain::head_after(&chain::open(&line).map_err(|f| damaged(&before, f.to_string()))?)
            }
        };
        match files::note(&self.directory) {
            files::Note::Head(noted)
                if noted.seq > head.seq || (noted.seq == head.seq && noted.hash != head.hash) =>
            {
                let why = format!("record {} was written and is not at its end", noted.seq);
                return Err(damaged(&path, why));
            }
            files::Note::Missing if head.seq > 1 => {
                return Err(damaged(&files::note_path(&self.directory), "it is missing".to_owned()));
            }
            files::Note::Damaged => {
                return Err(damaged(&files::note_path(&self.directory), "it cannot be read".to_owned()));
            }
            files::Note::Head(_) | files::Note::Missing => {}
        }
        let recovery = if tail.torn.is_empty() {
            None
        } else {
            let entry = self.set_aside(&head, &tail.torn, &path)?;
            file.set_len(tail.whole).and_then(|()| file.sync_all()).map_err(io(&path))?;
            Some(entry)
        };
        let last = tail.line.map(|line| [&line[..], b"\n"].concat()).unwrap_or_default();
        let part = Open::new(file).map_err(io(&path))?;
        let mut end = End::new(&self.directory, number, part, tail.whole, head);
        end.last = last;
        end.recovery = recovery;
        Ok(end)
    }

    /// Keeps an unfinished line in a file of its own, and says so in the chain.
    fn set_aside(&self, head: &Head, torn: &[u8], part: &Path) -> Result<Entry, LedgerFailure> {
        let next = head.seq + 1;
        // A kill between the copy and the cut makes the next writer copy the same bytes again: same name, same bytes.
        let name = format!("torn-{next}.part");
        let path = self.directory.join(&name);
        atomic::replace(&path, torn)
            .map_err(|e| LedgerFailure::Unwritable { path: path.clone(), source: io::Error::other(e) })?;
        let mut inputs = Map::new();
        inputs.insert("bytes".to_owned(), torn.len().into());
        inputs.insert("sha256".to_owned(), json!(chain::hash("", torn)));
        inputs.insert("kept".to_owned(), name.into());
        let part = part.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Entry {
            kind: Kind::Recovery,
            actor: "ledger".to_owned(),
            agent: String::new(),
            session: String::new(),
            subject: part,
            verdict: "set-aside".to_owned(),
            rule: "ledger: unfinished-line".to_owned(),
            key_path: None,
            source: None,
            config_gen: String::new(),
            approval_id: None,
            call: String::new(),
            inputs,
        })
    }

    fn next_part(&self, end: &mut End) -> Result<End, LedgerFailure> {
        let path = files::part(&self.directory, end.number.saturating_add(1));
        let made =
            mode::open_in_place(&path).and_then(|f| files::sync_directory(&self.directory).map(|()| f));
        let part = made.and_then(Open::new);
        let part = part.map_err(|source| LedgerFailure::Unwritable { path, source })?;
        Ok(end.in_next(&self.directory, part))
    }
}

/// Where an appended record stands in the chain.
#[derive(Debug)]
struct Link {
    /// The hash of the record before.
    prev: String,
    /// Its own number and hash.
    head: Head,
}

fn reached(hook: Hook<'_>, step: AppendStep) {
    if let Some(hook) = hook {
        hook(step);
    }
}

/// A time as it is recorded.
fn stamp(now: Timestamp) -> String {
    format!("{now:.3}")
}

/// What a caller would hear that got no answer; each entry gets one.
fn left_out() -> serde_json::Error {
    serde::ser::Error::custom("it was left out")
}

/// The time of the first of the entries.
fn now_of(entries: &[(&Entry, Timestamp)]) -> Timestamp {
    entries.first().map_or(Timestamp::UNIX_EPOCH, |(_, now)| *now)
}

/// Lines that are sealed and not yet written.
#[derive(Debug)]
struct Pending {
    lines: String,
    /// Where the last line begins.
    last: usize,
    head: Head,
}

impl Pending {
    fn after(end: &End) -> Self {
        Self { lines: String::new(), last: 0, head: end.head.clone() }
    }

    fn seal(&mut self, entry: &Entry, now: Timestamp) -> Result<Link, serde_json::Error> {
        let begin = self.lines.len();
        let head = chain::seal(&self.head, &stamp(now), entry, &mut self.lines)?;
        self.lines.push('\n');
        self.last = begin;
        let before = std::mem::replace(&mut self.head, head.clone());
        Ok(Link { prev: before.hash, head })
    }
}
