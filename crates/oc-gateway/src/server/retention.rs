//! `session.retention` by the clock: a while after the start, then once a day. Off unless the configuration says how long.

use std::sync::Arc;
use std::time::Duration;

use oc_fs::session_store::{Act, Kind, Pruned};

use super::state::{Gateway, stopping};
use crate::log::retention::{DAY, apply, configured};
use crate::methods::Place;

/// How long after the start the first removal is, in milliseconds: a start is a busy moment, and a gateway that starts over and over must not
/// do nothing else.
const FIRST_MS: u64 = 10 * 60_000;
/// How often the clock is looked at. It may have been set, and the machine may have slept.
const LOOK: Duration = Duration::from_secs(60);

/// When the next removal is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    next_ms: u64,
}

impl Schedule {
    /// Of a gateway that starts now (milliseconds since 1970).
    #[must_use]
    pub fn starting(now_ms: u64) -> Self {
        Self { next_ms: now_ms.saturating_add(FIRST_MS) }
    }

    /// Whether it is due; then the next one is a day from now. A clock that was set back does not put it off by more than a day.
    pub fn is_due(&mut self, now_ms: u64) -> bool {
        let due = now_ms >= self.next_ms;
        let tomorrow = now_ms.saturating_add(DAY);
        self.next_ms = if due { tomorrow } else { self.next_ms.min(tomorrow) };
        due
    }
}

/// Removes what is older than the configuration says; `None`: it keeps everything.
#[must_use]
pub fn once(place: &Place) -> Option<Pruned> {
    configured(&place.config).map(|age_ms| apply(place, age_ms, Act::Remove))
}

/// Runs until the gateway ends. `clock`: milliseconds since 1970.
pub async fn run(gateway: Arc<Gateway>, clock: fn() -> u64) {
    let mut phase = gateway.phase();
    let mut schedule = Schedule::starting(clock());
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = look.tick() => {}
            () = stopping(&mut phase) => return,
        }
        if !schedule.is_due(clock()) {
            continue;
        }
        // Under the snapshot of this moment: what was switched off meanwhile removes nothing.
        let place = Place { now_ms: clock(), ..gateway.snapshot().place() };
        match tokio::task::spawn_blocking(move || once(&place)).await {
            Ok(Some(pruned)) => tell(&pruned),
            Ok(None) => {}
            Err(e) => {
                tracing::error!(target: "gateway/retention", error = %e, "removing old sessions failed")
            }
        }
    }
}

/// What was removed, in the log: numbers, no names; and why something was not.
fn tell(pruned: &Pruned) {
    let count = |kind: Kind| pruned.removed.iter().filter(|r| r.kind == kind).count();
    let bytes: u64 = pruned.removed.iter().map(|r| r.bytes).sum();
    tracing::info!(
        target: "gateway/retention",
        sessions = count(Kind::Session), transcripts = count(Kind::Transcript), archives = count(Kind::Archive),
        copies = count(Kind::Backup), bytes, failed = pruned.failed.len(),
        "removed what is older than session.retention"
    );
    for why in &pruned.failed {
        tracing::warn!(target: "gateway/retention", why = %oc_text::visible(why, 400), "something old could not be removed");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::methods::transcripts::place;

    const START: u64 = 1_800_000_000_000;

    #[test]
    fn the_first_is_a_while_after_the_start_then_one_a_day_whatever_the_clock_does() {
        let mut schedule = Schedule::starting(START);
        assert!(!schedule.is_due(START) && !schedule.is_due(START + FIRST_MS - 1));
        assert!(schedule.is_due(START + FIRST_MS));
        assert!(!schedule.is_due(START + FIRST_MS) && !schedule.is_due(START + FIRST_MS + DAY - 1));
        // It slept for a week: once, not seven times.
        let late = START + 7 * DAY;
        assert!(schedule.is_due(late) && !schedule.is_due(late + 1));
        // Set back by a year: due within a day, not in a year.
        let back = late - 365 * DAY;
        assert!(!schedule.is_due(back) && schedule.is_due(back + DAY));
    }

    #[test]
    fn it_is_off_by_default_and_removes_what_is_older_by_the_given_clock() {
        let text = json!({
            "agent:main:old": {"sessionId": "old", "updatedAt": START - 31 * DAY},
            "agent:main:new": {"sessionId": "new", "updatedAt": START - 29 * DAY},
        });
        for (config, left) in [
            (json!({}), 2),
            (json!({"session": {"retention": "off"}}), 2),
            (json!({"session": {"retention": "30d"}}), 1),
        ] {
            let tmp = tempfile::tempdir().unwrap();
            let is_on = left == 1;
            let place = Place { now_ms: START, ..place(tmp.path(), config) };
            let store = place.store(&place.default_agent());
            std::fs::create_dir_all(store.folder()).unwrap();
            std::fs::write(store.path(), text.to_string()).unwrap();
            let pruned = once(&place);
            assert_eq!(pruned.is_some(), is_on);
            let names: Vec<String> = pruned.unwrap_or_default().removed.into_iter().map(|r| r.name).collect();
            assert_eq!(names, if is_on { vec!["agent:main:old"] } else { Vec::new() });
            assert_eq!(store.read().unwrap().len(), left);
        }
    }
}
