//! `POST /v1/chat/completions` and `POST /v1/responses`: a turn of an agent in the forms that clients of OpenAI's interfaces know (gateway 8).
//!
//! `asked`: what is asked; `completions`, `responses`: the two forms; `place`: agent and session; `turn`: carrying it out;
//! `shown`: what of an answer may be shown already.
//!
//! The caller showed the shared secret: a program of an operator's, never the owner (SP-116). What it calls instructions are words of its
//! own; the system prompt is the owner's files alone (SP-416). What it asks for and cannot have is refused, not left out.

mod asked;
mod completions;
mod place;
mod responses;
mod shown;
mod turn;

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::RETRY_AFTER;
use hyper::{Method, Request, Response};
use oc_policy::owner_only::Ownership;
use oc_sandbox::gate::CallSender;
use serde_json::json;

use super::auth::{self, Visit};
use super::body::{self, BadBody};
use super::{Answered, answer};
use crate::assistant::outside;
use crate::assistant::runs::Taken;
use crate::server::state::now_ms;
use asked::{Asked, Wrong};
use turn::{Form, Turn};

/// Largest body of chat completions, in bytes.
const COMPLETIONS_BODY: usize = 1024 * 1024;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `POST /v1/chat/completions`.
    ChatCompletions,
    /// `POST /v1/responses`.
    Responses,
}

/// Answers.
pub async fn respond(visit: &Visit<'_>, request: Request<Incoming>, endpoint: Endpoint) -> Answered {
    if *request.method() != Method::POST {
        return answer::not_allowed("POST").into();
    }
    let (parts, body) = request.into_parts();
    if let Err(refused) = auth::check(visit, &parts.headers).await {
        return answer::unauthorized(&refused).into();
    }
    if auth::is_cross_site(visit, &parts.headers) {
        let why = "a page of another site may not ask; list its origin in gateway.controlUi.allowedOrigins";
        return Answered::known(answer::error(403, "forbidden", why));
    }
    let most = match endpoint {
        Endpoint::ChatCompletions => COMPLETIONS_BODY,
        Endpoint::Responses => visit.snapshot.settings.endpoints.responses_body,
    };
    let body = match body::json(body, most).await {
        Ok(body) => body,
        Err(BadBody::TooLarge) => {
            let why = format!("the body is larger than {most} bytes");
            return Answered::known(answer::error(413, "invalid_request_error", &why));
        }
        Err(BadBody::Broken | BadBody::NotJson) => {
            return Answered::known(refusal(&Wrong::new(
                None,
                "the body is no JSON, or did not arrive whole",
            )));
        }
    };
    if let Err(refused) = auth::still(visit, &parts.headers) {
        return answer::unauthorized(&refused).into();
    }
    let asked = match endpoint {
        Endpoint::ChatCompletions => completions::read(&body),
        Endpoint::Responses => responses::read(&body),
    };
    match asked {
        Ok(asked) => begin(visit, &parts.headers, asked, endpoint).await,
        Err(wrong) => Answered::known(refusal(&wrong)),
    }
}

async fn begin(visit: &Visit<'_>, headers: &hyper::HeaderMap, asked: Asked, endpoint: Endpoint) -> Answered {
    let snapshot = visit.gateway.snapshot();
    let here = snapshot.place();
    let found = match place::of(&here, headers, &asked) {
        Ok(found) => found,
        Err(wrong) => return Answered::known(refusal(&wrong)),
    };
    let Some(assistant) = visit.gateway.assistant() else { return Answered::known(busy()) };
    let sender = CallSender { id: Some("http".to_owned()), ..CallSender::default() };
    let said = asked.said(sender, Ownership::NotProven, found.fresh);
    let (agent, key) = (found.agent.clone(), found.key.clone());
    let reading = tokio::task::spawn_blocking(move || outside::conversation(&here, agent, key, said));
    let what = match reading.await {
        Ok(Ok(what)) => what,
        Ok(Err(e)) => {
            tracing::error!(target: "gateway/http", session = found.key, error = %e, "a turn could not begin");
            return Answered::known(busy());
        }
        Err(_) => return Answered::known(busy()),
    };
    let id = uuid::Uuid::new_v4().simple().to_string();
    let run = match assistant.runs().begin(&id, &found.key, now_ms()) {
        Taken::New(run) => run,
        Taken::Known(_) | Taken::Full => return Answered::known(busy()),
    };
    tracing::info!(target: "gateway/http", run = id, agent = %found.agent, session = found.key, "a turn was asked for");
    let form: Box<dyn Form> = match endpoint {
        Endpoint::ChatCompletions => Box::new(completions::Answer::new(&id, &asked)),
        Endpoint::Responses => Box::new(responses::Answer::new(&id, &asked)),
    };
    let turn = Turn {
        gateway: Arc::clone(visit.gateway),
        assistant,
        accepts: visit.snapshot.settings.accepts.clone(),
        what,
        run,
        id,
        form,
    };
    if asked.stream {
        // Also what waits for a slow reader is not told once the secret is another one (SP-350).
        let (gateway, accepts) = (Arc::clone(visit.gateway), turn.accepts.clone());
        let still = move || gateway.snapshot().settings.accepts.is_same(&accepts);
        return Answered { response: answer::events(turn.stream(), still), authenticated: true };
    }
    let told = turn.whole().await;
    // A turn takes its time, and what let its caller in may be taken back meanwhile (SP-350).
    if let Err(refused) = auth::still(visit, headers) {
        return answer::unauthorized(&refused).into();
    }
    match told {
        Ok(value) => Answered::known(answer::json(200, &value)),
        Err(why) => Answered::known(failed(&why)),
    }
}

fn refusal(wrong: &Wrong) -> Response<Full<Bytes>> {
    let error = json!({
        "message": oc_text::visible(&wrong.why, 400), "type": "invalid_request_error", "param": wrong.param, "code": wrong.code,
    });
    answer::json(wrong.status, &json!({ "error": error }))
}

/// Nothing was begun: it may be asked again.
fn busy() -> Response<Full<Bytes>> {
    let why = "too many turns go on, or the assistant does not run; ask again later";
    answer::with(answer::error(503, "unavailable", why), RETRY_AFTER, "5")
}

/// The turn ended badly. What its tools did until then stays done, so clients are told not to ask again by themselves.
fn failed(why: &str) -> Response<Full<Bytes>> {
    let error = json!({ "error": { "message": why, "type": "api_error", "param": null, "code": null } });
    let name = hyper::header::HeaderName::from_static("x-should-retry");
    answer::with(answer::json(500, &error), name, "false")
}
