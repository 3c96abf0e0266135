//! `chat.send`, `chat.abort`, `agent`, `agent.wait`: turns that clients of the gateway start (gateway 6).
//!
//! A client acts as itself: it is the owner only when it administers, and no argument makes it somebody else (SP-109).

use std::sync::Arc;
use std::time::Duration;

use oc_agent::turn::said::{People, PersonMessage, Said};
use oc_policy::owner_only::Ownership;
use oc_sandbox::gate::CallSender;
use oc_types::AgentId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::params::{invalid, parse, unavailable};
use super::run_events::Told;
use super::{Call, Outcome, Waiting, sessions};
use crate::assistant::ending::end_session;
use crate::assistant::outside;
use crate::assistant::runs::{Run, Standing, Taken, end};
use crate::assistant::runtime::{Assistant, Conversation};
use crate::protocol::frame::{Failure, Outgoing};
use crate::server::state::{Gateway, now_ms};

/// Longest message, in characters.
const LONGEST: usize = 200_000;
/// Longest id of a run, in characters.
const LONGEST_ID: usize = 128;
/// How long `agent.wait` waits when the caller names no time, and at most, milliseconds.
const WAIT_MS: u64 = 30_000;
const LONGEST_WAIT_MS: u64 = 600_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Send {
    session_key: String,
    message: String,
    #[serde(default)]
    thinking: Option<String>,
    #[serde(default)]
    deliver: Option<bool>,
    #[serde(default)]
    attachments: Option<Vec<Value>>,
    #[serde(default)]
    timeout_ms: Option<u64>,
    idempotency_key: String,
}

/// `chat.send`: starts a turn, or stops one when the message says so.
pub fn send(call: &Call) -> Outcome {
    let wanted: Send = parse("chat.send", &call.params)?;
    if wanted.attachments.as_ref().is_some_and(|a| !a.is_empty()) {
        return Err(invalid("attachments are not taken yet; send the text alone"));
    }
    // Accepted as upstream's clients send them; the turn has the configured limits, and answers go to the client alone.
    let _ = (wanted.thinking, wanted.deliver, wanted.timeout_ms);
    let (agent, key) = call.place().session(&wanted.session_key)?;
    let text = wanted.message.trim();
    if matches!(text.to_lowercase().as_str(), "/stop" | "stop" | "/abort" | "abort") {
        let aborted = stop(&call.gateway, &agent, &key);
        return Ok(json!({ "ok": true, "aborted": !aborted.is_empty(), "runIds": aborted }));
    }
    if matches!(text, "/new" | "/reset") {
        sessions::reset(&call.place(), json!({ "key": key }))?;
        end_session(&call.gateway, &agent, &key);
        return Ok(json!({ "runId": wanted.idempotency_key, "status": "ok" }));
    }
    let (agent, key) = call.place().session_for_turn(&key)?;
    start(call, agent, key, &wanted.session_key, text, &wanted.idempotency_key)
}

/// Starts a turn and answers at once.
fn start(call: &Call, agent: AgentId, key: String, named: &str, text: &str, id: &str) -> Outcome {
    let id = id.trim();
    if id.is_empty() || id.chars().count() > LONGEST_ID {
        return Err(invalid("idempotencyKey is a text of 1 to 128 characters"));
    }
    if text.is_empty() || text.chars().count() > LONGEST {
        return Err(invalid("message is a text of 1 to 200000 characters"));
    }
    let gateway = Arc::clone(&call.gateway);
    let assistant = assistant(&gateway)?;
    let what = conversation(call, agent, key.clone(), text)?;
    let run = match assistant.runs().begin(id, &key, now_ms()) {
        Taken::Known(run) => {
            let status = match run.standing {
                Standing::Running => "in_flight",
                Standing::Ok { .. } | Standing::Aborted | Standing::Error { .. } => "ok",
            };
            return Ok(json!({ "runId": id, "status": status }));
        }
        Taken::Full => return Err(unavailable("too many runs go on; try again later")),
        Taken::New(run) => run,
    };
    let sink = Told::new(Arc::clone(&gateway), id, named);
    tokio::spawn(async move {
        let over = outside::carry_out(&gateway, &assistant, what, &sink, std::future::pending()).await;
        let standing = over.standing;
        sink.over(&standing);
        end(&run, standing, now_ms());
    });
    Ok(json!({ "runId": id, "status": "started" }))
}

