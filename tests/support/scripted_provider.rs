//! A fake model provider for tests: an HTTP server on loopback that answers from a script and records what it was asked. It speaks Anthropic's
//! messages, OpenAI's chat completions and OpenAI's responses, by the path of the request, always as a stream.
//!
//! It is a fake: nothing here understands a prompt. What the "model" does is what the test wrote, so that an attack is exactly the one that the
//! test means. Include it with `#[path]`; it needs `serde_json` and nothing else.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "support of tests; each test uses a part of it"
)]

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The path.
    pub path: String,
    /// Headers, names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub text: String,
    /// The body as JSON; `null` when it is none.
    pub body: Value,
}

impl Recorded {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The names of the tools that were offered, in order, whatever the format.
    pub fn tools(&self) -> Vec<String> {
        let tools = self.body["tools"].as_array().cloned().unwrap_or_default();
        let name =
            |t: &Value| t["name"].as_str().or_else(|| t["function"]["name"].as_str()).map(str::to_owned);
        tools.iter().filter_map(name).collect()
    }

    /// The results of tools that were sent, the newest last: id and text, whatever the format.
    pub fn results(&self) -> Vec<(String, String)> {
        let mut out = Vec::new();
        let texts = |v: &Value| match v {
            Value::String(s) => s.clone(),
            Value::Array(a) => a.iter().filter_map(|p| p["text"].as_str()).collect::<Vec<_>>().join("\n"),
            _ => String::new(),
        };
        for message in self.body["messages"].as_array().into_iter().flatten() {
            if message["role"] == "tool" {
                out.push((message["tool_call_id"].as_str().unwrap().to_owned(), texts(&message["content"])));
            }
            for block in message["content"].as_array().into_iter().flatten() {
                if block["type"] == "tool_result" {
                    out.push((block["tool_use_id"].as_str().unwrap().to_owned(), texts(&block["content"])));
                }
            }
        }
        for item in self.body["input"].as_array().into_iter().flatten() {
            if item["type"] == "function_call_output" {
                out.push((item["call_id"].as_str().unwrap().to_owned(), texts(&item["output"])));
            }
        }
        out
    }
}

/// A tool call of the fake model. The arguments are text, so that they need not be JSON.
#[derive(Clone, Debug)]
pub struct ScriptedCall {
    id: String,
    name: String,
    arguments: String,
}

/// What one request is answered with.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    plain: Option<String>,
    thinking: Option<String>,
    text: Option<String>,
    calls: Vec<ScriptedCall>,
    stop: Stop,
    end: End,
    /// Bytes in one piece of the stream.
    piece: usize,
    delay: Duration,
}

/// Why the fake model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Done,
    Length,
    Refused,
}

/// How the stream ends.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Whole,
    /// The connection ends after so many events.
    Broken(usize),
    /// Nothing more comes after so many events, until [`ScriptedProvider::release`].
    Held(usize),
    /// The provider reports an error with this code after so many events.
    Failed(usize, String),
    /// After so many events comes something that is no JSON.
    Garbage(usize),
}

