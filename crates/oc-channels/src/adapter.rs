//! What an adapter of a chat service is. It translates; it decides nothing.
//!
//! Inbound: an [`Event`] is handed to a [`Door`] before anything else is done with it (SP-400). Outbound: an [`Outgoing`] goes to the
//! [`Destination`] that was authorised (SP-418).

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use oc_policy::inbound::{ConversationId, Inbound};
use oc_types::ChannelId;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A future of this crate.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Something that happened at a service. Nothing of it has been downloaded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// The service's own id of the event, unique within channel, account and conversation. Blank: the event is dropped.
    pub id: String,
    /// The message as the access rules see it.
    pub message: Inbound,
    /// Where an answer goes.
    pub reply: Destination,
    /// Files, unopened.
    pub attachments: Vec<Attachment>,
    /// The message that it answers or forwards. Untrusted, and of somebody else.
    pub quoted: Option<Quoted>,
    /// What a button or menu sent, as our own adapter had minted it (SP-424).
    pub payload: Option<String>,
}

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Destination {
    /// The conversation's stable id.
    pub conversation: ConversationId,
    /// A thread or topic in it.
    pub thread: Option<String>,
    /// The message that is answered.
    pub reply_to: Option<String>,
}

/// A file at the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// What the service says it is.
    pub kind: MediaKind,
    /// Its name there: untrusted.
    pub name: Option<String>,
    /// Its type there: untrusted.
    pub media_type: Option<String>,
    /// Its size there, in bytes: untrusted.
    pub bytes: Option<u64>,
    /// What the adapter needs to fetch it.
    pub handle: String,
}

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MediaKind {
    /// A picture.
    Image,
    /// Sound.
    Audio,
    /// A film.
    Video,
    /// Anything else.
    Document,
}

impl MediaKind {
    /// The kind that a media type (`image/png`) names. A document without one, and of every other family.
    #[must_use]
    pub fn of_type(media_type: Option<&str>) -> Self {
        match media_type.and_then(|t| t.split('/').next()) {
            Some("image") => Self::Image,
            Some("audio") => Self::Audio,
            Some("video") => Self::Video,
            _ => Self::Document,
        }
    }
}

/// A quoted or forwarded message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quoted {
    /// Who wrote it, by the service's id.
    pub sender: Option<String>,
    /// Its text.
    pub text: String,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is on the disk or was dropped for good: the service may forget it.
    Done,
    /// It could not be taken now; the service shall deliver it again.
    Later,
}

/// Where events go. The one door of every adapter and every kind of event (SP-401).
pub trait Door: fmt::Debug + Send + Sync {
    /// Takes an event. Waits while the queues are full; the adapter acknowledges at the service only after [`Taken::Done`].
    fn offer(&self, event: Event) -> Pending<'_, Taken>;
}

/// What a service can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// It shows that somebody is typing.
    pub typing: bool,
    /// Buttons under a message.
    pub buttons: bool,
    /// Messages can be changed afterwards.
    pub edits: bool,
    /// Files can be sent.
    pub media: bool,
}

/// A button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// What stands on it.
    pub label: String,
    /// What comes back when it is pressed; at most 64 bytes.
    pub payload: String,
}

/// A message to be sent. Text is plain text with Markdown marks; the adapter renders and escapes it for its service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// The text, within the service's limit already.
    pub text: String,
    /// Buttons, where the service has them; the text says the same for those where it has not.
    pub buttons: Vec<Button>,
    /// A file to be sent along.
    pub file: Option<OutgoingFile>,
}

/// A file to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingFile {
    /// Its name.
    pub name: String,
    /// Its type, by its first bytes.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The service's id of it, where it gives one.
    pub id: Option<String>,
}

/// Who the account is at the service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SelfIdentity {
    /// The service's id.
    pub id: String,
    /// The user name.
    pub username: Option<String>,
}

/// Why an adapter cannot go on, or a message could not be sent. Holds no credential and no body of the service.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AdapterFailure {
    /// The service refuses the credential; trying again does not help.
    #[error("{service} refuses the credential at {key}: {why}")]
    Credential {
        /// The service.
        service: &'static str,
        /// The configuration key of the credential.
        key: String,
        /// What it said.
        why: String,
    },
    /// The configuration of the account is not usable.
    #[error("{key}: {why}")]
    Settings {
        /// The key.
        key: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// Too many requests.
    #[error("{service} asks to wait {} ms", after.as_millis())]
    RateLimited {
        /// The service.
        service: &'static str,
        /// How long.
        after: Duration,
    },
    /// Somebody else uses the same account.
    #[error("{service}: {why}")]
    Conflict {
        /// The service.
        service: &'static str,
        /// What it said.
        why: String,
    },
    /// The text's marks are not understood; it can be sent without.
    #[error("{service} does not take the formatting: {why}")]
    Formatting {
        /// The service.
        service: &'static str,
        /// What it said.
        why: String,
    },
    /// The connection or the service failed; later it may go.
    #[error("{service}: {why}")]
    Unavailable {
        /// The service.
        service: &'static str,
        /// What happened.
        why: String,
    },
    /// The service will never take this message (unknown conversation, blocked, too large).
    #[error("{service} refuses the message: {why}")]
    Refused {
        /// The service.
        service: &'static str,
        /// What it said.
        why: String,
    },
}

