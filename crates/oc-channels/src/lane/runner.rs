//! Runs the queues: one task for each session that has something to do.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use oc_policy::session_key::SessionKey;
use tokio::sync::Notify;

use super::LaneSettings;
use super::queue::{Item, Lane, Next, Pushed};
use crate::adapter::Pending;
use crate::clock::Clock;

/// What is done with the messages of a turn.
pub trait Work: fmt::Debug + Send + Sync {
    /// Runs the turn and delivers its answer.
    fn run(
        self: Arc<Self>,
        session: SessionKey,
        items: Vec<Item>,
        summarized: Vec<String>,
    ) -> Pending<'static, ()>;
    /// A run ended in a defect of the program.
    fn broke(self: Arc<Self>, session: SessionKey, items: Vec<Item>) -> Pending<'static, ()>;
}

#[derive(Debug)]
struct Slot {
    lane: Lane,
    settings: LaneSettings,
    wake: Arc<Notify>,
}

#[derive(Debug)]
struct Shared {
    slots: Mutex<HashMap<SessionKey, Slot>>,
    clock: Arc<dyn Clock>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionKey, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was taken out of a queue.
#[derive(Debug)]
pub struct Cleared {
    /// The messages that waited.
    pub items: Vec<Item>,
    /// Whether a turn runs.
    pub running: bool,
}

/// The queues of all sessions.
#[derive(Clone, Debug)]
pub struct Lanes {
    shared: Arc<Shared>,
}

impl Lanes {
    /// No queue yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { shared: Arc::new(Shared { slots: Mutex::new(HashMap::new()), clock }) }
    }

    /// Sessions that have something to do.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.shared.lock().len()
    }

    /// Whether a turn of the session runs.
    #[must_use]
    pub fn is_running(&self, session: &SessionKey) -> bool {
        self.shared.lock().get(session).is_some_and(|s| s.lane.is_running())
    }

    /// A message comes. A steered one does not wait yet; see [`Lanes::enqueue`].
    pub fn push(
        &self,
        session: &SessionKey,
        item: Item,
        settings: LaneSettings,
        work: &Arc<dyn Work>,
    ) -> Pushed {
        self.change(session, settings, work, |lane| lane.push(item, &settings))
    }

    /// Lets a message wait, whatever the mode.
    pub fn enqueue(
        &self,
        session: &SessionKey,
        item: Item,
        settings: LaneSettings,
        work: &Arc<dyn Work>,
    ) -> Pushed {
        self.change(session, settings, work, |lane| lane.enqueue(item, &settings))
    }

    /// Takes out what waits.
    #[must_use]
    pub fn clear(&self, session: &SessionKey) -> Cleared {
        let mut slots = self.shared.lock();
        match slots.get_mut(session) {
            Some(slot) => Cleared { items: slot.lane.clear(), running: slot.lane.is_running() },
            None => Cleared { items: Vec::new(), running: false },
        }
    }

    fn change(
        &self,
        session: &SessionKey,
        settings: LaneSettings,
        work: &Arc<dyn Work>,
        change: impl FnOnce(&mut Lane) -> Pushed,
    ) -> Pushed {
        let mut slots = self.shared.lock();
        if let Some(slot) = slots.get_mut(session) {
            slot.settings = settings;
            let pushed = change(&mut slot.lane);
            slot.wake.notify_one();
            return pushed;
        }
        let mut lane = Lane::default();
        let pushed = change(&mut lane);
        if !lane.is_empty() {
            let wake = Arc::new(Notify::new());
            slots.insert(session.clone(), Slot { lane, settings, wake: Arc::clone(&wake) });
            // The queues do not keep themselves alive.
            let shared = Arc::downgrade(&self.shared);
            tokio::spawn(drive(shared, session.clone(), wake, Arc::clone(work)));
        }
        pushed
    }
}

async fn drive(shared: Weak<Shared>, session: SessionKey, wake: Arc<Notify>, work: Arc<dyn Work>) {
    loop {
        let next = {
            let Some(shared) = shared.upgrade() else { return };
            let now = shared.clock.now_ms();
            let mut slots = shared.lock();
            let Some(slot) = slots.get_mut(&session) else { return };
            let next = slot.lane.next(now, &slot.settings);
            if matches!(next, Next::Idle) {
                // Under the lock, so that nothing comes in between.
                slots.remove(&session);
                return;
            }
            next
        };
        match next {
            Next::Idle => return,
            Next::Wait(ms) => {
                let pause = Duration::from_millis(u64::try_from(ms).unwrap_or(0));
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = wake.notified() => {}
                }
            }
            Next::Turn { items, summarized } => {
                let run = Arc::clone(&work).run(session.clone(), items.clone(), summarized);
                if tokio::spawn(run).await.is_err() {
                    Arc::clone(&work).broke(session.clone(), items).await;
                }
                let Some(shared) = shared.upgrade() else { return };
                if let Some(slot) = shared.lock().get_mut(&session) {
                    slot.lane.finished();
                }
            }
        }
    }
}
