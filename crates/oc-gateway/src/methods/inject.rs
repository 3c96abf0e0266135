//! `chat.inject`: a note of an administrator in a session, as if the assistant had said it. No model is asked.

use std::time::Duration;

use oc_agent::message::{Answer, Block, Message, StopReason, Usage};
use oc_agent::session::Session;
use oc_fs::durability::Durability;
use serde::Deserialize;
use serde_json::{Value, json};

use super::params::{invalid, parse, unavailable};
use super::{Call, Waiting};
use crate::server::outbox::Weight;
use crate::server::state::now_ms;

/// Longest note, in characters.
const LONGEST: usize = 100_000;
/// Longest label, in characters.
const LONGEST_LABEL: usize = 100;
/// How long it waits for a turn of the session.
const WAIT: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Inject {
    session_key: String,
    message: String,
    #[serde(default)]
    label: Option<String>,
}

/// `chat.inject`: `{ok, messageId}`. The session has to be there, and no turn of it may run.
pub fn inject(call: Call) -> Waiting {
    Box::pin(async move {
        let wanted: Inject = parse("chat.inject", &call.params)?;
        let text = wanted.message.trim();
        let label = wanted.label.as_deref().map(str::trim).filter(|l| !l.is_empty());
        if text.is_empty() || text.chars().count() > LONGEST {
            return Err(invalid("message is a text of 1 to 100000 characters"));
        }
        if label.is_some_and(|l| l.chars().count() > LONGEST_LABEL || l.chars().any(char::is_control)) {
            return Err(invalid("label is a line of at most 100 characters"));
        }
        let text = label.map_or_else(|| text.to_owned(), |label| format!("[{label}]\n\n{text}"));
        let place = call.place();
        let (agent, key) = place.session(&wanted.session_key)?;
        if call.gateway.assistant().is_some_and(|a| a.is_running(&key)) {
            return Err(unavailable("a turn of this session runs; try again when it is over"));
        }
        let (store, reading) = (place.store(&agent), key.clone());
        let entry = tokio::task::spawn_blocking(move || {
            store.read().map(|mut all| (all.shift_remove(&reading), store))
        });
        let read = entry.await.map_err(|_| unavailable("the session store was not read"))?;
        let (entry, store) = read?;
        let Some(Value::Object(entry)) = entry else { return Err(invalid("there is no such session")) };
        let directory = place.workspace(&agent).display().to_string();
        let failed = |e: oc_agent::session::SessionFailure| {
            tracing::warn!(target: "gateway", error = %e, "a note could not be put into a session");
            unavailable("the transcript of this session cannot be written now; the log says why")
        };
        let (session, _) =
            Session::open(store, entry, directory, jiff::Timestamp::now, WAIT).await.map_err(failed)?;
        let note = Message::Assistant(Answer {
            blocks: vec![Block::Text(text.clone())],
            stop: StopReason::EndTurn,
            usage: Usage::default(),
            api: "openai-responses",
            provider: "openclaw".to_owned(),
            model: "gateway-injected".to_owned(),
        });
        session.append(vec![note], None, Durability::Synced).await.map_err(failed)?;
        drop(session);
        let id = uuid::Uuid::new_v4().to_string();
        let shown = call.gateway.gate.snapshot().redactor().redact(&text);
        let message = json!({ "role": "assistant", "content": [{ "type": "text", "text": shown }], "timestamp": now_ms() });
        let payload = json!({
            "runId": format!("inject-{id}"), "sessionKey": wanted.session_key, "seq": 0, "state": "final", "message": message,
        });
        call.gateway.registry.broadcast("chat", payload, Weight::Needed, None);
        tracing::info!(target: "gateway", session = key, "a client put a note into a session");
        Ok(json!({ "ok": true, "messageId": id }))
    })
}
