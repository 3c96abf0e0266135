//! `sessions_spawn`: a task for a new sub-agent, whose result comes back into this session (sessions-routing 8).
//!
//! Invariant: a sub-agent may nothing that its parent may not (SP-107): its caller keeps the session above as a judge, and every call must be
//! allowed to the caller that started it as well, with its sender, its room and its model.

use std::sync::{Arc, Weak};
use std::time::Duration;

use oc_agent::prompt::Mode;
use oc_agent::session::entry::{Facts, Wish};
use oc_agent::turn::said::{InterSession, InterSessionKind, Said};
use oc_agent::turn::spawned::{SpawnRefused, spawned};
use oc_agent::turn::{Abort, Ended, NoSink, TurnEnd};
use oc_policy::sandbox::SandboxPlan;
use oc_sandbox::executor::{ExecutorError, Pending, Place as Where};
use oc_sandbox::gate::{
    Caller, Forbidden, Handled, Judging, Outcome, Snapshot, ToolCall, ToolHandler, ToolResult,
};
use oc_types::{AgentId, KeyPath};
use serde_json::{Map, Value, json};

use super::{of_several, pretty, text};
use crate::assistant::children::Child;
use crate::assistant::elsewhere::from_another;
use crate::assistant::ending::end_session;
use crate::assistant::origin::{Origin, asking, resume};
use crate::assistant::runtime::{Assistant, Conversation, NotBegun, Unnoted};
use crate::methods::{Place, sessions};
use crate::server::state::{Gateway, now_ms};

/// Longest task, in characters.
const LONGEST: usize = 20_000;
/// Longest label, in characters.
const LABEL: usize = 64;
/// An answer to a task that is not told.
const ANNOUNCE_SKIP: &str = "ANNOUNCE_SKIP";
/// What is told of one that was stopped, but not with the session above.
const STOPPED: &str = "(it was stopped before it had finished)";
const LEVELS: [&str; 6] = ["off", "minimal", "low", "medium", "high", "xhigh"];

/// The handler.
#[derive(Debug)]
pub struct SessionsSpawn {
    gateway: Weak<Gateway>,
}

impl SessionsSpawn {
    /// Over a gateway.
    #[must_use]
    pub fn new(gateway: Weak<Gateway>) -> Self {
        Self { gateway }
    }
}

/// What a call wants.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    task: String,
    label: Option<String>,
    agent: Option<AgentId>,
    model: Option<String>,
    thinking: Option<&'static str>,
    timeout: Option<Duration>,
    delete: bool,
}

fn wanted(arguments: &Map<String, Value>) -> Result<Wanted, String> {
    let task = text(arguments, "task").ok_or("`task` is missing")?;
    if task.chars().count() > LONGEST {
        return Err(format!("`task` has more than {LONGEST} characters"));
    }
    let label = text(arguments, "label").map(|l| oc_text::visible(l, LABEL));
    let agent = text(arguments, "agentId").map(AgentId::strict).transpose();
    let agent = agent.map_err(|e| format!("`agentId`: {e}"))?;
    let thinking = match text(arguments, "thinking") {
        None => None,
        Some(word) => {
            let found = LEVELS.into_iter().find(|l| l.eq_ignore_ascii_case(word));
            Some(found.ok_or_else(|| format!("`thinking` is one of {}", LEVELS.join(", ")))?)
        }
    };
    let timeout = match arguments.get("runTimeoutSeconds").filter(|v| !v.is_null()) {
        None => None,
        Some(v) => {
            let seconds = v.as_u64().ok_or("`runTimeoutSeconds` must be a number from 0 on")?;
            Some(Duration::from_secs(seconds)).filter(|t| !t.is_zero())
        }
    };
    let delete = match text(arguments, "cleanup") {
        None | Some("keep") => false,
        Some("delete") => true,
        Some(_) => return Err("`cleanup` is `delete` or `keep`".to_owned()),
    };
    let model = text(arguments, "model").map(str::to_owned);
    Ok(Wanted { task: task.to_owned(), label, agent, model, thinking, timeout, delete })
}

fn refused(why: &SpawnRefused) -> Forbidden {
    let (rule, key) = match why {
        SpawnRefused::TooDeep => ("depth", None),
        SpawnRefused::NotAllowed(_) => ("allow-agents", Some("agents.list")),
        SpawnRefused::LosesSandbox => ("sandbox", Some("agents.defaults.sandbox.mode")),
        SpawnRefused::Unclear(_) => ("unclear", None),
    };
    Forbidden { rule, key: key.map(KeyPath::dotted), why: why.to_string() }
}

