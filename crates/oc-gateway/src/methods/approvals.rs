//! `exec.approval.*`: questions to a person, in the one durable queue that the gate and the command line use as well (gateway 6,
//! exec-approval 9 and 10, SP-170 to SP-177, SP-200).
//!
//! A client that asks runs the command itself; what the gate asks it runs itself. Both wait in the same queue and are answered the same way.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use oc_approval::approvals_file::{Ask, Security};
use oc_approval::approver::Permit;
use oc_approval::binding::{Circumstances, Host};
use oc_approval::life_cycle::{Decision, Ending, Record, State, Target};
use oc_approval::request::Asked;
use oc_fs::approval_queue::{Outcome as Answered, QueueFailure};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Outcome, Waiting, nodes, parse};
use crate::protocol::frame::{Code, Failure};
use crate::server::state::Gateway;

/// How long a question waits unless the caller says otherwise, in milliseconds (the seed's five minutes).
const TIMEOUT_MS: u64 = 300_000;
/// The longest time that a caller can ask for, in milliseconds.
const LONGEST_MS: u64 = 24 * 3600 * 1000;
/// How often `exec.approval.waitDecision` looks.
const LOOK: Duration = Duration::from_millis(100);

/// What clients sent with their questions, to be told to others as it was sent.
#[derive(Debug, Default)]
pub struct AsSent(Mutex<BTreeMap<String, Value>>);

impl AsSent {
    fn keep(&self, id: &str, sent: Value) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(id.to_owned(), sent);
    }

    fn forget(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Forgets questions that are no longer in the queue.
    pub fn retain(&self, there: impl Fn(&str) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|id, _| there(id));
    }

    fn of(&self, id: &str) -> Option<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}

/// A question as clients see it: the members of the protocol, and the product's own beside them.
#[must_use]
pub fn shown(gateway: &Gateway, record: &Record) -> Value {
    let mut request = serde_json::to_value(&record.request).unwrap_or_default();
    let sent = gateway.as_sent.of(&record.id);
    if let (Some(Value::Object(sent)), Some(members)) = (sent, request.as_object_mut()) {
        members.extend(sent);
    }
    json!({
        "id": record.id,
        "request": request,
        "code": record.code,
        "createdAtMs": record.created_at_ms,
        "expiresAtMs": record.expires_at_ms,
    })
}

fn invalid(why: impl std::fmt::Display) -> Failure {
    Failure::new(Code::InvalidRequest, why.to_string())
}

