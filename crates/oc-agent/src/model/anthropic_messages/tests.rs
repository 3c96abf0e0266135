use serde_json::{Map, json};

use super::*;
use crate::message::{Message, ToolCall, ToolDefinition, Usage};
use crate::model::reading::Reading;
use crate::model::wire::{Api, Quirks};

fn target() -> Target {
    Target {
        api: Api::AnthropicMessages,
        provider: "anthropic".to_owned(),
        model: "m".to_owned(),
        images: true,
        reasoning: true,
        max_tokens: 8000,
        temperature: Some(0.5),
        quirks: Quirks::default(),
    }
}

fn request(messages: Vec<Message>, thinking: Thinking) -> Request {
    Request { system: "be good".to_owned(), messages, tools: Vec::new(), max_tokens: 4000, thinking }
}

fn call(arguments: Arguments) -> Block {
    Block::ToolCall(ToolCall { id: "t1".to_owned(), name: "read".to_owned(), arguments })
}

fn answer(provider: &str, blocks: Vec<Block>) -> Message {
    Message::Assistant(Answer {
        blocks,
        stop: StopReason::ToolUse,
        usage: Usage::default(),
        api: "anthropic-messages",
        provider: provider.to_owned(),
        model: "m".to_owned(),
    })
}

fn result(text: &str) -> Message {
    Message::ToolResult {
        call_id: "t1".to_owned(),
        tool: "read".to_owned(),
        content: vec![Block::Text(text.to_owned())],
        is_error: true,
    }
}

fn thinking(signature: Option<&str>) -> Block {
    Block::Thinking { text: "hm".to_owned(), signature: signature.map(str::to_owned) }
}

