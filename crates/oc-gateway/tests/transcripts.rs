//! The recorded conversations of `fixtures/gateway/transcripts`, held with this gateway: equal shapes, codes and closes, but for the
//! differences that `fixtures/gateway/README.md` lists.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    missing_docs,
    reason = "tests"
)]

#[path = "support/world.rs"]
mod support;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};
use support::{Keys, Socket, TOKEN, World};

/// Answers whose payload is not compared, and why. Everything else of them (ok, code, close) is.
const PAYLOADS_LEFT_OUT: [(&str, &str); 1] = [("config.schema", "the schema is this product's own")];

/// Lists that are empty here and why: no skills and models of its own, no session before somebody talks, requests of others only for
/// those who administer (SP-325).
const MAY_BE_EMPTY: [&str; 6] = ["skills", "models", "recent", "pending", "bins", "messages"];

/// What a session remembers of conversations that nobody held here, and stamps that this product does not write.
const NOT_HELD: [&str; 11] = [
    "systemSent",
    "abortedLastRun",
    "chatType",
    "deliveryContext",
    "lastTo",
    "origin",
    "sessionFile",
    "skillsSnapshot",
    "lastChannel",
    "displayName",
    "meta",
];

/// Answers that differ on purpose: transcript, client, request id, and why.
const DELIBERATE: [(&str, &str, &str, &str); 2] = [
    (
        "04",
        "A",
        "r14",
        "nothing is written by looking, so there is no approvals file yet whose hash could be asked for",
    ),
    ("11", "A", "r6", "a write puts nothing into the file that it was not asked for"),
];

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(12);

struct Client {
    socket: Socket,
    nonce: String,
    answers: BTreeMap<String, VecDeque<Value>>,
    events: Vec<Value>,
    closed: Option<(u16, String)>,
    methods: BTreeMap<String, String>,
}

impl Client {
    async fn pull(&mut self) -> bool {
        match self.socket.next().await {
            support::Frame::Json(frame) => {
                match frame["type"].as_str() {
                    Some("res") => {
                        let id = frame["id"].as_str().unwrap_or_default().to_owned();
                        self.answers.entry(id).or_default().push_back(frame);
                    }
                    _ => self.events.push(frame),
                }
                true
            }
            support::Frame::Closed(code, reason) => {
                self.closed.get_or_insert((code, reason));
                false
            }
        }
    }

    async fn answer(&mut self, id: &str) -> Option<Value> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(found) = self.answers.get_mut(id).and_then(VecDeque::pop_front) {
                return Some(found);
            }
            match tokio::time::timeout_at(deadline, self.pull()).await {
                Ok(true) => {}
                Ok(false) => return self.answers.get_mut(id).and_then(VecDeque::pop_front),
                Err(_) => return None,
            }
        }
    }

    async fn event(&mut self, name: &str) -> Option<Value> {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(3);
        loop {
            if let Some(at) = self.events.iter().position(|e| e["event"] == name) {
                return Some(self.events.remove(at));
            }
            match tokio::time::timeout_at(deadline, self.pull()).await {
                Ok(true) => {}
                Ok(false) | Err(_) => return None,
            }
        }
    }

    async fn close(&mut self) -> Option<(u16, String)> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while self.closed.is_none() {
            if tokio::time::timeout_at(deadline, self.pull()).await.is_err() {
                return None;
            }
        }
        self.closed.clone()
    }
}

/// What stands for what in the recording.
#[derive(Default)]
struct Names {
    values: BTreeMap<String, String>,
}

impl Names {
    /// Learns what the gateway made: `<token#7>` in the recording is this text here.
    fn learn(&mut self, recorded: &Value, got: &Value) {
        match (recorded, got) {
            (Value::String(r), Value::String(g))
                if r.starts_with('<') && r.ends_with('>') && r.contains('#') =>
            {
                self.values.entry(r.clone()).or_insert_with(|| g.clone());
            }
            (Value::Object(r), Value::Object(g)) => {
                for (key, value) in r {
                    if let Some(other) = g.get(key) {
                        self.learn(value, other);
                    }
                }
            }
            (Value::Array(r), Value::Array(g)) => {
                for (a, b) in r.iter().zip(g) {
                    self.learn(a, b);
                }
            }
            _ => {}
        }
    }