/// Whatever another session's message started hands nothing further: its report would come into a turn whose answer nobody waits for.
fn one_hop(call: &ToolCall) -> Option<Forbidden> {
    from_another(&call.caller, &call.behind).then(|| Forbidden {
        rule: "one-hop",
        key: None,
        why: "another session's message started this; it starts no sub-agent. Do it yourself, and your answer goes back".to_owned(),
    })
}

impl ToolHandler for SessionsSpawn {
    fn tool(&self) -> &str {
        "sessions_spawn"
    }

    fn check(&self, call: &ToolCall) -> Result<(), String> {
        wanted(&call.arguments).map(drop)
    }

    fn forbids<'a>(
        &'a self,
        call: &'a ToolCall,
        snapshot: &'a Snapshot,
        _: Option<&'a SandboxPlan>,
    ) -> Judging<'a> {
        let judged = of_several(call).or_else(|| one_hop(call)).or_else(|| {
            let agent = wanted(&call.arguments).ok().and_then(|w| w.agent);
            spawned(snapshot, &call.caller, agent.as_ref(), "0").err().map(|e| refused(&e))
        });
        Box::pin(std::future::ready(judged))
    }

    fn run<'a>(&'a self, handled: Handled<'a>) -> Pending<'a, ToolResult> {
        Box::pin(async move {
            let gone =
                |cause: &str| ExecutorError::Unavailable { place: Where::Gateway, cause: cause.to_owned() };
            let failed = |why: String| Ok(ToolResult::text(Outcome::Failed, why));
            let gateway = self.gateway.upgrade().ok_or_else(|| gone("the gateway is stopping"))?;
            let assistant = gateway.assistant().ok_or_else(|| gone("the assistant does not run"))?;
            let call = handled.call;
            let wanted = match wanted(&call.arguments) {
                Ok(wanted) => wanted,
                Err(why) => return failed(why),
            };
            if let Some(model) = &wanted.model
                && let Err(why) = assistant.knows_model(model)
            {
                return failed(format!("`model`: {why}"));
            }
            let id = uuid::Uuid::new_v4().to_string();
            let caller = match spawned(handled.snapshot, &call.caller, wanted.agent.as_ref(), &id) {
                Ok(caller) => caller,
                Err(why) => return failed(why.to_string()),
            };
            let key = caller.session.clone();
            let config = handled.snapshot.config();
            let child = match assistant.children().begin(config, &call.caller.session, call.caller.turn, &key)
            {
                Ok(child) => child,
                Err(why) => return failed(why.to_string()),
            };
            let (place, above, noted) = (gateway.snapshot().place(), call.clone(), wanted.clone());
            let (child_caller, child_id) = (caller.clone(), id.clone());
            let noting = tokio::task::spawn_blocking(move || {
                let origin = Origin::beginning(&place, &above.caller, &above.behind).map_err(|e| {
                    tracing::error!(target: "assistant", error = %e, "a sub-agent was not started");
                    "the sessions cannot be read".to_owned()
                })?;
                note(&place, &child_caller, &child_id, &noted).map(|()| origin)
            });
            let origin = match noting.await.map_err(|_| gone("the session was not begun"))? {
                Ok(origin) => origin.ok_or_else(|| gone("the session of the call cannot be read"))?,
                Err(why) => return failed(why),
            };
            let what = conversation(&caller, call, &wanted);
            tokio::spawn(work(assistant, child, what, origin, wanted));
            let told = json!({
                "status": "accepted", "childSessionKey": key, "runId": id,
                "note": "its result comes into this session when it has finished",
            });
            Ok(ToolResult::text(Outcome::Done, pretty(&told)).with("to", key))
        })
    }
}

/// Begins the entry of the new session with what the call says about it.
fn note(place: &Place, child: &Caller, id: &str, wanted: &Wanted) -> Result<(), String> {
    let mut entry = Map::new();
    entry.insert("sessionId".to_owned(), id.into());
    entry.insert("updatedAt".to_owned(), now_ms().into());
    for (name, value) in [
        ("spawnedBy", child.spawned_by.as_deref()),
        ("label", wanted.label.as_deref()),
        ("modelOverride", wanted.model.as_deref()),
        ("thinkingLevel", wanted.thinking),
    ] {
        if let Some(value) = value {
            entry.insert(name.to_owned(), value.into());
        }
    }
    let begun = place.store(&child.agent).change(|all| {
        all.insert(child.session.clone(), Value::Object(entry));
        Ok::<_, oc_fs::session_store::SessionStoreFailure>(())
    });
    begun.map_err(|e| {
        tracing::error!(target: "assistant", error = %e, "a sub-agent's session could not be begun");
        "its session could not be begun".to_owned()
    })
}

