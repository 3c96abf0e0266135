use serde_json::json;

use super::*;
use crate::message::{Message, ToolCall, ToolDefinition};
use crate::model::reading::Reading;
use crate::model::wire::{Api, Quirks};

fn target() -> Target {
    Target {
        api: Api::OpenAiCompletions,
        provider: "p".to_owned(),
        model: "m".to_owned(),
        images: true,
        reasoning: false,
        max_tokens: 1000,
        temperature: None,
        quirks: Quirks::default(),
    }
}

fn picture() -> Block {
    Block::Image { media_type: "image/png".to_owned(), data: "AA==".to_owned() }
}

#[test]
fn a_request_has_the_formats_shape() {
    let call = ToolCall {
        id: "c1".to_owned(),
        name: "read".to_owned(),
        arguments: Arguments::Object(json!({"path": "x"}).as_object().cloned().unwrap()),
    };
    let answer = Answer {
        blocks: vec![Block::Text("look".to_owned()), Block::ToolCall(call)],
        stop: StopReason::ToolUse,
        usage: Usage::default(),
        api: "anthropic-messages",
        provider: "other".to_owned(),
        model: "other".to_owned(),
    };
    let request = Request {
        system: "be good".to_owned(),
        messages: vec![
            Message::User(vec![Block::Text("hi".to_owned())]),
            Message::Assistant(answer),
            Message::ToolResult {
                call_id: "c1".to_owned(),
                tool: "read".to_owned(),
                content: vec![Block::Text("seen".to_owned()), picture()],
                is_error: false,
            },
            Message::User(vec![Block::Text("and this".to_owned()), picture()]),
        ],
        tools: vec![ToolDefinition {
            name: "read".to_owned(),
            description: "reads".to_owned(),
            schema: json!({}),
        }],
        max_tokens: 5000,
        thinking: Thinking::High,
    };
    let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}});
    assert_eq!(
        body(&target(), &request),
        json!({
            "model": "m",
            "messages": [
                {"role": "system", "content": "be good"},
                {"role": "user", "content": "hi"},
                {"role": "assistant", "content": "look", "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "read", "arguments": "{\"path\":\"x\"}"}}]},
                {"role": "tool", "tool_call_id": "c1", "content": "seen\n(a picture follows)"},
                {"role": "user", "content": [{"type": "text", "text": "(Pictures of the tools' results:)"}, image]},
                {"role": "user", "content": [{"type": "text", "text": "and this"}, image]},
            ],
            "stream": true,
            "stream_options": {"include_usage": true},
            "max_tokens": 1000,
            "tools": [{"type": "function", "function": {"name": "read", "description": "reads", "parameters": {}}}],
        })
    );
}

#[test]
fn quirks_change_what_they_say() {
    let request = Request {
        system: String::new(),
        messages: vec![],
        tools: vec![],
        max_tokens: 5,
        thinking: Thinking::Low,
    };
    let quirks =
        Quirks { max_tokens_field: MaxTokensField::MaxCompletionTokens, reasoning_effort: Understood::Yes };
    let thinks = Target { reasoning: true, temperature: Some(1.0), quirks, ..target() };
    let first = body(&thinks, &request);
    assert_eq!((&first["max_completion_tokens"], &first["reasoning_effort"]), (&json!(5), &json!("low")));
    assert_eq!((first.get("max_tokens"), first.get("temperature")), (None, None));
    let quirks = Quirks { reasoning_effort: Understood::No, ..quirks };
    let second = body(&Target { quirks, ..thinks }, &request);
    assert_eq!((second.get("reasoning_effort"), &second["temperature"]), (None, &json!(1.0)));
}

fn read(events: &[Value], done: bool) -> (Result<Answer, Fault>, String) {
    let mut said = String::new();
    let mut reading = Reading::new(target());
    let lines =
        events.iter().map(|e| format!("data: {e}\n\n")).chain(done.then(|| "data: [DONE]\n\n".to_owned()));
    for line in lines {
        let pushed = reading.push(line.as_bytes(), &mut |d| match d {
            Delta::Text(t) => said.push_str(&t),
            Delta::Thinking(t) => said.push_str(&format!("<{t}>")),
            Delta::Restart => said.push('!'),
        });
        if let Err(fault) = pushed {
            return (Err(fault), said);
        }
    }
    (reading.end(&mut |_| {}).map_err(|(fault, _)| fault), said)
}

