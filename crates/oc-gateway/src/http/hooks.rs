//! `POST <hooks.path>/wake`, `/agent` and mappings: what starts a turn from outside (gateway 8, SP-354).
//!
//! The secret comes in a header, never in the address; it is not the gateway's own. What a hook says is untrusted content.

use hyper::body::Incoming;
use hyper::{Method, Request};
use serde::Deserialize;
use serde_json::{Value, json};

use super::auth::{self, Visit};
use super::body::{self, BadBody};
use super::{Answered, answer};
use crate::entrance::throttle::Class;
use crate::methods::system_events::{self, Mode};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wake {
    text: String,
    #[serde(default)]
    mode: Option<String>,
}

/// Answers.
pub async fn respond(visit: &Visit<'_>, request: Request<Incoming>, rest: &str) -> Answered {
    let Some(hooks) = visit.snapshot.settings.hooks.clone() else {
        return answer::plain(404, "Not Found").into();
    };
    if *request.method() != Method::POST {
        return answer::not_allowed("POST").into();
    }
    let query = request.uri().query().unwrap_or_default();
    if query.split('&').any(|p| p.split('=').next() == Some("token")) {
        let why = "the hook token belongs in a header (Authorization: Bearer, or X-OpenClaw-Token), not in the address";
        return answer::plain(400, why).into();
    }
    let (parts, body) = request.into_parts();
    let other = parts.headers.get("x-openclaw-token").and_then(|v| v.to_str().ok()).map(str::trim);
    let shown = auth::bearer(&parts.headers).or(other).unwrap_or_default();
    if shown.is_empty() {
        return answer::plain(401, "Unauthorized").into();
    }
    if let Err(refused) = auth::spend(visit, Class::Hook).await {
        return answer::unauthorized(&refused).into();
    }
    if !hooks.key.opens(shown) {
        tracing::warn!(target: "gateway/hooks", "a hook with a wrong token was refused");
        return answer::plain(401, "Unauthorized").into();
    }
    visit.gateway.throttle().succeeded(Class::Hook, visit.caller, visit.head.origin.is_some());
    let known = Answered::known;
    if auth::is_cross_site(visit, &parts.headers) {
        return known(answer::plain(403, "Forbidden"));
    }
    let body = match body::json(body, hooks.max_body).await {
        Ok(body) => body,
        Err(BadBody::TooLarge) => return known(answer::plain(413, "Payload Too Large")),
        Err(BadBody::Broken | BadBody::NotJson) => {
            return known(answer::json(400, &json!({ "ok": false, "error": "the body is no JSON object" })));
        }
    };
    // The body may have taken its time, and the secret may be another one now (SP-350).
    if !visit.gateway.snapshot().settings.hooks.as_ref().is_some_and(|h| h.key.opens(shown)) {
        return answer::plain(401, "Unauthorized").into();
    }
    match rest {
        "wake" => known(wake(visit, body)),
        // A turn needs the agent runtime; saying so is better than an acknowledgement that nothing follows.
        "agent" => known(answer::json(
            503,
            &json!({ "ok": false, "error": "this gateway has no agent runtime yet; `wake` is served" }),
        )),
        _ => known(answer::plain(404, "Not Found")),
    }
}

fn wake(visit: &Visit<'_>, body: Value) -> hyper::Response<http_body_util::Full<bytes::Bytes>> {
    let Ok(wake) = serde_json::from_value::<Wake>(body) else {
        return answer::json(400, &json!({ "ok": false, "error": "`text` is missing" }));
    };
    let mode = wake.mode.as_deref().map_or(Some(Mode::Now), Mode::parse);
    let (Some(mode), false) = (mode, wake.text.trim().is_empty()) else {
        return answer::json(
            400,
            &json!({ "ok": false, "error": "`text` is empty, or `mode` is neither now nor next-heartbeat" }),
        );
    };
    system_events::add(visit.gateway, system_events::From::Hook, &wake.text);
    answer::json(200, &json!({ "ok": true, "mode": mode.word() }))
}