    fn put_in(&self, value: &Value, keys: &mut Keys) -> Value {
        match value {
            Value::String(s) => Value::String(match s.as_str() {
                "<gateway-token>" => TOKEN.to_owned(),
                s if s.starts_with("<device#") => {
                    keys.of(s.trim_start_matches("<device#").trim_end_matches('>')).id
                }
                s if s.starts_with("<pubkey#") => {
                    keys.of(s.trim_start_matches("<pubkey#").trim_end_matches('>')).public
                }
                "<text>" => "note".to_owned(),
                s => self.values.get(s).cloned().unwrap_or_else(|| s.to_owned()),
            }),
            Value::Array(items) => {
                let kept = items.iter().filter(|i| !i.as_str().is_some_and(|s| s.starts_with("<+")));
                Value::Array(kept.map(|i| self.put_in(i, keys)).collect())
            }
            Value::Object(members) => {
                Value::Object(members.iter().map(|(k, v)| (k.clone(), self.put_in(v, keys))).collect())
            }
            other => other.clone(),
        }
    }
}

/// Names and types of the recording are there; more may be.
fn same_shape(recorded: &Value, got: &Value, at: &str, wrong: &mut Vec<String>) {
    match (recorded, got) {
        (Value::Object(r), Value::Object(g)) => {
            for (key, value) in r {
                match g.get(key) {
                    None if NOT_HELD.contains(&key.as_str()) => {}
                    None => wrong.push(format!("{at}.{key} is missing")),
                    Some(other) => same_shape(value, other, &format!("{at}.{key}"), wrong),
                }
            }
        }
        (Value::Array(r), Value::Array(g)) => {
            let r: Vec<_> = r.iter().filter(|i| !i.as_str().is_some_and(|s| s.starts_with("<+"))).collect();
            if let (Some(first), Some(other)) = (r.first(), g.first()) {
                same_shape(first, other, &format!("{at}[0]"), wrong);
            } else if !r.is_empty() && g.is_empty() && !MAY_BE_EMPTY.iter().any(|n| at.ends_with(n)) {
                wrong.push(format!("{at} is empty"));
            }
        }
        (Value::Null, Value::Null) | (Value::Bool(_), Value::Bool(_)) => {}
        (Value::Number(_), Value::Number(_)) | (Value::String(_), Value::String(_)) => {}
        _ => wrong.push(format!("{at} is {got} instead of {recorded}")),
    }
}

fn is_free(text: &str) -> bool {
    text.starts_with('<') && text.ends_with('>')
}

fn compare(file: &str, label: &str, method: &str, recorded: &Value, got: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let at = format!("{file} {label} {} {method}", recorded["id"]);
    if recorded["ok"] != got["ok"] {
        return vec![format!("{at}: {got} instead of {recorded}")];
    }
    if recorded["ok"] == json!(true) {
        if !PAYLOADS_LEFT_OUT.iter().any(|(m, _)| *m == method) {
            let mut recorded = recorded["payload"].clone();
            // Sent to administrators only, and lists may differ.
            if let Some(features) = recorded.get_mut("features") {
                features["methods"] = json!([]);
            }
            if method == "connect" && got["payload"]["snapshot"].get("configPath").is_none() {
                let snapshot = recorded["snapshot"].as_object_mut().unwrap();
                snapshot.remove("configPath");
                snapshot.remove("stateDir");
                if got["payload"]["snapshot"]["health"] == json!({}) {
                    snapshot.remove("health");
                    snapshot.remove("presence");
                }
            }
            recorded.as_object_mut().map(|o| o.remove("canvasHostUrl"));
            same_shape(&recorded, &got["payload"], "payload", &mut wrong);
        }
    } else {
        let (r, g) = (&recorded["error"], &got["error"]);
        if r["code"] != g["code"] {
            wrong.push(format!("code {} instead of {}", g["code"], r["code"]));
        }
        let message = r["message"].as_str().unwrap_or_default();
        if !is_free(message) && r["message"] != g["message"] {
            wrong.push(format!("message {} instead of {}", g["message"], r["message"]));
        }
        if let Some(details) = r.get("details") {
            same_shape(details, &g["details"], "details", &mut wrong);
        }
    }
    wrong.into_iter().map(|w| format!("{at}: {w}")).collect()
}

