//! Tools that only a proven owner gets, before any policy is asked (SP-116).

use crate::tool_name::{WHATSAPP_LOGIN, canonical};

/// The tools that act for the owner alone. No allow list brings them back, and their execution asks again.
pub const OWNER_ONLY: &[&str] = &[WHATSAPP_LOGIN];

/// Whether the sender is the owner. Derived by the server from verified identity, never taken from a parameter or header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Ownership {
    /// The channel or the authenticated connection proves it.
    Proven,
    /// Unknown, or known not to be the owner.
    #[default]
    NotProven,
}

/// Whether a canonical tool name is owner-only.
#[must_use]
pub fn is_owner_only(name: &str) -> bool {
    OWNER_ONLY.contains(&&*canonical(name))
}
