//! WhatsApp through Meta's Cloud API: `channels.whatsapp.cloud`. Meta calls our webhook and signs each call; we call the Graph API.
//!
//! Who may write stands where it always stands, in `channels.whatsapp` itself.
//!
//! Invariant: nothing of a call is read before its signature over the raw bytes holds; without `appSecret` and `verifyToken` the account
//! does not start (SP-414).

use oc_types::{ChannelId, Secret};

use crate::account::{AccountSettings, settings};
use crate::adapter::{
    Adapter, AdapterFailure, Attachment, Destination, Door, Features, Outgoing, Pending, SelfIdentity, Sent,
    Webhook,
};
use crate::http_client::{ApiRoot, PlainHttp};
use crate::json::Members as _;

mod api;
mod event;
mod hook;
mod send;
mod style;
#[cfg(test)]
mod tests;

use api::Api;

const SERVICE: &str = "WhatsApp";
const DEFAULT_ROOT: &str = "https://graph.facebook.com/v23.0";
const DEFAULT_PATH: &str = "/whatsapp-webhook";
/// The keys of which one makes an account.
pub(super) const IDENTITY: &[&str] = &["cloud"];

/// One business number.
#[derive(Debug)]
pub struct WhatsApp {
    channel: ChannelId,
    account: String,
    api: Api,
    number_id: String,
    app_secret: Secret,
    verify_token: Secret,
    path: String,
    /// Whether a message may be marked as read, which typing does.
    receipts: bool,
}

impl WhatsApp {
    /// Makes the adapter of an account. Nothing is connected yet.
    ///
    /// # Errors
    /// [`AdapterFailure::Settings`]: a key is missing or not usable.
    pub fn from_settings(account: &AccountSettings<'_>) -> Result<Self, AdapterFailure> {
        let cloud = account.within("cloud");
        let number_id = cloud.needed("phoneNumberId", "the number's id in Meta's app dashboard")?;
        if digits(number_id).is_none() {
            return Err(settings(
                &cloud.get("phoneNumberId").1,
                "it is no id; it has digits alone".to_owned(),
            ));
        }
        let secret = |key: &str| cloud.credential(key)?.ok_or_else(|| cloud.credential_missing(key));
        let token = secret("accessToken")?;
        let app_secret = secret("appSecret")?;
        let verify_token = secret("verifyToken")?;
        let root = ApiRoot::parse(
            &cloud.get("apiRoot").1,
            cloud.text("apiRoot")?.unwrap_or(DEFAULT_ROOT),
            PlainHttp::Loopback,
        )?;
        let path = cloud.text("webhookPath")?.unwrap_or(DEFAULT_PATH);
        if !path.starts_with('/') {
            return Err(settings(&cloud.get("webhookPath").1, "it begins with `/`".to_owned()));
        }
        let hidden = vec![token.clone(), app_secret.clone(), verify_token.clone()];
        Ok(Self {
            channel: account.channel().clone(),
            account: account.id().to_owned(),
            api: Api::new(root, (token, cloud.get("accessToken").1.to_string()), hidden)?,
            number_id: number_id.to_owned(),
            app_secret,
            verify_token,
            path: path.to_owned(),
            receipts: account.flag("sendReadReceipts")? != Some(false),
        })
    }

    async fn identify(&self) -> Result<SelfIdentity, AdapterFailure> {
        let me =
            self.api.get(&format!("/{}?fields=display_phone_number,verified_name", self.number_id)).await?;
        let number = me.text("display_phone_number").and_then(oc_policy::inbound::Phone::parse);
        let id = number.map_or_else(|| self.number_id.clone(), |n| n.as_str().to_owned());
        Ok(SelfIdentity { id, username: me.text("verified_name").map(str::to_owned) })
    }
}

impl Adapter for WhatsApp {
    fn channel(&self) -> &ChannelId {
        &self.channel
    }

    fn account(&self) -> &str {
        &self.account
    }

    fn features(&self) -> Features {
        Features { typing: self.receipts, buttons: true, edits: false, media: true }
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
        Box::pin(send::message(self, to, message))
    }

    fn typing<'a>(&'a self, to: &'a Destination) -> Pending<'a, ()> {
        Box::pin(send::typing(self, to))
    }

    fn fetch<'a>(
        &'a self,
        attachment: &'a Attachment,
        most: u64,
    ) -> Pending<'a, Result<Vec<u8>, AdapterFailure>> {
        Box::pin(self.api.file(&attachment.handle, &self.number_id, most))
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }
}

/// An id or number as the service writes it: 1 to 20 digits.
fn digits(text: &str) -> Option<&str> {
    ((1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())).then_some(text)
}
