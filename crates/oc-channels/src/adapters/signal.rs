//! Signal, through the HTTP daemon of signal-cli: `channels.signal`. `POST /api/v1/rpc` and the events of `GET /api/v1/events`.
//!
//! The daemon has no authentication of its own, so it has to listen on this machine or in a private network.

use std::time::Duration;

use data_encoding::BASE64;
use oc_policy::inbound::Phone;
use oc_types::ChannelId;
use serde_json::{Value, json};

use crate::account::{AccountSettings, settings};
use crate::adapter::{
    Adapter, AdapterFailure, Attachment, Destination, Door, Features, Outgoing, Pending, SelfIdentity, Sent,
};
use crate::adapters::offering::offered_or_lost;
use crate::event_stream::Frames;
use crate::http_client::{ANSWER_LIMIT, ApiRoot, CALL_TIMEOUT, HttpClient, PlainHttp, encoded};
use crate::json::Members as _;
use crate::markdown::{Plain, render};

mod envelope;
#[cfg(test)]
mod tests;

const SERVICE: &str = "Signal";
/// The keys of which one makes an account.
pub(super) const IDENTITY: &[&str] = &["account", "httpUrl"];
const DEFAULT_ROOT: &str = "http://127.0.0.1:8080";
/// Silence after which the stream of events counts as broken; the daemon sends something every few seconds.
const IDLE: Duration = Duration::from_secs(300);

/// One number.
#[derive(Debug)]
pub struct Signal {
    channel: ChannelId,
    account: String,
    /// Our own number.
    number: Phone,
    http: HttpClient,
    ignore_attachments: bool,
}

