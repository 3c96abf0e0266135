//! `sessions_send`: a text to another session, and its answer (sessions-routing 8).
//!
//! The other session answers for nobody, and with no more than both may: what its turn calls must be allowed to the session that wrote, too. A
//! turn that another session started writes to no further one, so two sessions cannot keep each other busy. A sandboxed session writes to none
//! outside a sandbox: its orders would be carried out there.

use std::sync::{Arc, Weak};
use std::time::Duration;

use oc_agent::prompt::Mode;
use oc_agent::session::entry::{Facts as SessionFacts, Wish};
use oc_agent::turn::said::{EnvelopeIds, InterSession, InterSessionKind, Said};
use oc_agent::turn::{Ended, NoSink};
use oc_policy::elevated::Turn;
use oc_policy::inbound::ConversationKind;
use oc_policy::sandbox::{SandboxPlan, is_sandboxed};
use oc_policy::session_key::SessionKey;
use oc_sandbox::executor::{ExecutorError, Pending, Place as Where};
use oc_sandbox::gate::{
    Caller, Forbidden, Handled, Judging, Outcome, Snapshot, Surface, ToolCall, ToolHandler, ToolResult,
};
use oc_text::untrusted::{Label, envelope};
use oc_types::{AgentId, KeyPath};
use serde_json::{Value, json};

use super::{of_several, pretty, seen, text};
use crate::assistant::elsewhere::after_a_hop;
use crate::assistant::runtime::{Assistant, Conversation, Unnoted};
use crate::assistant::session_view::{entry, exec_of};
use crate::methods::Place;
use crate::server::state::Gateway;

/// Longest text, in characters.
const LONGEST: usize = 20_000;
/// How long an answer is waited for when the call names no time, and at most, seconds.
const WAIT: u64 = 30;
const LONGEST_WAIT: u64 = 300;

/// The handler.
#[derive(Debug)]
pub struct SessionsSend {
    gateway: Weak<Gateway>,
}

/// A session that may be written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressee {
    /// Its agent.
    pub agent: AgentId,
    /// Its key, in its one form.
    pub key: String,
}

impl SessionsSend {
    /// Over a gateway.
    #[must_use]
    pub fn new(gateway: Weak<Gateway>) -> Self {
        Self { gateway }
    }
}

impl ToolHandler for SessionsSend {
    fn tool(&self) -> &str {
        "sessions_send"
    }

    fn check(&self, call: &ToolCall) -> Result<(), String> {
        let a = &call.arguments;
        let words = text(a, "message").ok_or("`message` is missing")?;
        if words.chars().count() > LONGEST {
            return Err(format!("`message` has more than {LONGEST} characters"));
        }
        match (text(a, "sessionKey"), text(a, "label")) {
            (None, None) => return Err("give `sessionKey` or `label`".to_owned()),
            (Some(_), Some(_)) => return Err("give `sessionKey` or `label`, not both".to_owned()),
            (Some(_), None) | (None, Some(_)) => {}
        }
        match a.get("timeoutSeconds").filter(|v| !v.is_null()) {
            Some(v) if v.as_u64().is_none() => Err("`timeoutSeconds` must be a number from 0 on".to_owned()),
            Some(_) | None => Ok(()),
        }
    }

    fn forbids<'a>(&'a self, call: &'a ToolCall, _: &'a Snapshot, _: Option<&'a SandboxPlan>) -> Judging<'a> {
        Box::pin(async move {
            let Some(gateway) = self.gateway.upgrade() else {
                return Some(forbidden("stopping", "the gateway is stopping"));
            };
            let place = gateway.snapshot().place();
            let call = call.clone();
            let judged = tokio::task::spawn_blocking(move || addressee(&place, &call)).await;
            match judged {
                Ok(judged) => judged.err(),
                Err(_) => Some(forbidden("unreadable", "the sessions cannot be read")),
            }
        })
    }

