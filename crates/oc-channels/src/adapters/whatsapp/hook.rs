//! The webhook: `GET` proves us to Meta, `POST` brings what happened, signed with the app's secret.

use super::{WhatsApp, event};
use crate::adapter::{Verified, Webhook, WebhookAnswer, WebhookRefusal, WebhookRequest};
use crate::json::Members as _;
use crate::webhook_proof::{header, hmac_sha256_hex, json, query_value, same_secret};

/// Longest challenge that is given back.
const CHALLENGE: usize = 128;

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
                Ok(Verified {
                    events: event::read(&body, self),
                    answer: answer(String::new()),
                    delivery: None,
                })
            }
            _ => Err(WebhookRefusal::Method),
        }
    }
}
