//! For whom the calls of a turn act (SP-421, SP-426).
//!
//! A person's turn acts for that person. A batch acts with the least that each of its people may: every one of them must be allowed a call,
//! and it is made for nobody in particular. Every other turn acts for nobody: never the owner, never elevated, never with a sender.

use oc_policy::elevated::Turn;
use oc_policy::owner_only::Ownership;
use oc_sandbox::gate::{CallSender, Caller, SessionExec, Surface};

use super::said::{PersonMessage, Said};

/// For whom a turn's calls act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The caller of every call.
    acting: Caller,
    /// The people who must all be allowed it as well.
    each: Vec<Caller>,
}

impl Authority {
    /// The authority of a turn. `base` says whose session it is; its sender, owner and directive do not count, but for a spawned session: there
    /// the sender of the session above goes on restricting what is allowed.
    #[must_use]
    pub fn of(base: &Caller, said: &Said) -> Self {
        let nobody = Caller {
            surface: Surface::Model,
            turn: said.turn(),
            sender: if base.spawned_by.is_some() { base.sender.clone() } else { CallSender::default() },
            owner: Ownership::NotProven,
            exec: SessionExec { directive: None, level: None, overrides: base.exec.overrides.clone() },
            ..base.clone()
        };
        let Said::People(people) = said else { return Self { acting: nobody, each: Vec::new() } };
        let person = |m: &PersonMessage| Caller {
            turn: Turn::Person,
            sender: m.sender.clone(),
            owner: m.owner,
            exec: SessionExec { directive: m.directive, ..base.exec.clone() },
            ..nobody.clone()
        };
        let mut each: Vec<Caller> = Vec::new();
        for caller in people.messages().map(person) {
            if !each.contains(&caller) {
                each.push(caller);
            }
        }
        match (each.pop(), each.is_empty()) {
            (Some(one), true) => Self { acting: one, each },
            (last, _) => {
                each.extend(last);
                Self { acting: nobody, each }
            }
        }
    }

    /// With others who must be allowed every call as well: whoever stands behind a turn that no person started.
    #[must_use]
    pub fn behind(mut self, others: &[Caller]) -> Self {
        for other in others {
            if !self.each.contains(other) {
                self.each.push(other.clone());
            }
        }
        self
    }

    /// The caller of every call.
    #[must_use]
    pub fn acting(&self) -> &Caller {
        &self.acting
    }

    /// Everybody who must be allowed what is done.
    #[must_use]
    pub fn callers(&self) -> Vec<&Caller> {
        std::iter::once(&self.acting).chain(&self.each).collect()
    }

    /// Everybody but the caller who must be allowed what is done.
    #[must_use]
    pub fn each(&self) -> &[Caller] {
        &self.each
    }
}
