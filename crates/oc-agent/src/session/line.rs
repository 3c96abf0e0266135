//! One line of a transcript, written and read (sessions-routing 5).

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::message::{Answer, Arguments, Block, Message, StopReason, ToolCall, Usage};

/// The version of the format.
pub const VERSION: u64 = 3;
/// Most characters of arguments that were no JSON which a transcript keeps.
const RAW_CAP: usize = 4_000;

/// What every line but the first begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its id, unique in the transcript.
    pub id: String,
    /// The line before it in the tree.
    pub parent: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A summary in the place of earlier messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compaction {
    /// The summary, written by a model.
    pub summary: String,
    /// Id of the first line that still counts by itself.
    pub first_kept: String,
    /// Estimated tokens before.
    pub tokens_before: u64,
}

/// What a line says, as far as this program reads it.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// A message.
    Message(Message),
    /// A summary.
    Compaction(Compaction),
    /// Text that an extension or a branch left for the model.
    Note(String),
    /// Something that a model does not read.
    Other,
}

/// The first line. `parent` is the session that this one was forked from.
#[must_use]
pub fn header(id: &str, at: Timestamp, directory: &str, parent: Option<&str>) -> String {
    let mut out =
        json!({ "type": "session", "version": VERSION, "id": id, "timestamp": iso(at), "cwd": directory });
    if let (Some(parent), Some(members)) = (parent, out.as_object_mut()) {
        members.insert("parentSession".to_owned(), parent.into());
    }
    out.to_string()
}

/// The line of a message. `said` is where a message from outside came from (SP-421).
#[must_use]
pub fn message(head: &Head, message: &Message, said: Option<&str>) -> String {
    let mut out = start("message", head);
    out.insert("message".to_owned(), message_value(message, head.at));
    if let (Some(said), Message::User(_)) = (said, message) {
        out.insert("provenance".to_owned(), json!({ "kind": said }));
    }
    Value::Object(out).to_string()
}

/// The line of a summary.
#[must_use]
pub fn compaction(head: &Head, compaction: &Compaction) -> String {
    let mut out = start("compaction", head);
    out.insert("summary".to_owned(), compaction.summary.clone().into());
    out.insert("firstKeptEntryId".to_owned(), compaction.first_kept.clone().into());
    out.insert("tokensBefore".to_owned(), compaction.tokens_before.into());
    Value::Object(out).to_string()
}

/// Reads a line; `None` for the header and for what is no line of the tree.
#[must_use]
pub fn read(line: &str) -> Option<(Head, Said)> {
    let Ok(Value::Object(members)) = serde_json::from_str(line) else { return None };
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let id = text("id").filter(|id| !id.is_empty())?.to_owned();
    let at = text("timestamp").and_then(|t| t.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH);
    let head = Head { id, parent: text("parentId").map(str::to_owned), at };
    let said = match text("type")? {
        "session" => return None,
        "message" => members.get("message").and_then(read_message).map_or(Said::Other, Said::Message),
        "compaction" => Said::Compaction(Compaction {
            summary: text("summary").unwrap_or_default().to_owned(),
            first_kept: text("firstKeptEntryId").unwrap_or_default().to_owned(),
            tokens_before: members.get("tokensBefore").and_then(Value::as_u64).unwrap_or(0),
        }),
        "branch_summary" => text("summary").map_or(Said::Other, |t| Said::Note(t.to_owned())),
        "custom_message" => Said::Note(texts(members.get("content"))),
        _ => Said::Other,
    };
    Some((head, said))
}

fn start(kind: &str, head: &Head) -> Map<String, Value> {
    let members = [
        ("type", kind.into()),
        ("id", head.id.clone().into()),
        ("parentId", head.parent.clone().into()),
        ("timestamp", iso(head.at).into()),
    ];
    members.into_iter().map(|(k, v): (&str, Value)| (k.to_owned(), v)).collect()
}

fn iso(at: Timestamp) -> String {
    format!("{at:.3}")
}

