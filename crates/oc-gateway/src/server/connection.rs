//! One client that is in: what it may do, and how it is reached.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Serialize;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::outbox::{Ending, Outbox, Weight};
use crate::authority::{Scope, Scopes};
use crate::devices::Actor;
use crate::entrance::admission::Method;
use crate::entrance::device::Device;
use crate::entrance::peer::Caller;
use crate::protocol::connect::{Client, Role};
use crate::protocol::frame::Outgoing;

/// Requests that one connection may have running at a time.
pub const MAX_RUNNING: usize = 64;

/// A client that is in. Everything but the queue is settled at the handshake and never changes.
#[derive(Debug)]
pub struct Connection {
    /// Names the connection to its client and in the log.
    pub id: String,
    /// Names it inside the gateway.
    pub number: u64,
    /// On which side it is.
    pub role: Role,
    /// What it may do.
    pub scopes: Scopes,
    /// The proven device.
    pub device: Option<Device>,
    /// What opened the door.
    pub method: Method,
    /// The program.
    pub client: Client,
    /// Who calls.
    pub caller: Caller,
    /// What it can handle.
    pub caps: Vec<String>,
    /// When it came in, in milliseconds since 1970.
    pub since_ms: u64,
    /// What waits to be sent.
    pub outbox: Outbox,
    /// Requests that run.
    pub running: AtomicUsize,
}

/// A place among the running requests of a connection; given back when dropped.
#[derive(Debug)]
pub struct Running(std::sync::Arc<Connection>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Connection {
    /// Takes a place for a request; `None` when too many run.
    #[must_use]
    pub fn start(self: &std::sync::Arc<Self>) -> Option<Running> {
        let taken = self.running.fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| {
            (n < MAX_RUNNING).then(|| n.saturating_add(1))
        });
        taken.is_ok().then(|| Running(std::sync::Arc::clone(self)))
    }

    /// Sends a frame to this client alone.
    pub fn send(&self, frame: &Outgoing) {
        self.outbox.push(text_of(frame), Weight::Needed);
    }

    /// Sends a frame that is text already.
    pub fn send_text(&self, frame: String) {
        self.outbox.push(frame.into(), Weight::Needed);
    }

    /// Ends the connection.
    pub fn end(&self, ending: Ending) {
        self.outbox.end(ending);
    }

    /// Whether it may see what needs a scope.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.role == Role::Operator && self.scopes.satisfies(scope)
    }

    /// Who asks for a change of devices.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor { scopes: self.scopes.clone(), device: self.device.as_ref().map(|d| d.id.clone()) }
    }

    /// What the client is called: its display name, else its id.
    #[must_use]
    pub fn label(&self) -> &str {
        self.client.display_name.as_deref().filter(|n| !n.trim().is_empty()).unwrap_or(self.client.id.word())
    }
}

/// A frame as text.
#[must_use]
pub fn text_of<T: Serialize>(frame: &T) -> Utf8Bytes {
    serde_json::to_string(frame).unwrap_or_default().into()
}