/// Who a message goes to.
#[derive(Debug, PartialEq, Eq)]
enum Target<'a> {
    Person(&'a str),
    Group(&'a str),
}

impl Signal {
    /// Makes the adapter of an account. Nothing is connected yet.
    ///
    /// # Errors
    /// [`AdapterFailure::Settings`].
    pub fn from_settings(account: &AccountSettings<'_>) -> Result<Self, AdapterFailure> {
        let at = |key: &str| account.get(key).1;
        let number = account.needed("account", "the bot's own number, `+15551230000`")?;
        let number = full_number(number).ok_or_else(|| {
            settings(&at("account"), "it is no number; write `+` and all digits".to_owned())
        })?;
        if account.flag("autoStart")? == Some(true) {
            let why = "the daemon is not started from here; run `signal-cli daemon --http` and set `httpUrl`";
            return Err(settings(&at("autoStart"), why.to_owned()));
        }
        let url = match account.text("httpUrl")? {
            Some(url) => url.to_owned(),
            None => match (account.text("httpHost")?, account.whole("httpPort")?) {
                (None, None) => DEFAULT_ROOT.to_owned(),
                (host, port) => format!("http://{}:{}", host.unwrap_or("127.0.0.1"), port.unwrap_or(8080)),
            },
        };
        let root = ApiRoot::parse(&at("httpUrl"), &url, PlainHttp::Private)?;
        Ok(Self {
            channel: account.channel().clone(),
            account: account.id().to_owned(),
            number,
            http: HttpClient::new(SERVICE, root, Vec::new(), None)?,
            ignore_attachments: account.flag("ignoreAttachments")? == Some(true),
        })
    }

    async fn rpc(&self, method: &str, mut params: Value, limit: u64) -> Result<Value, AdapterFailure> {
        if let Some(o) = params.as_object_mut() {
            o.insert("account".to_owned(), self.number.as_str().into());
        }
        let body = json!({ "jsonrpc": "2.0", "id": "1", "method": method, "params": params });
        let call = self.http.post("/api/v1/rpc").json(body).limit(limit).timeout(CALL_TIMEOUT * 2);
        let answer = self.http.send(call).await?;
        let mut json = answer.json();
        let error = json.at("error");
        if error.is_object() {
            return Err(self.failure(error));
        }
        if !answer.is_success() {
            return Err(self.http.unavailable(&format!("status {}", answer.status)));
        }
        Ok(json.get_mut("result").map(Value::take).unwrap_or_default())
    }

    fn failure(&self, error: &Value) -> AdapterFailure {
        let why = self.http.scrub(error.text("message").unwrap_or("no reason given"));
        match error.at("code").as_i64() {
            // The daemon's words for its own rate limit and for a broken connection to Signal.
            Some(-5) => AdapterFailure::RateLimited { service: SERVICE, after: Duration::from_secs(60) },
            Some(-3 | -32603) => AdapterFailure::Unavailable { service: SERVICE, why },
            _ if why.contains("not registered") && why.contains(self.number.as_str()) => {
                AdapterFailure::Credential {
                    service: SERVICE,
                    key: format!("channels.signal ({})", self.account),
                    why,
                }
            }
            _ => AdapterFailure::Refused { service: SERVICE, why },
        }
    }

    async fn identify(&self) -> Result<SelfIdentity, AdapterFailure> {
        let list = self.rpc("listAccounts", json!({}), ANSWER_LIMIT).await?;
        let known =
            list.as_array().into_iter().flatten().any(|a| a.text("number") == Some(self.number.as_str()));
        // A daemon that was started for one account knows no list.
        if list.is_array() && !known {
            return Err(AdapterFailure::Credential {
                service: SERVICE,
                key: format!("channels.signal ({})", self.account),
                why: format!("signal-cli has no account {}; register or link it", self.number.as_str()),
            });
        }
        Ok(SelfIdentity { id: self.number.as_str().to_owned(), username: None })
    }

    async fn read(&self, door: &dyn Door) -> Result<std::convert::Infallible, AdapterFailure> {
        self.identify().await?;
        let path = format!("/api/v1/events?account={}", encoded(self.number.as_str()));
        let mut stream = self.http.open(self.http.get(&path)).await?;
        if stream.status() != 200 {
            return Err(self.http.unavailable(&format!("status {} for the events", stream.status())));
        }
        let mut frames = Frames::default();
        while let Some(piece) = stream.piece(IDLE).await? {
            for frame in frames.take(&piece).map_err(|e| self.http.unavailable(&e.to_string()))? {
                let Ok(json) = serde_json::from_str::<Value>(&frame.data) else { continue };
                if let Some(event) = envelope::read(&json, self) {
                    offered_or_lost(door, event, SERVICE, &self.account).await;
                }
            }
        }
        Err(self.http.unavailable("the stream of events ended"))
    }

    async fn message(&self, to: &Destination, message: &Outgoing) -> Result<Sent, AdapterFailure> {
        let refused = |why: &str| AdapterFailure::Refused { service: SERVICE, why: why.to_owned() };
        let mut params =
            addressed(to).ok_or_else(|| refused("the conversation is neither a person nor a group"))?;
        let text = render(&message.text, &Plain);
        if text.trim().is_empty() && message.file.is_none() {
            return Err(refused("there is nothing in it"));
        }
        if let Some(o) = params.as_object_mut() {
            o.insert("message".to_owned(), text.into());
            if let Some(file) = &message.file {
                let kind: String =
                    file.media_type.chars().filter(|c| c.is_ascii_graphic() && !",;".contains(*c)).collect();
                let name = encoded(&file.name);
                let data = BASE64.encode(&file.bytes);
                o.insert(
                    "attachments".to_owned(),
                    json!([format!("data:{kind};filename={name};base64,{data}")]),
                );
            }
        }
        let done = self.rpc("send", params, ANSWER_LIMIT).await?;
        let results = done.items("results");
        if !results.is_empty() && results.iter().all(|r| r.text("type").is_some_and(|t| t != "SUCCESS")) {
            let why = results.first().and_then(|r| r.text("type")).unwrap_or_default();
            return Err(refused(&self.http.scrub(&why.to_lowercase())));
        }
        Ok(Sent { id: done.at("timestamp").as_i64().map(|t| t.to_string()) })
    }

    async fn file(&self, attachment: &Attachment, most: u64) -> Result<Vec<u8>, AdapterFailure> {
        let refused = |why: String| AdapterFailure::Refused { service: SERVICE, why };
        let too_large = || refused(format!("it is larger than {most} bytes"));
        if attachment.bytes.is_some_and(|n| n > most) {
            return Err(too_large());
        }
        let (id, place) =
            attachment.handle.split_once('|').ok_or_else(|| refused("it names no file".to_owned()))?;
        let to = Destination {
            conversation: oc_policy::inbound::ConversationId::new(place),
            thread: None,
            reply_to: None,
        };
        let mut params = addressed(&to).ok_or_else(|| refused("it names no file".to_owned()))?;
        if let Some(list) = params.at("recipient").as_array().cloned()
            && let Some(o) = params.as_object_mut()
        {
            o.insert("recipient".to_owned(), list.into_iter().next().unwrap_or_default());
        }
        if let Some(o) = params.as_object_mut() {
            o.insert("id".to_owned(), id.into());
        }
        // Base64 takes a third more, and the frame around it a little.
        let limit = most.saturating_mul(4).saturating_div(3).saturating_add(4096);
        let done = self.rpc("getAttachment", params, limit).await?;
        let data =
            done.text("data").or(done.as_str()).ok_or_else(|| refused("it is not there".to_owned()))?;
        let bytes = BASE64.decode(data.as_bytes()).map_err(|_| refused("it is not there".to_owned()))?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most { Err(too_large()) } else { Ok(bytes) }
    }
}

impl Adapter for Signal {
    fn channel(&self) -> &ChannelId {
        &self.channel
    }

    fn account(&self) -> &str {
        &self.account
    }

    fn features(&self) -> Features {
        Features { typing: true, buttons: false, edits: true, media: true }
    }

    fn who(&self) -> Pending<'_, Result<SelfIdentity, AdapterFailure>> {
        Box::pin(self.identify())
    }

    fn receive<'a>(&'a self, door: &'a dyn Door) -> Pending<'a, AdapterFailure> {
        Box::pin(async move {
            match self.read(door).await {
                Ok(never) => match never {},
                Err(e) => e,
            }
        })
    }

    fn send<'a>(
        &'a self,
        to: &'a Destination,
        message: &'a Outgoing,
    ) -> Pending<'a, Result<Sent, AdapterFailure>> {
        Box::pin(self.message(to, message))
    }

    fn typing<'a>(&'a self, to: &'a Destination) -> Pending<'a, ()> {
        Box::pin(async move {
            if let Some(params) = addressed(to) {
                let _ = self.rpc("sendTyping", params, ANSWER_LIMIT).await;
            }
        })
    }

    fn fetch<'a>(
        &'a self,
        attachment: &'a Attachment,
        most: u64,
    ) -> Pending<'a, Result<Vec<u8>, AdapterFailure>> {
        Box::pin(self.file(attachment, most))
    }
}

/// A number with its `+`; anything shorter is none (SP-425).
fn full_number(text: &str) -> Option<Phone> {
    let phone = Phone::parse(text)?;
    let digits = phone.as_str().len().saturating_sub(1);
    (text.trim().starts_with('+') && (6..=15).contains(&digits)).then_some(phone)
}

fn target(conversation: &str) -> Option<Target<'_>> {
    if full_number(conversation).is_some_and(|n| n.as_str() == conversation) {
        return Some(Target::Person(conversation));
    }
    if let Some(id) = conversation.strip_prefix("uuid:") {
        let shaped = id.len() == 36 && id.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        return shaped.then_some(Target::Person(id));
    }
    // A group's id is 16 or 32 bytes in base64.
    let bytes = BASE64.decode(conversation.as_bytes()).ok()?;
    matches!(bytes.len(), 16 | 32).then_some(Target::Group(conversation))
}

fn addressed(to: &Destination) -> Option<Value> {
    Some(match target(to.conversation.as_str())? {
        Target::Person(id) => json!({ "recipient": [id] }),
        Target::Group(id) => json!({ "groupId": id }),
    })
}