/// A queue that cannot be used approves nothing.
fn failure(failure: QueueFailure) -> Failure {
    match failure {
        QueueFailure::NotTaken(why) => invalid(why),
        QueueFailure::Refused(why) => invalid(why),
        other => Failure::new(Code::Unavailable, other.to_string()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Request {
    #[serde(default)]
    id: Option<String>,
    command: String,
    #[serde(default)]
    cwd: Option<String>,
    #[serde(default)]
    host: Option<String>,
    #[serde(default)]
    security: Option<String>,
    #[serde(default)]
    ask: Option<String>,
    #[serde(default)]
    agent_id: Option<String>,
    #[serde(default)]
    resolved_path: Option<String>,
    #[serde(default)]
    session_key: Option<String>,
    #[serde(default)]
    timeout_ms: Option<u64>,
    /// The node, with host `node`; without it, the only one that takes commands.
    #[serde(default)]
    node_id: Option<String>,
}

impl Request {
    fn sent(&self) -> Value {
        json!({
            "command": self.command,
            "cwd": self.cwd,
            "host": self.host,
            "security": self.security,
            "ask": self.ask,
            "agentId": self.agent_id,
            "resolvedPath": self.resolved_path,
            "sessionKey": self.session_key,
        })
    }

    /// What the answer is bound to. Words that are not known count as the strictest.
    fn circumstances(&self, call: &Call, node: Option<&str>) -> Circumstances {
        let (agent, session) = nodes::defaults(&call.gateway);
        let host = match self.host.as_deref() {
            Some("sandbox") => Host::Sandbox,
            Some("gateway") => Host::Gateway,
            _ => Host::Node,
        };
        Circumstances {
            agent: self.agent_id.clone().unwrap_or(agent),
            session: self.session_key.clone().unwrap_or(session),
            host,
            node: (host == Host::Node).then(|| node.unwrap_or(call.connection.label()).to_owned()),
            security: self.security.as_deref().and_then(Security::parse).unwrap_or(Security::Allowlist),
            ask: self.ask.as_deref().and_then(Ask::parse).unwrap_or(Ask::Always),
        }
    }
}

/// `exec.approval.request`: answers on a decision or when the time is over.
pub fn request(call: Call) -> Waiting {
    Box::pin(async move {
        let request: Request = parse("exec.approval.request", &call.params)?;
        let timeout = request.timeout_ms.unwrap_or(TIMEOUT_MS).clamp(1, LONGEST_MS);
        let cwd = request.cwd.clone().unwrap_or_default();
        // The answer to a question about a node is for the `node.invoke` that follows (`runId`), to that node and no other.
        let node = match request.host.as_deref() {
            Some("node") => request.node_id.clone().or_else(|| nodes::only_node(&call)),
            _ => None,
        };
        let at = request.circumstances(&call, node.as_deref());
        let text = match &node {
            Some(_) => oc_approval::node_run::canonical(&request.command),
            None => request.command.as_str().into(),
        };
        let asked = Asked::of_client(&text, &cwd, request.resolved_path.clone(), &at).map_err(invalid)?;
        // The id is known before anybody can hear of the question, so that everybody hears what was sent.
        let id = match request.id.as_deref().map(str::trim).filter(|id| !id.is_empty()) {
            Some(id) => id.to_owned(),
            None => uuid::Uuid::new_v4().to_string(),
        };
        let taken = call.gateway.as_sent.of(&id).is_some();
        if !taken {
            call.gateway.as_sent.keep(&id, request.sent());
        }
        let put = call.gateway.approvals.put(asked, Some(id.clone()), timeout).await;
        let asking = put.map_err(|why| {
            // Nobody would ever take it out again.
            if !taken {
                call.gateway.as_sent.forget(&id);
            }
            failure(why)
        })?;
        call.gateway.queue_changed.notify_one();
        let (asking, outcome) = asking.answered().await.map_err(failure)?;
        call.gateway.queue_changed.notify_one();
        let record = asking.record().clone();
        let decision = match &outcome {
            Answered::Allowed(answer) => Some(answer.decision.word()),
            Answered::Denied { reason: oc_approval::life_cycle::Denial::UserDenied, .. } => Some("deny"),
            Answered::Denied { .. } => None,
        };
        if matches!(outcome, Answered::Allowed(_)) && node.is_some() {
            nodes::keep(&call, asking).await;
        } else if matches!(outcome, Answered::Allowed(_)) {
            // Single use: the client has its answer, and nobody takes the approval up again.
            if let Ok(Ok(taken)) = asking.take_up(record.binding.clone()).await {
                let _ = tokio::task::spawn_blocking(move || taken.finished(Ending::Lost)).await;
            }
        }
        Ok(json!({
            "id": record.id,
            "decision": decision,
            "createdAtMs": record.created_at_ms,
            "expiresAtMs": record.expires_at_ms,
        }))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Resolve {
    id: String,
    decision: String,
    #[serde(default)]
    target: Option<String>,
}

/// Who answers: this connection, with what it holds.
fn permit(call: &Call) -> Result<Permit, Failure> {
    let words = call.connection.scopes.words();
    Permit::client(call.connection.label(), &words).map_err(invalid)
}

/// `exec.approval.resolve`: `id` may be the short code of the prompt.
pub fn resolve(call: &Call) -> Outcome {
    let resolve: Resolve = parse("exec.approval.resolve", &call.params)?;
    let decision = Decision::parse(&resolve.decision)
        .ok_or_else(|| invalid("decision is allow-once, allow-always or deny"))?;
    let target = resolve
        .target
        .as_deref()
        .map(|word| Target::parse(word).ok_or_else(|| invalid("target is host or sandbox")))
        .transpose()?;
    let permit = permit(call)?;
    let answered =
        call.gateway.queue.answer(resolve.id.trim(), decision, target, &permit).map_err(failure)?;
    let record = answered.record();
    call.gateway.queue_changed.notify_one();
    Ok(json!({ "ok": true, "id": record.id }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Nothing {}

/// `exec.approval.list`: what waits, oldest first.
pub fn list(call: &Call) -> Outcome {
    let Nothing {} = parse("exec.approval.list", &call.params)?;
    let permit = permit(call)?;
    let records = call.gateway.queue.records().map_err(failure)?;
    let waiting = records.iter().filter(|r| matches!(r.state, State::Pending) && permit.covers(r));
    Ok(json!({ "pending": waiting.map(|r| shown(&call.gateway, r)).collect::<Vec<_>>() }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct One {
    id: String,
    #[serde(default)]
    timeout_ms: Option<u64>,
}

fn find(call: &Call, id: &str) -> Result<Record, Failure> {
    let permit = permit(call)?;
    let records = call.gateway.queue.records().map_err(failure)?;
    let found = records.into_iter().find(|r| (r.id == id || r.code == id) && permit.covers(r));
    found.ok_or_else(|| invalid("no request has this id; see exec.approval.list"))
}

fn told(call: &Call, record: &Record) -> Value {
    let mut out = shown(&call.gateway, record);
    if let Some(members) = out.as_object_mut() {
        members.insert("state".to_owned(), record.state.word().into());
        members.insert("decision".to_owned(), record.answer.as_ref().map(|a| a.decision.word()).into());
    }
    out
}

/// `exec.approval.get`.
pub fn get(call: &Call) -> Outcome {
    let One { id, timeout_ms: _ } = parse("exec.approval.get", &call.params)?;
    Ok(told(call, &find(call, id.trim())?))
}

/// `exec.approval.waitDecision`: answers when the question no longer waits, or when the time is over.
pub fn wait(call: Call) -> Waiting {
    Box::pin(async move {
        let One { id, timeout_ms } = parse("exec.approval.waitDecision", &call.params)?;
        let deadline = tokio::time::Instant::now()
            + Duration::from_millis(timeout_ms.unwrap_or(TIMEOUT_MS).min(LONGEST_MS));
        loop {
            let (looker, id) = (call.clone(), id.trim().to_owned());
            let looked = tokio::task::spawn_blocking(move || find(&looker, &id)).await;
            let record = looked.unwrap_or_else(|_| Err(invalid("the queue could not be looked at")))?;
            if !matches!(record.state, State::Pending) || tokio::time::Instant::now() >= deadline {
                return Ok(told(&call, &record));
            }
            tokio::time::sleep(LOOK).await;
        }
    })
}
