//! iMessage on a Mac through the helper `imsg`: `channels.imessage`. A child process that speaks JSON-RPC in lines on its standard streams.
//!
//! The child gets none of our environment but `PATH` and `HOME`, and ends with the connection.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use oc_types::ChannelId;
use serde_json::{Map, Value, json};

use crate::account::{AccountSettings, settings};
use crate::adapter::{
    Adapter, AdapterFailure, Attachment, Destination, Door, Features, Outgoing, Pending, SelfIdentity, Sent,
};
use crate::json::Members as _;
use crate::markdown::{Plain, render};

mod child;
mod message;
#[cfg(test)]
mod tests;

use child::{Child, Rpc};

const SERVICE: &str = "iMessage";
/// The keys of which one makes an account.
pub(super) const IDENTITY: &[&str] = &["cliPath", "dbPath"];

/// One Mac's Messages.
#[derive(Debug)]
pub struct IMessage {
    channel: ChannelId,
    account: String,
    program: PathBuf,
    database: Option<PathBuf>,
    service: &'static str,
    region: Option<String>,
    attachments: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    rpc: Option<Arc<Rpc>>,
    /// The highest row that was offered: a new connection goes on after it.
    last: Option<i64>,
}

impl IMessage {
    /// Makes the adapter of an account. Nothing is started yet.
    ///
    /// # Errors
    /// [`AdapterFailure::Settings`].
    pub fn from_settings(account: &AccountSettings<'_>) -> Result<Self, AdapterFailure> {
        let service = match account.text("service")? {
            None | Some("auto") => "auto",
            Some("imessage") => "imessage",
            Some("sms") => "sms",
            Some(_) => {
                return Err(settings(
                    &account.get("service").1,
                    "write `imessage`, `sms` or `auto`".to_owned(),
                ));
            }
        };
        Ok(Self {
            channel: account.channel().clone(),
            account: account.id().to_owned(),
            program: PathBuf::from(account.text("cliPath")?.unwrap_or("imsg")),
            database: account.text("dbPath")?.map(PathBuf::from),
            service,
            region: account.text("region")?.map(str::to_owned),
            attachments: account.flag("includeAttachments")? == Some(true),
            state: Mutex::new(State::default()),
        })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn message(&self, to: &Destination, message: &Outgoing) -> Result<Sent, AdapterFailure> {
        let refused = |why: &str| AdapterFailure::Refused { service: SERVICE, why: why.to_owned() };
        if message.file.is_some() {
            return Err(refused("files are not sent"));
        }
        let text = render(&message.text, &Plain);
        if text.trim().is_empty() {
            return Err(refused("there is nothing in it"));
        }
        let mut params =
            addressed(to).ok_or_else(|| refused("the conversation is neither a chat nor an address"))?;
        params.insert("text".to_owned(), text.into());
        params.insert("service".to_owned(), self.service.into());
        if let Some(region) = &self.region {
            params.insert("region".to_owned(), region.as_str().into());
        }
        let rpc = self.state().rpc.clone();
        let rpc = rpc.ok_or_else(|| AdapterFailure::Unavailable {
            service: SERVICE,
            why: "not connected".to_owned(),
        })?;
        let done = rpc.call("send", Value::Object(params)).await?;
        let id = done.text("guid").or_else(|| done.text("message_id")).map(str::to_owned);
        Ok(Sent { id: id.or_else(|| done.at("id").as_i64().map(|i| i.to_string())) })
    }
}

impl Adapter for IMessage {
    fn channel(&self) -> &ChannelId {
        &self.channel
    }

    fn account(&self) -> &str {
        &self.account
    }

    fn features(&self) -> Features {
        Features::default()
    }

    fn who(&self) -> Pending<'_, Result<SelfIdentity, AdapterFailure>> {
        Box::pin(async move {
            let running = self.state().rpc.clone();
            let answer = match running {
                Some(rpc) => rpc.call("chats.list", json!({ "limit": 1 })).await,
                None => Child::test(self).await,
            };
            answer.map(|_| SelfIdentity { id: SERVICE.to_lowercase(), username: None })
        })
    }

    fn receive<'a>(&'a self, door: &'a dyn Door) -> Pending<'a, AdapterFailure> {
        Box::pin(child::run(self, door))
    }

    fn send<'a>(
        &'a self,
        to: &'a Destination,
        message: &'a Outgoing,
    ) -> Pending<'a, Result<Sent, AdapterFailure>> {
        Box::pin(self.message(to, message))
    }

    fn fetch<'a>(
        &'a self,
        attachment: &'a Attachment,
        most: u64,
    ) -> Pending<'a, Result<Vec<u8>, AdapterFailure>> {
        Box::pin(std::future::ready(message::file(attachment, most)))
    }
}

/// `chat_id:7`, or an address: a number with its `+`, a mail address.
fn addressed(to: &Destination) -> Option<Map<String, Value>> {
    let text = to.conversation.as_str();
    let mut out = Map::new();
    if let Some(id) = text.strip_prefix("chat_id:") {
        out.insert("chat_id".to_owned(), id.parse::<i64>().ok().filter(|id| *id > 0)?.into());
        return Some(out);
    }
    let number = text.starts_with('+') && oc_policy::inbound::Phone::parse(text).is_some();
    let mail = text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    let clean = !text.starts_with('-') && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    ((number || mail) && clean).then(|| {
        out.insert("to".to_owned(), text.into());
        out
    })
}