impl Reply {
    fn new() -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            plain: None,
            thinking: None,
            text: None,
            calls: Vec::new(),
            stop: Stop::Done,
            end: End::Whole,
            piece: usize::MAX,
            delay: Duration::ZERO,
        }
    }

    /// Text.
    pub fn text(text: &str) -> Self {
        Self { text: Some(text.to_owned()), ..Self::new() }
    }

    /// A call of a tool.
    pub fn call(id: &str, name: &str, arguments: &Value) -> Self {
        Self::new().and_call(id, name, arguments)
    }

    /// A call whose arguments are any text.
    pub fn raw_call(id: &str, name: &str, arguments: &str) -> Self {
        let call = ScriptedCall { id: id.to_owned(), name: name.to_owned(), arguments: arguments.to_owned() };
        Self { calls: vec![call], ..Self::new() }
    }

    /// An error with a status and a code, in the provider's form. `message` is what the provider writes beside it.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let body = json!({"type": "error", "error": {"type": code, "code": code, "message": message}});
        Self { status, plain: Some(body.to_string()), ..Self::new() }
    }

    /// Any other answer.
    pub fn plain(status: u16, content_type: &str, body: &str) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, plain: Some(body.to_owned()), ..Self::new() }
    }

    /// And a call.
    pub fn and_call(mut self, id: &str, name: &str, arguments: &Value) -> Self {
        self.calls.push(ScriptedCall {
            id: id.to_owned(),
            name: name.to_owned(),
            arguments: arguments.to_string(),
        });
        self
    }

    /// And thinking before the text.
    pub fn and_thinking(mut self, text: &str) -> Self {
        self.thinking = Some(text.to_owned());
        self
    }

    /// And text.
    pub fn and_text(mut self, text: &str) -> Self {
        self.text = Some(text.to_owned());
        self
    }

    /// And a header.
    pub fn and_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The answer reached its limit.
    pub fn cut_at_limit(mut self) -> Self {
        self.stop = Stop::Length;
        self
    }

    /// The model or its provider refused.
    pub fn refused(mut self) -> Self {
        self.stop = Stop::Refused;
        self
    }

    /// The connection ends after so many events.
    pub fn broken_after(mut self, events: usize) -> Self {
        self.end = End::Broken(events);
        self
    }

    /// Nothing comes after so many events, until [`ScriptedProvider::release`].
    pub fn held_after(mut self, events: usize) -> Self {
        self.end = End::Held(events);
        self
    }

    /// The provider reports an error after so many events.
    pub fn failed_after(mut self, events: usize, code: &str) -> Self {
        self.end = End::Failed(events, code.to_owned());
        self
    }

    /// Something that is no JSON comes after so many events.
    pub fn garbage_after(mut self, events: usize) -> Self {
        self.end = End::Garbage(events);
        self
    }

    /// The stream comes in pieces of so many bytes.
    pub fn in_pieces(mut self, bytes: usize) -> Self {
        self.piece = bytes.max(1);
        self
    }

    /// The answer comes after a while.
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

/// Decides about the answer to a request.
type Script = Box<dyn FnMut(&Recorded) -> Reply + Send>;

struct Shared {
    script: Mutex<Script>,
    requests: Mutex<Vec<Recorded>>,
    released: Mutex<bool>,
    bell: Condvar,
    over: AtomicBool,
}

/// The fake provider. Ends with this value.
pub struct ScriptedProvider {
    port: u16,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for ScriptedProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ScriptedProvider(127.0.0.1:{})", self.port)
    }
}

impl ScriptedProvider {
    /// Answers with these, one after the other; what comes after the last one gets status 500.
    pub fn replies(replies: impl IntoIterator<Item = Reply>) -> Self {
        let mut left: VecDeque<Reply> = replies.into_iter().collect();
        Self::answering(move |_| {
            left.pop_front()
                .unwrap_or_else(|| Reply::error(500, "script_is_over", "the script has no more replies"))
        })
    }

    /// Answers with what a function decides.
    pub fn answering(script: impl FnMut(&Recorded) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let port = listener.local_addr().expect("it is bound").port();
        let shared = Arc::new(Shared {
            script: Mutex::new(Box::new(script)),
            requests: Mutex::new(Vec::new()),
            released: Mutex::new(false),
            bell: Condvar::new(),
            over: AtomicBool::new(false),
        });
        let its = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if its.over.load(Ordering::SeqCst) {
                    break;
                }
                let its = Arc::clone(&its);
                thread::spawn(move || serve(&its, stream));
            }
        });
        Self { port, shared }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `baseUrl` for the format `anthropic-messages`.
    pub fn anthropic_base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// `baseUrl` for OpenAI's formats.
    pub fn openai_base(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// What was asked so far.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// No body of a request holds this text. Headers may: that is where a key belongs.
    pub fn assert_no_body_holds(&self, secret: &str) {
        for (nth, request) in self.requests().iter().enumerate() {
            assert!(!request.text.contains(secret), "request {nth} holds what it must not: {}", request.text);
        }
    }

    /// Lets answers that are held go on: their connections end.
    pub fn release(&self) {
        *self.shared.released.lock().unwrap() = true;
        self.shared.bell.notify_all();
    }
}