#[test]
fn a_request_has_the_formats_shape() {
    let mut request = request(vec![Message::User(vec![Block::Text("hi".to_owned())])], Thinking::Off);
    request.tools = vec![ToolDefinition {
        name: "read".to_owned(),
        description: "reads".to_owned(),
        schema: json!({"type": "object"}),
    }];
    assert_eq!(
        body(&target(), &request),
        json!({
            "model": "m",
            "max_tokens": 4000,
            "messages": [{"role": "user", "content": [
                {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]}],
            "stream": true,
            "system": [{"type": "text", "text": "be good", "cache_control": {"type": "ephemeral"}}],
            "tools": [{"name": "read", "description": "reads", "input_schema": {"type": "object"}}],
            "temperature": 0.5,
        })
    );
}

#[test]
fn calls_and_results_follow_each_other_and_thinking_goes_home_only() {
    let messages = vec![
        Message::User(vec![Block::Text("hi".to_owned())]),
        answer("anthropic", vec![thinking(Some("s1")), call(Arguments::Object(Map::new()))]),
        result("no such file"),
    ];
    let body = body(&target(), &request(messages, Thinking::Low));
    assert_eq!(
        body["messages"][1]["content"],
        json!([
            {"type": "thinking", "thinking": "hm", "signature": "s1"},
            {"type": "tool_use", "id": "t1", "name": "read", "input": {}},
        ])
    );
    assert_eq!(
        body["messages"][2]["content"][0],
        json!({
            "type": "tool_result", "tool_use_id": "t1", "is_error": true,
            "content": [{"type": "text", "text": "no such file"}], "cache_control": {"type": "ephemeral"},
        })
    );
    assert_eq!(body["thinking"], json!({"type": "enabled", "budget_tokens": 2048}));
    assert_eq!(body.get("temperature"), None, "not together with thinking");

    // Another provider's thinking stays away, and then there is none in this turn either.
    let messages = vec![
        Message::User(vec![Block::Text("hi".to_owned())]),
        answer("elsewhere", vec![thinking(Some("s1")), call(Arguments::Object(Map::new()))]),
        result("x"),
    ];
    let body = super::body(&target(), &request(messages, Thinking::Low));
    assert_eq!(body["messages"][1]["content"].as_array().map(Vec::len), Some(1));
    assert_eq!(body.get("thinking"), None);
}

#[test]
fn sealed_thinking_and_broken_arguments_have_their_forms() {
    let broken = Arguments::Invalid { text: "{\"a".to_owned(), why: "no JSON".to_owned() };
    let messages = vec![
        Message::User(vec![Block::Text("hi".to_owned())]),
        answer(
            "anthropic",
            vec![
                Block::Thinking { text: String::new(), signature: Some(format!("{SEALED}xyz")) },
                thinking(None),
                call(broken),
            ],
        ),
        result("bad arguments"),
    ];
    let body = body(&target(), &request(messages, Thinking::Off));
    assert_eq!(
        body["messages"][1]["content"],
        json!([
            {"type": "redacted_thinking", "data": "xyz"},
            {"type": "tool_use", "id": "t1", "name": "read", "input": {"invalid": "{\"a"}},
        ])
    );
}

#[test]
fn thinking_fits_into_the_answers_limit() {
    let mut request = request(vec![], Thinking::ExtraHigh);
    request.max_tokens = 100;
    let body = super::body(&target(), &request);
    assert_eq!((&body["max_tokens"], &body["thinking"]["budget_tokens"]), (&json!(8000), &json!(6976)));
    let small = Target { max_tokens: 1500, ..target() };
    assert_eq!(super::body(&small, &request).get("thinking"), None, "no room");
    let plain = Target { reasoning: false, ..target() };
    assert_eq!(super::body(&plain, &request)["max_tokens"], json!(100));
}

fn read(events: &[Value]) -> (Result<Answer, Fault>, Vec<Delta>) {
    let mut deltas = Vec::new();
    let mut reading = Reading::new(target());
    for event in events {
        if let Err(fault) = reading.push(format!("data: {event}\n\n").as_bytes(), &mut |d| deltas.push(d)) {
            return (Err(fault), deltas);
        }
    }
    (reading.end(&mut |_| {}).map_err(|(fault, _)| fault), deltas)
}

#[test]
fn an_answer_is_put_together() {
    let (answer, deltas) = read(&[
        json!({"type": "message_start", "message": {"usage": {"input_tokens": 3, "cache_creation_input_tokens": 4, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "redacted_thinking", "data": "abc"}}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": "Lo"}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "ok"}}),
        json!({"type": "content_block_stop", "index": 1}),
        json!({"type": "new_kind_of_event"}),
        json!({"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "a", "name": "read", "input": {}}}),
        json!({"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "{\"path\":"}}),
        json!({"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "\"x\"}"}}),
        json!({"type": "content_block_stop", "index": 2}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}}),
        json!({"type": "message_stop"}),
        json!({"type": "error", "error": {"type": "overloaded_error"}}),
    ]);
    let answer = answer.unwrap();
    assert_eq!(answer.stop, StopReason::ToolUse);
    assert_eq!(answer.usage, Usage { input: 3, output: 9, cache_read: 0, cache_write: 4 });
    assert_eq!(
        answer.blocks,
        [
            Block::Thinking { text: String::new(), signature: Some(format!("{SEALED}abc")) },
            Block::Text("Look".to_owned()),
            Block::ToolCall(ToolCall {
                id: "a".to_owned(),
                name: "read".to_owned(),
                arguments: Arguments::Object(json!({"path": "x"}).as_object().cloned().unwrap()),
            }),
        ]
    );
    assert_eq!(deltas, [Delta::Text("Lo".to_owned()), Delta::Text("ok".to_owned())]);
}

#[test]
fn what_is_not_whole_is_no_answer() {
    let start =
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "a"}});
    assert_eq!(read(std::slice::from_ref(&start)).0, Err(Fault::BrokenOff));
    assert_eq!(read(&[start.clone(), json!({"type": "message_stop"})]).0, Err(Fault::BrokenOff));
    assert_eq!(read(&[start.clone(), json!([])]).0, Err(Fault::Malformed(Api::AnthropicMessages)));
    let failed = read(&[
        start,
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "sk-secret"}}),
    ])
    .0;
    assert_eq!(failed.unwrap_err().to_string(), "the provider failed while it answered (overloaded_error)");
}
