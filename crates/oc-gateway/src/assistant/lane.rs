//! One turn of a session at a time, whoever started it.

use oc_channels::ingress::Occupied;
use oc_policy::session_key::SessionKey;

use crate::server::state::Gateway;

impl Gateway {
    /// Waits until no turn of a session (`key`, in its one form) runs and one more turn may run at all; it stays so until the value is dropped.
    /// `None` without chats: the lock of the transcript alone keeps the order then.
    pub async fn lane(&self, key: &str) -> Option<Occupied> {
        let (channels, session) = (self.channels()?, SessionKey::parse(key).ok()?);
        Some(channels.ingress().occupy(&session).await)
    }

    /// The same for a sub-agent. They have a limit of their own: however many run, people are answered.
    pub async fn lane_of_child(&self, key: &str) -> Option<Occupied> {
        let (channels, session) = (self.channels()?, SessionKey::parse(key).ok()?);
        Some(channels.ingress().occupy_beside(&session).await)
    }
}
