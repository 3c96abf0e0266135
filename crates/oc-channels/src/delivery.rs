//! Outbound: from an answer to messages of a service (channels 8, agent-runtime 7).

use oc_types::{ChannelId, KeyPath};
use thiserror::Error;

use crate::adapter::AdapterFailure;

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
    /// The process ends.
    #[error("the gateway is shutting down")]
    Shutdown,
}
