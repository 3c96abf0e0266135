//! Runs the adapters: connects again after a loss, stops when trying does not help, and says how each account stands.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use oc_types::ChannelId;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::adapter::{Adapter, AdapterFailure, Door};
use crate::clock::Clock;
use crate::ingress::Ingress;

#[cfg(test)]
mod tests;

/// Pauses between attempts.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// A connection that lasted so long ends a series of failures.
const STEADY: Duration = Duration::from_secs(60);

/// How an account stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It connects for the first time.
    Starting,
    /// It is connected; or its webhook is served.
    Running,
    /// It lost its connection and tries again.
    Waiting {
        /// Why.
        why: String,
        /// Attempts since it was last steady.
        attempt: u32,
        /// The pause before the next, milliseconds.
        pause_ms: u64,
    },
    /// It does not try again: the credential or the settings have to be corrected.
    Stopped {
        /// Why, with the key.
        why: String,
    },
    /// It is switched off.
    Off {
        /// The key that says so.
        key: String,
    },
}

impl Standing {
    /// The stable word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Waiting { .. } => "waiting",
            Self::Stopped { .. } => "stopped",
            Self::Off { .. } => "off",
        }
    }
}

/// What is known of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountStatus {
    /// The channel.
    pub channel: ChannelId,
    /// The account.
    pub account: String,
    /// How it stands.
    pub standing: Standing,
    /// Who it is at the service.
    pub own: Option<crate::adapter::SelfIdentity>,
    /// Since when, Unix milliseconds.
    pub since_ms: i64,
    /// When an event last came, Unix milliseconds.
    pub last_event_ms: Option<i64>,
}

/// What follows the end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// Connect again after this.
    Again(Duration),
    /// Stop.
    Stop,
}

/// Counts failures and chooses pauses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Attempts since it was last steady.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// A connection ended after it had lasted so long.
    pub fn ended(&mut self, failure: &AdapterFailure, lasted: Duration) -> Afterwards {
        if lasted >= STEADY {
            self.failures = 0;
        }
        self.failures = self.failures.saturating_add(1);
        let doubled = FIRST_PAUSE.saturating_mul(1 << (self.failures - 1).min(16)).min(LONGEST_PAUSE);
        match failure {
            AdapterFailure::Credential { .. } | AdapterFailure::Settings { .. } => Afterwards::Stop,
            AdapterFailure::RateLimited { after, .. } => {
                Afterwards::Again(doubled.max((*after).min(Duration::from_secs(3600))))
            }
            // Somebody else has the connection: two that take it from each other help nobody.
            AdapterFailure::Conflict { .. } => Afterwards::Again(doubled.max(Duration::from_secs(30))),
            AdapterFailure::Formatting { .. }
            | AdapterFailure::Unavailable { .. }
            | AdapterFailure::Refused { .. } => Afterwards::Again(doubled),
        }
    }
}

type Key = (ChannelId, String);

#[derive(Debug)]
struct Account {
    status: AccountStatus,
    task: Option<JoinHandle<()>>,
    retry: Arc<Notify>,
}

/// Runs the adapters of a gateway.
#[derive(Clone)]
pub struct Supervisor {
    ingress: Ingress,
    clock: Arc<dyn Clock>,
    accounts: Arc<Mutex<BTreeMap<Key, Account>>>,
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor").field("accounts", &self.status()).finish_non_exhaustive()
    }
}

impl Supervisor {
    /// Runs nothing yet.
    #[must_use]
    pub fn new(ingress: Ingress, clock: Arc<dyn Clock>) -> Self {
        Self { ingress, clock, accounts: Arc::default() }
    }

