//! Telegram, as a bot: `channels.telegram`. Long polling, or a webhook with a secret.
//!
//! Invariant: an update is acknowledged only after the door has taken it.
//! Invariant: nothing is sent, fetched or answered for an update before somebody who admitted it asks for that.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use oc_types::{ChannelId, Secret, Value};

use crate::account::{AccountSettings, settings};
use crate::adapter::{
    Adapter, AdapterFailure, Attachment, Destination, Door, Event, Features, Outgoing, Pending, SelfIdentity,
    Sent, Webhook,
};
use crate::adapters::presses::Presses;
use crate::http_client::{ApiRoot, PlainHttp};
use crate::json::Members as _;

mod api;
mod hook;
mod poll;
mod send;
#[cfg(test)]
mod tests;
mod update;

use api::Api;
use hook::Hook;
use update::Who;

const SERVICE: &str = "Telegram";
const DEFAULT_ROOT: &str = "https://api.telegram.org";
/// The keys of which one makes an account.
pub(super) const IDENTITY: &[&str] = &["botToken", "tokenFile"];
/// How long an acknowledgement of a press is of any use.
const PRESS_LASTS: Duration = Duration::from_secs(30);

/// Where buttons may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Buttons {
    Nowhere,
    Direct,
    Rooms,
    Everywhere,
}

/// One bot.
#[derive(Debug)]
pub struct Telegram {
    who: Who,
    username: RwLock<Option<String>>,
    api: Api,
    link_preview: bool,
    buttons: Buttons,
    hook: Option<Hook>,
    /// The next update to be fetched; 0 before the first.
    next_update: AtomicI64,
    /// The ids of presses that wait for an acknowledgement.
    presses: Presses<String>,
}

impl Telegram {
    /// Makes the adapter of an account. Nothing is connected yet.
    ///
    /// # Errors
    /// [`AdapterFailure::Settings`]: no usable token, address, or webhook without a secret.
    pub fn from_settings(account: &AccountSettings<'_>) -> Result<Self, AdapterFailure> {
        let token = account
            .credential_or_file("botToken", "tokenFile")?
            .ok_or_else(|| account.credential_missing("botToken"))?;
        let token_key = account.get("botToken").1;
        let bot_id = bot_id(&token).ok_or_else(|| {
            settings(&token_key, "it is no bot token; @BotFather gives one like `123456:ABC-def`".to_owned())
        })?;
        let root = ApiRoot::parse(
            &account.get("apiRoot").1,
            account.text("apiRoot")?.unwrap_or(DEFAULT_ROOT),
            PlainHttp::Loopback,
        )?;
        let hook = Hook::from_settings(account)?;
        let mut hidden = vec![token.clone()];
        hidden.extend(hook.as_ref().map(|h| h.secret.clone()));
        let proxy_key = account.get("proxy").1;
        let proxy = account.text("proxy")?.map(|p| (&proxy_key, p));
        let api = Api::new(root, token, token_key.to_string(), hidden, proxy)?;
        Ok(Self {
            who: Who { channel: account.channel().clone(), account: account.id().to_owned(), bot_id },
            username: RwLock::new(None),
            api,
            link_preview: account.flag("linkPreview")? != Some(false),
            buttons: buttons(account),
            hook,
            next_update: AtomicI64::new(0),
            presses: Presses::new(PRESS_LASTS),
        })
    }

    async fn identify(&self) -> Result<SelfIdentity, AdapterFailure> {
        let me = self.api.call("getMe", serde_json::json!({})).await?;
        let username = me.at("username").as_str().map(str::to_owned);
        self.username.write().unwrap_or_else(PoisonError::into_inner).clone_from(&username);
        let id = me.at("id").as_i64().map_or_else(|| self.who.bot_id.clone(), |id| id.to_string());
        Ok(SelfIdentity { id, username })
    }

