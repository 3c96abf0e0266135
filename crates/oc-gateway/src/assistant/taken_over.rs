//! Calls that go on after their turn: how they end with their session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use oc_agent::turn::Abort;

#[derive(Debug, Default)]
struct State {
    number: u64,
    /// Session and how it is stopped, by number.
    calls: HashMap<u64, (String, Abort)>,
}

/// The calls of a gateway that go on after their turn.
#[derive(Debug, Default)]
pub struct TakenOver(Mutex<State>);

/// A call that goes on; it is none any more when this is dropped.
#[derive(Debug)]
pub struct Taken {
    all: Arc<TakenOver>,
    number: u64,
    abort: Abort,
}

impl Taken {
    /// Returns when its session ends.
    pub async fn stopped(&self) {
        self.abort.stopped().await;
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.all.held().calls.remove(&self.number);
    }
}

impl TakenOver {
    fn held(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more of a session.
    #[must_use]
    pub fn begin(self: &Arc<Self>, session: &str) -> Taken {
        let abort = Abort::new();
        let mut state = self.held();
        state.number = state.number.wrapping_add(1);
        let number = state.number;
        state.calls.insert(number, (session.to_owned(), abort.clone()));
        Taken { all: Arc::clone(self), number, abort }
    }

    /// Ends those of a session. `true` when there are some.
    pub fn stop_of(&self, session: &str) -> bool {
        let state = self.held();
        let mut found = false;
        for (_, abort) in state.calls.values().filter(|(of, _)| of == session) {
            abort.stop();
            found = true;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn those_of_a_session_end_and_no_others() {
        let all = Arc::new(TakenOver::default());
        let (one, two, other) = (all.begin("a"), all.begin("a"), all.begin("b"));
        assert!(all.stop_of("a") && !all.stop_of("c"));
        one.stopped().await;
        two.stopped().await;
        assert!(!other.abort.is_stopped());
        drop((one, two));
        assert!(!all.stop_of("a"), "they are over");
        assert!(all.stop_of("b"));
    }
}
