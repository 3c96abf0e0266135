//! Presses of buttons and slash commands that wait for an acknowledgement at their service.
//!
//! Invariant: only what was admitted is acknowledged, once, in its own conversation, and not after the service has stopped waiting.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::adapter::Event;

/// Presses that wait; the oldest go.
const MOST: usize = 256;

#[derive(Debug)]
struct Waiting<T> {
    event: String,
    conversation: String,
    since: Instant,
    admitted: bool,
    press: T,
}

impl<T> Waiting<T> {
    fn is_of(&self, event: &Event) -> bool {
        self.event == event.id && self.conversation == event.reply.conversation.as_str()
    }
}

/// The presses of one account.
#[derive(Debug)]
pub(super) struct Presses<T> {
    waiting: Mutex<VecDeque<Waiting<T>>>,
    /// How long the service waits for an acknowledgement.
    lasts: Duration,
}

impl<T> Presses<T> {
    /// None yet.
    pub(super) fn new(lasts: Duration) -> Self {
        Self { waiting: Mutex::default(), lasts }
    }

    /// What waits still.
    fn waiting(&self, now: Instant) -> MutexGuard<'_, VecDeque<Waiting<T>>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|w| now.saturating_duration_since(w.since) < self.lasts);
        waiting
    }

    /// Remembers a press before its event goes to the door; one that comes again stays what it is.
    pub(super) fn remember(&self, event: &Event, press: T, now: Instant) {
        let mut waiting = self.waiting(now);
        if waiting.iter().any(|w| w.is_of(event)) {
            return;
        }
        if waiting.len() >= MOST {
            waiting.pop_front();
        }
        let conversation = event.reply.conversation.as_str().to_owned();
        waiting.push_back(Waiting {
            event: event.id.clone(),
            conversation,
            since: now,
            admitted: false,
            press,
        });
    }

    /// The event was admitted.
    pub(super) fn admit(&self, event: &Event) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for found in waiting.iter_mut().filter(|w| w.is_of(event)) {
            found.admitted = true;
        }
    }

    /// What is acknowledged now that something is said in a conversation.
    pub(super) fn take(&self, conversation: &str, now: Instant) -> Vec<T> {
        let mut waiting = self.waiting(now);
        let (out, later) =
            waiting.drain(..).partition(|w: &Waiting<T>| w.admitted && w.conversation == conversation);
        *waiting = later;
        let out: VecDeque<Waiting<T>> = out;
        out.into_iter().map(|w| w.press).collect()
    }
}

#[cfg(test)]
mod tests {
    use oc_policy::inbound::{ConversationId, ConversationKind, Inbound};
    use oc_types::ChannelId;

    use super::*;
    use crate::adapter::Destination;

    fn event(id: &str, place: &str) -> Event {
        let conversation = ConversationId::new(place);
        Event {
            id: id.to_owned(),
            message: Inbound::new(
                ChannelId::parse("discord").unwrap(),
                ConversationKind::Channel,
                conversation.clone(),
            ),
            reply: Destination { conversation, thread: None, reply_to: None },
            attachments: Vec::new(),
            quoted: None,
            payload: None,
        }
    }

    #[test]
    fn sp_400_only_what_was_admitted_is_acknowledged_once_and_in_its_place() {
        let (presses, now) = (Presses::new(Duration::from_secs(3)), Instant::now());
        let (mine, others, elsewhere) = (event("1", "C1"), event("2", "C1"), event("1", "C2"));
        presses.remember(&mine, "mine", now);
        presses.remember(&others, "others", now);
        presses.remember(&elsewhere, "elsewhere", now);
        assert!(presses.take("C1", now).is_empty(), "nobody has admitted it");
        presses.admit(&mine);
        // A second delivery is decided anew and takes nothing back.
        presses.remember(&mine, "again", now);
        assert!(presses.take("C2", now).is_empty());
        assert_eq!(presses.take("C1", now), ["mine"]);
        assert!(presses.take("C1", now).is_empty());
        presses.admit(&elsewhere);
        assert_eq!(presses.take("C2", now), ["elsewhere"]);
    }

    #[test]
    fn a_press_is_forgotten_when_its_service_waits_no_longer() {
        let (presses, now) = (Presses::new(Duration::from_secs(3)), Instant::now());
        let e = event("1", "C1");
        presses.remember(&e, "early", now);
        presses.admit(&e);
        assert!(presses.take("C1", now + Duration::from_secs(3)).is_empty());
        for n in 0..=MOST {
            presses.remember(&event(&n.to_string(), "C1"), "many", now);
        }
        assert_eq!(presses.waiting(now).len(), MOST);
        assert_eq!(presses.waiting(now + Duration::from_secs(3)).len(), 0);
    }
}
