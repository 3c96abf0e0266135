//! Anthropic's messages: a request's body, and the events of an answer.

use serde_json::{Value, json};

use super::conversation::{Said, Turn, UserTurn, turns};
use super::reading::{Fault, State, count, reported, text};
use super::wire::Target;
use crate::message::{Answer, Arguments, Block, Request, StopReason, Thinking};
use crate::model::Delta;

#[cfg(test)]
mod tests;

/// Thinking whose text the provider keeps to itself: its seal, marked so that it goes back in its own form.
const SEALED: &str = "redacted_thinking:";
/// Tokens that an answer gets beside its thinking, at least.
const BESIDE_THINKING: u32 = 1024;

/// The body of a request.
pub(super) fn body(target: &Target, request: &Request) -> Value {
    let conversation = turns(&request.messages, target.images);
    let mut budget = if target.reasoning { thinking_tokens(request.thinking) } else { 0 };
    let mut max_tokens = target.limit(request.max_tokens);
    if budget > 0 && lacks_thinking(target, &conversation) {
        budget = 0;
    }
    if budget > 0 {
        max_tokens = target.limit(max_tokens.max(budget.saturating_add(BESIDE_THINKING)));
        budget = budget.min(max_tokens.saturating_sub(BESIDE_THINKING));
    }
    let mut messages: Vec<Value> = conversation.iter().map(|turn| message(target, turn)).collect();
    remember(messages.last_mut().and_then(|m| m.get_mut("content")).and_then(Value::as_array_mut));
    let mut body = json!({
        "model": target.model,
        "max_tokens": max_tokens,
        "messages": messages,
        "stream": true,
    });
    if !request.system.is_empty() {
        let system =
            json!([{"type": "text", "text": request.system, "cache_control": {"type": "ephemeral"}}]);
        put(&mut body, "system", system);
    }
    if !request.tools.is_empty() {
        let tools = request
            .tools
            .iter()
            .map(|t| json!({"name": t.name, "description": t.description, "input_schema": t.schema}));
        put(&mut body, "tools", tools.collect());
    }
    // The smallest budget that is taken.
    if budget >= 1024 {
        put(&mut body, "thinking", json!({"type": "enabled", "budget_tokens": budget}));
    } else if let Some(temperature) = target.temperature {
        put(&mut body, "temperature", json!(temperature));
    }
    body
}

/// Marks the end of what the provider may keep for the next request.
fn remember(content: Option<&mut Vec<Value>>) {
    if let Some(last) = content.and_then(|c| c.last_mut()) {
        put(last, "cache_control", json!({"type": "ephemeral"}));
    }
}

fn put(value: &mut Value, name: &str, member: Value) {
    if let Some(members) = value.as_object_mut() {
        members.insert(name.to_owned(), member);
    }
}

fn thinking_tokens(level: Thinking) -> u32 {
    match level {
        Thinking::Off => 0,
        Thinking::Minimal => 1024,
        Thinking::Low => 2048,
        Thinking::Medium => 8192,
        Thinking::High => 16_384,
        Thinking::ExtraHigh => 32_768,
    }
}

