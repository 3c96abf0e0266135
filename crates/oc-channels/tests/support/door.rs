//! A door that writes down what comes through it.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use oc_channels::account::Setup;
use oc_channels::adapter::{Adapter, Destination, Door, Event, Outgoing, Pending, Taken};
use oc_channels::adapters::{Account, AccountState, accounts};
use oc_policy::inbound::ConversationId;
use oc_types::{Node, Origin};
use tokio::sync::Notify;

/// Longest wait of a test.
pub const LONG: Duration = Duration::from_secs(20);

/// The door.
#[derive(Debug, Default)]
pub struct TestDoor {
    events: Mutex<VecDeque<Event>>,
    refusals: Mutex<usize>,
    came: Notify,
}

impl TestDoor {
    /// The next so many events are to come again later.
    pub fn refuse(&self, count: usize) {
        *self.refusals.lock().unwrap() = count;
    }

    /// The next event.
    pub async fn next(&self) -> Event {
        tokio::time::timeout(LONG, async {
            loop {
                let came = self.came.notified();
                if let Some(e) = self.events.lock().unwrap().pop_front() {
                    return e;
                }
                came.await;
            }
        })
        .await
        .expect("no event came")
    }

    /// The next event of which something holds; others are passed over.
    pub async fn next_that(&self, holds: impl Fn(&Event) -> bool) -> Event {
        loop {
            let e = self.next().await;
            if holds(&e) {
                return e;
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.events.lock().unwrap().is_empty()
    }
}

impl Door for TestDoor {
    fn offer(&self, event: Event) -> Pending<'_, Taken> {
        Box::pin(async move {
            {
                let mut refusals = self.refusals.lock().unwrap();
                if *refusals > 0 {
                    *refusals -= 1;
                    return Taken::Later;
                }
            }
            self.events.lock().unwrap().push_back(event);
            self.came.notify_one();
            Taken::Done
        })
    }
}

/// The accounts of a configuration whose `channels` are these.
pub fn all(channels: &serde_json::Value, state_dir: &std::path::Path) -> Vec<Account> {
    let config = Node::from_json(&serde_json::json!({ "channels": channels }), &Origin::Default);
    accounts(Setup { config: &config, state_dir, workspaces: &[] })
}

/// The one account of a configuration.
pub fn one(channels: &serde_json::Value, state_dir: &std::path::Path) -> std::sync::Arc<dyn Adapter> {
    let mut found = all(channels, state_dir);
    assert_eq!(found.len(), 1);
    match found.remove(0).state {
        AccountState::Ready(adapter) => adapter,
        other => panic!("{other:?}"),
    }
}

pub fn to(conversation: &str) -> Destination {
    Destination { conversation: ConversationId::new(conversation), thread: None, reply_to: None }
}

pub fn text(text: &str) -> Outgoing {
    Outgoing { text: text.to_owned(), ..Outgoing::default() }
}

/// A future that has to end.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, future).await.expect("it did not end in time")
}
