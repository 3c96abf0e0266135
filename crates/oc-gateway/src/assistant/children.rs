//! The sub-agents that run: whose they are, how many there may be, how they are stopped with the session above.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use oc_agent::turn::Abort;
use oc_policy::elevated::Turn;
use oc_types::Node;
use thiserror::Error;

/// Sub-agents that run at the same time, when `agents.defaults.subagents.maxConcurrent` is unset.
const MAX_CONCURRENT: usize = 8;
/// Of one session at the same time.
pub const OF_A_SESSION: usize = 5;
/// That a session starts without a message of a person in between.
pub const WITHOUT_A_PERSON: usize = 16;

/// Why no further one is started. The sentences are for the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TooMany {
    /// Of all sessions together.
    #[error("as many sub-agents run as may run at the same time; wait until one has finished")]
    Running,
    /// Of this session.
    #[error("five sub-agents of this session run already; wait until one has finished")]
    OfThis,
    /// Without a person.
    #[error(
        "this session has started sixteen sub-agents since a person wrote; report what there is and wait for an answer"
    )]
    WithoutAPerson,
}

#[derive(Debug, Default)]
struct State {
    /// By session.
    running: HashMap<String, Running>,
    /// Started since a person wrote, by session.
    since: HashMap<String, usize>,
}

#[derive(Clone, Debug)]
struct Running {
    /// Whose it is.
    above: String,
    /// Whether it was stopped with the session above.
    stopped: Arc<AtomicBool>,
    /// Ends its turn, begun or not.
    abort: Abort,
}

/// The sub-agents of a gateway.
#[derive(Debug, Default)]
pub struct Children(Mutex<State>);

/// A sub-agent that runs; it is none any more when this is dropped.
#[derive(Debug)]
pub struct Child {
    children: Arc<Children>,
    session: String,
    running: Running,
}

impl Child {
    /// Whether it was stopped with the session above.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.running.stopped.load(Ordering::Acquire)
    }

    /// What ends its turn, whether it has begun or still waits.
    #[must_use]
    pub fn abort(&self) -> &Abort {
        &self.running.abort
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.children.held().running.remove(&self.session);
    }
}

impl Children {
    fn held(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more of a session.
    ///
    /// # Errors
    /// See [`TooMany`].
    pub fn begin(
        self: &Arc<Self>,
        config: &Node,
        above: &str,
        turn: Turn,
        session: &str,
    ) -> Result<Child, TooMany> {
        let set =
            config.path(&["agents", "defaults", "subagents", "maxConcurrent"]).and_then(Node::as_number);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of a float saturates"
        )]
        let most = set.map_or(MAX_CONCURRENT, |n| n as usize);
        let mut state = self.held();
        if turn == Turn::Person {
            state.since.remove(above);
        }
        if state.running.len() >= most {
            return Err(TooMany::Running);
        }
        if state.running.values().filter(|r| r.above == above).count() >= OF_A_SESSION {
            return Err(TooMany::OfThis);
        }
        let since = state.since.entry(above.to_owned()).or_default();
        if *since >= WITHOUT_A_PERSON {
            return Err(TooMany::WithoutAPerson);
        }
        *since += 1;
        let running = Running { above: above.to_owned(), stopped: Arc::default(), abort: Abort::new() };
        state.running.insert(session.to_owned(), running.clone());
        Ok(Child { children: Arc::clone(self), session: session.to_owned(), running })
    }

    /// Stops the sub-agents of a session, also those whose turn has not begun; their sessions.
    #[must_use]
    pub fn stop_of(&self, above: &str) -> Vec<String> {
        let state = self.held();
        let of = state.running.iter().filter(|(_, r)| r.above == above);
        of.map(|(session, running)| {
            running.stopped.store(true, Ordering::Release);
            running.abort.stop();
            session.clone()
        })
        .collect()
    }

    /// Ends the turn of a sub-agent; the session above hears of it. `true` when there is one in this session.
    pub fn abort(&self, session: &str) -> bool {
        let state = self.held();
        let found = state.running.get(session);
        if let Some(running) = found {
            running.abort.stop();
        }
        found.is_some()
    }
}

#[cfg(test)]
mod tests {
    use oc_types::Origin;
    use serde_json::json;

    use super::*;

    fn config(most: usize) -> Node {
        let value = json!({ "agents": { "defaults": { "subagents": { "maxConcurrent": most } } } });
        Node::from_json(&value, &Origin::Default)
    }

    #[test]
    fn so_many_run_and_no_more() {
        let children = Arc::new(Children::default());
        let begin = |above: &str, n: usize| {
            children.begin(&config(7), above, Turn::InterSession, &format!("{above}-{n}"))
        };
        let mut kept: Vec<Child> = (0..OF_A_SESSION).map(|n| begin("a", n).unwrap()).collect();
        assert_eq!(begin("a", 9).unwrap_err(), TooMany::OfThis);
        kept.push(begin("b", 1).unwrap());
        kept.push(begin("b", 2).unwrap());
        assert_eq!(begin("b", 3).unwrap_err(), TooMany::Running);
        kept.clear();
        assert!(begin("b", 4).is_ok());
    }

    #[test]
    fn a_session_does_not_start_them_without_end_on_its_own() {
        let children = Arc::new(Children::default());
        let begin = |turn: Turn, n: usize| children.begin(&config(9), "a", turn, &format!("c{n}"));
        for n in 0..WITHOUT_A_PERSON {
            drop(begin(Turn::InterSession, n).unwrap());
        }
        assert_eq!(begin(Turn::InterSession, 99).unwrap_err(), TooMany::WithoutAPerson);
        assert!(begin(Turn::Person, 100).is_ok(), "a person wrote");
        assert!(begin(Turn::InterSession, 101).is_ok());
    }

    #[test]
    fn those_of_a_session_are_stopped_with_it() {
        let children = Arc::new(Children::default());
        let one = children.begin(&config(9), "a", Turn::Person, "c1").unwrap();
        let other = children.begin(&config(9), "b", Turn::Person, "c2").unwrap();
        assert_eq!(children.stop_of("a"), ["c1"]);
        assert!(one.is_stopped() && !other.is_stopped());
        assert!(one.abort().is_stopped() && !other.abort().is_stopped());
        drop(one);
        assert!(children.stop_of("a").is_empty());
        assert!(children.abort("c2") && !children.abort("c1"));
        assert!(other.abort().is_stopped() && !other.is_stopped(), "the one above is told");
    }
}