    fn username(&self) -> Option<String> {
        self.username.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Acknowledges what was admitted in a conversation: the buttons stop waiting.
    async fn answer_presses(&self, conversation: &str) {
        for press in self.presses.take(conversation, Instant::now()) {
            // Presses expire at the service; a late answer fails, and nothing depends on it.
            let _ =
                self.api.call("answerCallbackQuery", serde_json::json!({ "callback_query_id": press })).await;
        }
    }
}

impl Adapter for Telegram {
    fn channel(&self) -> &ChannelId {
        &self.who.channel
    }

    fn account(&self) -> &str {
        &self.who.account
    }

    fn features(&self) -> Features {
        Features { typing: true, buttons: self.buttons != Buttons::Nowhere, edits: true, media: true }
    }

    fn who(&self) -> Pending<'_, Result<SelfIdentity, AdapterFailure>> {
        Box::pin(self.identify())
    }

    fn receive<'a>(&'a self, door: &'a dyn Door) -> Pending<'a, AdapterFailure> {
        Box::pin(async move {
            if let Err(e) = self.identify().await {
                return e;
            }
            match &self.hook {
                Some(hook) => match hook.register(&self.api).await {
                    Ok(()) => std::future::pending().await,
                    Err(e) => e,
                },
                None => poll::run(self, door, poll::Pace::default()).await,
            }
        })
    }

    fn send<'a>(
        &'a self,
        to: &'a Destination,
        message: &'a Outgoing,
    ) -> Pending<'a, Result<Sent, AdapterFailure>> {
        Box::pin(async move {
            self.answer_presses(to.conversation.as_str()).await;
            send::message(self, to, message).await
        })
    }

    fn typing<'a>(&'a self, to: &'a Destination) -> Pending<'a, ()> {
        Box::pin(async move {
            self.answer_presses(to.conversation.as_str()).await;
            let Some(mut action) = send::addressed(to) else { return };
            action.insert("action".to_owned(), "typing".into());
            let _ = self.api.call("sendChatAction", serde_json::Value::Object(action)).await;
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

    fn webhook(&self) -> Option<&dyn Webhook> {
        self.hook.is_some().then_some(self)
    }
}

/// The number before the colon, which is the bot's own id; `None` when the token could not stand in an address.
fn bot_id(token: &Secret) -> Option<String> {
    let (id, rest) = token.expose().split_once(':')?;
    let id_ok = !id.is_empty() && id.len() <= 20 && id.bytes().all(|b| b.is_ascii_digit());
    let rest_ok =
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    (id_ok && rest_ok).then(|| id.to_owned())
}

fn buttons(account: &AccountSettings<'_>) -> Buttons {
    let (node, _) = account.get("capabilities");
    match node.map(|n| &n.value) {
        // A list names what there is; buttons are then there when it says so.
        Some(Value::Array(items)) => {
            let named = items.iter().any(|i| i.as_str() == Some("inlineButtons"));
            if named { Buttons::Everywhere } else { Buttons::Nowhere }
        }
        Some(Value::Object(o)) => match o.get("inlineButtons").and_then(|n| n.as_str()) {
            Some("off") => Buttons::Nowhere,
            Some("dm") => Buttons::Direct,
            Some("group") => Buttons::Rooms,
            // Who may press is decided at the door, for every value.
            Some(_) | None => Buttons::Everywhere,
        },
        Some(_) | None => Buttons::Everywhere,
    }
}

/// How long a call for updates stays open at the service.
const POLL: Duration = Duration::from_secs(25);

/// The next update's id, from the last one taken.
fn after(id: i64) -> i64 {
    id.saturating_add(1)
}

impl Telegram {
    fn next(&self) -> Option<i64> {
        Some(self.next_update.load(Ordering::Acquire)).filter(|n| *n > 0)
    }

    fn taken(&self, id: i64) {
        self.next_update.fetch_max(after(id), Ordering::AcqRel);
    }
}
