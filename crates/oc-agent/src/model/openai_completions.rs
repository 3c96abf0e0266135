//! OpenAI's chat completions, as OpenAI and many other servers speak them: a request's body, and the events of an answer.

use serde_json::{Map, Value, json};

use super::conversation::{Said, Turn, UserTurn, turns};
use super::reading::{Fault, State, count, reported, text};
use super::wire::{MaxTokensField, Target, Understood};
use crate::message::{Answer, Arguments, Block, Request, StopReason, Thinking, Usage};
use crate::model::Delta;

#[cfg(test)]
mod tests;

/// The place of text among the pieces; thinking comes before it, calls after it.
const TEXT: u64 = 1;
const THINKING: u64 = 0;
const CALLS: u64 = 2;

/// The body of a request.
pub(super) fn body(target: &Target, request: &Request) -> Value {
    let mut messages = Vec::new();
    if !request.system.is_empty() {
        messages.push(json!({"role": "system", "content": request.system}));
    }
    for turn in turns(&request.messages, target.images) {
        match turn {
            Turn::User(user) => from_user(&user, &mut messages),
            Turn::Assistant { answer, ids } => messages.push(answered(answer, &ids)),
        }
    }
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(target.model));
    body.insert("messages".to_owned(), Value::Array(messages));
    body.insert("stream".to_owned(), json!(true));
    body.insert("stream_options".to_owned(), json!({"include_usage": true}));
    let field = match target.quirks.max_tokens_field {
        MaxTokensField::MaxTokens => "max_tokens",
        MaxTokensField::MaxCompletionTokens => "max_completion_tokens",
    };
    body.insert(field.to_owned(), json!(target.limit(request.max_tokens)));
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|t| {
            let function = json!({"name": t.name, "description": t.description, "parameters": t.schema});
            json!({"type": "function", "function": function})
        });
        body.insert("tools".to_owned(), tools.collect());
    }
    match effort(request.thinking) {
        Some(effort) if target.reasoning && target.quirks.reasoning_effort == Understood::Yes => {
            body.insert("reasoning_effort".to_owned(), json!(effort));
        }
        Some(_) | None => {
            if let Some(temperature) = target.temperature {
                body.insert("temperature".to_owned(), json!(temperature));
            }
        }
    }
    Value::Object(body)
}

/// The word for how much a model may think; none when it may not.
pub(super) fn effort(level: Thinking) -> Option<&'static str> {
    match level {
        Thinking::Off => None,
        Thinking::Minimal => Some("minimal"),
        Thinking::Low => Some("low"),
        Thinking::Medium => Some("medium"),
        Thinking::High => Some("high"),
        Thinking::ExtraHigh => Some("xhigh"),
    }
}

fn from_user(user: &UserTurn<'_>, messages: &mut Vec<Value>) {
    // A tool's message holds text only: pictures follow as the user's.
    let mut pictures = Vec::new();
    for result in &user.results {
        let mut texts: Vec<&str> = Vec::new();
        if result.is_error {
            texts.push("Error:");
        }
        for said in &result.content {
            match said {
                Said::Text(text) => texts.push(text),
                Said::Picture { .. } => {
                    texts.push("(a picture follows)");
                    pictures.push(part(said));
                }
            }
        }
        messages.push(json!({"role": "tool", "tool_call_id": result.id, "content": texts.join("\n")}));
    }
    if !pictures.is_empty() {
        pictures.insert(0, json!({"type": "text", "text": "(Pictures of the tools' results:)"}));
        messages.push(json!({"role": "user", "content": pictures}));
    }
    if let [Said::Text(text)] = user.said.as_slice() {
        messages.push(json!({"role": "user", "content": text}));
    } else if !user.said.is_empty() {
        let parts: Vec<Value> = user.said.iter().map(part).collect();
        messages.push(json!({"role": "user", "content": parts}));
    }
}

