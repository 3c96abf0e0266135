//! From an event to a turn: one door for every account and every kind of event (design 3, channels 1).
//!
//! Order: shape of the event, duplicates, the access decision, and only then anything that has an effect: the pairing reply, the pending
//! history, a command, the journal, the queue. A message that waited is decided again, under the configuration in force, before its turn
//! begins.
//!
//! Invariant: nothing but the capped pairing reply happens for a message that was not admitted (SP-400).
//! Invariant: an event is acknowledged when it is on the disk or dropped for good (`inbox`).

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};

use arc_swap::ArcSwap;
use oc_policy::access::{Decision, Reason};
use oc_policy::session_key::SessionKey;
use oc_types::ChannelId;
use tokio::sync::{Notify, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use crate::adapter::{Adapter, Door, Event, Pending, SelfIdentity, Sent, Taken};
use crate::approval_door::ApprovalDoor;
use crate::approval_prompt::ApprovalPrompt;
use crate::chat_command::CommandDesk;
use crate::clock::Clock;
use crate::delivery::{Courier, DeliveryFailure};
use crate::inbox::{Inbox, Recovered, Route};
use crate::lane::{Item, Lanes, Work};
use crate::pairing_desk::PairingDesk;
use crate::payload::Mint;
use crate::rules::Rules;
use crate::session_settings::SessionSettings;
use crate::turn::{Authority, Reply, Turns};

mod deliver;
mod gate;
pub mod history;
pub mod notices;
mod offer;
mod recover;
mod run;
pub mod seen;
mod words;

pub use gate::authority_of;
pub use offer::Reading;
pub use words::pairing_reply;

/// Longest text that is read, in bytes; of a longer one the beginning decides, and its sender is told if they may talk at all.
pub const LONGEST_TEXT: usize = 256 * 1024;
/// Most files of one message.
pub const MOST_FILES: usize = 32;

/// Why an event reaches nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// It has no usable id.
    BlankId,
    /// It came before.
    Duplicate,
    /// It names another channel or account than the adapter that brought it.
    WrongAccount,
    /// In a room: it wants to be answered elsewhere.
    WrongDestination,
    /// There is nothing in it.
    Empty,
    /// A button that does nothing here and now.
    Button,
    /// The access rules.
    Access(Reason),
}

impl DropReason {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::BlankId => "blank_id",
            Self::Duplicate => "duplicate",
            Self::WrongAccount => "wrong_account",
            Self::WrongDestination => "wrong_destination",
            Self::Empty => "empty",
            Self::Button => "button",
            Self::Access(reason) => reason.word(),
        }
    }
}

/// What became of an event, for the ledger and for counting. Texts, names and codes are not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened<'a> {
    /// It was dropped.
    Dropped(DropReason),
    /// A stranger asked to be let in; `created`: a code was made and sent.
    Pairing {
        /// Whether a request was made.
        created: bool,
    },
    /// It is kept as context.
    Kept,
    /// It goes to a session.
    Admitted {
        /// The session.
        session: &'a SessionKey,
        /// What its sender may do.
        authority: Authority,
    },
}

/// Watches. Called from the path of every event: it must not block.
pub trait Observer: fmt::Debug + Send + Sync {
    /// An event was decided. `decision` is missing when it did not come to that.
    fn decided(&self, event: &Event, what: Happened<'_>, decision: Option<&Decision>) {
        let _ = (event, what, decision);
    }
    /// A line for the log; rate-limited, printable, without secrets.
    fn line(&self, line: &str) {
        let _ = line;
    }
    /// Something could not be delivered or stored.
    fn failed(&self, line: &str) {
        let _ = line;
    }
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}

