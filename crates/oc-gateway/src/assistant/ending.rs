//! The end of what goes on in a session: `/stop`, `/new`, its reset, its deletion. Not the turn alone: commands in the background, calls that
//! outlived their turn, requests that wait for a person, sub-agents with all of theirs - whether or not a turn runs.

use std::sync::Arc;

use oc_policy::session_key::SessionKey;
use oc_sandbox::gate::{Caller, Surface};
use oc_types::AgentId;

use super::runtime::Stopped;
use crate::server::state::Gateway;

/// What was ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// A turn of the session, or one of its sub-agents.
    pub turn: bool,
    /// A command, or a request that waited.
    pub more: bool,
}

impl Ended {
    /// Whether there was anything.
    #[must_use]
    pub fn anything(self) -> bool {
        self.turn || self.more
    }
}

/// Ends what goes on in a session (`key`, in its one form). Works on the queue of approvals; not for the reactor.
pub fn end_session(gateway: &Gateway, agent: &AgentId, key: &str) -> Ended {
    // First whoever could start more.
    let stopped = stopped(gateway, key);
    ended(gateway, agent, key, &stopped)
}

/// The same from the reactor. What runs is told at once, before this is awaited for the rest.
pub async fn end_session_soon(gateway: &Arc<Gateway>, agent: AgentId, key: String) -> Ended {
    let stopped = stopped(gateway, &key);
    let turn = stopped.turn;
    let gateway = Arc::clone(gateway);
    let ending = tokio::task::spawn_blocking(move || ended(&gateway, &agent, &key, &stopped));
    ending.await.unwrap_or(Ended { turn, more: false })
}

fn stopped(gateway: &Gateway, key: &str) -> Stopped {
    gateway.assistant().map(|a| a.stop(key)).unwrap_or_default()
}

fn ended(gateway: &Gateway, agent: &AgentId, key: &str, stopped: &Stopped) -> Ended {
    let mut more = stopped.calls;
    for session in stopped.spawned.iter().map(String::as_str).chain([key]) {
        let own = SessionKey::parse(session).ok().and_then(|k| k.agent().cloned());
        let caller = Caller::of_session(Surface::Model, own.unwrap_or_else(|| agent.clone()), session);
        more |= gateway.gate.end_session_now(&caller);
    }
    Ended { turn: stopped.turn, more }
}
