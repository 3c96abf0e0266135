//! The chat accounts of a gateway: started with it, changed with its configuration, ended with it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use oc_channels::account::Setup;
use oc_channels::adapter::{Adapter, Door};
use oc_channels::adapters::{Account, AccountState, accounts};
use oc_channels::clock::SystemClock;
use oc_channels::inbox::Inbox;
use oc_channels::ingress::{Ingress, Parts};
use oc_channels::rules::Rules;
use oc_channels::supervisor::{AccountStatus, Standing, Supervisor};
use oc_channels::webhook_replay::Deliveries;
use oc_fs::ledger::Ledger;
use oc_types::ChannelId;
use thiserror::Error;

use super::approvers::QueueDoor;
use super::channel_turns::ChannelTurns;
use super::observer::{Digest, Recorder};
use super::runtime::Assistant;
use super::session_view::StoredSettings;
use crate::server::snapshot::Snapshot;
use crate::server::state::{Gateway, now_ms};

/// Why chats are not served. The gateway runs without them and says so.
#[derive(Debug, Error)]
pub enum NoChannels {
    /// The access rules.
    #[error("the access rules cannot be used: {0}")]
    Rules(String),
    /// The inbox.
    #[error(transparent)]
    Inbox(#[from] oc_channels::inbox::InboxFailure),
}

/// The chats of a gateway.
#[derive(Debug)]
pub struct Channels {
    ingress: Ingress,
    supervisor: Supervisor,
    /// What each running account was made from, so that a reload touches only what changed.
    made_from: Mutex<BTreeMap<(ChannelId, String), String>>,
    hooks: Mutex<BTreeMap<String, Hooked>>,
    /// What each path was brought; it outlives a change of the account's settings.
    deliveries: Mutex<BTreeMap<String, Deliveries>>,
}

/// An account that its service calls back.
#[derive(Clone, Debug)]
pub struct Hooked {
    /// What verifies and reads.
    pub adapter: Arc<dyn Adapter>,
    /// Where its events go.
    pub door: Arc<dyn Door>,
    /// What it was brought before.
    pub deliveries: Deliveries,
}

#[derive(Debug)]
struct InForce(std::sync::Weak<Gateway>);

impl Digest for InForce {
    fn digest(&self) -> String {
        self.0.upgrade().map(|g| g.gate.snapshot().digest().to_owned()).unwrap_or_default()
    }
}

impl Channels {
    /// Opens the inbox and starts the accounts of the snapshot.
    ///
    /// # Errors
    /// See [`NoChannels`].
    pub async fn start(gateway: &Arc<Gateway>, assistant: &Arc<Assistant>) -> Result<Self, NoChannels> {
        let snapshot = gateway.snapshot();
        let weak = Arc::downgrade(gateway);
        let path = Inbox::path_in(&gateway.state_dir);
        let now = i64::try_from(now_ms()).unwrap_or(i64::MAX);
        let inbox = tokio::task::spawn_blocking(move || Inbox::open(&path, now)).await;
        let inbox = inbox.map_err(|_| NoChannels::Rules("the inbox was not opened".to_owned()))??;
        let digest = Arc::new(InForce(weak.clone()));
        let clock = Arc::new(SystemClock);
        let ingress = Ingress::new(Parts {
            rules: rules(&snapshot)?,
            credentials: snapshot.locations.credentials.clone(),
            inbox,
            turns: Arc::new(ChannelTurns::new(Arc::clone(assistant))),
            settings: Arc::new(StoredSettings::new(weak.clone())),
            approvals: Arc::new(QueueDoor::new(weak)),
            observer: Arc::new(Recorder::start(Ledger::of(&gateway.state_dir), digest)),
            clock: clock.clone(),
        });
        let supervisor = Supervisor::new(ingress.clone(), clock);
        let channels = Self {
            ingress,
            supervisor,
            made_from: Mutex::default(),
            hooks: Mutex::default(),
            deliveries: Mutex::default(),
        };
        // What a former process left is answered before anything new comes in.
        let ready = prepared(&snapshot).into_iter().filter_map(|account| match account.state {
            AccountState::Ready(adapter) => Some(adapter),
            AccountState::Off(_) | AccountState::NotSetUp(_) | AccountState::Unusable(_) => None,
        });
        channels.supervisor.prepare(&ready.collect::<Vec<_>>());
        channels.ingress.recover().await;
        channels.apply(&snapshot);
        Ok(channels)
    }