    fn run<'a>(&'a self, handled: Handled<'a>) -> Pending<'a, ToolResult> {
        Box::pin(async move {
            let gone =
                |cause: &str| ExecutorError::Unavailable { place: Where::Gateway, cause: cause.to_owned() };
            let gateway = self.gateway.upgrade().ok_or_else(|| gone("the gateway is stopping"))?;
            let assistant = gateway.assistant().ok_or_else(|| gone("the assistant does not run"))?;
            let (place, call) = (gateway.snapshot().place(), handled.call.clone());
            let made = tokio::task::spawn_blocking(move || {
                let to = addressee(&place, &call)?;
                conversation(&place, &call, to)
            });
            let what = match made.await.map_err(|_| gone("the sessions cannot be read"))? {
                Ok(what) => what,
                Err(forbidden) => return Ok(ToolResult::text(Outcome::Failed, forbidden.why)),
            };
            let under_way = match assistant.sending().begin(&handled.call.caller.session) {
                Ok(under_way) => under_way,
                Err(why) => return Ok(ToolResult::text(Outcome::Failed, why.to_string())),
            };
            let key = what.key.clone();
            let (tell, told) = tokio::sync::oneshot::channel();
            tokio::spawn(async move {
                let answer = turn(&assistant, what).await;
                drop(under_way);
                let _ = tell.send(answer);
            });
            let seconds = handled.call.arguments.get("timeoutSeconds").and_then(Value::as_u64);
            let seconds = seconds.unwrap_or(WAIT).min(LONGEST_WAIT);
            if seconds == 0 {
                return Ok(result(Outcome::Done, json!({ "status": "accepted", "sessionKey": key }), &key));
            }
            let waited = tokio::time::timeout(Duration::from_secs(seconds), told).await;
            Ok(match waited {
                Ok(Ok(Ok(Some(reply)))) => answered(&key, &reply),
                Ok(Ok(Ok(None))) => {
                    result(Outcome::Done, json!({ "status": "ok", "sessionKey": key, "reply": null }), &key)
                }
                Ok(Ok(Err(why))) => result(Outcome::Failed, json!({ "status": "error", "error": why }), &key),
                Ok(Err(_)) => result(
                    Outcome::Failed,
                    json!({ "status": "error", "error": "it was not answered" }),
                    &key,
                ),
                Err(_) => {
                    let more = "it has not answered yet; `sessions_history` shows its answer later";
                    result(
                        Outcome::Done,
                        json!({ "status": "timeout", "sessionKey": key, "note": more }),
                        &key,
                    )
                }
            })
        })
    }
}

fn result(outcome: Outcome, value: Value, key: &str) -> ToolResult {
    ToolResult::text(outcome, pretty(&value)).with("to", key)
}

/// The answer of the other session: data, in an envelope.
fn answered(key: &str, reply: &str) -> ToolResult {
    let Ok(mut ids) = EnvelopeIds::random(1) else {
        return result(Outcome::Failed, json!({ "status": "error", "error": "no randomness" }), key);
    };
    let fenced = envelope(Label::OtherSession, [("From", key)], reply, &ids.take_one());
    ToolResult::text(Outcome::Done, fenced).with("to", key)
}

fn forbidden(rule: &'static str, why: impl Into<String>) -> Forbidden {
    Forbidden { rule, key: None, why: why.into() }
}

