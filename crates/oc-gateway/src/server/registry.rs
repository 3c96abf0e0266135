//! Who is connected, and what is told to all of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;

use super::connection::{Connection, text_of};
use super::outbox::{Ending, Weight};
use crate::authority::Scope;
use crate::protocol::connect::Role;
use crate::protocol::frame::{Outgoing, StateVersion};

/// Who hears of an event (gateway 4, event delivery).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Every connection.
    Everybody,
    /// Operators that hold this scope.
    Scope(Scope),
}

impl Audience {
    fn hears(self, connection: &Connection) -> bool {
        match self {
            Self::Everybody => true,
            Self::Scope(scope) => connection.may(scope),
        }
    }
}

/// Who hears of an event, by its name. An event that is not listed is an administrator's.
#[must_use]
pub fn audience_of(event: &str) -> Audience {
    match event {
        "tick" | "shutdown" => Audience::Everybody,
        "exec.approval.requested" | "exec.approval.resolved" => Audience::Scope(Scope::Approvals),
        "device.pair.requested" | "device.pair.resolved" | "node.pair.requested" | "node.pair.resolved" => {
            Audience::Scope(Scope::Pairing)
        }
        "agent" | "chat" | "presence" | "health" | "heartbeat" | "cron" | "talk.mode"
        | "voicewake.changed" => Audience::Scope(Scope::Read),
        _ => Audience::Scope(Scope::Admin),
    }
}

/// All connections. Its numbers are never used twice.
#[derive(Debug, Default)]
pub struct Registry {
    connections: RwLock<BTreeMap<u64, Arc<Connection>>>,
    next: AtomicU64,
    seq: AtomicU64,
}

impl Registry {
    /// A number for a new connection.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Adds a connection.
    pub fn insert(&self, connection: Arc<Connection>) {
        let mut all = self.connections.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(connection.number, connection);
    }

    /// Removes one.
    pub fn remove(&self, number: u64) {
        self.connections.write().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }

    /// All of them, as they are now.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Connection>> {
        self.connections.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.connections.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Ends every connection that the question is true for. Returns how many. What they send from now on is not looked at.
    pub fn end_where(&self, which: impl Fn(&Connection) -> bool, ending: &Ending) -> usize {
        let hit: Vec<_> = self.all().into_iter().filter(|c| which(c)).collect();
        for connection in &hit {
            connection.end(ending.clone());
        }
        hit.len()
    }

    /// Ends the connections of a device in a role (SP-328).
    pub fn end_device(&self, device: &str, role: Role, reason: &str) -> usize {
        let same = |c: &Connection| c.role == role && c.device.as_ref().is_some_and(|d| d.id == device);
        self.end_where(same, &Ending::now(crate::protocol::frame::Close::Policy, reason))
    }

    /// Tells everybody who may hear of it. Broadcasts are numbered; who may not hear sees a gap.
    pub fn broadcast(&self, event: &str, payload: Value, weight: Weight, version: Option<StateVersion>) {
        self.broadcast_to(|_| true, event, payload, weight, version);
    }

    /// The same, and of those only to whom the question is true for.
    pub fn broadcast_to(
        &self,
        which: impl Fn(&Connection) -> bool,
        event: &str,
        payload: Value,
        weight: Weight,
        version: Option<StateVersion>,
    ) {
        let seq = self.seq.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let audience = audience_of(event);
        let frame = Outgoing::Event {
            event: event.to_owned(),
            payload: Some(payload),
            seq: Some(seq),
            state_version: version,
        };
        let text = text_of(&frame);
        for connection in self.all().iter().filter(|c| audience.hears(c) && which(c)) {
            connection.outbox.push(text.clone(), weight);
        }
    }

    /// The number of the last broadcast.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq.load(Ordering::Relaxed)
    }
}
