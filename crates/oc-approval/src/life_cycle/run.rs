//! The waiting run: what it learns, how it takes an approval up, how it ends, and what else ends a request (exec-approval 9.2, 9.4).

use thiserror::Error;

use super::{Answer, Decision, Denial, Ending, Owner, Record, Requests, State};
use crate::binding::{Binding, Field};

/// How long after the answer a repeated wait still learns it, in milliseconds.
pub const WAIT_RETRY_MS: u64 = 15_000;

/// What a waiting process learns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Nobody answered yet; at this time it expires.
    Pending {
        /// Milliseconds since 1970.
        expires_at_ms: u64,
    },
    /// Somebody answered.
    Answered(Answer),
    /// It will not run.
    Denied {
        /// Why.
        reason: Denial,
        /// What exactly; may be empty.
        detail: String,
    },
    /// There is no such request of this process, or it was over long ago.
    Unknown,
}

/// The right to start the one run of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The request.
    pub id: String,
    /// The answer that allows it.
    pub answer: Answer,
    /// Who gave it.
    pub resolved_by: String,
    /// What was approved.
    pub binding: Binding,
}

/// Why a run does not start.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotGranted {
    /// No such request of this process.
    #[error("there is no such approval for this process")]
    Unknown,
    /// Not answered yet.
    #[error("nobody has answered yet")]
    Pending,
    /// Taken up before.
    #[error("the approval was used already")]
    Used,
    /// Denied.
    #[error("{}", .0.word())]
    Denied(Denial),
    /// What is about to start is not what was approved.
    #[error("approval-mismatch: {} is not what was approved; ask again", .0.words())]
    Mismatch(Field),
    /// A program file was swapped.
    #[error("executable-changed: a program of the command is not the file that was approved; ask again")]
    ExecutableChanged,
}

/// What the rules say when they are looked at again (SP-177).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reevaluated {
    /// They still leave it to the person.
    Stands,
    /// They refuse now.
    Refused,
}

impl Requests {
    /// Ends requests whose time is over. Called first by everything that takes a time.
    pub fn expire(&mut self, now_ms: u64) {
        for record in &mut self.records {
            if record.state == State::Pending && record.is_late(now_ms) {
                record.deny(Denial::ApprovalTimeout, "", now_ms);
            }
        }
    }

    /// What a waiting process learns. After the answer it is told the same again for [`WAIT_RETRY_MS`], or until it takes it up.
    pub fn wait(&mut self, id: &str, owner: &Owner, now_ms: u64) -> Waiting {
        self.expire(now_ms);
        let Some(record) = self.get(id).filter(|r| r.owner == *owner) else { return Waiting::Unknown };
        match (&record.state, &record.answer) {
            (State::Pending, _) => Waiting::Pending { expires_at_ms: record.expires_at_ms },
            (State::Denied { reason, detail }, _) => {
                Waiting::Denied { reason: *reason, detail: detail.clone() }
            }
            (State::Allowed, Some(answer)) => Waiting::Answered(answer.clone()),
            (State::Consumed | State::Running | State::Finished { .. }, Some(answer)) => {
                let fresh = record.resolved_at_ms.is_some_and(|at| now_ms.abs_diff(at) < WAIT_RETRY_MS);
                if fresh { Waiting::Answered(answer.clone()) } else { Waiting::Unknown }
            }
            (_, None) => Waiting::Unknown,
        }
    }

