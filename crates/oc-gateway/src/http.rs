//! Everything on the port that is not the protocol (gateway 8).
//!
//! * [`route`]: which path is what; the table is total. [`auth`]: who may ask. [`answer`]: the forms of answers. [`upgrade`]: to the protocol. [`webhook`]: chat services.
//! * [`invoke`]: `POST /tools/invoke`. [`openai`]: turns for clients of OpenAI's interfaces. [`hooks`]: what starts a turn from outside.
//! * [`metrics`]. [`console`]: the web console's files.
//!
//! Invariant: a path is decoded once, and what was classified is what is dispatched (SP-341).
//! Invariant: a route that is not in the table needs authentication nowhere because it does not exist: 404 (SP-321).

pub mod answer;
pub mod auth;
pub mod body;
pub mod console;
pub mod hooks;
pub mod invoke;
pub mod metrics;
pub mod openai;
pub mod route;
pub mod upgrade;
pub mod webhook;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use serde_json::json;

use crate::server::head::Head;
use crate::server::state::Gateway;
use answer::Payload;
use route::Route;

/// An answer, and whether the request showed a credential that was right.
#[derive(Debug)]
pub struct Answered {
    /// The answer.
    pub response: Response<Payload>,
    /// Whether the caller is known now.
    pub authenticated: bool,
}

impl Answered {
    /// An answer to a caller that is known.
    #[must_use]
    pub fn known(response: Response<Full<Bytes>>) -> Self {
        Self { response: response.map(Payload::Whole), authenticated: true }
    }
}

impl From<Response<Full<Bytes>>> for Answered {
    fn from(response: Response<Full<Bytes>>) -> Self {
        Self { response: response.map(Payload::Whole), authenticated: false }
    }
}

/// Answers one request.
pub async fn respond(gateway: &Arc<Gateway>, request: Request<Incoming>, remote: SocketAddr) -> Answered {
    let snapshot = gateway.snapshot();
    let head = Head::read(request.headers());
    let path = match route::canonical(request.uri().path()) {
        Ok(path) => path,
        Err(_) => return answer::plain(400, "Bad Request").into(),
    };
    let caller = head.caller(remote.ip(), &snapshot.settings.proxies, &snapshot.own);
    let visit = auth::Visit { gateway, snapshot: &snapshot, head: &head, caller };
    let route = route::of(&path, &snapshot.settings);
    // A chat service's path stands before the console's pages and after everything that is fixed.
    if matches!(route, Route::Console(_) | Route::NotFound)
        && let Some(hooked) = gateway.channels().and_then(|c| c.hooked(&path))
    {
        return Box::pin(webhook::respond(&visit, request, &hooked)).await;
    }
    match route {
        // Boxed: what the others need is not to be room in every request, and with that in every connection.
        Route::Hook(rest) => Box::pin(hooks::respond(&visit, request, &rest)).await,
        Route::ToolsInvoke => invoke::respond(&visit, request).await,
        Route::ChatCompletions => {
            Box::pin(openai::respond(&visit, request, openai::Endpoint::ChatCompletions)).await
        }
        Route::Responses => Box::pin(openai::respond(&visit, request, openai::Endpoint::Responses)).await,
        Route::Metrics => Box::pin(metrics::respond(&visit, &request)).await,
        Route::Health => liveness(request.method()).into(),
        Route::Ready => Box::pin(ready(&visit, &request)).await,
        Route::Console(file) => {
            console::respond(request.method(), &file, &snapshot.settings.control_ui).into()
        }
        Route::ConsoleRedirect => {
            answer::redirect(&format!("{}/", snapshot.settings.control_ui.base_path)).into()
        }
        Route::NotFound => answer::plain(404, "Not Found").into(),
    }
}

/// Alive, and nothing else (SP-355).
fn liveness(method: &Method) -> Response<Full<Bytes>> {
    match *method {
        Method::GET | Method::HEAD => answer::json(200, &json!({ "ok": true, "status": "live" })),
        _ => answer::not_allowed("GET, HEAD"),
    }
}

/// Whether the gateway can do its work; details for those who may know.
async fn ready(visit: &auth::Visit<'_>, request: &Request<Incoming>) -> Answered {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return answer::not_allowed("GET, HEAD").into();
    }
    let gateway = Arc::clone(visit.gateway);
    let failing = tokio::task::spawn_blocking(move || crate::methods::failing(&gateway)).await;
    let failing = failing.unwrap_or_else(|_| vec!["probe".to_owned()]);
    let status = if failing.is_empty() { 200 } else { 503 };
    let known = auth::check(visit, request.headers()).await.is_ok();
    let mut out = json!({ "ready": failing.is_empty() });
    if let (true, Some(members)) = (known || visit.caller.is_local_direct(), out.as_object_mut()) {
        members.insert("failing".to_owned(), failing.into());
        let up = visit.gateway.started.elapsed().as_millis();
        members.insert("uptimeMs".to_owned(), u64::try_from(up).unwrap_or(u64::MAX).into());
    }
    Answered { authenticated: known, ..Answered::known(answer::json(status, &out)) }
}