impl Drop for ScriptedProvider {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        self.release();
        // The listener wakes up, sees that it is over and ends.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

fn serve(shared: &Shared, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut writer = stream;
    while let Some(request) = read(&mut reader) {
        // Recorded before it is answered: whoever has the answer finds the request.
        shared.requests.lock().unwrap().push(request.clone());
        let reply = (shared.script.lock().unwrap())(&request);
        let going_on = answer(shared, &mut writer, &request, &reply);
        if !matches!(going_on, Ok(true)) || shared.over.load(Ordering::SeqCst) {
            break;
        }
    }
    let _ = writer.shutdown(Shutdown::Both);
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Recorded> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length =
        headers.iter().find(|(n, _)| n == "content-length").and_then(|(_, v)| v.parse().ok()).unwrap_or(0);
    let mut bytes = vec![0u8; length];
    reader.read_exact(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Some(Recorded { path, headers, text, body })
}

/// Whether the connection can take another request.
fn answer(shared: &Shared, out: &mut TcpStream, request: &Recorded, reply: &Reply) -> std::io::Result<bool> {
    if !reply.delay.is_zero() {
        thread::sleep(reply.delay);
    }
    let mut head = format!("HTTP/1.1 {} Scripted\r\n", reply.status);
    let typed = reply.headers.iter().any(|(n, _)| n == "content-type");
    if !typed {
        let kind = if reply.plain.is_some() { "application/json" } else { "text/event-stream" };
        head.push_str(&format!("content-type: {kind}\r\n"));
    }
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = &reply.plain {
        head.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        out.write_all(head.as_bytes())?;
        return Ok(true);
    }
    head.push_str("transfer-encoding: chunked\r\n\r\n");
    out.write_all(head.as_bytes())?;
    let mut events = events(&request.path, reply);
    let keep = match &reply.end {
        End::Whole => events.len(),
        End::Broken(n) | End::Held(n) | End::Failed(n, _) | End::Garbage(n) => (*n).min(events.len()),
    };
    events.truncate(keep);
    match &reply.end {
        End::Failed(_, code) => {
            let error = json!({"type": "error", "error": {"type": code, "code": code}, "code": code});
            events.push(format!("event: error\ndata: {error}\n\n"));
        }
        End::Garbage(_) => events.push("data: {\"type\": \n\n".to_owned()),
        End::Whole | End::Broken(_) | End::Held(_) => {}
    }
    let stream = events.concat();
    for piece in stream.as_bytes().chunks(reply.piece.min(stream.len().max(1))) {
        out.write_all(format!("{:x}\r\n", piece.len()).as_bytes())?;
        out.write_all(piece)?;
        out.write_all(b"\r\n")?;
        out.flush()?;
    }
    match reply.end {
        End::Broken(_) => return Ok(false),
        End::Held(_) => {
            let released = shared.released.lock().unwrap();
            drop(shared.bell.wait_while(released, |r| !*r).unwrap());
            return Ok(false);
        }
        End::Whole | End::Failed(..) | End::Garbage(_) => {}
    }
    out.write_all(b"0\r\n\r\n")?;
    Ok(true)
}

/// The events of a whole answer in the format of the path.
fn events(path: &str, reply: &Reply) -> Vec<String> {
    if path.ends_with("/v1/messages") {
        anthropic(reply)
    } else if path.ends_with("/responses") {
        responses(reply)
    } else {
        completions(reply)
    }
}

fn typed(value: &Value) -> String {
    format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap())
}

/// A text in pieces of three characters.
fn fragments(text: &str) -> Vec<String> {
    text.chars().collect::<Vec<_>>().chunks(3).map(|c| c.iter().collect()).collect()
}

fn anthropic(reply: &Reply) -> Vec<String> {
    let mut out = vec![
        json!({"type": "message_start", "message": {"id": "msg_1", "role": "assistant", "content": [],
            "usage": {"input_tokens": 11, "cache_read_input_tokens": 5, "output_tokens": 1}}}),
        json!({"type": "ping"}),
    ];
    let mut index = 0;
    let mut block = |start: Value, deltas: Vec<Value>| {
        out.push(json!({"type": "content_block_start", "index": index, "content_block": start}));
        for delta in deltas {
            out.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        }
        out.push(json!({"type": "content_block_stop", "index": index}));
        index += 1;
    };
    if let Some(text) = &reply.thinking {
        let mut deltas: Vec<Value> =
            fragments(text).iter().map(|t| json!({"type": "thinking_delta", "thinking": t})).collect();
        deltas.push(json!({"type": "signature_delta", "signature": "c2VhbA=="}));
        block(json!({"type": "thinking", "thinking": ""}), deltas);
    }
    if let Some(text) = &reply.text {
        let deltas = fragments(text).iter().map(|t| json!({"type": "text_delta", "text": t})).collect();
        block(json!({"type": "text", "text": ""}), deltas);
    }
    for call in &reply.calls {
        let deltas = fragments(&call.arguments)
            .iter()
            .map(|t| json!({"type": "input_json_delta", "partial_json": t}))
            .collect();
        block(json!({"type": "tool_use", "id": call.id, "name": call.name, "input": {}}), deltas);
    }
    let stop = match reply.stop {
        Stop::Length => "max_tokens",
        Stop::Refused => "refusal",
        Stop::Done if reply.calls.is_empty() => "end_turn",
        Stop::Done => "tool_use",
    };
    out.push(json!({"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 7}}));
    out.push(json!({"type": "message_stop"}));
    out.iter().map(typed).collect()
}

fn completions(reply: &Reply) -> Vec<String> {
    let chunk =
        |delta: Value| json!({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta}]});
    let mut out = vec![chunk(json!({"role": "assistant", "content": ""}))];
    for text in reply.thinking.iter().flat_map(|t| fragments(t)) {
        out.push(chunk(json!({"reasoning_content": text})));
    }
    for text in reply.text.iter().flat_map(|t| fragments(t)) {
        out.push(chunk(json!({"content": text})));
    }
    for (index, call) in reply.calls.iter().enumerate() {
        let function = json!({"name": call.name, "arguments": ""});
        out.push(chunk(json!({"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": function}]})));
        for part in fragments(&call.arguments) {
            out.push(chunk(json!({"tool_calls": [{"index": index, "function": {"arguments": part}}]})));
        }
    }
    let reason = match reply.stop {
        Stop::Length => "length",
        Stop::Refused => "content_filter",
        Stop::Done if reply.calls.is_empty() => "stop",
        Stop::Done => "tool_calls",
    };
    out.push(json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}));
    let usage =
        json!({"prompt_tokens": 16, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 5}});
    out.push(json!({"choices": [], "usage": usage}));
    let mut lines: Vec<String> = out.iter().map(|v| format!("data: {v}\n\n")).collect();
    lines.push("data: [DONE]\n\n".to_owned());
    lines
}

