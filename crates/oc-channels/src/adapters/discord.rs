//! Discord, as a bot: `channels.discord`, over the gateway's WebSocket and the REST API.
//!
//! What kind of conversation a message is in stands in the channel, not in the message. The gateway tells the channels of servers; a channel
//! that is not known is asked for once, before the door, as the decision needs it.
//!
//! Invariant: the sequence number, which says what need not come again, moves only past what the door has taken.
//! Invariant: a press or a slash command is acknowledged only once it was admitted, and something is said where it was made.
//! Invariant: nothing that is sent notifies anybody (`allowed_mentions`), whatever its text says.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use oc_types::{ChannelId, Secret};

use crate::account::AccountSettings;
use crate::adapter::{
    Adapter, AdapterFailure, Attachment, Destination, Door, Event, Features, Outgoing, Pending, SelfIdentity,
    Sent,
};
use crate::adapters::ourselves::Ourselves;
use crate::adapters::presses::Presses;
use crate::http_client::{ApiRoot, PlainHttp};

mod api;
mod event;
mod gateway;
mod room;
mod send;
#[cfg(test)]
mod tests;

use api::Api;
use room::Rooms;

const SERVICE: &str = "Discord";
const DEFAULT_ROOT: &str = "https://discord.com/api/v10";
/// The keys of which one makes an account.
pub(super) const IDENTITY: &[&str] = &["token"];
/// How long the service waits for an acknowledgement of a press.
const PRESS_LASTS: Duration = Duration::from_secs(3);

/// A press or slash command that waits for an acknowledgement.
#[derive(Clone, Debug)]
struct Press {
    id: String,
    token: Secret,
    /// A slash command wants words; a button only wants to stop waiting.
    wants_words: bool,
}

/// What is needed to take up a connection where it was lost.
#[derive(Clone, Debug, Default)]
struct Session {
    id: Option<String>,
    resume_url: Option<String>,
    sequence: Option<u64>,
}

/// One bot.
#[derive(Debug)]
pub struct Discord {
    channel: ChannelId,
    account: String,
    api: Api,
    intents: u64,
    own: Ourselves,
    rooms: Mutex<Rooms>,
    session: Mutex<Session>,
    presses: Presses<Press>,
}

impl Discord {
    /// Makes the adapter of an account. Nothing is connected yet.
    ///
    /// # Errors
    /// [`AdapterFailure::Settings`].
    pub fn from_settings(account: &AccountSettings<'_>) -> Result<Self, AdapterFailure> {
        let token = account.credential("token")?.ok_or_else(|| account.credential_missing("token"))?;
        let root = ApiRoot::parse(
            &account.get("apiRoot").1,
            account.text("apiRoot")?.unwrap_or(DEFAULT_ROOT),
            PlainHttp::Loopback,
        )?;
        let intents = account.get("intents").0;
        let asked =
            |key: &str| intents.and_then(|n| n.get(key)).and_then(oc_types::Node::as_bool) == Some(true);
        Ok(Self {
            channel: account.channel().clone(),
            account: account.id().to_owned(),
            api: Api::new(root, (token, account.get("token").1.to_string()))?,
            intents: gateway::intents(asked("guildMembers"), asked("presence")),
            own: Ourselves::default(),
            rooms: Mutex::default(),
            session: Mutex::default(),
            presses: Presses::new(PRESS_LASTS),
        })
    }

    async fn identify(&self) -> Result<SelfIdentity, AdapterFailure> {
        let me = self.api.get("/users/@me").await?;
        self.own.learn(&me).ok_or_else(|| self.api.unavailable("it does not say who we are"))
    }

    fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Acknowledges what was admitted in a conversation.
    async fn answer_presses(&self, conversation: &str) {
        for press in self.presses.take(conversation, Instant::now()) {
            // They expire within seconds; a late answer fails, and nothing depends on it.
            let _ = self.api.acknowledge(&press.id, &press.token, press.wants_words).await;
        }
    }
}

impl Adapter for Discord {
    fn channel(&self) -> &ChannelId {
        &self.channel
    }

    fn account(&self) -> &str {
        &self.account
    }

    fn features(&self) -> Features {
        Features { typing: true, buttons: true, edits: true, media: true }
    }

    fn who(&self) -> Pending<'_, Result<SelfIdentity, AdapterFailure>> {
        Box::pin(self.identify())
    }

    fn receive<'a>(&'a self, door: &'a dyn Door) -> Pending<'a, AdapterFailure> {
        Box::pin(gateway::run(self, door))
    }

    fn send<'a>(
        &'a self,
        to: &'a Destination,
        message: &'a Outgoing,
    ) -> Pending<'a, Result<Sent, AdapterFailure>> {
        self.send_keyed(to, message, "")
    }

    // The nonce is remembered for minutes only, so `knows_keys` stays `false`: after a long absence it promises nothing.
    fn send_keyed<'a>(
        &'a self,
        to: &'a Destination,
        message: &'a Outgoing,
        key: &'a str,
    ) -> Pending<'a, Result<Sent, AdapterFailure>> {
        Box::pin(async move {
            self.answer_presses(to.conversation.as_str()).await;
            send::message(&self.api, to, message, key).await
        })
    }

    fn typing<'a>(&'a self, to: &'a Destination) -> Pending<'a, ()> {
        Box::pin(async move {
            self.answer_presses(to.conversation.as_str()).await;
            if let Some(id) = snowflake(to.conversation.as_str()) {
                let _ = self.api.post(&format!("/channels/{id}/typing"), serde_json::json!({})).await;
            }
        })
    }

    fn admitted(&self, event: &Event) {
        self.presses.admit(event);
    }

    fn fetch<'a>(
        &'a self,
        attachment: &'a Attachment,
        most: u64,
    ) -> Pending<'a, Result<Vec<u8>, AdapterFailure>> {
        Box::pin(self.api.file(&attachment.handle, most))
    }
}

/// An id of the service: digits, at most 20.
fn snowflake(text: &str) -> Option<&str> {
    ((1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())).then_some(text)
}