/// Who is written to, when the caller may.
///
/// # Errors
/// The rule that refuses; a session that is not visible is one that does not exist.
pub fn addressee(place: &Place, call: &ToolCall) -> Result<Addressee, Forbidden> {
    if after_a_hop(&call.caller, &call.behind) {
        let why = "another session started this turn; it writes to no further one. Answer, and your answer goes back";
        return Err(forbidden("one-hop", why));
    }
    if let Some(several) = of_several(call) {
        return Err(several);
    }
    let unclear = |why: String| forbidden("not-visible", why);
    let eyes = seen::Eyes::of(place, call).map_err(unclear)?;
    let viewers = eyes.viewers(place);
    let row = match (text(&call.arguments, "sessionKey"), text(&call.arguments, "label")) {
        (Some(key), _) => seen::visible_row(place, &viewers, key).map_err(unclear)?,
        (None, label) => {
            let agent = text(&call.arguments, "agentId").map(AgentId::normalized);
            seen::labelled_row(place, &viewers, label.unwrap_or_default(), agent.as_ref()).map_err(unclear)?
        }
    };
    let key = row.get("key").and_then(Value::as_str).ok_or_else(|| unclear(seen::NOT_FOUND.to_owned()))?;
    if key == eyes.session() {
        return Err(forbidden("own-session", "this is the session you are in; answer instead"));
    }
    let (agent, key) = place.session_for_turn(key).map_err(|_| unclear(seen::NOT_FOUND.to_owned()))?;
    // What cannot be read counts as the stricter of the two.
    let sandboxed = |session: &str, unread: bool| {
        is_sandboxed(&place.config, Some(session)).map_or(unread, |s| s.runs.is_sandboxed())
    };
    if sandboxed(eyes.session(), true) && !sandboxed(&key, false) {
        return Err(Forbidden {
            rule: "sandbox",
            key: Some(KeyPath::dotted("agents.defaults.sandbox.mode")),
            why: "a sandboxed session writes only to sessions that are sandboxed".to_owned(),
        });
    }
    Ok(Addressee { agent, key })
}

/// The message as a turn of the other session: for nobody, with what its own session may, and no more than the one that wrote.
///
/// # Errors
/// What the other session is cannot be read: with whose rights its turn would act is not known then.
fn conversation(place: &Place, call: &ToolCall, to: Addressee) -> Result<Conversation, Forbidden> {
    let entry = entry(&place.store(&to.agent), &to.key).map_err(|e| {
        tracing::error!(target: "assistant", session = to.key, error = %e, "a session is not written to");
        forbidden("unreadable", "the session cannot be read")
    })?;
    let of = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut caller = Caller::of_session(Surface::Model, to.agent.clone(), to.key.clone());
    caller.turn = Turn::InterSession;
    caller.spawned_by = of("spawnedBy");
    caller.channel = of("channel").or_else(|| of("lastChannel"));
    caller.account = of("lastAccountId");
    caller.group = of("groupId");
    caller.group_channel = of("groupChannel").or_else(|| of("subject"));
    caller.group_space = of("space");
    caller.conversation = of("chatType").map_or(ConversationKind::Unknown, |w| ConversationKind::parse(&w));
    caller.exec = exec_of(&entry);
    let subagent = SessionKey::parse(&to.key).is_ok_and(|k| k.is_subagent());
    Ok(Conversation {
        agent: to.agent,
        key: to.key,
        caller,
        behind: call.everybody(),
        said: Said::InterSession(InterSession {
            from: call.caller.session.clone(),
            kind: InterSessionKind::Message,
            text: text(&call.arguments, "message").unwrap_or_default().to_owned(),
        }),
        facts: SessionFacts::default(),
        wish: Wish::None,
        prompt: if subagent { Mode::Minimal } else { Mode::Full },
    })
}

/// Runs it in the session's lane; what it answered, or why not, for the model.
async fn turn(assistant: &Arc<Assistant>, what: Conversation) -> Result<Option<String>, String> {
    let gateway = assistant.gateway().ok_or("the gateway is stopping")?;
    let _lane = gateway.lane(&what.key).await;
    match assistant.converse(what, &NoSink, &Unnoted).await {
        Ok(end) => match end.how {
            Ended::Answered => Ok(end.reply.filter(|r| r.trim() != "REPLY_SKIP")),
            Ended::Silent => Ok(None),
            Ended::Aborted => Err("it was stopped".to_owned()),
            Ended::Stopped(notice) => Err(notice.words().to_owned()),
        },
        Err(e) => {
            tracing::error!(target: "assistant", error = %e, "a turn could not begin");
            Err("its turn could not begin".to_owned())
        }
    }
}
