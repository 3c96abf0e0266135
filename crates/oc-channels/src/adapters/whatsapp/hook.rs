//! The webhook: `GET` proves us to Meta, `POST` brings what happened, signed with the app's secret.

use super::{SERVICE, WhatsApp, event};
use crate::adapter::{Event, Verified, Webhook, WebhookAnswer, WebhookRefusal, WebhookRequest};
use crate::json::Members as _;
use crate::webhook_proof::{header, hmac_sha256_hex, json, query_value, same_secret};

/// Longest challenge that is given back.
const CHALLENGE: usize = 128;

/// How old a message may be, milliseconds: as long as Meta tries to deliver a call. The call itself is signed without a time.
const OLDEST_MS: i64 = 7 * 24 * 60 * 60 * 1000;

impl WhatsApp {
    /// Without what was said so long ago that it can only be somebody's replay; what says no time is as good as that.
    fn recent(&self, mut events: Vec<Event>, now_ms: i64) -> Vec<Event> {
        let all = events.len();
        events.retain(|e| e.message.sent_ms.is_some_and(|at| now_ms.saturating_sub(at) <= OLDEST_MS));
        if events.len() < all {
            let (account, count) = (self.account.as_str(), all - events.len());
            tracing::warn!(
                service = SERVICE,
                account,
                count,
                "messages of more than seven days ago were passed over"
            );
        }
        events
    }
}

impl Webhook for WhatsApp {
    fn path(&self) -> &str {
        &self.path
    }

    fn verify(&self, request: &WebhookRequest<'_>) -> Result<Verified, WebhookRefusal> {
        let answer = |body: String| WebhookAnswer { status: 200, content_type: "text/plain", body };
        match request.method {
            "GET" => {
                let given = query_value(request.query, "hub.verify_token");
                same_secret(given.as_deref(), &self.verify_token)?;
                if query_value(request.query, "hub.mode").as_deref() != Some("subscribe") {
                    return Err(WebhookRefusal::Body);
                }
                let word = query_value(request.query, "hub.challenge").ok_or(WebhookRefusal::Body)?;
                let plain = word.len() <= CHALLENGE && word.bytes().all(|b| b.is_ascii_alphanumeric());
                if !plain {
                    return Err(WebhookRefusal::Body);
                }
                Ok(Verified { events: Vec::new(), answer: answer(word), delivery: None })
            }
            "POST" => {
                let given = header(request, "x-hub-signature-256");
                hmac_sha256_hex(given, "sha256=", &self.app_secret, &[request.body])?;
                let body = json(request)?;
                if body.text("object") != Some("whatsapp_business_account") {
                    return Err(WebhookRefusal::Body);
                }
                // The ids of the messages stand for themselves: a delivery may hold many.
                let events = self.recent(event::read(&body, self), request.now_ms);
                Ok(Verified { events, answer: answer(String::new()), delivery: None })
            }
            _ => Err(WebhookRefusal::Method),
        }
    }
}
