//! For whom a tool decision is made.

use crate::owner_only::Ownership;
use crate::sender::Sender;

/// Who says which room and account a session belongs to (SP-109).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum IdsFrom {
    /// A channel adapter: it knows where the message came from.
    Adapter,
    /// A caller over HTTP or WebSocket: a room or channel that the session does not name as well is refused.
    #[default]
    Client,
}

/// For whom a decision is made. Everything absent is unknown, and unknown never opens anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// The session's key; blank counts as none.
    pub session_key: Option<&'a str>,
    /// The session that spawned this one.
    pub spawned_by: Option<&'a str>,
    /// Provider of the model in use.
    pub provider: Option<&'a str>,
    /// The model in use, with or without its provider.
    pub model: Option<&'a str>,
    /// The channel the message came through.
    pub channel: Option<&'a str>,
    /// The room's id, where the key does not say it (or lower-cased it).
    pub group_id: Option<&'a str>,
    /// The room's name (`#general`).
    pub group_channel: Option<&'a str>,
    /// The server, guild or team the room is in.
    pub group_space: Option<&'a str>,
    /// The channel account that received the message.
    pub account_id: Option<&'a str>,
    /// Who sent it.
    pub sender: Sender<'a>,
    /// Whether that is the owner.
    pub owner: Ownership,
    /// Who named the room.
    pub ids_from: IdsFrom,
}

impl<'a> Context<'a> {
    /// The context of a session, nothing else known.
    #[must_use]
    pub fn session(key: &'a str) -> Self {
        Self { session_key: Some(key), ..Self::default() }
    }

    /// With the model in use, as `provider` and model id.
    #[must_use]
    pub fn with_model(mut self, provider: &'a str, model: &'a str) -> Self {
        self.provider = Some(provider);
        self.model = Some(model);
        self
    }

    /// With a sender, as a channel adapter reports it.
    #[must_use]
    pub fn with_sender(mut self, sender: Sender<'a>) -> Self {
        self.sender = sender;
        self
    }
}