/// What an ingress is made of.
#[derive(Debug)]
pub struct Parts {
    /// The rules in force.
    pub rules: Rules,
    /// The folder of the pairing stores.
    pub credentials: PathBuf,
    /// The inbox, and what a former process left undone.
    pub inbox: (Inbox, Vec<Recovered>),
    /// The agent runtime.
    pub turns: Arc<dyn Turns>,
    /// Settings of sessions.
    pub settings: Arc<dyn SessionSettings>,
    /// The door of the approvals.
    pub approvals: Arc<dyn ApprovalDoor>,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// A turn that runs.
#[derive(Clone, Debug)]
struct Running {
    turn: u64,
    route: Route,
    entries: Vec<u64>,
    cancel: Arc<Notify>,
    /// Messages that were handed to it and that wait nowhere else.
    steered: Vec<Item>,
    /// Ids of messages that it has handed back.
    unread: Vec<String>,
}

#[derive(Debug)]
struct Core {
    rules: Arc<ArcSwap<Rules>>,
    pairing: PairingDesk,
    inbox: Inbox,
    instance: String,
    left: Mutex<Vec<Recovered>>,
    seen: Mutex<seen::Seen>,
    histories: Mutex<history::Histories>,
    notices: Mutex<notices::Notices>,
    mint: Mutex<Mint>,
    commands: CommandDesk,
    turns: Arc<dyn Turns>,
    courier: Arc<Courier>,
    observer: Arc<dyn Observer>,
    clock: Arc<dyn Clock>,
    lanes: Lanes,
    running: Mutex<HashMap<SessionKey, Running>>,
    permits: Mutex<(usize, Arc<Semaphore>)>,
    occupied: Mutex<HashMap<SessionKey, Weak<tokio::sync::Mutex<()>>>>,
    /// When a session was last told that its queue is full.
    told: Mutex<HashMap<SessionKey, i64>>,
    closing: AtomicBool,
    selves: RwLock<HashMap<(ChannelId, String), SelfIdentity>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The ingress of a gateway.
#[derive(Clone, Debug)]
pub struct Ingress {
    core: Arc<Core>,
}

impl Ingress {
    /// An ingress without adapters. Needs a tokio runtime.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let rules = Arc::new(ArcSwap::from_pointee(parts.rules));
        let most = rules.load().max_concurrent();
        let (inbox, left) = parts.inbox;
        let core = Core {
            pairing: PairingDesk::new(parts.credentials),
            instance: inbox.instance(),
            inbox,
            left: Mutex::new(left),
            seen: Mutex::default(),
            histories: Mutex::default(),
            notices: Mutex::default(),
            mint: Mutex::default(),
            commands: CommandDesk::new(parts.settings, parts.approvals),
            turns: parts.turns,
            courier: Arc::new(Courier::new(Arc::clone(&rules))),
            observer: parts.observer,
            lanes: Lanes::new(Arc::clone(&parts.clock)),
            clock: parts.clock,
            running: Mutex::default(),
            permits: Mutex::new((most, Arc::new(Semaphore::new(most)))),
            occupied: Mutex::default(),
            told: Mutex::default(),
            closing: AtomicBool::new(false),
            selves: RwLock::default(),
            rules,
        };
        Self { core: Arc::new(core) }
    }

    /// Puts other rules in force. Messages that wait are decided again by them, and a turn that runs for somebody whom they no longer admit
    /// is stopped.
    pub fn reload(&self, rules: Rules) {
        let most = rules.max_concurrent();
        self.core.rules.store(Arc::new(rules));
        let mut permits = locked(&self.core.permits);
        if permits.0 != most {
            *permits = (most, Arc::new(Semaphore::new(most)));
        }
        drop(permits);
        let core = Arc::clone(&self.core);
        tokio::spawn(async move { offer::recheck(&core).await });
    }

    /// Takes nothing any more: every event is to come again later. What runs goes on; what is not done is taken up by the next process.
    pub fn close(&self) {
        self.core.closing.store(true, Ordering::Release);
    }

    /// Adds an account: answers can be sent through its adapter from now on. Its events go into the door.
    #[must_use]
    pub fn add(&self, adapter: &Arc<dyn Adapter>) -> Arc<dyn Door> {
        self.core.courier.add(Arc::clone(adapter));
        Arc::new(AccountDoor {
            core: Arc::clone(&self.core),
            channel: adapter.channel().clone(),
            account: adapter.account().to_owned(),
        })
    }

    /// Removes an account.
    pub fn remove(&self, channel: &ChannelId, account: &str) {
        self.core.courier.remove(channel, account);
    }

