//! The Events API: Slack calls us and signs each request.

use super::{DEFAULT_PATH, Mode, Slack};
use crate::adapter::{Event, Verified, Webhook, WebhookAnswer, WebhookRefusal, WebhookRequest};
use crate::json::Members as _;
use crate::webhook_proof::{fresh, header, hmac_sha256_hex, query_value};

/// How old a request may be, milliseconds.
const WINDOW_MS: i64 = 5 * 60 * 1000;
/// Longest challenge that is given back.
const CHALLENGE: usize = 256;

impl Webhook for Slack {
    fn path(&self) -> &str {
        match &self.mode {
            Mode::Http { path, .. } => path,
            Mode::Socket { .. } => DEFAULT_PATH,
        }
    }

    fn verify(&self, request: &WebhookRequest<'_>) -> Result<Verified, WebhookRefusal> {
        let Mode::Http { secret, .. } = &self.mode else { return Err(WebhookRefusal::Signature) };
        if request.method != "POST" {
            return Err(WebhookRefusal::Method);
        }
        let stamp = header(request, "x-slack-request-timestamp").ok_or(WebhookRefusal::Signature)?;
        let parts: [&[u8]; 4] = [b"v0:", stamp.as_bytes(), b":", request.body];
        hmac_sha256_hex(header(request, "x-slack-signature"), "v0=", secret, &parts)?;
        // Only a stamp that is signed says anything.
        fresh(Some(stamp), request.now_ms, WINDOW_MS)?;
        let form = header(request, "content-type")
            .is_some_and(|t| t.trim().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"));
        if form { self.form(request) } else { self.events(request) }
    }
}

impl Slack {
    fn events(&self, request: &WebhookRequest<'_>) -> Result<Verified, WebhookRefusal> {
        let json = crate::webhook_proof::json(request)?;
        match json.text("type") {
            Some("url_verification") => {
                let word = json.text("challenge").filter(|c| c.len() <= CHALLENGE);
                let word = word.ok_or(WebhookRefusal::Body)?;
                let answer = WebhookAnswer { status: 200, content_type: "text/plain", body: word.to_owned() };
                Ok(Verified { events: Vec::new(), answer, delivery: None })
            }
            Some("event_callback") => Ok(self.verified(
                |bot, own| bot.reader(own).callback(&json),
                json.text("event_id").map(str::to_owned),
            )),
            Some("app_rate_limited") => Ok(done(None, None)),
            _ => Err(WebhookRefusal::Body),
        }
    }

    fn form(&self, request: &WebhookRequest<'_>) -> Result<Verified, WebhookRefusal> {
        let body = std::str::from_utf8(request.body).map_err(|_| WebhookRefusal::Body)?;
        if let Some(payload) = query_value(body, "payload") {
            let json: serde_json::Value = serde_json::from_str(&payload).map_err(|_| WebhookRefusal::Body)?;
            return Ok(self.verified(|bot, own| bot.reader(own).interactive(&json), None));
        }
        query_value(body, "command").ok_or(WebhookRefusal::Body)?;
        Ok(self.verified(|bot, own| bot.reader(own).slash(&|name| query_value(body, name)), None))
    }

    fn verified(
        &self,
        read: impl FnOnce(&Self, &super::Own) -> Option<Event>,
        delivery: Option<String>,
    ) -> Verified {
        match self.own() {
            Some(own) => done(read(self, &own), delivery),
            // Own messages cannot be told yet: the service shall come again.
            None => Verified {
                events: Vec::new(),
                answer: WebhookAnswer { status: 503, content_type: "text/plain", body: String::new() },
                delivery: None,
            },
        }
    }
}

fn done(event: Option<Event>, delivery: Option<String>) -> Verified {
    let answer = WebhookAnswer { status: 200, content_type: "text/plain", body: String::new() };
    Verified { events: event.into_iter().collect(), answer, delivery }
}
