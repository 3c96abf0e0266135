//! The form of responses.

use oc_agent::message::Usage;
use serde_json::{Value, json};

use super::asked::{Asked, Voice, Wrong, content, nothing_else};
use super::turn::Form;

/// What is not done here.
const REFUSED: [(&str, &str); 5] = [
    ("tools", "tools of the caller are not taken; the agent has its own"),
    ("previous_response_id", "conversations go on by `user` or by the header x-openclaw-session-key"),
    ("conversation", "conversations go on by `user` or by the header x-openclaw-session-key"),
    ("background", "the answer comes while the connection stands"),
    ("prompt", "stored prompts are not there"),
];

/// Reads a request.
pub(super) fn read(body: &Value) -> Result<Asked, Wrong> {
    nothing_else(body, &REFUSED)?;
    if body.pointer("/text/format/type").and_then(Value::as_str).is_some_and(|kind| kind != "text") {
        return Err(Wrong::unsupported("text", "answers are plain text"));
    }
    let mut messages = Vec::new();
    if let Some(text) = body.get("instructions").and_then(Value::as_str) {
        messages.push((Voice::Instruction, text.to_owned()));
    }
    match body.get("input") {
        Some(Value::String(text)) => messages.push((Voice::User, text.clone())),
        Some(Value::Array(items)) => {
            for item in items {
                messages.push(message(item)?);
            }
        }
        Some(_) | None => return Err(Wrong::new(Some("input"), "`input` is a text or a list of messages")),
    }
    Asked::of(body, messages, "input")
}

fn message(item: &Value) -> Result<(Voice, String), Wrong> {
    match item.get("type").and_then(Value::as_str) {
        None | Some("message") => {}
        Some(_) => return Err(Wrong::unsupported("input", "only messages are taken")),
    }
    let role = item.get("role").and_then(Value::as_str).unwrap_or_default();
    let voice = Voice::of(role)
        .ok_or_else(|| Wrong::new(Some("input"), "`role` is system, developer, user or assistant"))?;
    Ok((voice, content(item.get("content"), "input")?))
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    id: String,
    message: String,
    created: i64,
    model: String,
    events: u64,
}

impl Answer {
    /// Of a run.
    pub(super) fn new(run: &str, asked: &Asked) -> Self {
        Self {
            id: format!("resp_{run}"),
            message: format!("msg_{run}"),
            created: jiff::Timestamp::now().as_second(),
            model: asked.model.clone(),
            events: 0,
        }
    }

    fn event(&mut self, kind: &str, mut members: Value) -> String {
        if let Some(all) = members.as_object_mut() {
            all.insert("type".to_owned(), kind.into());
            all.insert("sequence_number".to_owned(), self.events.into());
        }
        self.events = self.events.saturating_add(1);
        format!("event: {kind}\ndata: {members}\n\n")
    }

    fn item(&self, text: &str, status: &str) -> Value {
        let content = if status == "in_progress" { json!([]) } else { json!([part(text)]) };
        json!({ "type": "message", "id": self.message, "role": "assistant", "status": status, "content": content })
    }

    fn response(&self, status: &str, output: &Value, usage: Option<&Usage>, error: Option<&str>) -> Value {
        let usage = usage.map(|u| {
            json!({
                "input_tokens": u.total().saturating_sub(u.output), "input_tokens_details": { "cached_tokens": u.cache_read },
                "output_tokens": u.output, "output_tokens_details": { "reasoning_tokens": 0 }, "total_tokens": u.total(),
            })
        });
        let error = error.map(|why| json!({ "code": "server_error", "message": why }));
        json!({
            "id": self.id, "object": "response", "created_at": self.created, "status": status, "model": self.model,
            "output": output, "error": error, "incomplete_details": null, "instructions": null, "metadata": {},
            "parallel_tool_calls": false, "tool_choice": "auto", "tools": [], "temperature": null, "top_p": null,
            "previous_response_id": null, "usage": usage,
        })
    }
}

fn part(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [] })
}

impl Form for Answer {
    fn opening(&mut self) -> String {
        let begun = self.response("in_progress", &json!([]), None, None);
        let item = self.item("", "in_progress");
        let id = self.message.clone();
        [
            self.event("response.created", json!({ "response": begun })),
            self.event("response.in_progress", json!({ "response": begun })),
            self.event("response.output_item.added", json!({ "output_index": 0, "item": item })),
            self.event(
                "response.content_part.added",
                json!({ "item_id": id, "output_index": 0, "content_index": 0, "part": part("") }),
            ),
        ]
        .concat()
    }

    fn piece(&mut self, text: &str) -> String {
        let at = json!({ "item_id": self.message, "output_index": 0, "content_index": 0, "delta": text });
        self.event("response.output_text.delta", at)
    }

    fn closing(&mut self, text: &str, usage: &Usage) -> String {
        let id = self.message.clone();
        let item = self.item(text, "completed");
        let whole = self.response("completed", &json!([item]), Some(usage), None);
        [
            self.event(
                "response.output_text.done",
                json!({ "item_id": id, "output_index": 0, "content_index": 0, "text": text }),
            ),
            self.event(
                "response.content_part.done",
                json!({ "item_id": id, "output_index": 0, "content_index": 0, "part": part(text) }),
            ),
            self.event("response.output_item.done", json!({ "output_index": 0, "item": item })),
            self.event("response.completed", json!({ "response": whole })),
            "data: [DONE]\n\n".to_owned(),
        ]
        .concat()
    }

    fn failing(&mut self, text: &str, why: &str) -> String {
        let item = self.item(text, "incomplete");
        let whole = self.response("failed", &json!([item]), None, Some(why));
        self.event("response.failed", json!({ "response": whole })) + "data: [DONE]\n\n"
    }

    fn whole(&self, text: &str, usage: &Usage) -> Value {
        self.response("completed", &json!([self.item(text, "completed")]), Some(usage), None)
    }
}