/// Whether the last answer waits for results and its thinking cannot go back: then the provider wants none in this turn.
fn lacks_thinking(target: &Target, conversation: &[Turn<'_>]) -> bool {
    let last = conversation.iter().rev().find_map(|t| match t {
        Turn::Assistant { answer, .. } => Some(*answer),
        Turn::User(_) => None,
    });
    let waits = matches!(conversation.last(), Some(Turn::User(user)) if !user.results.is_empty());
    let Some(answer) = last.filter(|_| waits) else { return false };
    let signed = |b: &Block| matches!(b, Block::Thinking { signature: Some(_), .. });
    !(target.wrote(answer) && answer.blocks.first().is_some_and(signed))
}

fn message(target: &Target, turn: &Turn<'_>) -> Value {
    match turn {
        Turn::User(UserTurn { results, said }) => {
            let results = results.iter().map(|r| {
                let content: Vec<Value> = r.content.iter().map(piece).collect();
                json!({"type": "tool_result", "tool_use_id": r.id, "content": content, "is_error": r.is_error})
            });
            let content: Vec<Value> = results.chain(said.iter().map(piece)).collect();
            json!({"role": "user", "content": content})
        }
        Turn::Assistant { answer, ids } => {
            json!({"role": "assistant", "content": answered(target, answer, ids)})
        }
    }
}

fn piece(said: &Said<'_>) -> Value {
    match said {
        Said::Text(text) => json!({"type": "text", "text": text}),
        Said::Picture { media_type, data } => {
            json!({"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}})
        }
    }
}

fn answered(target: &Target, answer: &Answer, ids: &[String]) -> Vec<Value> {
    let own = target.wrote(answer);
    let mut ids = ids.iter();
    let blocks = answer.blocks.iter().filter_map(|b| match b {
        Block::Text(text) if !text.trim().is_empty() => Some(json!({"type": "text", "text": text})),
        Block::Thinking { text, signature: Some(signature) } if own => {
            Some(match signature.strip_prefix(SEALED) {
                Some(data) => json!({"type": "redacted_thinking", "data": data}),
                None => json!({"type": "thinking", "thinking": text, "signature": signature}),
            })
        }
        Block::ToolCall(call) => {
            let input = match &call.arguments {
                Arguments::Object(members) => Value::Object(members.clone()),
                // The result says what was wrong with it.
                Arguments::Invalid { text, .. } => json!({"invalid": text}),
            };
            Some(json!({"type": "tool_use", "id": ids.next(), "name": call.name, "input": input}))
        }
        Block::Text(_) | Block::Image { .. } | Block::Thinking { .. } => None,
    });
    blocks.collect()
}

/// Takes one event.
pub(super) fn event(state: &mut State, event: &Value, on_delta: &mut dyn FnMut(Delta)) -> Result<(), Fault> {
    let at = count(event, "index");
    match text(event, "type").unwrap_or_default() {
        "message_start" => {
            if let Some(usage) = event.get("message").and_then(|m| m.get("usage")) {
                tokens(state, usage);
            }
        }
        "content_block_start" => {
            let Some(block) = event.get("content_block") else { return Ok(()) };
            match text(block, "type").unwrap_or_default() {
                "text" => said(state, at, text(block, "text"), on_delta),
                "thinking" => thought(state, at, text(block, "thinking"), on_delta),
                "redacted_thinking" => {
                    state.pieces.signature(at, SEALED);
                    state.pieces.signature(at, text(block, "data").unwrap_or_default());
                }
                "tool_use" => {
                    state.pieces.call(at, text(block, "id"), text(block, "name"));
                    // Some servers give the arguments here and in no fragments.
                    if let Some(input) =
                        block.get("input").filter(|i| i.as_object().is_some_and(|o| !o.is_empty()))
                    {
                        state.pieces.arguments(at, &input.to_string());
                    }
                }
                _ => {}
            }
        }
        "content_block_delta" => {
            let Some(delta) = event.get("delta") else { return Ok(()) };
            match text(delta, "type").unwrap_or_default() {
                "text_delta" => said(state, at, text(delta, "text"), on_delta),
                "thinking_delta" => thought(state, at, text(delta, "thinking"), on_delta),
                "signature_delta" => state.pieces.signature(at, text(delta, "signature").unwrap_or_default()),
                "input_json_delta" => {
                    state.pieces.arguments(at, text(delta, "partial_json").unwrap_or_default())
                }
                _ => {}
            }
        }
        "content_block_stop" => state.pieces.close(at),
        "message_delta" => {
            if let Some(usage) = event.get("usage") {
                tokens(state, usage);
            }
            if let Some(word) = event.get("delta").and_then(|d| text(d, "stop_reason")) {
                state.stop = Some(stop_reason(word));
            }
        }
        "message_stop" => {
            if state.stop.is_none() {
                return Err(Fault::BrokenOff);
            }
            state.whole = true;
        }
        "error" => return Err(reported(event)),
        _ => {}
    }
    Ok(())
}

fn said(state: &mut State, at: u64, more: Option<&str>, on_delta: &mut dyn FnMut(Delta)) {
    let more = more.unwrap_or_default();
    state.pieces.text(at, more);
    if !more.is_empty() {
        on_delta(Delta::Text(more.to_owned()));
    }
}

fn thought(state: &mut State, at: u64, more: Option<&str>, on_delta: &mut dyn FnMut(Delta)) {
    let more = more.unwrap_or_default();
    state.pieces.thinking(at, more);
    if !more.is_empty() {
        on_delta(Delta::Thinking(more.to_owned()));
    }
}

/// The counts of an event; later ones replace earlier ones where they are there.
fn tokens(state: &mut State, usage: &Value) {
    let now = &mut state.pieces.usage;
    for (slot, name) in [
        (&mut now.input, "input_tokens"),
        (&mut now.output, "output_tokens"),
        (&mut now.cache_read, "cache_read_input_tokens"),
        (&mut now.cache_write, "cache_creation_input_tokens"),
    ] {
        if let Some(n) = usage.get(name).and_then(Value::as_u64) {
            *slot = n;
        }
    }
}

fn stop_reason(word: &str) -> StopReason {
    match word {
        "tool_use" => StopReason::ToolUse,
        "max_tokens" | "model_context_window_exceeded" => StopReason::MaxTokens,
        "stop_sequence" => StopReason::StopSequence,
        "refusal" => StopReason::Refusal,
        _ => StopReason::EndTurn,
    }
}
