use serde_json::json;

use super::*;
use crate::message::{Arguments, Message, Thinking, ToolCall, ToolDefinition};
use crate::model::reading::Reading;
use crate::model::wire::{Api, Quirks};

fn target() -> Target {
    Target {
        api: Api::OpenAiResponses,
        provider: "openai".to_owned(),
        model: "m".to_owned(),
        images: true,
        reasoning: true,
        max_tokens: 1000,
        temperature: None,
        quirks: Quirks::default(),
    }
}

fn read(events: &[Value]) -> Result<Answer, Fault> {
    let mut reading = Reading::new(target());
    for event in events {
        reading.push(format!("data: {event}\n\n").as_bytes(), &mut |_| {})?;
    }
    reading.end(&mut |_| {}).map_err(|(fault, _)| fault)
}

#[test]
fn an_answer_goes_back_as_it_came() {
    let reasoning = json!({"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "c2VhbA==", "status": "completed"});
    let answer = read(&[
        json!({"type": "response.created"}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning"}}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "hm"}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": reasoning}),
        json!({"type": "response.output_text.delta", "output_index": 1, "delta": "look"}),
        json!({"type": "response.output_item.added", "output_index": 2, "item": {"type": "function_call", "call_id": "c", "name": "read"}}),
        json!({"type": "response.function_call_arguments.delta", "output_index": 2, "delta": "{\"a\""}),
        json!({"type": "response.function_call_arguments.delta", "output_index": 2, "delta": ":1}"}),
        json!({"type": "response.function_call_arguments.done", "output_index": 2, "arguments": "{\"a\":1}"}),
        json!({"type": "response.completed", "response": {"usage": {"input_tokens": 8, "output_tokens": 2, "input_tokens_details": {"cached_tokens": 8}}}}),
    ])
    .unwrap();
    assert_eq!(answer.stop, StopReason::ToolUse);
    assert_eq!(answer.usage, Usage { input: 0, output: 2, cache_read: 8, cache_write: 0 });
    let arguments = Arguments::Object(json!({"a": 1}).as_object().cloned().unwrap());
    assert_eq!(
        answer.tool_calls().collect::<Vec<_>>(),
        [&ToolCall { id: "c".to_owned(), name: "read".to_owned(), arguments }]
    );

    let request = Request {
        system: "be good".to_owned(),
        messages: vec![Message::User(vec![Block::Text("hi".to_owned())]), Message::Assistant(answer)],
        tools: vec![ToolDefinition {
            name: "read".to_owned(),
            description: "reads".to_owned(),
            schema: json!({}),
        }],
        max_tokens: 10,
        thinking: Thinking::Medium,
    };
    let whole = body(&target(), &request);
    assert_eq!(
        whole["input"],
        json!([
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "c2VhbA=="},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "look", "annotations": []}]},
            {"type": "function_call", "call_id": "c", "name": "read", "arguments": "{\"a\":1}"},
            {"type": "function_call_output", "call_id": "c", "output": [
                {"type": "input_text", "text": "Error:"},
                {"type": "input_text", "text": "No result: this call was not carried out."}]},
        ])
    );
    assert_eq!((&whole["store"], &whole["instructions"]), (&json!(false), &json!("be good")));
    assert_eq!(whole["reasoning"], json!({"effort": "medium", "summary": "auto"}));
    assert_eq!(whole["tools"][0]["type"], "function");
    let elsewhere = body(&Target { provider: "azure".to_owned(), ..target() }, &request);
    assert!(!elsewhere["input"].to_string().contains("c2VhbA=="), "a seal goes home only");
}

#[test]
fn ends_are_told_apart() {
    let said = json!({"type": "response.output_text.delta", "output_index": 0, "delta": "x"});
    let end = |reason: &str| json!({"type": "response.incomplete", "response": {"incomplete_details": {"reason": reason}}});
    assert_eq!(read(&[said.clone(), end("max_output_tokens")]).unwrap().stop, StopReason::MaxTokens);
    assert_eq!(read(&[said.clone(), end("content_filter")]).unwrap().stop, StopReason::Refusal);
    assert_eq!(read(std::slice::from_ref(&said)), Err(Fault::BrokenOff));
    let failed = json!({"type": "response.failed", "response": {"error": {"code": "server_overloaded", "message": "key"}}});
    assert_eq!(
        read(&[said.clone(), failed]).unwrap_err().to_string(),
        "the provider failed while it answered (server_overloaded)"
    );
    let error = json!({"type": "error", "code": "context_length_exceeded"});
    assert_eq!(read(&[said, error]).unwrap_err().class(), crate::model::FailureClass::ContextOverflow);
}

#[test]
fn a_call_that_is_not_done_is_not_whole() {
    let answer = read(&[
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "function_call", "call_id": "c", "name": "read"}}),
        json!({"type": "response.function_call_arguments.delta", "output_index": 0, "delta": "{}"}),
        json!({"type": "response.incomplete", "response": {"incomplete_details": {"reason": "max_output_tokens"}}}),
    ])
    .unwrap();
    assert!(answer.tool_calls().all(|c| matches!(c.arguments, Arguments::Invalid { .. })));
}
