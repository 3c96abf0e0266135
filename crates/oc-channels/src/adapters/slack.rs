//! Slack, as a bot: `channels.slack`. Socket Mode, or the Events API with a signing secret; answers over the Web API.
//!
//! Invariant: an event is acknowledged only after the door has taken it.
//! Invariant: without a signing secret no request is believed, and the account does not start in mode `http` (SP-414).

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use oc_policy::inbound::ConversationKind;
use oc_types::{ChannelId, Secret};

use crate::account::{AccountSettings, settings};
use crate::adapter::{
    Adapter, AdapterFailure, Attachment, Destination, Door, Features, Outgoing, Pending, SelfIdentity, Sent,
    Webhook,
};
use crate::adapters::recent::Recent;
use crate::http_client::{ApiRoot, PlainHttp};
use crate::json::Members as _;

mod api;
mod event;
mod hook;
mod mrkdwn;
mod send;
mod socket;
#[cfg(test)]
mod tests;

use api::Api;

const SERVICE: &str = "Slack";
const DEFAULT_ROOT: &str = "https://slack.com/api";
const DEFAULT_PATH: &str = "/slack/events";
const DEFAULT_COMMAND: &str = "openclaw";
/// The keys of which one makes an account.
pub(super) const IDENTITY: &[&str] = &["botToken"];

/// How events come.
#[derive(Clone, Debug)]
enum Mode {
    /// Over a WebSocket, opened with the app's token.
    Socket { token: Secret, key: String },
    /// As requests, signed with the secret.
    Http { secret: Secret, path: String },
}

/// Who we are: a user, and as a writer of messages also a bot, of one installation of the app.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Own {
    user: String,
    name: Option<String>,
    bot: Option<String>,
    /// The workspace of the installation.
    team: String,
    /// The organisation, when the app is installed in the whole of it.
    enterprise: Option<String>,
}

/// One bot in one workspace.
#[derive(Debug)]
pub struct Slack {
    channel: ChannelId,
    account: String,
    api: Api,
    mode: Mode,
    command: String,
    own: RwLock<Option<Own>>,
    /// Kinds of conversations, as signed events told them: not every event repeats it.
    kinds: Mutex<Recent<ConversationKind>>,
}

impl Slack {
    /// Makes the adapter of an account. Nothing is connected yet.
    ///
    /// # Errors
    /// [`AdapterFailure::Settings`].
    pub fn from_settings(account: &AccountSettings<'_>) -> Result<Self, AdapterFailure> {
        let token = account.credential("botToken")?.ok_or_else(|| account.credential_missing("botToken"))?;
        let root = ApiRoot::parse(
            &account.get("apiRoot").1,
            account.text("apiRoot")?.unwrap_or(DEFAULT_ROOT),
            PlainHttp::Loopback,
        )?;
        let mode = mode(account)?;
        let slash = account.get("slashCommand").0;
        let command = slash.and_then(|n| n.get("name")).and_then(oc_types::Node::as_str).map(str::trim);
        let mut hidden = vec![token.clone()];
        hidden.push(match &mode {
            Mode::Socket { token, .. } => token.clone(),
            Mode::Http { secret, .. } => secret.clone(),
        });
        Ok(Self {
            channel: account.channel().clone(),
            account: account.id().to_owned(),
            api: Api::new(root, (token, account.get("botToken").1.to_string()), hidden)?,
            mode,
            command: command.unwrap_or(DEFAULT_COMMAND).trim_start_matches('/').to_owned(),
            own: RwLock::new(None),
            kinds: Mutex::default(),
        })
    }

    async fn identify(&self) -> Result<SelfIdentity, AdapterFailure> {
        let me = self.api.call("auth.test", &serde_json::json!({})).await?;
        let user = me.text("user_id").ok_or_else(|| self.api.unavailable("it does not say who we are"))?;
        let team = me.text("team_id").ok_or_else(|| self.api.unavailable("it does not say where we are"))?;
        let wide = me.is_true("is_enterprise_install");
        let own = Own {
            user: user.to_owned(),
            name: me.text("user").map(str::to_owned),
            bot: me.text("bot_id").map(str::to_owned),
            team: team.to_owned(),
            enterprise: me.text("enterprise_id").filter(|_| wide).map(str::to_owned),
        };
        let identity = SelfIdentity { id: own.user.clone(), username: own.name.clone() };
        *self.own.write().unwrap_or_else(PoisonError::into_inner) = Some(own);
        Ok(identity)
    }

    /// Who we are; `None` before the first answer of the service.
    fn own(&self) -> Option<Own> {
        self.own.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn kinds(&self) -> MutexGuard<'_, Recent<ConversationKind>> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader<'a>(&'a self, own: &'a Own) -> event::Reader<'a> {
        event::Reader { bot: self, own }
    }
}

fn mode(account: &AccountSettings<'_>) -> Result<Mode, AdapterFailure> {
    match account.text("mode")? {
        None | Some("socket") => {
            let key = account.get("appToken").1;
            let token = account.credential("appToken")?.ok_or_else(|| {
                settings(
                    &key,
                    "Socket Mode needs the app's token (`xapp-...`, scope `connections:write`)".to_owned(),
                )
            })?;
            Ok(Mode::Socket { token, key: key.to_string() })
        }
        Some("http") => {
            let key = account.get("signingSecret").1;
            let secret = account
                .credential("signingSecret")?
                .ok_or_else(|| settings(&key, "mode `http` needs the app's signing secret".to_owned()))?;
            let path = account.text("webhookPath")?.unwrap_or(DEFAULT_PATH);
            if !path.starts_with('/') {
                return Err(settings(&account.get("webhookPath").1, "it begins with `/`".to_owned()));
            }
            Ok(Mode::Http { secret, path: path.to_owned() })
        }
        Some(_) => Err(settings(&account.get("mode").1, "write `socket` or `http`".to_owned())),
    }
}

impl Adapter for Slack {
    fn channel(&self) -> &ChannelId {
        &self.channel
    }

    fn account(&self) -> &str {
        &self.account
    }

    fn features(&self) -> Features {
        Features { typing: false, buttons: true, edits: true, media: true }
    }

    fn who(&self) -> Pending<'_, Result<SelfIdentity, AdapterFailure>> {
        Box::pin(self.identify())
    }

    fn receive<'a>(&'a self, door: &'a dyn Door) -> Pending<'a, AdapterFailure> {
        Box::pin(async move {
            if let Err(e) = self.identify().await {
                return e;
            }
            match &self.mode {
                Mode::Socket { token, key } => socket::run(self, token, key, door).await,
                Mode::Http { .. } => std::future::pending().await,
            }
        })
    }

    fn send<'a>(
        &'a self,
        to: &'a Destination,
        message: &'a Outgoing,
    ) -> Pending<'a, Result<Sent, AdapterFailure>> {
        Box::pin(send::message(&self.api, to, message))
    }

    fn fetch<'a>(
        &'a self,
        attachment: &'a Attachment,
        most: u64,
    ) -> Pending<'a, Result<Vec<u8>, AdapterFailure>> {
        Box::pin(self.api.file(&attachment.handle, most))
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        matches!(self.mode, Mode::Http { .. }).then_some(self)
    }
}