    /// How each account stands.
    #[must_use]
    pub fn status(&self) -> Vec<AccountStatus> {
        self.lock().values().map(|a| a.status.clone()).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an account that is not run: switched off, or not usable as configured.
    pub fn note(&self, channel: &ChannelId, account: &str, standing: Standing) {
        self.end(channel, account);
        let status = self.fresh(channel, account, standing);
        let entry = Account { status, task: None, retry: Arc::default() };
        self.lock().insert((channel.clone(), account.to_owned()), entry);
    }

    fn fresh(&self, channel: &ChannelId, account: &str, standing: Standing) -> AccountStatus {
        AccountStatus {
            channel: channel.clone(),
            account: account.to_owned(),
            standing,
            own: None,
            since_ms: self.clock.now_ms(),
            last_event_ms: None,
        }
    }

    /// Adds accounts to the ingress without receiving, so that [`Ingress::recover`] can answer through them.
    pub fn prepare(&self, adapters: &[Arc<dyn Adapter>]) {
        for adapter in adapters {
            let _ = self.ingress.add(adapter);
        }
    }

    /// Runs an adapter until [`Supervisor::end`]; one that runs for the same account is ended first.
    pub fn start(&self, adapter: Arc<dyn Adapter>) {
        let (channel, account) = (adapter.channel().clone(), adapter.account().to_owned());
        self.end(&channel, &account);
        let door = self.ingress.add(&adapter);
        let retry = Arc::new(Notify::new());
        let status = self.fresh(&channel, &account, Standing::Starting);
        let key = (channel, account);
        let entry = Account { status, task: None, retry: Arc::clone(&retry) };
        self.lock().insert(key.clone(), entry);
        let task = tokio::spawn(keep_running(self.clone(), key.clone(), adapter, door, retry));
        if let Some(entry) = self.lock().get_mut(&key) {
            entry.task = Some(task);
        }
    }

    /// Ends an account: nothing comes in and nothing goes out of it from now on (SP-423).
    pub fn end(&self, channel: &ChannelId, account: &str) {
        let entry = self.lock().remove(&(channel.clone(), account.to_owned()));
        if let Some(task) = entry.and_then(|e| e.task) {
            task.abort();
        }
        self.ingress.remove(channel, account);
    }

    /// Tries a waiting or stopped account again now.
    pub fn retry(&self, channel: &ChannelId, account: &str) {
        if let Some(entry) = self.lock().get(&(channel.clone(), account.to_owned())) {
            entry.retry.notify_one();
        }
    }

    fn set(&self, key: &Key, change: impl FnOnce(&mut AccountStatus)) {
        let now = self.clock.now_ms();
        if let Some(entry) = self.lock().get_mut(key) {
            let before = entry.status.standing.word();
            change(&mut entry.status);
            if entry.status.standing.word() != before {
                entry.status.since_ms = now;
            }
        }
    }
}

async fn keep_running(
    supervisor: Supervisor,
    key: Key,
    adapter: Arc<dyn Adapter>,
    door: Arc<dyn Door>,
    retry: Arc<Notify>,
) {
    let door = Watched { inner: door, supervisor: supervisor.clone(), key: key.clone() };
    let mut backoff = Backoff::default();
    loop {
        let begun = tokio::time::Instant::now();
        let failure = match adapter.who().await {
            Ok(own) => {
                supervisor.ingress.introduce(&key.0, &key.1, own.clone());
                supervisor.set(&key, |s| {
                    s.own = Some(own);
                    s.standing = Standing::Running;
                });
                adapter.receive(&door).await
            }
            Err(failure) => failure,
        };
        match backoff.ended(&failure, begun.elapsed()) {
            Afterwards::Stop => {
                supervisor.set(&key, |s| s.standing = Standing::Stopped { why: failure.to_string() });
                retry.notified().await;
            }
            Afterwards::Again(pause) => {
                let standing = Standing::Waiting {
                    why: failure.to_string(),
                    attempt: backoff.failures(),
                    pause_ms: u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                };
                supervisor.set(&key, |s| s.standing = standing);
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = retry.notified() => {}
                }
            }
        }
    }
}

/// Notes when events come.
#[derive(Debug)]
struct Watched {
    inner: Arc<dyn Door>,
    supervisor: Supervisor,
    key: Key,
}

impl Door for Watched {
    fn offer(&self, event: crate::adapter::Event) -> crate::adapter::Pending<'_, crate::adapter::Taken> {
        let now = self.supervisor.clock.now_ms();
        self.supervisor.set(&self.key, |s| s.last_event_ms = Some(now));
        self.inner.offer(event)
    }
}
