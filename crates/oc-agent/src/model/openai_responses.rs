//! OpenAI's responses: a request's body, and the events of an answer. Nothing is stored at the provider; the conversation goes with each request.

use serde_json::{Map, Value, json};

use super::conversation::{Said, Turn, UserTurn, turns};
use super::openai_completions::{arguments_text, effort};
use super::reading::{Fault, State, count, reported, text};
use super::wire::Target;
use crate::message::{Answer, Block, Request, StopReason, Usage};
use crate::model::Delta;

#[cfg(test)]
mod tests;

/// The body of a request.
pub(super) fn body(target: &Target, request: &Request) -> Value {
    let mut input = Vec::new();
    for turn in turns(&request.messages, target.images) {
        match turn {
            Turn::User(user) => from_user(&user, &mut input),
            Turn::Assistant { answer, ids } => answered(target, answer, &ids, &mut input),
        }
    }
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(target.model));
    if !request.system.is_empty() {
        body.insert("instructions".to_owned(), json!(request.system));
    }
    body.insert("input".to_owned(), Value::Array(input));
    body.insert("stream".to_owned(), json!(true));
    body.insert("store".to_owned(), json!(false));
    body.insert("max_output_tokens".to_owned(), json!(target.limit(request.max_tokens)));
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|t| {
            json!({
                "type": "function", "name": t.name, "description": t.description,
                "parameters": t.schema, "strict": false,
            })
        });
        body.insert("tools".to_owned(), tools.collect());
    }
    if target.reasoning {
        // Its seal comes along, so that thinking can go back although nothing is stored.
        body.insert("include".to_owned(), json!(["reasoning.encrypted_content"]));
        if let Some(effort) = effort(request.thinking) {
            body.insert("reasoning".to_owned(), json!({"effort": effort, "summary": "auto"}));
        }
    } else if let Some(temperature) = target.temperature {
        body.insert("temperature".to_owned(), json!(temperature));
    }
    Value::Object(body)
}

fn from_user(user: &UserTurn<'_>, input: &mut Vec<Value>) {
    for result in &user.results {
        let mut parts: Vec<Value> = result.content.iter().map(part).collect();
        if result.is_error {
            parts.insert(0, json!({"type": "input_text", "text": "Error:"}));
        }
        input.push(json!({"type": "function_call_output", "call_id": result.id, "output": parts}));
    }
    if !user.said.is_empty() {
        let parts: Vec<Value> = user.said.iter().map(part).collect();
        input.push(json!({"type": "message", "role": "user", "content": parts}));
    }
}

fn part(said: &Said<'_>) -> Value {
    match said {
        Said::Text(text) => json!({"type": "input_text", "text": text}),
        Said::Picture { media_type, data } => {
            json!({"type": "input_image", "image_url": format!("data:{media_type};base64,{data}")})
        }
    }
}

fn answered(target: &Target, answer: &Answer, ids: &[String], input: &mut Vec<Value>) {
    let own = target.wrote(answer);
    let mut ids = ids.iter();
    for block in &answer.blocks {
        match block {
            Block::Text(text) if !text.trim().is_empty() => {
                let part = json!({"type": "output_text", "text": text, "annotations": []});
                input.push(json!({"type": "message", "role": "assistant", "content": [part]}));
            }
            // The seal is the whole item.
            Block::Thinking { signature: Some(item), .. } if own => {
                input.extend(
                    serde_json::from_str::<Value>(item).ok().filter(|i| text(i, "type") == Some("reasoning")),
                );
            }
            Block::ToolCall(call) => input.push(json!({
                "type": "function_call", "call_id": ids.next(), "name": call.name,
                "arguments": arguments_text(&call.arguments),
            })),
            Block::Text(_) | Block::Image { .. } | Block::Thinking { .. } => {}
        }
    }
}

/// Takes one event.
pub(super) fn event(state: &mut State, event: &Value, on_delta: &mut dyn FnMut(Delta)) -> Result<(), Fault> {
    let at = count(event, "output_index");
    let delta = text(event, "delta").unwrap_or_default();
    match text(event, "type").unwrap_or_default() {
        "response.output_item.added" => {
            if let Some(item) = event.get("item").filter(|i| text(i, "type") == Some("function_call")) {
                state.pieces.call(at, text(item, "call_id"), text(item, "name"));
            }
        }
        "response.output_text.delta" | "response.refusal.delta" if !delta.is_empty() => {
            state.pieces.text(at, delta);
            on_delta(Delta::Text(delta.to_owned()));
        }
        "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" if !delta.is_empty() => {
            state.pieces.thinking(at, delta);
            on_delta(Delta::Thinking(delta.to_owned()));
        }
        "response.function_call_arguments.delta" => state.pieces.arguments(at, delta),
        "response.function_call_arguments.done" => {
            if let Some(all) = text(event, "arguments") {
                state.pieces.whole_arguments(at, all);
            }
            state.pieces.close(at);
        }
        "response.output_item.done" => {
            if let Some(item) = event.get("item") {
                item_done(state, at, item);
            }
        }
        "response.completed" | "response.incomplete" => {
            let Some(response) = event.get("response") else { return Ok(()) };
            tokens(state, response);
            state.stop = Some(stop_reason(response));
            state.whole = true;
        }
        "response.failed" => return Err(reported(event.get("response").unwrap_or(event))),
        "error" => return Err(reported(event)),
        _ => {}
    }
    Ok(())
}

fn item_done(state: &mut State, at: u64, item: &Value) {
    match text(item, "type").unwrap_or_default() {
        "function_call" => {
            state.pieces.call(at, text(item, "call_id"), text(item, "name"));
            match text(item, "arguments") {
                Some(all) => state.pieces.whole_arguments(at, all),
                None => state.pieces.close(at),
            }
        }
        "reasoning" => {
            let mut item = item.clone();
            if let Some(members) = item.as_object_mut() {
                members.shift_remove("status");
            }
            state.pieces.signature(at, &item.to_string());
        }
        _ => {}
    }
}

fn tokens(state: &mut State, response: &Value) {
    let Some(usage) = response.get("usage").filter(|u| u.is_object()) else { return };
    let cached = usage.get("input_tokens_details").map_or(0, |d| count(d, "cached_tokens"));
    state.pieces.usage = Usage {
        input: count(usage, "input_tokens").saturating_sub(cached),
        output: count(usage, "output_tokens"),
        cache_read: cached,
        cache_write: 0,
    };
}

fn stop_reason(response: &Value) -> StopReason {
    match response.get("incomplete_details").and_then(|d| text(d, "reason")) {
        Some("content_filter") => StopReason::Refusal,
        Some(_) => StopReason::MaxTokens,
        None => StopReason::EndTurn,
    }
}
