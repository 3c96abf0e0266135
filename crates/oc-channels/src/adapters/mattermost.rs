//! Mattermost, as a bot account: `channels.mattermost`, over its WebSocket and REST API.
//!
//! Invariant: after a loss the stream is taken up behind the last event that the door has taken, as long as the server remembers it.
//! Invariant: nothing that is sent calls a whole channel, whatever its text says.

use std::sync::{Mutex, MutexGuard, PoisonError};

use oc_policy::inbound::ConversationKind;
use oc_types::ChannelId;

use crate::account::AccountSettings;
use crate::adapter::{
    Adapter, AdapterFailure, Attachment, Destination, Door, Features, Outgoing, Pending, SelfIdentity, Sent,
};
use crate::adapters::ourselves::Ourselves;
use crate::adapters::recent::Recent;
use crate::http_client::{ApiRoot, PlainHttp};

mod api;
mod event;
mod send;
mod stream;
#[cfg(test)]
mod tests;

use api::Api;

const SERVICE: &str = "Mattermost";
/// The keys of which one makes an account.
pub(super) const IDENTITY: &[&str] = &["botToken"];

/// A channel, as events told it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Room {
    kind: ConversationKind,
    name: Option<String>,
}

/// Where the stream of events is.
#[derive(Clone, Debug, Default)]
struct Position {
    /// The server's name of the stream.
    connection: Option<String>,
    /// The number of the next event.
    next: u64,
}

/// One bot on one server.
#[derive(Debug)]
pub struct Mattermost {
    channel: ChannelId,
    account: String,
    api: Api,
    own: Ourselves,
    /// Channels: not every event says what kind its channel is.
    rooms: Mutex<Recent<Room>>,
    position: Mutex<Position>,
}

impl Mattermost {
    /// Makes the adapter of an account. Nothing is connected yet.
    ///
    /// # Errors
    /// [`AdapterFailure::Settings`].
    pub fn from_settings(account: &AccountSettings<'_>) -> Result<Self, AdapterFailure> {
        let url = account.needed("baseUrl", "the address of the server, `https://chat.example.org`")?;
        let root = ApiRoot::parse(&account.get("baseUrl").1, url, PlainHttp::Private)?;
        let token = account.credential("botToken")?.ok_or_else(|| account.credential_missing("botToken"))?;
        Ok(Self {
            channel: account.channel().clone(),
            account: account.id().to_owned(),
            api: Api::new(root, (token, account.get("botToken").1.to_string()))?,
            own: Ourselves::default(),
            rooms: Mutex::default(),
            position: Mutex::default(),
        })
    }

    async fn identify(&self) -> Result<SelfIdentity, AdapterFailure> {
        let me = self.api.get("/users/me").await?;
        self.own.learn(&me).ok_or_else(|| self.api.unavailable("it does not say who we are"))
    }

    fn rooms(&self) -> MutexGuard<'_, Recent<Room>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn position(&self) -> MutexGuard<'_, Position> {
        self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Adapter for Mattermost {
    fn channel(&self) -> &ChannelId {
        &self.channel
    }

    fn account(&self) -> &str {
        &self.account
    }

    // Buttons would be answered by requests to an address of ours that carry no signature: the command is typed instead.
    fn features(&self) -> Features {
        Features { typing: true, buttons: false, edits: true, media: true }
    }

    fn who(&self) -> Pending<'_, Result<SelfIdentity, AdapterFailure>> {
        Box::pin(self.identify())
    }

    fn receive<'a>(&'a self, door: &'a dyn Door) -> Pending<'a, AdapterFailure> {
        Box::pin(stream::run(self, door))
    }

    fn send<'a>(
        &'a self,
        to: &'a Destination,
        message: &'a Outgoing,
    ) -> Pending<'a, Result<Sent, AdapterFailure>> {
        self.send_keyed(to, message, "")
    }

    // The server remembers a pending id for seconds only, so `knows_keys` stays `false`.
    fn send_keyed<'a>(
        &'a self,
        to: &'a Destination,
        message: &'a Outgoing,
        key: &'a str,
    ) -> Pending<'a, Result<Sent, AdapterFailure>> {
        Box::pin(send::message(self, to, message, key))
    }

    fn typing<'a>(&'a self, to: &'a Destination) -> Pending<'a, ()> {
        Box::pin(send::typing(self, to))
    }

    fn fetch<'a>(
        &'a self,
        attachment: &'a Attachment,
        most: u64,
    ) -> Pending<'a, Result<Vec<u8>, AdapterFailure>> {
        Box::pin(async move {
            match id(&attachment.handle) {
                Some(file) => self.api.file(file, most).await,
                None => Err(AdapterFailure::Refused { service: SERVICE, why: "it names no file".to_owned() }),
            }
        })
    }
}

/// An id of the service: 26 lower-case letters and digits.
fn id(text: &str) -> Option<&str> {
    let shaped = text.len() == 26 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    shaped.then_some(text)
}
