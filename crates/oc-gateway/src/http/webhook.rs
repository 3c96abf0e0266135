//! Requests that chat services make: verified on the raw bytes by the account that owns the path, before anything of them is believed
//! (SP-414).

use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response};
use oc_channels::adapter::{Event, Taken, Verified, WebhookRefusal, WebhookRequest};
use oc_channels::webhook_replay::{self, Before};

use super::auth::{self, Visit};
use super::body::{self, BadBody};
use super::{Answered, answer};
use crate::assistant::channels::Hooked;
use crate::entrance::throttle::Class;
use crate::server::state::now_ms;

/// Largest body, in bytes.
const LARGEST: usize = 1024 * 1024;

/// Answers.
pub async fn respond(visit: &Visit<'_>, request: Request<Incoming>, hooked: &Hooked) -> Answered {
    let Some(webhook) = hooked.adapter.webhook() else { return answer::plain(404, "Not Found").into() };
    let (parts, body) = request.into_parts();
    // Loopback gives no trust, and wrong signatures are counted as every wrong credential is.
    let attempt = match auth::begin(visit, Class::Hook).await {
        Ok(attempt) => attempt,
        Err(refused) => return answer::unauthorized(&refused).into(),
    };
    let body = match body::read(body, LARGEST).await {
        Ok(body) => body,
        Err(why) => {
            attempt.wrong().await;
            return match why {
                BadBody::TooLarge => answer::plain(413, "Payload Too Large").into(),
                BadBody::Broken | BadBody::NotJson => answer::plain(400, "Bad Request").into(),
            };
        }
    };
    let headers: Vec<(String, String)> = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let verified = webhook.verify(&WebhookRequest {
        method: parts.method.as_str(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &headers,
        body: &body,
        now_ms: i64::try_from(now_ms()).unwrap_or(i64::MAX),
    });
    let Verified { events, answer: said, delivery } = match verified {
        Ok(verified) => verified,
        Err(refusal) => {
            tracing::warn!(target: "channels", channel = %hooked.adapter.channel(), why = %refusal, "a webhook request was refused");
            if refusal == WebhookRefusal::Unready {
                // It could not be judged: no guess, and a service that comes again is not to be locked out for it.
                attempt.no_guess();
            } else {
                attempt.wrong().await;
            }
            let status = match refusal {
                WebhookRefusal::Signature | WebhookRefusal::Stale => 401,
                WebhookRefusal::Method => 405,
                WebhookRefusal::Unready => 503,
                WebhookRefusal::Body => 400,
            };
            return answer::plain(status, "refused").into();
        }
    };
    attempt.right();
    let name = webhook_replay::name(delivery.as_deref(), &body);
    if !events.is_empty() && deliver(hooked, name, events).await == Taken::Later {
        // The service delivers it again.
        return known(answer::plain(503, "later"));
    }
    let built = Response::builder()
        .status(said.status)
        .header("content-type", said.content_type)
        .body(Full::from(said.body));
    known(built.unwrap_or_else(|_| answer::plain(200, "")))
}

/// Hands the events of a delivery to the door, unless that was done before: then it is answered as it was, and nothing happens.
async fn deliver(hooked: &Hooked, name: webhook_replay::Name, events: Vec<Event>) -> Taken {
    let looking = match hooked.deliveries.begin(name) {
        Ok(looking) => looking,
        Err(Before::Taken) => return Taken::Done,
        Err(Before::Busy) => return Taken::Later,
    };
    for event in events {
        if hooked.door.offer(event).await == Taken::Later {
            return Taken::Later;
        }
    }
    looking.taken();
    Taken::Done
}

fn known(response: Response<Full<bytes::Bytes>>) -> Answered {
    Answered::known(response)
}
