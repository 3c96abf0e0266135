//! Messages for a turn that runs (queue mode `steer`, agent-runtime 6).
//!
//! Only whoever the turn acts for steers it, with the same proof of being the owner: a message of anybody else would change for whom its calls
//! act, and waits for a turn of its own (SP-426).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use oc_policy::owner_only::Ownership;
use oc_sandbox::gate::CallSender;

use super::said::{PersonMessage, Said};

/// Most messages that wait for the next step of a turn.
const WAITING: usize = 20;

#[derive(Debug, Default)]
struct State {
    /// `None`: nobody steers this turn, or not any more.
    of: Option<(CallSender, Ownership)>,
    waiting: VecDeque<PersonMessage>,
}

/// The way into a running turn. Clones lead into the same one.
#[derive(Clone, Debug, Default)]
pub struct Steering(Arc<Mutex<State>>);

impl Steering {
    /// Into a turn that was started like this; into one that is not of one known person nothing leads.
    #[must_use]
    pub fn of(said: &Said) -> Self {
        let steering = Self::default();
        if let Said::People(people) = said {
            let mut messages = people.messages();
            if let (Some(one), None) = (messages.next(), messages.next())
                && one.sender != CallSender::default()
            {
                steering.held().of = Some((one.sender.clone(), one.owner));
            }
        }
        steering
    }

    fn held(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a message in; the turn takes it at its next step. The address of a direct message is the turn's own: whoever hands one in has seen
    /// that it comes from the same conversation.
    ///
    /// # Errors
    /// The message, when the turn does not take it.
    pub fn hand_in(&self, mut message: PersonMessage) -> Result<(), Box<PersonMessage>> {
        let mut state = self.held();
        let Some((sender, owner)) = state.of.clone() else { return Err(Box::new(message)) };
        let named = CallSender { from: sender.from.clone(), ..message.sender.clone() };
        let same = named == sender && owner == message.owner && message.directive.is_none();
        if !same || state.waiting.len() >= WAITING {
            return Err(Box::new(message));
        }
        message.sender = named;
        state.waiting.push_back(message);
        Ok(())
    }

    /// What waits, for the next step.
    pub(super) fn take(&self) -> Vec<PersonMessage> {
        self.held().waiting.drain(..).collect()
    }

    /// Puts back what was taken and could not be kept; it comes before what waits.
    pub(super) fn put_back(&self, messages: Vec<PersonMessage>) {
        let mut state = self.held();
        for message in messages.into_iter().rev() {
            state.waiting.push_front(message);
        }
    }

    /// The turn would end: `true` when nothing waits, and nothing is taken any more.
    pub(super) fn close(&self) -> bool {
        let mut state = self.held();
        if !state.waiting.is_empty() {
            return false;
        }
        state.of = None;
        true
    }

    /// The turn ends in any case; what waited.
    pub(super) fn close_now(&self) -> Vec<PersonMessage> {
        let mut state = self.held();
        state.of = None;
        state.waiting.drain(..).collect()
    }
}