    /// Says who an account is at its service: quotes of its own messages may be shown then.
    pub fn introduce(&self, channel: &ChannelId, account: &str, own: SelfIdentity) {
        let mut selves = self.core.selves.write().unwrap_or_else(PoisonError::into_inner);
        selves.insert((channel.clone(), account.to_owned()), own);
    }

    /// Takes up what a former process left undone. To be called once, after the accounts were added and before their adapters run.
    pub async fn recover(&self) {
        recover::all(&self.core).await;
    }

    /// The courier: for answers that do not come from a turn (`openclaw message send`, reminders).
    #[must_use]
    pub fn courier(&self) -> &Arc<Courier> {
        &self.core.courier
    }

    /// The inbox.
    #[must_use]
    pub fn inbox(&self) -> &Inbox {
        &self.core.inbox
    }

    /// Says something that answers no message: a follow-up to a prompt, a reminder, `openclaw message send`.
    ///
    /// # Errors
    /// [`DeliveryFailure`].
    pub async fn say(&self, route: &Route, reply: &Reply) -> Result<Vec<Sent>, DeliveryFailure> {
        self.core.say(route, reply, "said").await
    }

    /// Waits until no turn of a session runs and a turn may run at all, and keeps it so until the value is dropped: for turns that do not come
    /// from a channel (schedules, hooks, the gateway's own clients).
    pub async fn occupy(&self, session: &SessionKey) -> Occupied {
        self.core.occupy(session).await
    }

    /// Waits until no turn of a session runs, whatever runs elsewhere: for turns that have a limit of their own.
    pub async fn occupy_beside(&self, session: &SessionKey) -> Occupied {
        Occupied { session: self.core.alone_in(session).await, permit: None }
    }

    /// Sends a prompt to a conversation other than the turn's (`approvals.exec.targets`).
    ///
    /// # Errors
    /// [`DeliveryFailure`].
    pub async fn prompt(&self, route: &Route, prompt: &ApprovalPrompt) -> Result<(), DeliveryFailure> {
        run::send_prompt(&self.core, route, prompt).await.map(|_| ())
    }

    /// Stops the run of a session and forgets what waits in it. `true` when something ran.
    pub async fn stop(&self, session: &SessionKey, cause: crate::turn::StopCause) -> bool {
        offer::stop(&self.core, session, cause).await.0
    }

    /// Sessions that have something to do.
    #[must_use]
    pub fn busy(&self) -> usize {
        self.core.lanes.sessions()
    }
}

/// A session in which a turn runs, and its share of the turns that may run at the same time.
#[derive(Debug)]
pub struct Occupied {
    session: OwnedMutexGuard<()>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Occupied {
    /// The turn is over, its answer is yet to be delivered: others may run, but none of this session.
    #[must_use]
    pub fn delivering(self) -> OwnedMutexGuard<()> {
        drop(self.permit);
        self.session
    }
}

impl Core {
    async fn occupy(&self, session: &SessionKey) -> Occupied {
        let session = self.alone_in(session).await;
        let permits = Arc::clone(&locked(&self.permits).1);
        // It is never closed.
        let permit = permits.acquire_owned().await.ok();
        Occupied { session, permit }
    }

    async fn alone_in(&self, session: &SessionKey) -> OwnedMutexGuard<()> {
        let lock = {
            let mut occupied = locked(&self.occupied);
            match occupied.get(session).and_then(Weak::upgrade) {
                Some(lock) => lock,
                None => {
                    if occupied.len() >= 1024 {
                        occupied.retain(|_, lock| lock.strong_count() > 0);
                    }
                    let lock = Arc::new(tokio::sync::Mutex::new(()));
                    occupied.insert(session.clone(), Arc::downgrade(&lock));
                    lock
                }
            }
        };
        lock.lock_owned().await
    }

    fn now(&self) -> i64 {
        self.clock.now_ms()
    }

    fn work(self: &Arc<Self>) -> Arc<dyn Work> {
        Arc::clone(self) as Arc<dyn Work>
    }
}

/// The door of one account.
#[derive(Debug)]
struct AccountDoor {
    core: Arc<Core>,
    channel: ChannelId,
    account: String,
}

impl Door for AccountDoor {
    fn offer(&self, event: Event) -> Pending<'_, Taken> {
        Box::pin(offer::offer(&self.core, (&self.channel, &self.account), event))
    }
}