fn assistant(gateway: &Gateway) -> Result<Arc<Assistant>, Failure> {
    gateway.assistant().ok_or_else(|| unavailable("the assistant does not run in this gateway"))
}

/// A client's words as a conversation. Whose they are says the connection.
fn conversation(call: &Call, agent: AgentId, key: String, text: &str) -> Result<Conversation, Failure> {
    let owner = if call.connection.may(crate::authority::Scope::Admin) {
        Ownership::Proven
    } else {
        Ownership::NotProven
    };
    let sender = CallSender { id: Some(call.connection.label().to_owned()), ..CallSender::default() };
    let said = Said::People(People::one(PersonMessage::new(sender, owner, text)));
    outside::conversation(&call.gateway.snapshot().place(), agent, key, said).map_err(|e| {
        tracing::error!(target: "gateway", error = %e, "a turn could not begin");
        unavailable("the session cannot be read now; the log says why")
    })
}

/// Ends what goes on in a session; the ids of its runs that were stopped.
fn stop(gateway: &Gateway, agent: &AgentId, key: &str) -> Vec<String> {
    let ids = gateway.assistant().map(|a| a.runs().running_in(key)).unwrap_or_default();
    if end_session(gateway, agent, key).turn { ids } else { Vec::new() }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Abort {
    session_key: String,
    #[serde(default)]
    run_id: Option<String>,
}

/// `chat.abort`.
pub fn abort(call: &Call) -> Outcome {
    let wanted: Abort = parse("chat.abort", &call.params)?;
    let (agent, key) = call.place().session(&wanted.session_key)?;
    if let Some(id) = wanted.run_id.as_deref() {
        let known = assistant(&call.gateway)?.runs().get(id);
        if known.is_some_and(|run| run.borrow().session != key) {
            return Err(invalid("runId is a run of another session"));
        }
    }
    let aborted = stop(&call.gateway, &agent, &key);
    Ok(json!({ "ok": true, "aborted": !aborted.is_empty(), "runIds": aborted }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wait {
    run_id: String,
    #[serde(default)]
    timeout_ms: Option<u64>,
}

/// `agent.wait`: answers when the run is over or the time is.
pub fn wait(call: Call) -> Waiting {
    Box::pin(async move {
        let wanted: Wait = parse("agent.wait", &call.params)?;
        let run = assistant(&call.gateway)?.runs().get(wanted.run_id.trim());
        let Some(mut run) = run else {
            return Ok(json!({ "runId": wanted.run_id, "status": "timeout" }));
        };
        let patience = Duration::from_millis(wanted.timeout_ms.unwrap_or(WAIT_MS).min(LONGEST_WAIT_MS));
        let over = run.wait_for(|r| r.standing != Standing::Running);
        let seen = match tokio::time::timeout(patience, over).await {
            Ok(Ok(seen)) => Some(seen.clone()),
            Ok(Err(_)) | Err(_) => None,
        };
        Ok(waited(&wanted.run_id, seen.as_ref()))
    })
}

fn waited(id: &str, run: Option<&Run>) -> Value {
    let Some(run) = run else { return json!({ "runId": id, "status": "timeout" }) };
    let mut out =
        json!({ "runId": id, "status": "ok", "startedAt": run.started_ms, "endedAt": run.ended_ms });
    let set = |out: &mut Value, name: &str, value: Value| {
        if let Some(members) = out.as_object_mut() {
            members.insert(name.to_owned(), value);
        }
    };
    match &run.standing {
        Standing::Running => set(&mut out, "status", json!("timeout")),
        Standing::Ok { .. } => {}
        Standing::Aborted => {
            set(&mut out, "status", json!("error"));
            set(&mut out, "error", json!("aborted"));
        }
        Standing::Error { why } => {
            set(&mut out, "status", json!("error"));
            set(&mut out, "error", json!(why));
        }
    }
    out
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Agent {
    message: String,
    #[serde(default)]
    agent_id: Option<String>,
    #[serde(default)]
    session_key: Option<String>,
    idempotency_key: String,
    /// Words for the system prompt: those come from the owner's files alone (SP-416).
    #[serde(default)]
    extra_system_prompt: Option<String>,
    #[serde(default)]
    deliver: Option<bool>,
    #[serde(default)]
    attachments: Option<Vec<Value>>,
    // What clients of the protocol send along. Whose turn it is and where it is answered is not theirs to say.
    #[serde(default)]
    session_id: Option<Value>,
    #[serde(default)]
    to: Option<Value>,
    #[serde(default)]
    reply_to: Option<Value>,
    #[serde(default)]
    thinking: Option<Value>,
    #[serde(default)]
    channel: Option<Value>,
    #[serde(default)]
    reply_channel: Option<Value>,
    #[serde(default)]
    account_id: Option<Value>,
    #[serde(default)]
    reply_account_id: Option<Value>,
    #[serde(default)]
    thread_id: Option<Value>,
    #[serde(default)]
    group_id: Option<Value>,
    #[serde(default)]
    group_channel: Option<Value>,
    #[serde(default)]
    group_space: Option<Value>,
    #[serde(default)]
    timeout: Option<Value>,
    #[serde(default)]
    lane: Option<Value>,
    #[serde(default)]
    label: Option<Value>,
    #[serde(default)]
    spawned_by: Option<Value>,
}

impl Agent {
    /// What is asked for and cannot be given is said, not left out.
    fn check(&self) -> Result<(), Failure> {
        if self.extra_system_prompt.as_deref().is_some_and(|t| !t.trim().is_empty()) {
            return Err(invalid(
                "extraSystemPrompt is not taken: the system prompt is the owner's files alone",
            ));
        }
        if self.deliver == Some(true) {
            return Err(invalid(
                "deliver is not taken: the answer comes back here; `send` sends messages to chats",
            ));
        }
        if self.attachments.as_ref().is_some_and(|a| !a.is_empty()) {
            return Err(invalid("attachments are not taken yet; send the text alone"));
        }
        let _ =
            (&self.session_id, &self.to, &self.reply_to, &self.thinking, &self.channel, &self.reply_channel);
        let _ =
            (&self.account_id, &self.reply_account_id, &self.thread_id, &self.group_id, &self.group_channel);
        let _ = (&self.group_space, &self.timeout, &self.lane, &self.label, &self.spawned_by);
        Ok(())
    }
}

/// `agent`: runs a turn and answers with what came of it.
pub fn agent(call: Call) -> Waiting {
    Box::pin(async move {
        let wanted: Agent = parse("agent", &call.params)?;
        wanted.check()?;
        let place = call.place();
        let (agent, key) = match (&wanted.session_key, &wanted.agent_id) {
            (Some(key), _) => place.session_for_turn(key)?,
            (None, Some(id)) => {
                let agent = AgentId::strict(id).map_err(|e| invalid(&e.to_string()))?;
                if !place.agents().contains(&agent) {
                    return Err(invalid(&format!("there is no agent `{agent}`")));
                }
                let key = place.main_session(&agent);
                (agent, key)
            }
            (None, None) => {
                let agent = place.default_agent();
                let key = place.main_session(&agent);
                (agent, key)
            }
        };
        if wanted.agent_id.as_deref().is_some_and(|id| AgentId::normalized(id) != agent) {
            return Err(invalid("sessionKey is one of another agent than agentId"));
        }
        let id = wanted.idempotency_key.trim().to_owned();
        let named = key.clone();
        start(&call, agent, key, &named, wanted.message.trim(), &id)?;
        // Two answers to one request: that it runs, and what came of it.
        let accepted = json!({ "runId": id, "status": "accepted", "acceptedAt": now_ms() });
        call.connection.send(&Outgoing::answer(&call.id, Ok(accepted)));
        let run = assistant(&call.gateway)?.runs().get(&id);
        let mut run = run.ok_or_else(|| unavailable("the run was not kept"))?;
        let over = run.wait_for(|r| r.standing != Standing::Running).await;
        let seen = over.map_err(|_| unavailable("the run was lost"))?.clone();
        if let Some(why) = failed(&seen.standing) {
            let mut failure = unavailable(why);
            failure.details = Some(json!({ "runId": id, "status": "error", "summary": why }));
            return Err(failure);
        }
        let mut out = waited(&id, Some(&seen));
        if let Some(members) = out.as_object_mut() {
            members.insert("summary".to_owned(), "completed".into());
        }
        if let (Standing::Ok { reply: Some(reply) }, Some(members)) = (&seen.standing, out.as_object_mut()) {
            let shown = call.gateway.gate.snapshot().redactor().redact(reply);
            members.insert("result".to_owned(), json!({ "payloads": [{ "text": shown }] }));
        }
        Ok(out)
    })
}

/// Why a run did not end well.
fn failed(standing: &Standing) -> Option<&str> {
    match standing {
        Standing::Running | Standing::Ok { .. } => None,
        Standing::Aborted => Some("aborted"),
        Standing::Error { why } => Some(why),
    }
}