fn message_value(message: &Message, at: Timestamp) -> Value {
    let timestamp = at.as_millisecond();
    match message {
        Message::User(blocks) => json!({ "role": "user", "content": values(blocks), "timestamp": timestamp }),
        Message::Assistant(answer) => {
            let u = &answer.usage;
            json!({
                "role": "assistant",
                "content": values(&answer.blocks),
                "api": answer.api,
                "provider": answer.provider,
                "model": answer.model,
                "usage": {
                    "input": u.input, "output": u.output, "cacheRead": u.cache_read, "cacheWrite": u.cache_write,
                    "totalTokens": u.total(),
                    "cost": { "input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0, "total": 0 },
                },
                "stopReason": answer.stop.word(),
                "timestamp": timestamp,
            })
        }
        Message::ToolResult { call_id, tool, content, is_error } => json!({
            "role": "toolResult",
            "toolCallId": call_id,
            "toolName": tool,
            "content": values(content),
            "isError": is_error,
            "timestamp": timestamp,
        }),
    }
}

fn values(blocks: &[Block]) -> Vec<Value> {
    blocks.iter().map(value).collect()
}

fn value(block: &Block) -> Value {
    match block {
        Block::Text(text) => json!({ "type": "text", "text": text }),
        Block::Image { media_type, data } => json!({ "type": "image", "data": data, "mimeType": media_type }),
        Block::Thinking { text, signature } => {
            let mut out = json!({ "type": "thinking", "thinking": text });
            if let (Some(signature), Some(members)) = (signature, out.as_object_mut()) {
                members.insert("thinkingSignature".to_owned(), signature.clone().into());
            }
            out
        }
        Block::ToolCall(call) => match &call.arguments {
            Arguments::Object(arguments) => {
                json!({ "type": "toolCall", "id": call.id, "name": call.name, "arguments": arguments })
            }
            Arguments::Invalid { text, why } => json!({
                "type": "toolCall", "id": call.id, "name": call.name, "arguments": {},
                "invalidArguments": { "text": oc_text::untrusted::capped(text, RAW_CAP), "why": why },
            }),
        },
    }
}

fn read_message(value: &Value) -> Option<Message> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let blocks = || read_blocks(value.get("content"));
    Some(match value.get("role").and_then(Value::as_str)? {
        "user" => Message::User(blocks()),
        "assistant" => {
            let tokens = |name: &str| {
                value.get("usage").and_then(|u| u.get(name)).and_then(Value::as_u64).unwrap_or(0)
            };
            Message::Assistant(Answer {
                blocks: blocks(),
                stop: stop(&text("stopReason")),
                usage: Usage {
                    input: tokens("input"),
                    output: tokens("output"),
                    cache_read: tokens("cacheRead"),
                    cache_write: tokens("cacheWrite"),
                },
                api: api(&text("api")),
                provider: text("provider"),
                model: text("model"),
            })
        }
        "toolResult" => Message::ToolResult {
            call_id: text("toolCallId"),
            tool: text("toolName"),
            content: blocks(),
            is_error: value.get("isError").and_then(Value::as_bool).unwrap_or(false),
        },
        _ => return None,
    })
}

fn read_blocks(content: Option<&Value>) -> Vec<Block> {
    match content {
        Some(Value::String(text)) => vec![Block::Text(text.clone())],
        Some(Value::Array(blocks)) => blocks.iter().filter_map(read_block).collect(),
        _ => Vec::new(),
    }
}

fn read_block(block: &Value) -> Option<Block> {
    let text = |name: &str| block.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(match block.get("type").and_then(Value::as_str)? {
        "text" => Block::Text(text("text")?),
        "image" => Block::Image { media_type: text("mimeType")?, data: text("data")? },
        "thinking" => Block::Thinking { text: text("thinking")?, signature: text("thinkingSignature") },
        "toolCall" => {
            let invalid = block.get("invalidArguments");
            let of = |name: &str| {
                invalid.and_then(|i| i.get(name)).and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            let arguments = match (invalid, block.get("arguments")) {
                (None, Some(Value::Object(arguments))) => Arguments::Object(arguments.clone()),
                (None, _) => Arguments::Object(Map::new()),
                (Some(_), _) => Arguments::Invalid { text: of("text"), why: of("why") },
            };
            Block::ToolCall(ToolCall { id: text("id")?, name: text("name")?, arguments })
        }
        _ => return None,
    })
}

fn texts(content: Option<&Value>) -> String {
    let texts = read_blocks(content).into_iter().filter_map(|b| match b {
        Block::Text(text) => Some(text),
        Block::Image { .. } | Block::Thinking { .. } | Block::ToolCall(_) => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}

fn stop(word: &str) -> StopReason {
    use StopReason::{Aborted, EndTurn, Error, MaxTokens, Refusal, StopSequence, ToolUse};
    let all = [EndTurn, ToolUse, MaxTokens, StopSequence, Refusal, Aborted];
    all.into_iter().find(|s| s.word() == word).unwrap_or(Error)
}

/// The wire format by its word. One that is not known is not sent back to anybody as its own.
fn api(word: &str) -> &'static str {
    ["anthropic-messages", "openai-completions", "openai-responses"]
        .into_iter()
        .find(|a| *a == word)
        .unwrap_or("unknown")
}