fn delta(delta: Value) -> Value {
    json!({"choices": [{"index": 0, "delta": delta}]})
}

fn finish(reason: &str) -> Value {
    json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
}

#[test]
fn calls_come_in_fragments_by_index() {
    let fragment = |index: u64, id: Option<&str>, name: Option<&str>, arguments: &str| {
        delta(
            json!({"tool_calls": [{"index": index, "id": id, "function": {"name": name, "arguments": arguments}}]}),
        )
    };
    let (answer, said) = read(
        &[
            delta(json!({"reasoning_content": "hm"})),
            delta(json!({"content": "so"})),
            fragment(1, Some("b"), Some("write"), "{\"pa"),
            fragment(0, Some("a"), Some("read"), ""),
            fragment(1, None, None, "th\":1}"),
            fragment(0, None, None, "not json"),
            fragment(2, Some("a"), Some("list"), ""),
            fragment(3, Some(""), Some("last"), "[1]"),
            finish("tool_calls"),
            json!({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}}),
        ],
        true,
    );
    let answer = answer.unwrap();
    assert_eq!(said, "<hm>so");
    assert_eq!(answer.usage, Usage { input: 5, output: 2, cache_read: 4, cache_write: 0 });
    let calls: Vec<_> = answer.tool_calls().collect();
    assert_eq!(
        calls.iter().map(|c| (c.id.as_str(), c.name.as_str())).collect::<Vec<_>>(),
        [("a", "read"), ("b", "write"), ("a_2", "list"), ("call_5", "last"),]
    );
    assert!(
        matches!(&calls[0].arguments, Arguments::Invalid { text, why } if text == "not json" && why.contains("no JSON"))
    );
    assert_eq!(calls[1].arguments, Arguments::Object(json!({"path": 1}).as_object().cloned().unwrap()));
    assert_eq!(calls[2].arguments, Arguments::Object(Map::new()), "no arguments at all");
    assert!(matches!(&calls[3].arguments, Arguments::Invalid { why, .. } if why.contains("no JSON object")));
}

#[test]
fn a_call_that_the_limit_cuts_is_never_whole() {
    let part =
        delta(json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "x", "arguments": "{}"}}]}));
    let (answer, _) = read(&[part.clone(), finish("length")], true);
    let answer = answer.unwrap();
    assert_eq!(answer.stop, StopReason::MaxTokens);
    assert!(answer.tool_calls().all(|c| matches!(c.arguments, Arguments::Invalid { .. })));
    let (answer, _) = read(&[part, finish("stop")], true);
    assert_eq!(
        answer.unwrap().stop,
        StopReason::ToolUse,
        "some servers say `stop` although they ask for a tool"
    );
}

#[test]
fn reasons_to_stop_are_told_apart() {
    for (word, stop) in [
        ("stop", StopReason::EndTurn),
        ("tool_calls", StopReason::EndTurn),
        ("length", StopReason::MaxTokens),
        ("content_filter", StopReason::Refusal),
        ("surprise", StopReason::EndTurn),
    ] {
        let (answer, _) = read(&[delta(json!({"content": "x"})), finish(word)], false);
        assert_eq!(answer.unwrap().stop, stop, "{word}");
    }
    let (broken, _) = read(&[delta(json!({"content": "x"}))], false);
    assert_eq!(broken, Err(Fault::BrokenOff));
    let (broken, _) = read(&[delta(json!({"content": "x"}))], true);
    assert_eq!(broken, Err(Fault::BrokenOff), "a goodbye without a reason to stop");
    let (failed, _) = read(&[json!({"error": {"code": "rate_limit_exceeded", "message": "sk-123"}})], false);
    assert_eq!(
        failed.unwrap_err().to_string(),
        "the provider failed while it answered (rate_limit_exceeded)"
    );
}
