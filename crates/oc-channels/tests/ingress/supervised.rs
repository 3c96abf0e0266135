//! Accounts that are run: connected again, stopped, switched off.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oc_channels::adapter::{
    Adapter, AdapterFailure, Attachment, Destination, Door, Features, Outgoing, Pending, SelfIdentity, Sent,
};
use oc_channels::supervisor::{Standing, Supervisor};
use oc_types::ChannelId;
use serde_json::json;

use super::doubles::*;

/// A service whose connections end as told, and then last.
#[derive(Debug)]
struct Flaky {
    channel: ChannelId,
    ends: Mutex<VecDeque<AdapterFailure>>,
    connected: Counter,
}

impl Adapter for Flaky {
    fn channel(&self) -> &ChannelId {
        &self.channel
    }
    fn account(&self) -> &str {
        "default"
    }
    fn features(&self) -> Features {
        Features::default()
    }
    fn who(&self) -> Pending<'_, Result<SelfIdentity, AdapterFailure>> {
        Box::pin(async { Ok(SelfIdentity { id: "me".to_owned(), username: None }) })
    }
    fn receive<'a>(&'a self, door: &'a dyn Door) -> Pending<'a, AdapterFailure> {
        Box::pin(async move {
            self.connected.add();
            let n = self.connected.get();
            door.offer(direct("telegram", &n.to_string(), "1", "hello")).await;
            let end = self.ends.lock().unwrap().pop_front();
            match end {
                Some(failure) => failure,
                None => std::future::pending().await,
            }
        })
    }
    fn send<'a>(&'a self, _: &'a Destination, _: &'a Outgoing) -> Pending<'a, Result<Sent, AdapterFailure>> {
        Box::pin(async { Ok(Sent { id: None }) })
    }
    fn fetch<'a>(&'a self, _: &'a Attachment, _: u64) -> Pending<'a, Result<Vec<u8>, AdapterFailure>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

fn flaky(ends: Vec<AdapterFailure>) -> Arc<Flaky> {
    let channel = ChannelId::parse("telegram").unwrap();
    Arc::new(Flaky { channel, ends: Mutex::new(ends.into()), connected: Counter::default() })
}

async fn until(supervisor: &Supervisor, word: &str) -> Standing {
    let wait = async {
        loop {
            let standing = supervisor.status()[0].standing.clone();
            if standing.word() == word {
                return standing;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap()
}

#[tokio::test]
async fn a_lost_connection_is_made_again_and_a_refused_credential_is_not() {
    let w = world(json!({ "channels": { "telegram": { "allowFrom": ["1"] } } }));
    let supervisor = Supervisor::new(w.ingress.clone(), w.clock.clone());
    let gone = AdapterFailure::Unavailable { service: "telegram", why: "reset".to_owned() };
    let refused = AdapterFailure::Credential {
        service: "telegram",
        key: "channels.telegram.botToken".to_owned(),
        why: "401".to_owned(),
    };
    let adapter = flaky(vec![gone, refused]);
    supervisor.start(adapter.clone());
    let Standing::Waiting { why, attempt, pause_ms } = until(&supervisor, "waiting").await else { panic!() };
    assert_eq!((why.as_str(), attempt, pause_ms), ("telegram: reset", 1, 1000));
    // A person can have it tried at once.
    supervisor.retry(&adapter.channel, "default");
    let Standing::Stopped { why } = until(&supervisor, "stopped").await else { panic!() };
    assert_eq!(why, "telegram refuses the credential at channels.telegram.botToken: 401");
    assert_eq!(adapter.connected.get(), 2);
    supervisor.retry(&adapter.channel, "default");
    until(&supervisor, "running").await;
    adapter.connected.reach(3).await;
    let status = supervisor.status();
    assert_eq!(status[0].own.as_ref().unwrap().id, "me");
    assert_eq!(status[0].last_event_ms, Some(NOW));
    w.turns.begun.reach(3).await;
    w.idle().await;
    assert_eq!(w.turns.begun.get(), 3);
}

#[tokio::test]
async fn sp_423_an_account_that_is_ended_sends_nothing_more() {
    let w = world(json!({ "channels": { "telegram": { "allowFrom": ["1"] } } }));
    let supervisor = Supervisor::new(w.ingress.clone(), w.clock.clone());
    let adapter = flaky(Vec::new());
    supervisor.start(adapter.clone());
    adapter.connected.reach(1).await;
    w.idle().await;
    let key = "channels.telegram.enabled".to_owned();
    supervisor.note(&adapter.channel, "default", Standing::Off { key });
    assert_eq!(supervisor.status()[0].standing.word(), "off");
    let route = oc_channels::inbox::Route {
        channel: adapter.channel.clone(),
        account: "default".to_owned(),
        to: direct("telegram", "x", "1", "").reply,
    };
    assert!(w.ingress.say(&route, &oc_channels::turn::Reply::text("hello")).await.is_err());
}
