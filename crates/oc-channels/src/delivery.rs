//! Outbound: from an answer to messages of a service (channels 8, agent-runtime 7).
//!
//! * [`chunk`]: an answer in pieces that a service takes, fences and graphemes whole.
//! * [`retry`]: what is tried again, and when.
//! * [`Courier`]: one message after the other to each destination, never out of an account that is switched off (SP-423).

use oc_types::{ChannelId, KeyPath};
use thiserror::Error;

use crate::adapter::AdapterFailure;

pub mod chunk;
mod courier;
mod plain;
pub mod retry;
#[cfg(test)]
mod tests;

pub use courier::Courier;
pub use plain::plain;

/// An answer that is this alone is not sent.
pub const NO_REPLY: &str = "NO_REPLY";
/// The same of a heartbeat.
pub const HEARTBEAT_OK: &str = "HEARTBEAT_OK";

/// Whether an answer says that nothing is to be said.
#[must_use]
pub fn is_silent(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text == NO_REPLY || text == HEARTBEAT_OK
}

/// Why something was not sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DeliveryFailure {
    /// The channel or account is switched off (SP-423), or has no adapter.
    #[error("{channel} account {account:?} is not in use ({key})")]
    NotInUse {
        /// The channel.
        channel: ChannelId,
        /// The account.
        account: String,
        /// The key that says so.
        key: KeyPath,
    },
    /// `session.sendPolicy` or `/send off`.
    #[error("delivery is switched off for this session ({key})")]
    SendPolicy {
        /// The rule.
        key: KeyPath,
    },
    /// The service, after all attempts.
    #[error(transparent)]
    Adapter(#[from] AdapterFailure),
    /// The journal, so that it could not be noted that it is sent.
    #[error("the inbox cannot be written, so nothing was sent")]
    Journal,
}
