//! Microsoft Teams through the Bot Framework: `channels.msteams`. The service calls our webhook with a signed token, and we answer at the
//! address that the call names.
//!
//! Invariant: a call is believed only with a token that a key of the configured OpenID root signed, for this app, now, and for the very
//! address that the call wants its answers at; and that address lies at a host of the service (SP-414).
//! Invariant: our token goes to those hosts and to nobody else.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use oc_types::ChannelId;

use crate::account::{AccountSettings, settings};
use crate::adapter::{
    Adapter, AdapterFailure, Attachment, Destination, Door, Features, Outgoing, Pending, SelfIdentity, Sent,
    Webhook,
};
use crate::adapters::recent::Recent;
use crate::http_client::{ApiRoot, PlainHttp};

mod api;
mod event;
mod hook;
mod keys;
mod send;
#[cfg(test)]
mod tests;
mod token;

use api::Api;
use keys::Keys;

const SERVICE: &str = "Microsoft Teams";
const DEFAULT_ROOT: &str = "https://smba.trafficmanager.net/teams";
const DEFAULT_LOGIN: &str = "https://login.microsoftonline.com";
const DEFAULT_OPENID: &str = "https://login.botframework.com/v1/.well-known/openidconfiguration";
const DEFAULT_PATH: &str = "/api/messages";
/// Hosts of the service.
const HOSTS: &[&str] = &["smba.trafficmanager.net", "botframework.com", "teams.microsoft.com"];
/// The keys of which one makes an account.
pub(super) const IDENTITY: &[&str] = &["appPassword", "appId"];
/// One bot.
#[derive(Debug)]
pub struct Teams {
    channel: ChannelId,
    account: String,
    app_id: String,
    tenant: Option<String>,
    api: Api,
    keys: Keys,
    hosts: Vec<String>,
    media_hosts: Vec<String>,
    path: String,
    /// Whether answers in channels go below what they answer.
    threads: bool,
    /// Where conversations are answered.
    places: Mutex<Recent<String>>,
}

impl Teams {
    /// Makes the adapter of an account. Nothing is connected yet.
    ///
    /// # Errors
    /// [`AdapterFailure::Settings`].
    pub fn from_settings(account: &AccountSettings<'_>) -> Result<Self, AdapterFailure> {
        let app_id = account.needed("appId", "the bot's application id")?;
        let plain = |id: &str| {
            id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
        };
        if !plain(app_id) {
            return Err(settings(&account.get("appId").1, "it is no application id".to_owned()));
        }
        let tenant = account.text("tenantId")?;
        if tenant.is_some_and(|t| !plain(t)) {
            return Err(settings(&account.get("tenantId").1, "it is no tenant id".to_owned()));
        }
        let password =
            account.credential("appPassword")?.ok_or_else(|| account.credential_missing("appPassword"))?;
        let root = |key: &str, default: &str| {
            ApiRoot::parse(&account.get(key).1, account.text(key)?.unwrap_or(default), PlainHttp::Loopback)
        };
        let webhook = account.within("webhook");
        let path = webhook.text("path")?.unwrap_or(DEFAULT_PATH);
        if !path.starts_with('/') {
            return Err(settings(&webhook.get("path").1, "it begins with `/`".to_owned()));
        }
        let threads = match account.text("replyStyle")? {
            None | Some("thread") => true,
            Some("top-level") => false,
            Some(_) => {
                return Err(settings(
                    &account.get("replyStyle").1,
                    "write `thread` or `top-level`".to_owned(),
                ));
            }
        };
        let api = Api::new(
            root("apiRoot", DEFAULT_ROOT)?,
            root("loginRoot", DEFAULT_LOGIN)?,
            api::Credential {
                app_id: app_id.to_owned(),
                password,
                key: account.get("appPassword").1.to_string(),
                tenant: tenant.map(str::to_owned),
            },
        )?;
        let listed = |key: &str| {
            let entries = account.entries(key).into_iter().map(|h| h.trim().to_ascii_lowercase());
            entries.filter(|h| !h.is_empty()).collect::<Vec<String>>()
        };
        Ok(Self {
            channel: account.channel().clone(),
            account: account.id().to_owned(),
            app_id: app_id.to_owned(),
            tenant: tenant.map(str::to_owned),
            api,
            keys: Keys::new(root("openIdRoot", DEFAULT_OPENID)?)?,
            hosts: HOSTS.iter().map(|h| (*h).to_owned()).chain(listed("serviceHosts")).collect(),
            media_hosts: listed("mediaAllowHosts"),
            path: path.to_owned(),
            threads,
            places: Mutex::default(),
        })
    }

    fn hosts(&self) -> Vec<&str> {
        self.hosts.iter().map(String::as_str).collect()
    }

    fn places(&self) -> MutexGuard<'_, Recent<String>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Adapter for Teams {
    fn channel(&self) -> &ChannelId {
        &self.channel
    }

    fn account(&self) -> &str {
        &self.account
    }

    // Files go through the person's own drive and need their consent for each: a link is sent instead.
    fn features(&self) -> Features {
        Features { typing: true, buttons: true, edits: true, media: false }
    }

    fn who(&self) -> Pending<'_, Result<SelfIdentity, AdapterFailure>> {
        Box::pin(async move {
            self.api.sign_in().await?;
            Ok(SelfIdentity { id: format!("28:{}", self.app_id), username: None })
        })
    }

    fn receive<'a>(&'a self, _door: &'a dyn Door) -> Pending<'a, AdapterFailure> {
        Box::pin(self.keys.keep(Duration::from_secs(12 * 3600)))
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
        Box::pin(async move {
            let (hosts, media) =
                (self.hosts(), self.media_hosts.iter().map(String::as_str).collect::<Vec<_>>());
            self.api.file(&attachment.handle, (hosts.as_slice(), media.as_slice()), most).await
        })
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }
}