fn part(said: &Said<'_>) -> Value {
    match said {
        Said::Text(text) => json!({"type": "text", "text": text}),
        Said::Picture { media_type, data } => {
            json!({"type": "image_url", "image_url": {"url": format!("data:{media_type};base64,{data}")}})
        }
    }
}

/// The arguments of a call as text.
pub(super) fn arguments_text(arguments: &Arguments) -> String {
    match arguments {
        Arguments::Object(members) => Value::Object(members.clone()).to_string(),
        // The result says what was wrong with it.
        Arguments::Invalid { text, .. } => json!({"invalid": text}).to_string(),
    }
}

fn answered(answer: &Answer, ids: &[String]) -> Value {
    let texts: Vec<&str> = answer
        .blocks
        .iter()
        .filter_map(|b| match b {
            Block::Text(text) if !text.trim().is_empty() => Some(text.as_str()),
            Block::Text(_) | Block::Image { .. } | Block::Thinking { .. } | Block::ToolCall(_) => None,
        })
        .collect();
    let calls: Vec<Value> = answer
        .tool_calls()
        .zip(ids)
        .map(|(call, id)| {
            let function = json!({"name": call.name, "arguments": arguments_text(&call.arguments)});
            json!({"id": id, "type": "function", "function": function})
        })
        .collect();
    let content = if texts.is_empty() { Value::Null } else { json!(texts.join("\n")) };
    let mut message = json!({"role": "assistant", "content": content});
    if let (false, Some(members)) = (calls.is_empty(), message.as_object_mut()) {
        members.insert("tool_calls".to_owned(), Value::Array(calls));
    }
    message
}

/// Takes one event.
pub(super) fn event(state: &mut State, event: &Value, on_delta: &mut dyn FnMut(Delta)) -> Result<(), Fault> {
    if event.get("error").is_some_and(|e| !e.is_null()) {
        return Err(reported(event));
    }
    if let Some(usage) = event.get("usage").filter(|u| u.is_object()) {
        let cached = usage.get("prompt_tokens_details").map_or(0, |d| count(d, "cached_tokens"));
        state.pieces.usage = Usage {
            input: count(usage, "prompt_tokens").saturating_sub(cached),
            output: count(usage, "completion_tokens"),
            cache_read: cached,
            cache_write: 0,
        };
    }
    let choices = event.get("choices").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    // One answer was asked for.
    let Some(choice) = choices.iter().find(|c| count(c, "index") == 0) else { return Ok(()) };
    if let Some(delta) = choice.get("delta") {
        for name in ["reasoning_content", "reasoning"] {
            if let Some(more) = text(delta, name).filter(|t| !t.is_empty()) {
                state.pieces.thinking(THINKING, more);
                on_delta(Delta::Thinking(more.to_owned()));
                break;
            }
        }
        for name in ["content", "refusal"] {
            if let Some(more) = text(delta, name).filter(|t| !t.is_empty()) {
                state.pieces.text(TEXT, more);
                on_delta(Delta::Text(more.to_owned()));
            }
        }
        let calls = delta.get("tool_calls").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for (nth, call) in (0u64..).zip(calls) {
            let index = call.get("index").and_then(Value::as_u64).unwrap_or(nth);
            let at = CALLS.saturating_add(index);
            let function = call.get("function");
            state.pieces.call(at, text(call, "id"), function.and_then(|f| text(f, "name")));
            if let Some(more) = function.and_then(|f| text(f, "arguments")) {
                state.pieces.arguments(at, more);
            }
        }
    }
    if let Some(word) = text(choice, "finish_reason") {
        state.stop = Some(stop_reason(word));
        // Cut off in the middle of a call the arguments are not whole.
        if word != "length" {
            state.pieces.close_all();
        }
    }
    Ok(())
}

fn stop_reason(word: &str) -> StopReason {
    match word {
        "tool_calls" | "function_call" => StopReason::ToolUse,
        "length" => StopReason::MaxTokens,
        "content_filter" => StopReason::Refusal,
        _ => StopReason::EndTurn,
    }
}
