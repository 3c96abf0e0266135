//! The client side of the gateway protocol: what `openclaw` itself, the probe of the audit and the node host connect with.
//!
//! * [`target`]: where to and with which credentials, from flags, environment and configuration (gateway 9).
//! * [`identity`]: the device key of this machine's user, and the proof it signs.
//! * [`Client`]: one connection: handshake, calls with their answers, events, an end with its reason.
//!
//! ```no_run
//! # async fn example(loaded: &oc_types::Node, state: &std::path::Path) -> Result<(), oc_gateway::client::ClientError> {
//! use oc_gateway::client::{Asked, Client, Options, Surroundings, target};
//! let around = Surroundings { state_dir: state, ..Surroundings::of(loaded) };
//! let target = target::resolve(&around, &Asked::default());
//! let client = Client::connect(&target, &Options::cli(state)).await?;
//! let health = client.call("health", serde_json::json!({})).await?;
//! client.close().await;
//! # let _ = health; Ok(()) }
//! ```
//!
//! Invariant: credentials go to the configured target only, never over plaintext to another machine (SP-353, SP-284), and a
//! device token only to the gateway that gave it. A pinned certificate is checked before a byte of the protocol is sent.
//! Invariant: every wait has a deadline, and no error or event text holds a credential of ours, whatever the other side echoes.

mod attempt;
mod dial;
mod driver;
mod failure;
mod handshake;
pub mod identity;
mod options;
pub mod target;
mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use driver::{Answered, Ended, Order, Waiter};
pub use failure::{ClientError, Closed, Place, Reason, Refusal};
pub use handshake::Hello;
pub use options::{Options, Profile};
pub use target::{Asked, Credentials, Pin, Scheme, Source, Surroundings, Target, TargetError};

/// Deadline of a connection and of a call unless asked otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// Shortest deadline.
pub const MIN_TIMEOUT: Duration = Duration::from_millis(250);
/// How many events wait for a reader. What comes while the queue is full is counted and dropped.
const EVENT_QUEUE: usize = 1024;
/// How many orders wait for the connection.
const ORDER_QUEUE: usize = 64;
/// How long a close in order may take.
const CLOSE_WAIT: Duration = Duration::from_millis(500);

/// Something the gateway told everybody or this client.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its name (`presence`, `exec.approval.requested`).
    pub name: String,
    /// Its data; `null` when it has none.
    pub payload: Value,
    /// Its number among all broadcasts.
    pub seq: Option<u64>,
}

/// An open connection. Dropping it ends the connection at once; [`Client::close`] says goodbye first.
///
/// Calls may be made from several tasks at once. It needs the tokio runtime it was made on.
#[derive(Debug)]
pub struct Client {
    orders: mpsc::Sender<Order>,
    events: Option<mpsc::Receiver<Event>>,
    hello: Hello,
    place: Place,
    timeout: Duration,
    next_id: AtomicU64,
    ended: Arc<Ended>,
    task: tokio::task::JoinHandle<()>,
}

impl Client {
    /// Connects and shakes hands. A stored device token of this gateway is tried first, then the shared secret; a device
    /// token that the gateway hands out is stored. At most `options.timeout` for each of the two.
    ///
    /// # Errors
    /// See [`Reason`]; nothing is sent when the target is refused.
    pub async fn connect(target: &Target, options: &Options) -> Result<Self, ClientError> {
        let place = Place::of(target);
        let at = |reason| ClientError::new(reason, place.clone());
        let (socket, hello, masks) = attempt::run(target, options).await.map_err(at)?;
        let (orders, orders_in) = mpsc::channel(ORDER_QUEUE);
        let (events_out, events) = mpsc::channel(EVENT_QUEUE);
        let ended = Arc::new(Ended::default());
        let tick = hello.tick();
        let task = tokio::spawn(driver::run(socket, orders_in, events_out, Arc::clone(&ended), masks, tick));
        Ok(Self {
            orders,
            events: Some(events),
            hello,
            place,
            timeout: options.timeout.max(MIN_TIMEOUT),
            next_id: AtomicU64::new(1),
            ended,
            task,
        })
    }

    /// What the gateway said about itself.
    #[must_use]
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Where this goes, for messages.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Calls a method and waits for its answer for the time of the options.
    ///
    /// # Errors
    /// [`Reason::Method`] when the gateway refuses; the others when the connection ends or nothing comes in time.
    pub async fn call(&self, method: &str, params: Value) -> Result<Value, ClientError> {
        self.ask(method, params, self.timeout, Answered::First).await
    }

    /// [`Client::call`] with its own deadline.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn call_within(
        &self,
        method: &str,
        params: Value,
        timeout: Duration,
    ) -> Result<Value, ClientError> {
        self.ask(method, params, timeout, Answered::First).await
    }

    /// Calls a method that first says it was accepted (`agent`), and waits for what came of it.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn call_to_the_end(
        &self,
        method: &str,
        params: Value,
        timeout: Duration,
    ) -> Result<Value, ClientError> {
        self.ask(method, params, timeout, Answered::Last).await
    }

    /// The events from now on; `None` when they were taken already. The receiver ends with the connection.
    #[must_use]
    pub fn take_events(&mut self) -> Option<mpsc::Receiver<Event>> {
        self.events.take()
    }

    /// How many events were dropped because nobody read them in time.
    #[must_use]
    pub fn missed_events(&self) -> u64 {
        self.ended.missed()
    }

    /// Why the connection is over; `None` while it is open.
    #[must_use]
    pub fn end(&self) -> Option<ClientError> {
        self.ended.reason().map(|reason| self.error(reason))
    }

    /// Says goodbye and waits for the end, briefly.
    pub async fn close(mut self) {
        drop(self.events.take());
        let asked = self.orders.send(Order::Close).await.is_ok();
        if asked {
            let _ = tokio::time::timeout(CLOSE_WAIT, &mut self.task).await;
        }
    }

    async fn ask(
        &self,
        method: &str,
        params: Value,
        timeout: Duration,
        answered: Answered,
    ) -> Result<Value, ClientError> {
        let timeout = timeout.max(MIN_TIMEOUT);
        let id = self.next_id.fetch_add(1, Ordering::Relaxed).to_string();
        let frame = serde_json::json!({"type": "req", "id": id, "method": method, "params": params});
        let (reply, got) = oneshot::channel();
        let waiter = Waiter { method: method.to_owned(), answered, reply };
        let order = Order::Call { id: id.clone(), frame: frame.to_string(), waiter };
        let exchange = async {
            if self.orders.send(order).await.is_err() {
                return Err(self.over());
            }
            got.await.unwrap_or_else(|_| Err(self.over()))
        };
        match tokio::time::timeout(timeout, exchange).await {
            Ok(outcome) => outcome.map_err(|reason| self.error(reason)),
            Err(_) => {
                // A late answer finds nobody; the connection itself may be fine.
                let _ = self.orders.try_send(Order::Forget(id));
                let waited = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
                Err(self.error(Reason::Timeout { what: method.to_owned(), waited_ms: waited }))
            }
        }
    }

    fn over(&self) -> Reason {
        self.ended.reason().unwrap_or(Reason::Gone)
    }

    fn error(&self, reason: Reason) -> ClientError {
        ClientError::new(reason, self.place.clone())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}