    /// Puts a snapshot in force: other rules at once, accounts that changed are ended and started anew.
    pub fn reload(&self, snapshot: &Snapshot) {
        match rules(snapshot) {
            Ok(rules) => self.ingress.reload(rules),
            Err(e) => {
                tracing::error!(target: "channels", error = %e, "the chats stay under the former rules")
            }
        }
        self.apply(snapshot);
    }

    /// How the accounts stand.
    #[must_use]
    pub fn status(&self) -> Vec<AccountStatus> {
        self.supervisor.status()
    }

    /// The account whose service calls back at a path.
    #[must_use]
    pub fn hooked(&self, path: &str) -> Option<Hooked> {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    /// Takes the path of an account that is called back. A path has one owner: the first one.
    fn hook(&self, adapter: &Arc<dyn Adapter>) {
        let Some(webhook) = adapter.webhook() else { return };
        let mut hooks = self.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        let path = webhook.path().to_owned();
        if hooks.contains_key(&path) {
            tracing::error!(target: "channels", path, channel = %adapter.channel(), account = adapter.account(), "another account has this webhook path; give each its own");
            return;
        }
        let door = self.ingress.add(adapter);
        let mut known = self.deliveries.lock().unwrap_or_else(PoisonError::into_inner);
        let deliveries = known.entry(path.clone()).or_default().clone();
        hooks.insert(path, Hooked { adapter: Arc::clone(adapter), door, deliveries });
    }

    /// The ingress.
    #[must_use]
    pub fn ingress(&self) -> &Ingress {
        &self.ingress
    }

    fn apply(&self, snapshot: &Snapshot) {
        let mut wanted = BTreeMap::new();
        for account in prepared(snapshot) {
            let key = (account.channel.clone(), account.id.clone());
            // The whole section: a change of any key of a channel starts its accounts anew.
            let section = snapshot.tree.path(&["channels", account.channel.as_str()]);
            let text = section.map(|n| n.to_json().to_string()).unwrap_or_default();
            wanted.insert(key, (text, account.state));
        }
        let mut made_from = self.made_from.lock().unwrap_or_else(PoisonError::into_inner);
        let gone: Vec<_> = made_from
            .iter()
            .filter(|(key, text)| wanted.get(*key).is_none_or(|(now, _)| now != *text))
            .map(|(key, _)| key.clone())
            .collect();
        for key in gone {
            self.supervisor.end(&key.0, &key.1);
            let same = |h: &Hooked| *h.adapter.channel() == key.0 && h.adapter.account() == key.1;
            self.hooks.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, h| !same(h));
            made_from.remove(&key);
        }
        for (key, (text, state)) in wanted {
            if made_from.contains_key(&key) {
                continue;
            }
            match state {
                AccountState::Ready(adapter) => {
                    self.supervisor.start(Arc::clone(&adapter));
                    self.hook(&adapter);
                }
                AccountState::Off(path) => {
                    self.supervisor.note(&key.0, &key.1, Standing::Off { key: path.to_string() });
                }
                AccountState::NotSetUp(why) => {
                    tracing::info!(target: "channels", channel = %key.0, account = key.1, missing = %why, "the account is not set up");
                    self.supervisor.note(&key.0, &key.1, Standing::Stopped { why: why.to_string() });
                }
                AccountState::Unusable(why) => {
                    tracing::error!(target: "channels", channel = %key.0, account = key.1, error = %why, "the account cannot be started");
                    self.supervisor.note(&key.0, &key.1, Standing::Stopped { why: why.to_string() });
                }
            }
            made_from.insert(key, text);
        }
    }
}

/// The accounts of a snapshot.
fn prepared(snapshot: &Snapshot) -> Vec<Account> {
    let place = snapshot.place();
    let workspaces: Vec<_> = place.agents().iter().map(|a| place.workspace(a)).collect();
    let state_dir = &snapshot.locations.state_dir;
    accounts(Setup { config: &snapshot.tree, state_dir, workspaces: &workspaces })
}

fn rules(snapshot: &Snapshot) -> Result<Rules, NoChannels> {
    let first = |issues: Vec<oc_policy::access::AccessIssue>| {
        issues.first().map(|i| format!("{}: {}", i.path, i.message)).unwrap_or_default()
    };
    Rules::new(Arc::clone(&snapshot.tree)).map_err(|issues| NoChannels::Rules(first(issues)))
}
