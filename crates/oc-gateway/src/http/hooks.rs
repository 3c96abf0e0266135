//! `POST <hooks.path>/wake`, `/agent` and mappings: what starts a turn from outside (gateway 8, SP-354).
//!
//! `order`: what is asked for; `mapped`, `template`: requests of other programs; `session`: where it is heard; `turn`: the turn;
//! `delivery`: where its answer goes.
//!
//! The secret comes in a header, never in the address; it is not the gateway's own. What a hook says is untrusted content by its origin,
//! whatever the session is called; it is heard in a session of its own unless the owner says otherwise.

mod delivery;
mod mapped;
mod order;
mod session;
mod template;
#[cfg(test)]
mod tests;
mod turn;

use hyper::body::Incoming;
use hyper::header::RETRY_AFTER;
use hyper::{Method, Request};
use serde::Deserialize;
use serde_json::{Value, json};

use super::auth::{self, Visit};
use super::body::{self, BadBody};
use super::{Answered, answer};
use crate::entrance::throttle::Class;
use crate::methods::system_events::Mode;
use crate::settings::Hooks;
use mapped::Mapped;
use order::{Body, Order};
use template::Source;
use turn::NotBegun;

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
    let attempt = match auth::begin(visit, Class::Hook).await {
        Ok(attempt) => attempt,
        Err(refused) => return answer::unauthorized(&refused).into(),
    };
    if !hooks.key.opens(shown) {
        attempt.wrong().await;
        tracing::warn!(target: "gateway/hooks", "a hook with a wrong token was refused");
        return answer::plain(401, "Unauthorized").into();
    }
    attempt.right();
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
    // The path decides, then the mappings; what neither knows is not there.
    let source = Source { body: &body, headers: &parts.headers, path: rest };
    match rest {
        "wake" => wake(visit, &hooks, &body),
        "agent" => match Body::deserialize(&body) {
            Ok(wanted) => turn(visit, &hooks, wanted.order()),
            Err(_) => bad("it needs `message`, a text; the others are texts, `deliver` and `timeoutSeconds`"),
        },
        _ => match mapped::of(&hooks.mappings, source) {
            Some(Mapped::Turn(order)) => turn(visit, &hooks, *order),
            Some(Mapped::Wake { text, mode }) => woken(visit, &hooks, &text, mode.as_deref()),
            Some(Mapped::Nothing) => Answered::known(answer::empty(204)),
            Some(Mapped::Transform) => {
                let why = "this mapping has a transform module, which this gateway does not run";
                Answered::known(answer::json(501, &json!({ "ok": false, "error": why })))
            }
            None => Answered::known(answer::plain(404, "Not Found")),
        },
    }
}

fn bad(why: &str) -> Answered {
    Answered::known(answer::json(400, &json!({ "ok": false, "error": why })))
}

/// Starts a turn and answers at once.
fn turn(visit: &Visit<'_>, hooks: &Hooks, order: Order) -> Answered {
    match turn::start(visit.gateway, hooks, order) {
        Ok(run) => Answered::known(answer::json(202, &json!({ "ok": true, "runId": run }))),
        Err(NotBegun::Refused(why)) => bad(why),
        Err(NotBegun::Busy) => busy(),
    }
}

fn wake(visit: &Visit<'_>, hooks: &Hooks, body: &Value) -> Answered {
    match Wake::deserialize(body) {
        Ok(wake) => woken(visit, hooks, &wake.text, wake.mode.as_deref()),
        Err(_) => bad("`text` is missing"),
    }
}

/// A turn, in the session of hooks. `next-heartbeat` is refused: there are no heartbeats here, and what nobody would hear of is not taken.
fn woken(visit: &Visit<'_>, hooks: &Hooks, text: &str, mode: Option<&str>) -> Answered {
    let mode = mode.map_or(Some(Mode::Now), Mode::parse);
    let (Some(mode), false) = (mode, text.trim().is_empty()) else {
        return bad("`text` is empty, or `mode` is neither now nor next-heartbeat");
    };
    match mode {
        Mode::NextHeartbeat => {
            let why = "this gateway has no heartbeats; send mode now, which starts a turn";
            Answered::known(answer::json(501, &json!({ "ok": false, "error": why })))
        }
        Mode::Now => match turn::start(visit.gateway, hooks, Order::of(text)) {
            Ok(_) => Answered::known(answer::json(200, &json!({ "ok": true, "mode": mode.word() }))),
            Err(NotBegun::Refused(why)) => bad(why),
            Err(NotBegun::Busy) => busy(),
        },
    }
}

fn busy() -> Answered {
    let busy = json!({ "ok": false, "error": "too many turns of hooks go on; try again later" });
    Answered::known(answer::with(answer::json(503, &busy), RETRY_AFTER, "10"))
}
