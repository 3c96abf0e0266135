//! The form of chat completions.

use oc_agent::message::Usage;
use serde_json::{Value, json};

use super::asked::{Asked, Voice, Wrong, content, nothing_else};
use super::turn::Form;

/// What is not done here. Settings of the sampler and limits of length are the agent's own, and theirs are passed over.
const REFUSED: [(&str, &str); 6] = [
    ("tools", "tools of the caller are not taken; the agent has its own"),
    ("functions", "functions of the caller are not taken; the agent has its own tools"),
    ("audio", "answers are text"),
    ("logprobs", "there are no probabilities to tell"),
    ("web_search_options", "the agent searches when its own tools allow it"),
    ("prediction", "predictions are not taken"),
];

/// Reads a request.
pub(super) fn read(body: &Value) -> Result<Asked, Wrong> {
    nothing_else(body, &REFUSED)?;
    if body.get("n").and_then(Value::as_u64).is_some_and(|n| n != 1) {
        return Err(Wrong::unsupported("n", "one answer is given"));
    }
    if body.pointer("/response_format/type").and_then(Value::as_str).is_some_and(|kind| kind != "text") {
        return Err(Wrong::unsupported("response_format", "answers are plain text"));
    }
    let all = body.get("messages").and_then(Value::as_array);
    let all = all.ok_or_else(|| Wrong::new(Some("messages"), "`messages` is missing"))?;
    let mut messages = Vec::with_capacity(all.len());
    for message in all {
        let role = message.get("role").and_then(Value::as_str).unwrap_or_default();
        let voice = Voice::of(role).ok_or_else(|| {
            Wrong::new(Some("messages"), "`role` is system, developer, user, assistant or tool")
        })?;
        messages.push((voice, content(message.get("content"), "messages")?));
    }
    Asked::of(body, messages, "messages")
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    id: String,
    created: i64,
    model: String,
    count: bool,
}

impl Answer {
    /// Of a run.
    pub(super) fn new(run: &str, asked: &Asked) -> Self {
        let created = jiff::Timestamp::now().as_second();
        Self { id: format!("chatcmpl-{run}"), created, model: asked.model.clone(), count: asked.count }
    }

    fn chunk(&self, choices: &Value, usage: Option<Value>) -> String {
        let mut chunk = json!({
            "id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": self.model, "choices": choices,
        });
        if let (Some(usage), Some(members)) = (usage, chunk.as_object_mut()) {
            members.insert("usage".to_owned(), usage);
        }
        format!("data: {chunk}\n\n")
    }

    fn delta(&self, delta: &Value, finish: Option<&str>) -> String {
        self.chunk(&json!([{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish }]), None)
    }
}

fn tokens(usage: &Usage) -> Value {
    let prompt = usage.total().saturating_sub(usage.output);
    json!({
        "prompt_tokens": prompt, "completion_tokens": usage.output, "total_tokens": usage.total(),
        "prompt_tokens_details": { "cached_tokens": usage.cache_read },
    })
}

impl Form for Answer {
    fn opening(&mut self) -> String {
        self.delta(&json!({ "role": "assistant", "content": "" }), None)
    }

    fn piece(&mut self, text: &str) -> String {
        self.delta(&json!({ "content": text }), None)
    }

    fn closing(&mut self, _: &str, usage: &Usage) -> String {
        let mut out = self.delta(&json!({}), Some("stop"));
        if self.count {
            out.push_str(&self.chunk(&json!([]), Some(tokens(usage))));
        }
        out.push_str("data: [DONE]\n\n");
        out
    }

    fn failing(&mut self, _: &str, why: &str) -> String {
        let error = json!({ "error": { "message": why, "type": "api_error", "param": null, "code": null } });
        format!("data: {error}\n\ndata: [DONE]\n\n")
    }

    fn whole(&self, text: &str, usage: &Usage) -> Value {
        json!({
            "id": self.id, "object": "chat.completion", "created": self.created, "model": self.model,
            "choices": [{
                "index": 0, "message": { "role": "assistant", "content": text, "refusal": null },
                "logprobs": null, "finish_reason": "stop",
            }],
            "usage": tokens(usage),
        })
    }
}
