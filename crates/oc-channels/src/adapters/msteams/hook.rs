//! The webhook: one activity a call.

use reqwest::Url;

use super::{Teams, event, token};
use crate::adapter::{Verified, Webhook, WebhookAnswer, WebhookRefusal, WebhookRequest};
use crate::http_client::{belongs, names_user};
use crate::json::Members as _;
use crate::webhook_proof::{header, json};

impl Webhook for Teams {
    fn path(&self) -> &str {
        &self.path
    }

    fn verify(&self, request: &WebhookRequest<'_>) -> Result<Verified, WebhookRefusal> {
        if request.method != "POST" {
            return Err(WebhookRefusal::Method);
        }
        let find = |name: &str| self.keys.find(name);
        let claims = token::verify(header(request, "authorization"), &self.app_id, request.now_ms, find)?;
        let activity = json(request)?;
        // The token does not cover the body; it names the address, and that has to be the one our token would be sent to.
        let address = activity.text("serviceUrl").ok_or(WebhookRefusal::Signature)?;
        let claimed = claims.text("serviceurl").or(claims.text("serviceUrl"));
        if claimed != Some(address) || !self.is_service(address) {
            return Err(WebhookRefusal::Signature);
        }
        if activity.text("channelId") != Some("msteams") {
            return Err(WebhookRefusal::Signature);
        }
        let tenant = activity.at("channelData").at("tenant").text("id");
        let tenant = tenant.or(activity.at("conversation").text("tenantId"));
        if self.tenant.is_some() && tenant != self.tenant.as_deref() {
            return Err(WebhookRefusal::Signature);
        }
        if let Some(conversation) = activity.at("conversation").text("id") {
            self.places().put(event::base_of(conversation).0, address.to_owned());
        }
        let invoke = activity.text("type") == Some("invoke");
        let body = if invoke { "{}" } else { "" };
        let answer = WebhookAnswer { status: 200, content_type: "application/json", body: body.to_owned() };
        Ok(Verified { events: event::read(&activity, self).into_iter().collect(), answer, delivery: None })
    }
}

impl Teams {
    /// Whether answers, and our token with them, may go to an address.
    fn is_service(&self, address: &str) -> bool {
        let Ok(url) = Url::parse(address) else { return false };
        if names_user(&url) || url.query().is_some() || url.fragment().is_some() {
            return false;
        }
        let listed = url.scheme() == "https" && belongs(&url, &self.hosts);
        listed || self.api.root().same_origin(&url)
    }
}
