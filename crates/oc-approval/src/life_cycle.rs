//! Requests for approval from the question to the end of the run: a pure state machine (exec-approval 9). Time, identity of processes
//! and randomness are arguments; whoever keeps the [`Requests`] does so under a lock, so every call here is one atomic step.
//!
//! INVARIANT: a request is taken up at most once, by the process that asked, with exactly what was approved (SP-173).
//! INVARIANT: at `expires_at_ms` or later nothing is approved (SP-174).
//! INVARIANT: an answer needs a [`Permit`](crate::approver::Permit); nothing that a requester sends is one (SP-176, SP-202).

mod answer;
mod record;
mod run;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::request::Asked;

pub use answer::{Answered, Refused};
pub use record::{Answer, Decision, Denial, Ending, Kind, Owner, Record, State, Target};
pub use run::{Grant, NotGranted, Reevaluated, WAIT_RETRY_MS, Waiting};

/// Most pending requests at a time.
pub const MAX_PENDING: usize = 64;
/// Most pending requests of one session.
pub const MAX_PENDING_OF_SESSION: usize = 8;
/// Requests that are over and stay listed.
pub const MAX_OVER: usize = 100;
/// Time to answer when the configuration does not say (seed B: five minutes).
pub const DEFAULT_TIMEOUT_MS: u64 = 300_000;
/// A clock that is this far behind the creation of a request was set back; the request counts as expired.
const CLOCK_SLACK_MS: u64 = 60_000;
/// Draws for an id whose code no pending request has.
const DRAWS: usize = 16;

/// All requests of a state directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Requests {
    records: Vec<Record>,
    /// Wrong codes by sender, for muting.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    wrong: Vec<answer::WrongCodes>,
}

/// Who asks, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    /// What it is about.
    pub kind: Kind,
    /// The process that waits.
    pub owner: Owner,
    /// An id chosen by the caller; `None` draws one.
    pub id: Option<String>,
    /// Milliseconds until it expires, at least 1.
    pub timeout_ms: u64,
}

/// Why a request was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotTaken {
    /// There are too many already.
    #[error(
        "too-many-pending: {pending} requests wait for an answer{scope}; answer some with `openclaw approvals list`"
    )]
    TooMany {
        /// How many.
        pending: usize,
        /// Of what.
        scope: &'static str,
    },
    /// The caller's id cannot be used.
    #[error("the id is in use or not 1 to 128 printable characters")]
    Id,
    /// No randomness.
    #[error("no free id was drawn; the operating system's random source may have failed")]
    Random,
}

impl Requests {
    /// Takes a request. `random` gives 16 unpredictable bytes at a time.
    ///
    /// # Errors
    /// See [`NotTaken`].
    pub fn take(
        &mut self,
        asked: Asked,
        asking: Asking,
        now_ms: u64,
        random: &mut dyn FnMut() -> Option<[u8; 16]>,
    ) -> Result<Record, NotTaken> {
        self.expire(now_ms);
        let pending = self.pending().count();
        if pending >= MAX_PENDING {
            return Err(NotTaken::TooMany { pending, scope: "" });
        }
        let session = asked.request.session();
        let of_session = self.pending().filter(|r| r.request.session() == session).count();
        if of_session >= MAX_PENDING_OF_SESSION {
            return Err(NotTaken::TooMany { pending: of_session, scope: " in this session" });
        }
        let (id, code) = self.identify(asking.id, random)?;
        let record = Record {
            id,
            code,
            kind: asking.kind,
            request: asked.request,
            binding: asked.binding,
            owner: asking.owner,
            created_at_ms: now_ms,
            expires_at_ms: now_ms.saturating_add(asking.timeout_ms.max(1)),
            state: State::Pending,
            answer: None,
            resolved_by: None,
            resolved_at_ms: None,
            consumed_at_ms: None,
        };
        self.records.push(record.clone());
        self.forget_old();
        Ok(record)
    }

    /// All records, oldest first.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = &Record> {
        self.records.iter()
    }

    /// Those that wait for an answer, oldest first.
    pub fn pending(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|r| r.state == State::Pending)
    }

    /// The record with this id, exactly. For the process that asked; people's codes go through [`Requests::answer`].
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Record> {
        self.records.iter().find(|r| r.id == id)
    }

    fn get_mut(&mut self, id: &str) -> Option<&mut Record> {
        self.records.iter_mut().find(|r| r.id == id)
    }

    fn identify(
        &self,
        wanted: Option<String>,
        random: &mut dyn FnMut() -> Option<[u8; 16]>,
    ) -> Result<(String, String), NotTaken> {
        let free = |id: &str, code: &str| {
            !self.records.iter().any(|r| r.id.eq_ignore_ascii_case(id))
                && !self.pending().any(|r| r.code == code || r.id.to_ascii_lowercase().starts_with(code))
        };
        if let Some(id) = wanted {
            let printable = id.chars().all(|c| c.is_ascii_graphic());
            let code = code_of(&id);
            return if printable && (1..=128).contains(&id.len()) && free(&id, &code) {
                Ok((id, code))
            } else {
                Err(NotTaken::Id)
            };
        }
        for _ in 0..DRAWS {
            let id = uuid_v4(random().ok_or(NotTaken::Random)?);
            let code = code_of(&id);
            if free(&id, &code) {
                return Ok((id, code));
            }
        }
        Err(NotTaken::Random)
    }

    /// Drops what is over and old, beyond [`MAX_OVER`].
    fn forget_old(&mut self) {
        let over = self.records.iter().filter(|r| r.state.is_over()).count();
        let mut excess = over.saturating_sub(MAX_OVER);
        self.records.retain(|r| {
            let drop = excess > 0 && r.state.is_over();
            excess -= usize::from(drop);
            !drop
        });
    }
}

impl Record {
    /// Whether an answer at this moment is too late.
    #[must_use]
    pub fn is_late(&self, now_ms: u64) -> bool {
        now_ms >= self.expires_at_ms || now_ms.saturating_add(CLOCK_SLACK_MS) < self.created_at_ms
    }

    fn deny(&mut self, reason: Denial, detail: &str, now_ms: u64) {
        self.state = State::Denied { reason, detail: detail.to_owned() };
        self.resolved_at_ms.get_or_insert(now_ms);
    }
}

/// The first eight hexadecimal digits of an id; of its digest when a caller chose an id of another form.
fn code_of(id: &str) -> String {
    let start: String = id.chars().take(8).collect::<String>().to_ascii_lowercase();
    if start.len() == 8 && start.chars().all(|c| c.is_ascii_hexdigit()) {
        return start;
    }
    crate::binding::sha256(id.as_bytes()).chars().take(8).collect()
}

/// A version 4 UUID of 16 random bytes.
#[must_use]
pub fn uuid_v4(mut bytes: [u8; 16]) -> String {
    for (at, (keep, set)) in [(6, (0x0f, 0x40)), (8, (0x3f, 0x80))] {
        if let Some(b) = bytes.get_mut(at) {
            *b = (*b & keep) | set;
        }
    }
    let mut out = String::with_capacity(36);
    for (at, b) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push_str(&format!("{b:02x}"));
    }
    out
}