fn responses(reply: &Reply) -> Vec<String> {
    let mut out =
        vec![json!({"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}})];
    let mut index = 0;
    if let Some(text) = &reply.thinking {
        let item = json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "c2VhbA=="});
        out.push(json!({"type": "response.output_item.added", "output_index": index, "item": item}));
        for part in fragments(text) {
            out.push(json!({"type": "response.reasoning_summary_text.delta", "output_index": index, "delta": part}));
        }
        out.push(json!({"type": "response.output_item.done", "output_index": index, "item": item}));
        index += 1;
    }
    if let Some(text) = &reply.text {
        out.push(
            json!({"type": "response.output_item.added", "output_index": index, "item": {"type": "message"}}),
        );
        for part in fragments(text) {
            out.push(json!({"type": "response.output_text.delta", "output_index": index, "delta": part}));
        }
        out.push(
            json!({"type": "response.output_item.done", "output_index": index, "item": {"type": "message"}}),
        );
        index += 1;
    }
    for call in &reply.calls {
        let item = json!({"type": "function_call", "id": "fc_1", "call_id": call.id, "name": call.name, "arguments": ""});
        out.push(json!({"type": "response.output_item.added", "output_index": index, "item": item}));
        for part in fragments(&call.arguments) {
            out.push(json!({"type": "response.function_call_arguments.delta", "output_index": index, "delta": part}));
        }
        // A call that the limit cuts is never reported as done.
        if reply.stop != Stop::Length {
            out.push(json!({"type": "response.function_call_arguments.done", "output_index": index, "arguments": call.arguments}));
        }
        index += 1;
    }
    let usage = json!({"input_tokens": 16, "output_tokens": 7, "input_tokens_details": {"cached_tokens": 5}});
    out.push(match reply.stop {
        Stop::Done => {
            json!({"type": "response.completed", "response": {"status": "completed", "usage": usage}})
        }
        Stop::Length => json!({"type": "response.incomplete", "response": {"status": "incomplete",
            "incomplete_details": {"reason": "max_output_tokens"}, "usage": usage}}),
        Stop::Refused => json!({"type": "response.incomplete", "response": {"status": "incomplete",
            "incomplete_details": {"reason": "content_filter"}, "usage": usage}}),
    });
    out.iter().map(typed).collect()
}
