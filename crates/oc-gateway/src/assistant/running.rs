//! The turns that run, by session: how they are stopped, and how messages get into them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use oc_agent::turn::Abort;
use oc_agent::turn::steering::Steering;

/// The turns that run.
#[derive(Debug, Default)]
pub struct RunningTurns(Mutex<HashMap<String, (Abort, Steering)>>);

impl RunningTurns {
    fn held(&self) -> MutexGuard<'_, HashMap<String, (Abort, Steering)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more, until the value is dropped.
    #[must_use]
    pub fn enter(&self, key: &str, abort: &Abort, steering: Steering) -> Entered<'_> {
        self.held().insert(key.to_owned(), (abort.clone(), steering));
        Entered { all: self, key: key.to_owned(), abort: abort.clone() }
    }

    /// Stops the one of a session. `true` when there is one.
    pub fn stop(&self, key: &str) -> bool {
        let all = self.held();
        let found = all.get(key);
        if let Some((abort, _)) = found {
            abort.stop();
        }
        found.is_some()
    }

    /// Whether one runs in a session.
    #[must_use]
    pub fn is_running(&self, key: &str) -> bool {
        self.held().contains_key(key)
    }

    /// The way into the one of a session.
    #[must_use]
    pub fn steering(&self, key: &str) -> Option<Steering> {
        self.held().get(key).map(|(_, steering)| steering.clone())
    }
}

/// A session while a turn of it runs.
#[derive(Debug)]
pub struct Entered<'a> {
    all: &'a RunningTurns,
    key: String,
    abort: Abort,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let mut all = self.all.held();
        // Another turn may have taken the place; it stays where it can be stopped.
        if all.get(&self.key).is_some_and(|(abort, _)| abort.is_same(&self.abort)) {
            all.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_that_is_over_takes_none_but_itself_away() {
        let all = RunningTurns::default();
        let (first, second) = (Abort::new(), Abort::new());
        let earlier = all.enter("a", &first, Steering::default());
        let later = all.enter("a", &second, Steering::default());
        drop(earlier);
        assert!(all.is_running("a"), "the later one still runs");
        assert!(all.stop("a") && second.is_stopped() && !first.is_stopped());
        drop(later);
        assert!(!all.is_running("a") && !all.stop("a"));
        assert!(all.steering("a").is_none());
    }
}
