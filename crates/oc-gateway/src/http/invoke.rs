//! `POST /tools/invoke`: one tool call through the gate (gateway 8).
//!
//! Unknown and denied tools get one answer, so that nobody learns what there is. Tools that act on the host or on other sessions are
//! refused here whatever the policy says, unless `gateway.tools.allow` names them.

use std::sync::{Arc, LazyLock};

use hyper::body::Incoming;
use hyper::{Method, Request};
use oc_policy::sandbox::Subject;
use oc_policy::tool_name::canonical;
use oc_sandbox::gate::{Caller, Content, GateError, Outcome, Refused, Stage, Surface, ToolCall};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::auth::{self, Visit};
use super::body::{self, BadBody};
use super::{Answered, answer};

/// Largest body, in bytes.
const LARGEST: usize = 2 * 1024 * 1024;

/// Tools that are not served over HTTP unless `gateway.tools.allow` names them.
pub const REFUSED: [&str; 16] = [
    "exec",
    "spawn",
    "shell",
    "process",
    "read",
    "write",
    "edit",
    "fs_write",
    "fs_delete",
    "fs_move",
    "apply_patch",
    "sessions_spawn",
    "sessions_send",
    "cron",
    "gateway",
    "nodes",
];

/// [`REFUSED`], as the policy spells them.
static CANONICAL: LazyLock<Vec<String>> =
    LazyLock::new(|| REFUSED.iter().map(|t| canonical(t).into_owned()).collect());

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invoke {
    tool: String,
    #[serde(default)]
    action: Option<String>,
    #[serde(default)]
    args: Option<Map<String, Value>>,
    #[serde(default)]
    session_key: Option<String>,
    #[serde(default)]
    dry_run: bool,
}

/// Answers.
pub async fn respond(visit: &Visit<'_>, request: Request<Incoming>) -> Answered {
    if *request.method() != Method::POST {
        return answer::not_allowed("POST").into();
    }
    let (parts, body) = request.into_parts();
    if let Err(refused) = auth::check(visit, &parts.headers).await {
        return answer::unauthorized(&refused).into();
    }
    let known = Answered::known;
    if auth::is_cross_site(visit, &parts.headers) {
        let why =
            "a page of another site may not call tools; list its origin in gateway.controlUi.allowedOrigins";
        return known(answer::error(403, "forbidden", why));
    }
    let invalid = |why: &str| known(answer::error(400, "invalid_request_error", why));
    let body = match body::read(body, LARGEST).await {
        Ok(body) => body,
        Err(BadBody::TooLarge) => {
            return known(answer::error(413, "invalid_request_error", "the body is larger than 2 MiB"));
        }
        Err(BadBody::Broken | BadBody::NotJson) => return invalid("the body did not arrive whole"),
    };
    if let Err(refused) = auth::still(visit, &parts.headers) {
        return answer::unauthorized(&refused).into();
    }
    let Ok(invoke) = serde_json::from_slice::<Invoke>(&body) else {
        if serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_err() {
            return invalid("the body is not JSON");
        }
        return invalid("it needs `tool`, and may have `action`, `args` (an object), `sessionKey`, `dryRun`");
    };
    if invoke.tool.trim().is_empty() {
        return invalid("`tool` is empty");
    }
    let not_found = || {
        let message = format!("tool not available: {}", oc_text::visible(&invoke.tool, 80));
        known(failed(404, "not_found", &message))
    };
    if !is_served(visit, &invoke.tool) {
        return not_found();
    }
    let header = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let Some(caller) =
        caller(visit, &invoke, header("x-openclaw-message-channel"), header("x-openclaw-account-id"))
    else {
        return invalid("`sessionKey` is no key of a session of this gateway's agents");
    };
    let mut arguments = invoke.args.clone().unwrap_or_default();
    if let Some(action) = &invoke.action {
        arguments.entry("action").or_insert_with(|| action.clone().into());
    }
    let id = uuid::Uuid::new_v4().simple().to_string();
    let call =
        ToolCall { id, tool: invoke.tool.clone(), arguments, caller, behind: std::sync::Arc::default() };
    let gate = Arc::clone(&visit.gateway.gate);
    if invoke.dry_run {
        return match oc_sandbox::gate::Gate::would(&gate.snapshot(), &call) {
            Ok(_) => known(answer::json(
                200,
                &json!({ "ok": true, "result": { "content": [], "details": { "dryRun": true } } }),
            )),
            Err(_) => not_found(),
        };
    }
    // Boxed: each request, and each connection, has room for what is not.
    match Box::pin(gate.call(&call)).await {
        Ok(done) if done.result.outcome == Outcome::Done => {
            let result = Done { content: &done.result.content, details: &done.result.details };
            known(answer::json(200, &Succeeded { ok: true, result }))
        }
        Ok(done) => {
            let said = serde_json::to_value(&done.result.content).unwrap_or_default();
            let text =
                said.pointer("/0/text").and_then(Value::as_str).unwrap_or("the tool failed").to_owned();
            known(failed(400, "tool_error", &text))
        }
        Err(GateError::Refused(refused)) if hides(&refused) => not_found(),
        Err(error) => known(failed(400, "tool_error", &error.to_string())),
    }
}

#[derive(Serialize)]
struct Succeeded<'a> {
    ok: bool,
    result: Done<'a>,
}

#[derive(Serialize)]
struct Done<'a> {
    content: &'a [Content],
    details: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct Failed<'a> {
    ok: bool,
    error: Why<'a>,
}

#[derive(Serialize)]
struct Why<'a> {
    r#type: &'a str,
    message: &'a str,
}

fn failed(status: u16, kind: &str, message: &str) -> hyper::Response<http_body_util::Full<bytes::Bytes>> {
    answer::json(status, &Failed { ok: false, error: Why { r#type: kind, message } })
}

/// Whether a refusal must look as if the tool did not exist.
fn hides(refused: &Refused) -> bool {
    match refused.stage() {
        Stage::Policy | Stage::HostDoor | Stage::NotBuilt | Stage::Withheld | Stage::Session => true,
        Stage::Arguments | Stage::Approval | Stage::Place | Stage::Ledger => false,
    }
}

/// Whether a tool is served over HTTP at all, in any spelling of its name.
fn is_served(visit: &Visit<'_>, tool: &str) -> bool {
    let settings = &visit.snapshot.settings;
    let name = canonical(tool);
    let named = |list: &[String]| list.iter().any(|t| canonical(t) == name);
    let refused = CANONICAL.iter().any(|t| *t == name);
    !named(&settings.tools_deny) && (!refused || named(&settings.tools_allow))
}

/// For whom the call acts: a session of ours, reached with the shared secret by nobody in particular.
fn caller(
    visit: &Visit<'_>,
    invoke: &Invoke,
    channel: Option<String>,
    account: Option<String>,
) -> Option<Caller> {
    let tree = &visit.snapshot.loaded.tree;
    let key = invoke.session_key.as_deref().map(str::trim).filter(|k| !k.is_empty() && *k != "main");
    let subject = Subject::read(tree, None, key).ok()?;
    let mut caller = Caller::of_session(Surface::Http, subject.agent.clone(), subject.session.as_str());
    caller.channel = channel;
    caller.account = account;
    Some(caller)
}
