//! The webhook: Telegram calls us, and proves itself with the secret that we gave it.

use oc_types::Secret;
use serde_json::json;

use super::api::Api;
use super::{Telegram, update};
use crate::account::{AccountSettings, settings};
use crate::adapter::{AdapterFailure, Verified, Webhook, WebhookAnswer, WebhookRefusal, WebhookRequest};
use crate::http_client::{ApiRoot, PlainHttp};
use crate::webhook_proof;

const DEFAULT_PATH: &str = "/telegram-webhook";
const HEADER: &str = "x-telegram-bot-api-secret-token";

/// The webhook of one bot.
#[derive(Debug)]
pub(super) struct Hook {
    url: String,
    path: String,
    pub(super) secret: Secret,
}

impl Hook {
    /// `webhookUrl` asks for it; then `webhookSecret` has to be there.
    pub(super) fn from_settings(account: &AccountSettings<'_>) -> Result<Option<Self>, AdapterFailure> {
        let Some(url) = account.text("webhookUrl")? else { return Ok(None) };
        let key = account.get("webhookUrl").1;
        ApiRoot::parse(&key, url, PlainHttp::Loopback)?;
        let secret_key = account.get("webhookSecret").1;
        let secret = account.credential("webhookSecret")?.ok_or_else(|| {
            settings(
                &secret_key,
                "a webhook needs a secret; write 16 or more random letters and digits".to_owned(),
            )
        })?;
        let text = secret.expose();
        let form = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if !(16..=256).contains(&text.len()) || !text.bytes().all(form) {
            let why = "a webhook's secret has 16 to 256 letters, digits, `_` and `-`";
            return Err(settings(&secret_key, why.to_owned()));
        }
        let own =
            reqwest::Url::parse(url).map(|u| u.path().trim_end_matches('/').to_owned()).unwrap_or_default();
        let path = match account.text("webhookPath")? {
            Some(path) if path.starts_with('/') => path.to_owned(),
            Some(_) => return Err(settings(&account.get("webhookPath").1, "it begins with `/`".to_owned())),
            None if own.is_empty() => DEFAULT_PATH.to_owned(),
            None => own,
        };
        Ok(Some(Self { url: url.to_owned(), path, secret }))
    }

    /// Tells Telegram where to call.
    pub(super) async fn register(&self, api: &Api) -> Result<(), AdapterFailure> {
        let parameters = json!({
            "url": self.url,
            "secret_token": self.secret.expose(),
            "allowed_updates": update::WANTED,
            "drop_pending_updates": false,
        });
        api.call("setWebhook", parameters).await.map(|_| ())
    }
}

impl Webhook for Telegram {
    fn path(&self) -> &str {
        self.hook.as_ref().map_or(DEFAULT_PATH, |h| h.path.as_str())
    }

    fn verify(&self, request: &WebhookRequest<'_>) -> Result<Verified, WebhookRefusal> {
        let hook = self.hook.as_ref().ok_or(WebhookRefusal::Signature)?;
        if request.method != "POST" {
            return Err(WebhookRefusal::Method);
        }
        webhook_proof::same_secret(webhook_proof::header(request, HEADER), &hook.secret)?;
        let json = webhook_proof::json(request)?;
        let read = update::read(&json, &self.who, self.username().as_deref()).ok_or(WebhookRefusal::Body)?;
        if let Some(press) = read.press {
            self.presses.remember(&read.event, press, std::time::Instant::now());
        }
        let answer = WebhookAnswer { status: 200, content_type: "application/json", body: "{}".to_owned() };
        Ok(Verified { events: vec![read.event], answer, delivery: None })
    }
}
