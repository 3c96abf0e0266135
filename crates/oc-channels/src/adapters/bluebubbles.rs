//! iMessage through a BlueBubbles server: `channels.bluebubbles`. It calls our webhook with its password, and we call its API with it.
//!
//! The password stands in the query of addresses, as the server asks for it; so no address is ever said.

use oc_types::{ChannelId, Secret};
use serde_json::{Value, json};

use crate::account::{AccountSettings, settings};
use crate::adapter::{
    Adapter, AdapterFailure, Attachment, Destination, Door, Features, Outgoing, Pending, SelfIdentity, Sent,
    Verified, Webhook, WebhookAnswer, WebhookRefusal, WebhookRequest,
};
use crate::http_client::{Answer, ApiRoot, CALL_TIMEOUT, Call, Form, HttpClient, PlainHttp, encoded};
use crate::json::Members as _;
use crate::markdown::{Plain, render};
use crate::webhook_proof;

#[cfg(test)]
mod tests;
mod update;

const SERVICE: &str = "BlueBubbles";
/// The keys of which one makes an account.
pub(super) const IDENTITY: &[&str] = &["password", "serverUrl"];
const DEFAULT_PATH: &str = "/bluebubbles-webhook";

/// One server.
#[derive(Debug)]
pub struct BlueBubbles {
    channel: ChannelId,
    account: String,
    http: HttpClient,
    password: Secret,
    key: String,
    path: String,
}

impl BlueBubbles {
    /// Makes the adapter of an account. Nothing is connected yet.
    ///
    /// # Errors
    /// [`AdapterFailure::Settings`].
    pub fn from_settings(account: &AccountSettings<'_>) -> Result<Self, AdapterFailure> {
        let url = account.needed("serverUrl", "the address of the BlueBubbles server")?;
        let root = ApiRoot::parse(&account.get("serverUrl").1, url, PlainHttp::Private)?;
        let password =
            account.credential("password")?.ok_or_else(|| account.credential_missing("password"))?;
        let path = account.text("webhookPath")?.unwrap_or(DEFAULT_PATH);
        if !path.starts_with('/') {
            return Err(settings(&account.get("webhookPath").1, "it begins with `/`".to_owned()));
        }
        Ok(Self {
            channel: account.channel().clone(),
            account: account.id().to_owned(),
            http: HttpClient::new(SERVICE, root, vec![password.clone()], None)?,
            key: account.get("password").1.to_string(),
            password,
            path: path.to_owned(),
        })
    }

    /// A path with the password.
    fn with_password(&self, path: &str) -> String {
        format!("{path}?password={}", encoded(self.password.expose()))
    }

    async fn call(&self, call: Call) -> Result<Value, AdapterFailure> {
        let answer = self.http.send(call).await?;
        if answer.is_success() { Ok(answer.json()) } else { Err(self.failure(&answer)) }
    }

    fn failure(&self, answer: &Answer) -> AdapterFailure {
        let json = answer.json();
        let said =
            json.at("error").text("message").or_else(|| json.text("message")).unwrap_or("no reason given");
        let why = self.http.scrub(said);
        match answer.status {
            401 | 403 => AdapterFailure::Credential { service: SERVICE, key: self.key.clone(), why },
            429 => AdapterFailure::RateLimited {
                service: SERVICE,
                after: answer.retry_after.unwrap_or(std::time::Duration::from_secs(1)),
            },
            400 | 404 | 413 => AdapterFailure::Refused { service: SERVICE, why },
            status => {
                AdapterFailure::Unavailable { service: SERVICE, why: format!("status {status}: {why}") }
            }
        }
    }

    async fn identify(&self) -> Result<SelfIdentity, AdapterFailure> {
        let info = self.call(self.http.get(&self.with_password("/api/v1/server/info"))).await?;
        let data = info.at("data");
        let id = data.text("detected_imessage").or_else(|| data.text("detected_icloud")).unwrap_or_default();
        Ok(SelfIdentity { id: id.to_owned(), username: None })
    }