/// One account of one service.
pub trait Adapter: fmt::Debug + Send + Sync {
    /// The channel.
    fn channel(&self) -> &ChannelId;
    /// The account, as configured.
    fn account(&self) -> &str;
    /// What the service can do.
    fn features(&self) -> Features;
    /// Asks the service who we are: the test of the credential.
    fn who(&self) -> Pending<'_, Result<SelfIdentity, AdapterFailure>>;
    /// Connects and hands events to the door until the connection is lost. Dropping the future closes it. Whoever runs it waits and tries
    /// again. Of a service that only calls back over HTTP it stays pending.
    fn receive<'a>(&'a self, door: &'a dyn Door) -> Pending<'a, AdapterFailure>;
    /// Sends one message.
    fn send<'a>(
        &'a self,
        to: &'a Destination,
        message: &'a Outgoing,
    ) -> Pending<'a, Result<Sent, AdapterFailure>>;
    /// Whether the service drops a message that it has under the same key already.
    fn knows_keys(&self) -> bool {
        false
    }
    /// Sends one message under a key (at most 64 characters of `[a-z0-9-]`) that stays the same when it is sent again: the transaction id or
    /// nonce of services that have one ([`Adapter::knows_keys`]).
    fn send_keyed<'a>(
        &'a self,
        to: &'a Destination,
        message: &'a Outgoing,
        key: &'a str,
    ) -> Pending<'a, Result<Sent, AdapterFailure>> {
        let _ = key;
        self.send(to, message)
    }
    /// Shows that an answer is on its way; failures are ignored.
    fn typing<'a>(&'a self, to: &'a Destination) -> Pending<'a, ()> {
        let _ = to;
        Box::pin(std::future::ready(()))
    }
    /// An event of this account was admitted: only now may the service be shown that it was seen (SP-400). Returns at once.
    fn admitted(&self, event: &Event) {
        let _ = event;
    }
    /// Fetches a file of an admitted message, at most so many bytes; more is [`AdapterFailure::Refused`], found while it streams (SP-422).
    fn fetch<'a>(
        &'a self,
        attachment: &'a Attachment,
        most: u64,
    ) -> Pending<'a, Result<Vec<u8>, AdapterFailure>>;
    /// The part that answers HTTP requests of the service.
    fn webhook(&self) -> Option<&dyn Webhook> {
        None
    }
}

/// A request of a service, before anything of it is believed.
#[derive(Clone, Copy, Debug)]
pub struct WebhookRequest<'a> {
    /// `GET`, `POST` ...
    pub method: &'a str,
    /// The query, without `?`.
    pub query: &'a str,
    /// Names in lower case, and values.
    pub headers: &'a [(String, String)],
    /// The raw bytes: signatures cover these.
    pub body: &'a [u8],
    /// Now, Unix milliseconds.
    pub now_ms: i64,
}

/// What is answered to the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookAnswer {
    /// HTTP status.
    pub status: u16,
    /// Type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// A verified request.
#[derive(Clone, Debug)]
pub struct Verified {
    /// What happened at the service.
    pub events: Vec<Event>,
    /// What is answered once the events are taken.
    pub answer: WebhookAnswer,
    /// The service's id of the delivery, for the replay cache; `None` when the events' own ids do.
    pub delivery: Option<String>,
}

/// Why a request is not believed. The answer says no more than the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WebhookRefusal {
    /// Signature or secret is wrong or missing (401).
    #[error("the signature does not match")]
    Signature,
    /// It is too old (401).
    #[error("the request is too old")]
    Stale,
    /// The method (405).
    #[error("another method is needed")]
    Method,
    /// What proves it is not known yet; the service shall try again (503).
    #[error("what proves it is not known yet")]
    Unready,
    /// It is signed and cannot be read (400).
    #[error("the body cannot be read")]
    Body,
}

/// Requests that a service makes to us (SP-414). Made only with a secret; without one the account does not start.
pub trait Webhook: Send + Sync {
    /// The path below the gateway, as configured; one account owns it.
    fn path(&self) -> &str;
    /// Verifies the raw bytes, then reads them. Asks and tells nobody anything, and changes nothing for one that is refused; of one that is
    /// believed the adapter may remember what it said of its conversation (its kind, where it is answered).
    ///
    /// # Errors
    /// See [`WebhookRefusal`].
    fn verify(&self, request: &WebhookRequest<'_>) -> Result<Verified, WebhookRefusal>;
}

#[cfg(test)]
mod tests {
    use super::MediaKind;

    #[test]
    fn a_media_type_names_its_kind_and_anything_else_is_a_document() {
        for (named, expected) in [
            (Some("image/png"), MediaKind::Image),
            (Some("audio/ogg; codecs=opus"), MediaKind::Audio),
            (Some("video"), MediaKind::Video),
            (Some("application/image"), MediaKind::Document),
            (Some("images/png"), MediaKind::Document),
            (Some(""), MediaKind::Document),
            (None, MediaKind::Document),
        ] {
            assert_eq!(MediaKind::of_type(named), expected, "{named:?}");
        }
    }
}
