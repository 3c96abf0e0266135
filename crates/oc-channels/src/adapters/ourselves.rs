//! Who a bot is, as its service told.

use std::sync::{PoisonError, RwLock};

use serde_json::Value;

use crate::adapter::SelfIdentity;
use crate::json::Members as _;

/// The identity of one account; empty before the service told it.
#[derive(Debug, Default)]
pub(super) struct Ourselves(RwLock<SelfIdentity>);

impl Ourselves {
    /// Takes it from what the service says of us, from `id` and `username`. `None`: it names no id, and nothing changes.
    pub(super) fn learn(&self, me: &Value) -> Option<SelfIdentity> {
        let own =
            SelfIdentity { id: me.text("id")?.to_owned(), username: me.text("username").map(str::to_owned) };
        self.0.write().unwrap_or_else(PoisonError::into_inner).clone_from(&own);
        Some(own)
    }

    /// What is known.
    pub(super) fn get(&self) -> SelfIdentity {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