    /// Takes an approval up: once, by the process that asked, for exactly what was approved. An approval given in time counts although
    /// its time has passed since. A difference ends the request.
    ///
    /// # Errors
    /// See [`NotGranted`]; nothing may be started then.
    pub fn consume(
        &mut self,
        id: &str,
        owner: &Owner,
        about_to_start: &Binding,
        now_ms: u64,
    ) -> Result<Grant, NotGranted> {
        self.expire(now_ms);
        let record = self.get_mut(id).filter(|r| r.owner == *owner).ok_or(NotGranted::Unknown)?;
        match &record.state {
            State::Pending => return Err(NotGranted::Pending),
            State::Denied { reason, .. } => return Err(NotGranted::Denied(*reason)),
            State::Consumed | State::Running | State::Finished { .. } => return Err(NotGranted::Used),
            State::Allowed => {}
        }
        let answer =
            record.answer.clone().filter(|a| a.decision != Decision::Deny).ok_or(NotGranted::Pending)?;
        match record.binding.differs(about_to_start) {
            None => {}
            Some(Field::Executable) => {
                record.deny(Denial::ExecutableChanged, Field::Executable.words(), now_ms);
                return Err(NotGranted::ExecutableChanged);
            }
            Some(field) => {
                record.deny(Denial::ApprovalMismatch, field.words(), now_ms);
                return Err(NotGranted::Mismatch(field));
            }
        }
        record.state = State::Consumed;
        record.consumed_at_ms = Some(now_ms);
        Ok(Grant {
            id: record.id.clone(),
            answer,
            resolved_by: record.resolved_by.clone().unwrap_or_default(),
            binding: record.binding.clone(),
        })
    }

    /// The run has started.
    pub fn started(&mut self, id: &str, owner: &Owner) {
        if let Some(record) = self.own(id, owner).filter(|r| r.state == State::Consumed) {
            record.state = State::Running;
        }
    }

    /// The run is over.
    pub fn finished(&mut self, id: &str, owner: &Owner, ending: Ending) {
        let taken = |r: &&mut Record| matches!(r.state, State::Consumed | State::Running);
        if let Some(record) = self.own(id, owner).filter(taken) {
            record.state = State::Finished { ending };
            self.forget_old();
        }
    }

    /// The process that asked ends its own request: nobody could be asked, the run was aborted, the program did not start. What is over
    /// stays as it is.
    pub fn withdraw(&mut self, id: &str, owner: &Owner, reason: Denial, detail: &str, now_ms: u64) {
        let open = |r: &&mut Record| !r.state.is_over() && r.state != State::Running;
        if let Some(record) = self.own(id, owner).filter(open) {
            record.deny(reason, detail, now_ms);
        }
    }

    /// An agent's run was aborted or its session reset: what it still waits for is denied. Returns the ids.
    pub fn abort_session(&mut self, session: &str, now_ms: u64) -> Vec<String> {
        let mut ended = Vec::new();
        for record in self.records.iter_mut().filter(|r| r.request.session() == session) {
            if matches!(record.state, State::Pending | State::Allowed) {
                record.deny(Denial::RunAborted, "", now_ms);
                ended.push(record.id.clone());
            }
        }
        ended
    }

    /// Asks the rules again before a run starts, and after they changed (SP-177): what they refuse now is denied. Returns the ids.
    pub fn reevaluate(&mut self, rules: &mut dyn FnMut(&Record) -> Reevaluated, now_ms: u64) -> Vec<String> {
        let mut ended = Vec::new();
        for record in self.records.iter_mut().filter(|r| matches!(r.state, State::Pending | State::Allowed)) {
            if rules(record) == Reevaluated::Refused {
                record.deny(Denial::PolicyChanged, "", now_ms);
                ended.push(record.id.clone());
            }
        }
        ended
    }

    /// Ends what processes left behind that are gone: no approval outlives the process that asked. Returns the ids of what was denied.
    pub fn bury(&mut self, is_gone: &mut dyn FnMut(&Owner) -> bool, now_ms: u64) -> Vec<String> {
        self.expire(now_ms);
        let mut ended = Vec::new();
        for record in self.records.iter_mut().filter(|r| !r.state.is_over()) {
            if !is_gone(&record.owner) {
                continue;
            }
            match record.state {
                State::Consumed | State::Running => record.state = State::Finished { ending: Ending::Lost },
                _ => {
                    record.deny(Denial::GatewayRestart, "", now_ms);
                    ended.push(record.id.clone());
                }
            }
        }
        ended
    }

    fn own(&mut self, id: &str, owner: &Owner) -> Option<&mut Record> {
        self.get_mut(id).filter(|r| r.owner == *owner)
    }
}
