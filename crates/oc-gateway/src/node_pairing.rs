//! The older list of paired nodes (`node.pair.*`), as a pure state machine over `nodes/pending.json` and `nodes/paired.json` (gateway 6).
//!
//! It names nodes by what they call themselves, without a key, so it opens nothing: who may connect as a node is decided by
//! [`crate::devices`]. It is kept because upstream's clients use it.
//!
//! Clock, ids and tokens are arguments. [`NodeStore`] keeps the files.

mod record;
mod store;
#[cfg(test)]
mod tests;

pub use record::{About, NodePending, PairedNode};
pub use store::NodeStore;

use indexmap::IndexMap;
use thiserror::Error;

use crate::authority::Scope;
use crate::devices::{Actor, MAX_PENDING, PENDING_TTL_MS};

/// Longest name that a node may be given, in characters.
const MAX_NAME: usize = 128;

/// Both files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodePairing {
    /// By request id, oldest first.
    pub pending: IndexMap<String, NodePending>,
    /// By node id.
    pub paired: IndexMap<String, PairedNode>,
}

/// Why a change was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NodePairingError {
    /// There is no such request or node.
    #[error(
        "there is no such pairing request or node; list them with `openclaw nodes pending` and `openclaw nodes status`"
    )]
    Unknown,
    /// The node's id is empty.
    #[error("nodeId must not be empty")]
    NoId,
    /// The new name is empty or too long.
    #[error("displayName must have 1 to {MAX_NAME} characters")]
    Name,
    /// The actor does not hold what it would give.
    #[error("this connection does not hold {0} itself, so it cannot give it")]
    Beyond(&'static str),
    /// Too many requests wait.
    #[error("{MAX_PENDING} pairing requests are waiting; answer some first")]
    Full,
}

impl NodePairing {
    /// Drops requests that nobody answered in time. Returns their ids.
    pub fn expire(&mut self, now_ms: u64) -> Vec<String> {
        let old = |p: &NodePending| now_ms.saturating_sub(p.ts) >= PENDING_TTL_MS;
        let gone: Vec<String> =
            self.pending.iter().filter(|(_, p)| old(p)).map(|(id, _)| id.clone()).collect();
        self.pending.retain(|_, p| !old(p));
        gone
    }

    /// Notes a request. A node has one at a time, and it stays as it was first made: nobody changes under the approver's eyes what is to be
    /// approved. Returns it and whether it is new.
    ///
    /// # Errors
    /// [`NodePairingError::NoId`], [`NodePairingError::Full`].
    pub fn request(
        &mut self,
        node_id: &str,
        about: About,
        new_id: String,
        now_ms: u64,
    ) -> Result<(NodePending, bool), NodePairingError> {
        let node_id = node_id.trim();
        if node_id.is_empty() {
            return Err(NodePairingError::NoId);
        }
        self.expire(now_ms);
        if let Some(waiting) = self.pending.values().find(|p| p.node_id == node_id) {
            return Ok((waiting.clone(), false));
        }
        if self.pending.len() >= MAX_PENDING {
            return Err(NodePairingError::Full);
        }
        let pending = NodePending {
            request_id: new_id.clone(),
            node_id: node_id.to_owned(),
            about,
            is_repair: self.paired.contains_key(node_id),
            ts: now_ms,
            other: serde_json::Map::new(),
        };
        self.pending.insert(new_id, pending.clone());
        Ok((pending, true))
    }

    /// Pairs the node of a request. `new_token`: 128 random bits or more. Administrators only, as for the role `node` of a device (SP-325).
    ///
    /// # Errors
    /// [`NodePairingError`].
    pub fn approve(
        &mut self,
        request_id: &str,
        actor: &Actor,
        new_token: String,
        now_ms: u64,
    ) -> Result<&PairedNode, NodePairingError> {
        self.expire(now_ms);
        if !self.pending.contains_key(request_id) {
            return Err(NodePairingError::Unknown);
        }
        holds(actor, Scope::Admin)?;
        let pending = self.pending.shift_remove(request_id).ok_or(NodePairingError::Unknown)?;
        let created = self.paired.get(&pending.node_id).map_or(now_ms, |old| old.created_at_ms);
        let node = PairedNode {
            node_id: pending.node_id.clone(),
            token: new_token,
            about: pending.about,
            created_at_ms: created,
            approved_at_ms: now_ms,
            last_connected_at_ms: None,
            other: serde_json::Map::new(),
        };
        let slot = self.paired.entry(pending.node_id).insert_entry(node);
        Ok(slot.into_mut())
    }

    /// Drops a request. Returns the node's id.
    ///
    /// # Errors
    /// [`NodePairingError::Unknown`], [`NodePairingError::Beyond`].
    pub fn reject(&mut self, request_id: &str, actor: &Actor) -> Result<String, NodePairingError> {
        if !self.pending.contains_key(request_id) {
            return Err(NodePairingError::Unknown);
        }
        holds(actor, Scope::Pairing)?;
        self.pending.shift_remove(request_id).map(|p| p.node_id).ok_or(NodePairingError::Unknown)
    }

    /// The node whose token a text is. `same` compares two texts in constant time.
    #[must_use]
    pub fn verify(
        &self,
        node_id: &str,
        shown: &str,
        same: impl Fn(&str, &str) -> bool,
    ) -> Option<&PairedNode> {
        let node = self.paired.get(node_id.trim())?;
        (same(&node.token, shown) && !node.token.is_empty()).then_some(node)
    }

    /// Gives a paired node another name.
    ///
    /// # Errors
    /// [`NodePairingError::Unknown`], [`NodePairingError::Name`].
    pub fn rename(&mut self, node_id: &str, name: &str) -> Result<&PairedNode, NodePairingError> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > MAX_NAME {
            return Err(NodePairingError::Name);
        }
        let node = self.paired.get_mut(node_id.trim()).ok_or(NodePairingError::Unknown)?;
        node.about.display_name = Some(name.to_owned());
        Ok(node)
    }

    /// Takes every node out, and drops what waits. Returns who was paired.
    pub fn unpair_all(&mut self) -> Vec<String> {
        self.pending.clear();
        std::mem::take(&mut self.paired).into_keys().collect()
    }

    /// Makes every token anew; whoever has an old one has to be paired again. `new_token`: 128 random bits or more each. Returns whose.
    ///
    /// # Errors
    /// `new_token`'s; the tokens before that one are new already.
    pub fn renew_all<E>(
        &mut self,
        mut new_token: impl FnMut() -> Result<String, E>,
    ) -> Result<Vec<String>, E> {
        for node in self.paired.values_mut() {
            node.token = new_token()?;
        }
        Ok(self.paired.keys().cloned().collect())
    }

    /// Puts nodes back that are gone since. Returns whom.
    pub fn put_back(&mut self, before: IndexMap<String, PairedNode>) -> Vec<String> {
        let mut back = Vec::new();
        for (id, node) in before {
            if !self.paired.contains_key(&id) {
                back.push(id.clone());
                self.paired.insert(id, node);
            }
        }
        back
    }

    /// Takes a node out; its token is dead. Whether there was one.
    pub fn unpair(&mut self, node_id: &str) -> bool {
        self.pending.retain(|_, p| p.node_id != node_id);
        self.paired.shift_remove(node_id).is_some()
    }
}

fn holds(actor: &Actor, scope: Scope) -> Result<(), NodePairingError> {
    if actor.scopes.satisfies(scope) { Ok(()) } else { Err(NodePairingError::Beyond(scope.word())) }
}