    async fn message(&self, to: &Destination, message: &Outgoing) -> Result<Sent, AdapterFailure> {
        let refused = |why: &str| AdapterFailure::Refused { service: SERVICE, why: why.to_owned() };
        let chat = chat_guid(to).ok_or_else(|| refused("the conversation is no chat of this service"))?;
        let text = render(&message.text, &Plain);
        let mut sent = Sent { id: None };
        if let Some(file) = &message.file {
            let form = Form::new()
                .text("chatGuid", chat)
                .text("tempGuid", &temporary())
                .text("name", &file.name)
                .file("attachment", &file.name, &file.media_type, &file.bytes);
            let path = self.with_password("/api/v1/message/attachment");
            let done = self.call(self.http.post(&path).body(form.body()).timeout(CALL_TIMEOUT * 4)).await?;
            sent.id = done.at("data").text("guid").map(str::to_owned);
        } else if text.trim().is_empty() {
            return Err(refused("there is nothing in it"));
        }
        if !text.trim().is_empty() {
            let body = json!({ "chatGuid": chat, "tempGuid": temporary(), "message": text });
            let path = self.with_password("/api/v1/message/text");
            let done = self.call(self.http.post(&path).json(body).timeout(CALL_TIMEOUT * 2)).await?;
            sent.id = done.at("data").text("guid").map(str::to_owned);
        }
        Ok(sent)
    }

    async fn file(&self, attachment: &Attachment, most: u64) -> Result<Vec<u8>, AdapterFailure> {
        if attachment.bytes.is_some_and(|n| n > most) {
            let why = format!("it is larger than {most} bytes");
            return Err(AdapterFailure::Refused { service: SERVICE, why });
        }
        let path =
            self.with_password(&format!("/api/v1/attachment/{}/download", encoded(&attachment.handle)));
        let answer = self.http.send(self.http.get(&path).limit(most).timeout(CALL_TIMEOUT * 4)).await?;
        if answer.is_success() { Ok(answer.body) } else { Err(self.failure(&answer)) }
    }
}

impl Adapter for BlueBubbles {
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

    fn receive<'a>(&'a self, _door: &'a dyn Door) -> Pending<'a, AdapterFailure> {
        Box::pin(async move {
            match self.identify().await {
                Ok(_) => std::future::pending().await,
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
            let Some(chat) = chat_guid(to) else { return };
            let path = self.with_password(&format!("/api/v1/chat/{}/typing", encoded(chat)));
            let _ = self.call(self.http.post(&path)).await;
        })
    }

    fn fetch<'a>(
        &'a self,
        attachment: &'a Attachment,
        most: u64,
    ) -> Pending<'a, Result<Vec<u8>, AdapterFailure>> {
        Box::pin(self.file(attachment, most))
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }
}

impl Webhook for BlueBubbles {
    fn path(&self) -> &str {
        &self.path
    }

    fn verify(&self, request: &WebhookRequest<'_>) -> Result<Verified, WebhookRefusal> {
        if request.method != "POST" {
            return Err(WebhookRefusal::Method);
        }
        // The server can send no header of its own, so the password usually stands in the address that it calls.
        let given = webhook_proof::query_value(request.query, "password");
        let header = webhook_proof::header(request, "x-password");
        webhook_proof::same_secret(given.as_deref().or(header), &self.password)?;
        let json = webhook_proof::json(request)?;
        if !json.is_object() {
            return Err(WebhookRefusal::Body);
        }
        let answer = WebhookAnswer { status: 200, content_type: "application/json", body: "{}".to_owned() };
        Ok(Verified { events: update::read(&json, self).into_iter().collect(), answer, delivery: None })
    }
}

/// `iMessage;-;+15551230000`, `iMessage;+;chat123`.
fn chat_guid(to: &Destination) -> Option<&str> {
    let guid = to.conversation.as_str();
    let mut parts = guid.splitn(3, ';');
    let shaped = parts.next().is_some_and(|p| !p.is_empty())
        && parts.next().is_some_and(|p| p == "-" || p == "+")
        && parts.next().is_some_and(|p| !p.is_empty());
    (shaped && !guid.chars().any(char::is_control)).then_some(guid)
}

/// A name for a message that has none yet.
fn temporary() -> String {
    let random = oc_fs::random::token_hex(16).map(|t| t.expose().to_owned()).unwrap_or_default();
    format!("temp-{random}")
}