/// Which address and origin a client of the recording came from.
fn headers(file: &str, label: &str) -> Vec<(&'static str, &'static str)> {
    match label {
        "new-device-non-local-host-header" | "v1-signature-non-local" => vec![("Host", "example.com")],
        "new-device-untrusted-forwarded-for" => vec![("X-Forwarded-For", "203.0.113.9")],
        "control-ui-foreign-origin" => vec![("Origin", "https://foreign.example")],
        "control-ui-no-device" => vec![("Origin", "http://127.0.0.1")],
        _ if file.starts_with("06") && label != "A" => vec![("Host", "example.com")],
        _ => Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recorded_conversations_are_held_alike() {
    let world = World::logged(json!({"gateway": {"mode": "local"}, "logging": {}})).await;
    let folder = support::fixtures().join("gateway/transcripts");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 11);
    let mut keys = Keys::default();
    let mut names = Names::default();
    let mut wrong = Vec::new();
    for path in files {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut clients: BTreeMap<String, Client> = BTreeMap::new();
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let label = line["c"].as_str().unwrap().to_owned();
            let frame = &line["frame"];
            match line["dir"].as_str().unwrap() {
                "recv" if frame["event"] == "connect.challenge" => {
                    let mut socket = world.connect(&headers(&file, &label)).await;
                    let challenge = socket.json().await;
                    names.learn(frame, &challenge);
                    let nonce = challenge["payload"]["nonce"].as_str().unwrap().to_owned();
                    let client = Client {
                        socket,
                        nonce,
                        answers: BTreeMap::new(),
                        events: Vec::new(),
                        closed: None,
                        methods: BTreeMap::new(),
                    };
                    clients.insert(label, client);
                }
                "send" => {
                    let client = clients.get_mut(&label).unwrap();
                    if let Some(text) = frame.as_str() {
                        client.socket.send_text(text).await;
                        continue;
                    }
                    let mut sent = names.put_in(frame, &mut keys);
                    if let (Some(id), Some(method)) = (sent["id"].as_str(), sent["method"].as_str()) {
                        client.methods.insert(id.to_owned(), method.to_owned());
                    }
                    if sent["method"] == "connect" && sent["params"].get("device").is_some() {
                        support::sign_like(&mut sent["params"], &label, &client.nonce, &mut keys, frame);
                    }
                    if sent["id"] == "big" {
                        sent["params"]["text"] = "x".repeat(600_000).into();
                    }
                    client.socket.send_text(&sent.to_string()).await;
                }
                "recv" if frame["type"] == "res" => {
                    let client = clients.get_mut(&label).unwrap();
                    let id = frame["id"].as_str().unwrap();
                    let method = client.methods.get(id).cloned().unwrap_or_default();
                    match client.answer(id).await {
                        None => wrong.push(format!("{file} {label} {id} {method}: no answer")),
                        Some(got) => {
                            names.learn(frame, &got);
                            let deliberate = DELIBERATE
                                .iter()
                                .any(|(f, l, i, _)| file.starts_with(f) && label == *l && id == *i);
                            if !deliberate {
                                wrong.extend(compare(&file, &label, &method, frame, &got));
                            }
                        }
                    }
                }
                "recv" => {
                    let client = clients.get_mut(&label).unwrap();
                    let name = frame["event"].as_str().unwrap();
                    // Everybody hears less here: events are for those who hold the scope.
                    if matches!(name, "health" | "presence" | "heartbeat" | "tick" | "agent" | "chat") {
                        continue;
                    }
                    match client.event(name).await {
                        None => wrong.push(format!("{file} {label}: no event {name}")),
                        Some(got) => {
                            names.learn(frame, &got);
                            let mut missing = Vec::new();
                            same_shape(&frame["payload"], &got["payload"], "payload", &mut missing);
                            wrong.extend(
                                missing.into_iter().map(|m| format!("{file} {label} event {name}: {m}")),
                            );
                        }
                    }
                }
                "close" => {
                    let client = clients.get_mut(&label).unwrap();
                    let code = frame["code"].as_u64().unwrap();
                    if code == 1005 {
                        client.socket.close().await;
                        continue;
                    }
                    let Some((got, reason)) = client.close().await else {
                        wrong.push(format!("{file} {label}: not closed, {code} was"));
                        continue;
                    };
                    // Closed with 1008 here where the recording has 1000: no JSON, and a handshake that takes too long.
                    let same = u64::from(got) == code || code == 1000 && got == 1008;
                    let recorded = frame["reason"].as_str().unwrap();
                    if !same || !is_free(recorded) && !recorded.is_empty() && recorded != reason {
                        wrong
                            .push(format!("{file} {label}: closed with {got} {reason:?} instead of {frame}"));
                    }
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}
