//! A person's answer: which request, and whether it counts (exec-approval 9.1, 9.3, 9.4).

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Answer, Decision, Denial, Record, Requests, State, Target};
use crate::approver::{Permit, Surface};

/// Wrong codes of one sender after which answers of that sender are not looked at.
pub const MAX_WRONG: usize = 10;
/// The time in which they count, in milliseconds.
pub const WRONG_WINDOW_MS: u64 = 600_000;
/// Senders whose wrong codes are remembered.
const MAX_SENDERS: usize = 256;
/// Shortest part of an id that is looked up.
const MIN_PREFIX: usize = 8;

/// Wrong codes of one sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrongCodes {
    sender: String,
    at_ms: Vec<u64>,
}

/// An answer that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// This one decided.
    Now(Box<Record>),
    /// It was decided the same way before.
    Already(Box<Record>),
}

impl Answered {
    /// The record with the answer.
    #[must_use]
    pub fn record(&self) -> &Record {
        match self {
            Self::Now(record) | Self::Already(record) => record,
        }
    }
}

/// Why an answer does not count.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// There is no such request for this person: never was, is not theirs, or is over (SP-175: one answer for all).
    #[error("no request waits for an answer under this code; see `openclaw approvals list`")]
    Unknown,
    /// The start of several ids. None is named.
    #[error("the code is the start of several requests; give more of the id")]
    Ambiguous,
    /// It was decided otherwise before.
    #[error("already resolved: {}", .0.decision.word())]
    Otherwise(Answer),
    /// The request does not take this decision.
    #[error("APPROVAL_ALLOW_ALWAYS_UNAVAILABLE: this request takes {0}")]
    Unavailable(String),
    /// The answer has to say where.
    #[error("say where it may run: host or sandbox")]
    TargetMissing,
    /// It says where, and that is not open, or not there.
    #[error("the request does not leave open where it runs, or `{}` is not available", .0.word())]
    Target(Target),
    /// Too many wrong codes; nothing was looked at.
    #[error("too many wrong codes; try again in ten minutes")]
    Muted,
}

impl Requests {
    /// Answers a request. `key`: full id, code, or the start of an id with at least eight characters. First answer wins.
    ///
    /// # Errors
    /// See [`Refused`]; nothing was decided then.
    pub fn answer(
        &mut self,
        key: &str,
        decision: Decision,
        target: Option<Target>,
        permit: &Permit,
        now_ms: u64,
    ) -> Result<Answered, Refused> {
        self.expire(now_ms);
        if self.is_muted(permit, now_ms) {
            return Err(Refused::Muted);
        }
        let at = match self.find(key, permit) {
            Ok(at) => at,
            Err(refused) => {
                self.note_wrong(permit, now_ms);
                return Err(refused);
            }
        };
        let record = self.records.get_mut(at).ok_or(Refused::Unknown)?;
        let target = record.target(decision, target)?;
        if let Some(recorded) = &record.answer {
            // A bare `/approve` after a decision with a place repeats that decision.
            let same = recorded.decision == decision && (recorded.target == target || target.is_none());
            return if same {
                Ok(Answered::Already(Box::new(record.clone())))
            } else {
                Err(Refused::Otherwise(recorded.clone()))
            };
        }
        if !record.request.allowed_decisions().contains(&decision) {
            let words: Vec<&str> = record.request.allowed_decisions().iter().map(|d| d.word()).collect();
            return Err(Refused::Unavailable(words.join(", ")));
        }
        if record.state != State::Pending {
            return Err(Refused::Unknown);
        }
        record.answer = Some(Answer { decision, target });
        record.resolved_by = Some(permit.who().to_owned());
        record.resolved_at_ms = Some(now_ms);
        record.state = match decision {
            Decision::AllowOnce | Decision::AllowAlways => State::Allowed,
            Decision::Deny => State::Denied { reason: Denial::UserDenied, detail: String::new() },
        };
        Ok(Answered::Now(Box::new(record.clone())))
    }

    /// The one request that a person means. What waits comes before what is decided.
    fn find(&self, key: &str, permit: &Permit) -> Result<usize, Refused> {
        let key = key.trim().to_ascii_lowercase();
        // Only what waits, or was decided by a person: what expired, was aborted or never was gets one answer.
        let visible = |r: &Record| (r.state == State::Pending || r.answer.is_some()) && permit.covers(r);
        let of = |wanted: &dyn Fn(&Record) -> bool| -> Vec<usize> {
            self.records
                .iter()
                .enumerate()
                .filter(|(_, r)| visible(r) && wanted(r))
                .map(|(at, _)| at)
                .collect()
        };
        if let Some(at) = of(&|r| r.id.to_ascii_lowercase() == key).first() {
            return Ok(*at);
        }
        if key.len() < MIN_PREFIX {
            return Err(Refused::Unknown);
        }
        let named = |r: &Record| r.code == key || r.id.to_ascii_lowercase().starts_with(&key);
        let waiting = of(&|r| named(r) && r.state == State::Pending);
        let found = if waiting.is_empty() { of(&named) } else { waiting };
        match found.as_slice() {
            [] => Err(Refused::Unknown),
            [at] => Ok(*at),
            _ => Err(Refused::Ambiguous),
        }
    }

    fn is_muted(&self, permit: &Permit, now_ms: u64) -> bool {
        permit.surface() != Surface::Terminal
            && self.wrong.iter().any(|w| w.sender == permit.who() && recent(&w.at_ms, now_ms) >= MAX_WRONG)
    }

    fn note_wrong(&mut self, permit: &Permit, now_ms: u64) {
        if permit.surface() == Surface::Terminal {
            return;
        }
        self.wrong.retain(|w| recent(&w.at_ms, now_ms) > 0);
        match self.wrong.iter_mut().find(|w| w.sender == permit.who()) {
            Some(w) => {
                w.at_ms.push(now_ms);
                let excess = w.at_ms.len().saturating_sub(MAX_WRONG);
                w.at_ms.drain(..excess);
            }
            None => {
                if self.wrong.len() >= MAX_SENDERS {
                    self.wrong.remove(0);
                }
                self.wrong.push(WrongCodes { sender: permit.who().to_owned(), at_ms: vec![now_ms] });
            }
        }
    }
}

impl Record {
    /// Where it runs after this answer; `None` when that is not open or the answer is no.
    fn target(&self, decision: Decision, given: Option<Target>) -> Result<Option<Target>, Refused> {
        let open = self.request.targets();
        match (decision, given) {
            (Decision::Deny, _) => Ok(None),
            (_, Some(target)) if open.contains(&target) => Ok(Some(target)),
            (_, Some(target)) => Err(Refused::Target(target)),
            (_, None) if open.is_empty() => Ok(None),
            // Seed B's bare `/approve <code>`: the sandbox when there is one, otherwise the person has to say so.
            (_, None) if open.contains(&Target::Sandbox) => Ok(Some(Target::Sandbox)),
            (_, None) => Err(Refused::TargetMissing),
        }
    }
}

fn recent(at_ms: &[u64], now_ms: u64) -> usize {
    at_ms.iter().filter(|at| now_ms.abs_diff(**at) < WRONG_WINDOW_MS).count()
}