fn conversation(child: &Caller, call: &ToolCall, wanted: &Wanted) -> Conversation {
    Conversation {
        agent: child.agent.clone(),
        key: child.session.clone(),
        caller: child.clone(),
        said: Said::InterSession(InterSession {
            from: call.caller.session.clone(),
            kind: InterSessionKind::Task,
            text: wanted.task.clone(),
        }),
        facts: Facts { spawned_by: child.spawned_by.clone(), ..Facts::default() },
        behind: call.everybody(),
        wish: Wish::None,
        prompt: Mode::Minimal,
    }
}

/// The turn of a sub-agent, alone in its session, until it has finished, its time is up or it is stopped.
async fn turn(
    gateway: &Arc<Gateway>,
    assistant: &Assistant,
    abort: &Abort,
    what: Conversation,
    origin: &Origin,
    timeout: Option<Duration>,
) -> Result<TurnEnd, NotBegun> {
    let key = what.key.clone();
    let _lane = tokio::select! {
        lane = gateway.lane_of_child(&key) => lane,
        () = abort.stopped() => return Err(NotBegun::Stopped),
    };
    let running = asking(gateway, origin, &key, assistant.converse_until(what, &NoSink, &Unnoted, abort));
    let Some(most) = timeout else { return running.await };
    let mut running = std::pin::pin!(running);
    tokio::select! {
        ended = &mut running => ended,
        () = tokio::time::sleep(most) => {
            abort.stop();
            running.await
        }
    }
}

/// Does the task, tells the session above, and clears up.
async fn work(assistant: Arc<Assistant>, child: Child, what: Conversation, origin: Origin, wanted: Wanted) {
    let key = what.key.clone();
    let Some(gateway) = assistant.gateway() else { return };
    let ended = turn(&gateway, &assistant, child.abort(), what, &origin, wanted.timeout).await;
    let stopped = child.is_stopped();
    drop(child);
    let report = match ended {
        Ok(end) => match (end.how, end.reply) {
            (Ended::Answered, Some(reply)) => Some(reply).filter(|r| r.trim() != ANNOUNCE_SKIP),
            (Ended::Answered | Ended::Silent, _) => Some("(it has finished and reports nothing)".to_owned()),
            (Ended::Aborted, _) => Some(STOPPED.to_owned()),
            (Ended::Stopped(notice), _) => Some(format!("(it did not finish: {})", notice.words())),
        },
        Err(NotBegun::Stopped) => Some(STOPPED.to_owned()),
        Err(e) => {
            tracing::error!(target: "assistant", session = key, error = %e, "a sub-agent's turn could not begin");
            Some("(it could not begin)".to_owned())
        }
    };
    // What a person stopped is not told of.
    if let Some(text) = report.filter(|_| !stopped) {
        let said = InterSession { from: key.clone(), kind: InterSessionKind::Result, text };
        resume(&assistant, origin, Said::InterSession(said)).await;
    }
    if wanted.delete {
        let deleting = tokio::task::spawn_blocking(move || {
            let place = gateway.snapshot().place();
            let (agent, key) = place.session(&key)?;
            let deleted = sessions::delete(&place, json!({ "key": key }));
            end_session(&gateway, &agent, &key);
            deleted
        });
        if !matches!(deleting.await, Ok(Ok(_))) {
            tracing::warn!(target: "assistant", "a sub-agent's session could not be deleted");
        }
    }
}

#[cfg(test)]
mod tests {
    use oc_sandbox::gate::Surface;

    use super::*;

    #[test]
    fn sp_107_everybody_behind_the_call_stands_behind_the_sub_agent() {
        let of = |session: &str| Caller::of_session(Surface::Model, AgentId::normalized("main"), session);
        let call = ToolCall {
            id: "1".to_owned(),
            tool: "sessions_spawn".to_owned(),
            arguments: Map::from_iter([("task".to_owned(), json!("x"))]),
            caller: of("agent:main:main"),
            behind: Arc::from([of("agent:main:main"), of("agent:main:other")]),
        };
        let wanted = wanted(&call.arguments).unwrap();
        let what = conversation(&of("agent:main:subagent:1"), &call, &wanted);
        assert_eq!(what.behind, [of("agent:main:main"), of("agent:main:main"), of("agent:main:other")]);
        // Of the other session it would not even be started.
        assert_eq!(one_hop(&call).unwrap().rule, "one-hop");
        let own = ToolCall { behind: Arc::from([of("agent:main:main")]), ..call };
        assert!(one_hop(&own).is_none());
    }
}
