//! What clients hear of a run: the events `chat` (what is said) and `agent` (what happens), credentials masked (gateway 6).

use std::sync::{Arc, Mutex, PoisonError};

use oc_agent::turn::{Event, Sink};
use serde_json::{Value, json};

use crate::assistant::runs::Standing;
use crate::server::outbox::Weight;
use crate::server::state::{Gateway, now_ms};

/// Texts are told at most so often, milliseconds.
const DELTA_MS: u64 = 150;
/// What a client says that wants to hear of tools.
const TOOLS: &str = "tool-events";

/// Tells clients what becomes of a run.
#[derive(Debug)]
pub(super) struct Told {
    gateway: Arc<Gateway>,
    run: String,
    session: String,
    state: Mutex<Text>,
}

#[derive(Debug, Default)]
struct Text {
    chat_seq: u64,
    agent_seq: u64,
    said: String,
    /// What was told of it.
    shown: String,
    told_ms: u64,
}

impl Told {
    /// Of a run, in a session as its client named it.
    pub(super) fn new(gateway: Arc<Gateway>, run: &str, session: &str) -> Self {
        Self { gateway, run: run.to_owned(), session: session.to_owned(), state: Mutex::default() }
    }

    /// Tells how it ended.
    pub(super) fn over(&self, standing: &Standing) {
        match standing {
            Standing::Running => {}
            Standing::Ok { reply } => {
                self.agent("lifecycle", json!({ "phase": "end", "endedAt": now_ms() }));
                let shown = reply.as_deref().map(|text| self.message(&self.masked(text)));
                self.chat("final", shown.unwrap_or_else(|| json!({})));
            }
            Standing::Aborted => {
                self.agent("lifecycle", json!({ "phase": "end", "endedAt": now_ms(), "aborted": true }));
                self.chat("aborted", json!({}));
            }
            Standing::Error { why } => {
                self.agent("lifecycle", json!({ "phase": "error", "endedAt": now_ms(), "error": why }));
                self.chat("error", json!({ "errorMessage": why }));
            }
        }
    }

    fn masked(&self, text: &str) -> String {
        self.gateway.gate.snapshot().redactor().redact(text)
    }

    fn message(&self, shown: &str) -> Value {
        json!({ "message": { "role": "assistant", "content": [{ "type": "text", "text": shown }], "timestamp": now_ms() } })
    }

    fn chat(&self, state: &str, more: Value) {
        let seq = {
            let mut text = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            text.chat_seq += 1;
            text.chat_seq
        };
        let mut payload =
            json!({ "runId": self.run, "sessionKey": self.session, "seq": seq, "state": state });
        if let (Some(members), Value::Object(more)) = (payload.as_object_mut(), more) {
            members.extend(more);
        }
        let weight = if state == "delta" { Weight::DropIfSlow } else { Weight::Needed };
        self.gateway.registry.broadcast("chat", payload, weight, None);
    }

    fn agent(&self, stream: &str, data: Value) {
        let seq = {
            let mut text = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            text.agent_seq += 1;
            text.agent_seq
        };
        let payload = json!({
            "runId": self.run, "sessionKey": self.session, "seq": seq, "stream": stream, "ts": now_ms(), "data": data,
        });
        let weight = if stream == "assistant" { Weight::DropIfSlow } else { Weight::Needed };
        let tools = stream == "tool";
        self.gateway.registry.broadcast_to(
            |c| !tools || c.caps.iter().any(|cap| cap == TOOLS),
            "agent",
            payload,
            weight,
            None,
        );
    }

    /// Takes a piece of text; what of the answer is to be told now.
    fn more(&self, piece: &str) -> Option<String> {
        let now = now_ms();
        let mut text = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        text.said.push_str(piece);
        if now.saturating_sub(text.told_ms) < DELTA_MS {
            return None;
        }
        text.told_ms = now;
        Some(text.said.clone())
    }

    fn tell(&self, said: &str) {
        let shown = self.masked(said);
        let delta = {
            let mut text = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let delta = shown.strip_prefix(text.shown.as_str()).map(str::to_owned);
            text.shown.clone_from(&shown);
            delta
        };
        self.agent("assistant", json!({ "text": shown, "delta": delta.unwrap_or_else(|| shown.clone()) }));
        let message = self.message(&shown);
        self.chat("delta", message);
    }

    fn forget(&self) {
        let mut text = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        text.said.clear();
        text.shown.clear();
    }
}

impl Sink for Told {
    fn event(&self, event: Event) {
        match event {
            Event::Started => self.agent("lifecycle", json!({ "phase": "start", "startedAt": now_ms() })),
            Event::Text(piece) => {
                if let Some(said) = self.more(&piece) {
                    self.tell(&said);
                }
            }
            Event::Restart | Event::Said(_) => self.forget(),
            // Neither arguments nor results: they may be anything.
            Event::Calling { call, tool } => {
                self.agent("tool", json!({ "phase": "start", "name": tool, "toolCallId": call }));
            }
            Event::Called { call, tool, is_error } => {
                let data =
                    json!({ "phase": "result", "name": tool, "toolCallId": call, "isError": is_error });
                self.agent("tool", data);
            }
            Event::Thinking(_) | Event::Shortening => {}
        }
    }
}
