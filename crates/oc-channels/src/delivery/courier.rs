//! Sends messages: in order to each destination, with retries, out of accounts that are in use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use arc_swap::ArcSwap;
use oc_types::{ChannelId, KeyPath};

use super::retry::{Then, after};
use super::{DeliveryFailure, plain};
use crate::adapter::{Adapter, Destination, Outgoing, Sent};
use crate::inbox::Route;
use crate::rules::Rules;

type Account = (ChannelId, String);
type Order = tokio::sync::Mutex<()>;

/// Sends messages.
#[derive(Debug)]
pub struct Courier {
    rules: Arc<ArcSwap<Rules>>,
    adapters: RwLock<HashMap<Account, Arc<dyn Adapter>>>,
    orders: Mutex<HashMap<(Account, Destination), Weak<Order>>>,
}

impl Courier {
    /// A courier without adapters.
    #[must_use]
    pub fn new(rules: Arc<ArcSwap<Rules>>) -> Self {
        Self { rules, adapters: RwLock::default(), orders: Mutex::default() }
    }

    /// Adds the adapter of an account, or replaces it.
    pub fn add(&self, adapter: Arc<dyn Adapter>) {
        let key = (adapter.channel().clone(), adapter.account().to_owned());
        self.adapters.write().unwrap_or_else(PoisonError::into_inner).insert(key, adapter);
    }

    /// Removes the adapter of an account.
    pub fn remove(&self, channel: &ChannelId, account: &str) {
        let key = (channel.clone(), account.to_owned());
        self.adapters.write().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }

    /// The adapter of an account that is in use.
    ///
    /// # Errors
    /// [`DeliveryFailure::NotInUse`] (SP-423).
    pub fn adapter(&self, channel: &ChannelId, account: &str) -> Result<Arc<dyn Adapter>, DeliveryFailure> {
        let refuse =
            |key| DeliveryFailure::NotInUse { channel: channel.clone(), account: account.to_owned(), key };
        if let Some(key) = self.rules.load().out_of_use(channel, account) {
            return Err(refuse(key));
        }
        let adapters = self.adapters.read().unwrap_or_else(PoisonError::into_inner);
        let found = adapters.get(&(channel.clone(), account.to_owned())).cloned();
        found.ok_or_else(|| refuse(KeyPath::dotted("channels").key(channel.as_str())))
    }

    /// The turn of a destination: messages to it are sent one after the other, in the order in which this was asked for.
    #[must_use]
    pub fn order(&self, route: &Route) -> Arc<Order> {
        // Threads of a conversation do not wait for each other.
        let to = Destination { reply_to: None, ..route.to.clone() };
        let key = ((route.channel.clone(), route.account.clone()), to);
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(order) = orders.get(&key).and_then(Weak::upgrade) {
            return order;
        }
        if orders.len() >= 1024 {
            orders.retain(|_, order| order.strong_count() > 0);
        }
        let order = Arc::new(Order::new(()));
        orders.insert(key, Arc::downgrade(&order));
        order
    }

    /// Sends one message; the caller holds the [`Courier::order`] of its destination.
    ///
    /// # Errors
    /// [`DeliveryFailure`], after all attempts.
    pub async fn send(&self, route: &Route, message: &Outgoing, key: &str) -> Result<Sent, DeliveryFailure> {
        let mut attempt = 1;
        let mut stripped: Option<Outgoing> = None;
        loop {
            // Asked each time: an account may be switched off while a message waits.
            let adapter = self.adapter(&route.channel, &route.account)?;
            let outgoing = stripped.as_ref().unwrap_or(message);
            let failure = match adapter.send_keyed(&route.to, outgoing, key).await {
                Ok(sent) => return Ok(sent),
                Err(failure) => failure,
            };
            match after(route.channel.as_str(), &failure, attempt, stripped.is_some(), jitter()) {
                Then::Again(pause) => {
                    attempt += 1;
                    tokio::time::sleep(pause).await;
                }
                Then::Plain => {
                    stripped = Some(Outgoing { text: plain(&message.text), ..message.clone() });
                }
                Then::GiveUp => return Err(failure.into()),
            }
        }
    }
}

/// Between 0 and 1. Spreads retries; nothing depends on it being unpredictable.
fn jitter() -> f64 {
    let nanos = jiff::Timestamp::now().subsec_nanosecond().unsigned_abs();
    f64::from(nanos % 1000) / 999.0
}
