//! Whole turns: a scripted model, the real gate, the real host executor in a directory of its own.

mod calls;
mod ends;
mod provenance;
mod spawning;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oc_fs::ledger::{Ledger, Record, read};
use oc_fs::session_store::SessionStore;
use oc_policy::inventory::Inventory;
use oc_policy::owner_only::Ownership;
use oc_policy::sandbox::Place as Places;
use oc_sandbox::executor::{Executor, ExecutorError, Pending as PlacePending, Place};
use oc_sandbox::gate::{CallSender, Executors, HostSession, SandboxSession, Snapshot, Surface};
use oc_sandbox::host::{HostExecutor, Launch};
use oc_types::{AgentId, Node, Origin};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::said::{People, PersonMessage};
use super::*;
use crate::message::{Block, Request, ToolCall};
use crate::model::{Delta, FailureClass, ModelFailure, Pending};
use crate::prompt::Mode;

/// What the model does when it is asked.
enum Step {
    /// It streams these pieces and answers.
    Answer(Vec<&'static str>, Answer),
    /// It streams these pieces and fails.
    Fail(Vec<&'static str>, ModelFailure),
    /// It streams these pieces and never ends.
    Hang(Vec<&'static str>),
}

/// A model that does what the test says, whatever it is asked.
struct Script {
    steps: Mutex<VecDeque<Step>>,
    requests: Mutex<Vec<Request>>,
    asked: mpsc::UnboundedSender<()>,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Script")
    }
}

impl Model for Script {
    fn ask<'a>(
        &'a self,
        request: &'a Request,
        on_delta: &'a mut (dyn FnMut(Delta) + Send),
    ) -> Pending<'a, Result<Answer, ModelFailure>> {
        Box::pin(async move {
            self.requests.lock().unwrap().push(request.clone());
            let step = self.steps.lock().unwrap().pop_front().expect("the script is long enough");
            let pieces = match &step {
                Step::Answer(pieces, _) | Step::Fail(pieces, _) | Step::Hang(pieces) => pieces.clone(),
            };
            for piece in pieces {
                on_delta(Delta::Text(piece.to_owned()));
            }
            let _ = self.asked.send(());
            match step {
                Step::Answer(_, answer) => Ok(answer),
                Step::Fail(_, failure) => Err(failure),
                Step::Hang(_) => std::future::pending().await,
            }
        })
    }
}

/// The host and nothing else.
#[derive(Debug)]
struct HostOnly(Arc<HostExecutor>);

fn none<T>(place: Place) -> Result<T, ExecutorError> {
    Err(ExecutorError::Unavailable { place, cause: "there is none in this test".to_owned() })
}

impl Executors for HostOnly {
    fn engine(&self) -> PlacePending<'_, ()> {
        Box::pin(async { none(Place::Container) })
    }
    fn container<'a>(&'a self, _: &'a SandboxSession) -> PlacePending<'a, Arc<dyn Executor>> {
        Box::pin(async { none(Place::Container) })
    }
    fn native<'a>(&'a self, _: &'a SandboxSession) -> PlacePending<'a, Arc<dyn Executor>> {
        Box::pin(async { none(Place::Native) })
    }
    fn host<'a>(&'a self, _: &'a HostSession) -> PlacePending<'a, Arc<dyn Executor>> {
        let host: Arc<dyn Executor> = Arc::clone(&self.0) as Arc<dyn Executor>;
        Box::pin(async move { Ok(host) })
    }
}

/// Everything that was told.
#[derive(Debug, Default)]
struct Heard(Mutex<Vec<Event>>);

impl Sink for Heard {
    fn event(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

struct Bench {
    _tmp: tempfile::TempDir,
    state: PathBuf,
    workspace: PathBuf,
    gate: Gate,
    heard: Heard,
    abort: Abort,
}

const MAIN: &str = "agent:main:main";

fn snapshot(config: &Value, state: &Path) -> Snapshot {
    let home = state.parent().unwrap().display().to_string();
    let places = Places { home, state_dir: state.display().to_string() };
    Snapshot::new(
        Node::from_json(config, &Origin::Default),
        Inventory::standard(),
        places,
        [("c", config.to_string().as_str())],
    )
}

fn bench(config: &Value) -> Bench {
    let tmp = tempfile::tempdir().unwrap();
    let home = tmp.path().canonicalize().unwrap();
    let state = home.join(".openclaw");
    let workspace = state.join("workspace");
    std::fs::create_dir_all(&workspace).unwrap();
    let host = HostExecutor::new(Launch::runner_file().unwrap_or_else(|e| panic!("{e}")));
    let environment = [("PATH", "/usr/bin:/bin"), ("HOME", home.to_str().unwrap())];
    let gate = Gate::new(snapshot(config, &state), Ledger::of(&state), Arc::new(HostOnly(Arc::new(host))))
        .with_environment(environment.map(|(n, v)| (n.to_owned(), v.to_owned())));
    Bench { _tmp: tmp, state, workspace, gate, heard: Heard::default(), abort: Abort::new() }
}

/// Commands run on the host without a question.
fn free() -> Value {
    json!({ "tools": { "exec": { "host": "gateway", "security": "full", "ask": "off" } } })
}

fn clock() -> jiff::Timestamp {
    "2026-02-03T04:05:06Z".parse().unwrap()
}

fn script(steps: Vec<Step>) -> (Script, mpsc::UnboundedReceiver<()>) {
    let (asked, heard) = mpsc::unbounded_channel();
    (Script { steps: Mutex::new(steps.into()), requests: Mutex::default(), asked }, heard)
}

fn answer(blocks: Vec<Block>, stop: StopReason) -> Answer {
    Answer {
        blocks,
        stop,
        usage: Usage { input: 10, output: 5, cache_read: 0, cache_write: 0 },
        api: "anthropic-messages",
        provider: "anthropic".to_owned(),
        model: "claude-test".to_owned(),
    }
}

fn says(text: &'static str) -> Step {
    Step::Answer(vec![text], answer(vec![Block::Text(text.to_owned())], StopReason::EndTurn))
}

fn call(id: &str, name: &str, arguments: Value) -> Block {
    let arguments = arguments.as_object().unwrap().clone();
    Block::ToolCall(ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        arguments: crate::message::Arguments::Object(arguments),
    })
}

fn calls(blocks: Vec<Block>) -> Step {
    Step::Answer(Vec::new(), answer(blocks, StopReason::ToolUse))
}

fn asks(name: &str, arguments: Value) -> Step {
    calls(vec![call("c1", name, arguments)])
}

fn failure(class: FailureClass, partial: Option<Answer>) -> ModelFailure {
    ModelFailure {
        provider: "anthropic".to_owned(),
        model: "claude-test".to_owned(),
        class,
        message: "body of /home/me with sk-secret".to_owned(),
        retry_after: None,
        partial: partial.map(Box::new),
    }
}

fn sender(id: &str) -> CallSender {
    CallSender { id: Some(id.to_owned()), name: Some("Al".to_owned()), ..CallSender::default() }
}

fn person(text: &str) -> Said {
    Said::People(People::one(PersonMessage::new(sender("7"), Ownership::NotProven, text)))
}

impl Bench {
    fn caller(&self) -> Caller {
        let mut caller = Caller::of_session(Surface::Hook, AgentId::normalized("main"), MAIN);
        caller.channel = Some("telegram".to_owned());
        caller.model = Some(("anthropic".to_owned(), "claude-test".to_owned()));
        caller
    }

    fn session(&self) -> Session {
        let store = SessionStore::of(&self.state, &AgentId::normalized("main"), None, &self.state);
        let entry = json!({ "sessionId": "s1" }).as_object().unwrap().clone();
        Session::open_now(&store, &entry, "/w", clock, Duration::ZERO).unwrap().0
    }

    fn request(&self, said: Said) -> TurnRequest {
        TurnRequest {
            run: "run".to_owned(),
            caller: self.caller(),
            said,
            behind: Vec::new(),
            session: self.session(),
            ground: Ground::of(Mode::Full),
            tools: Vec::new(),
            afterwards: None,
            steering: steering::Steering::default(),
            window: Window { tokens: 200_000, reserve: 20_000 },
            max_tokens: 4_000,
            thinking: Thinking::Off,
            limits: Limits::default(),
            keep: Durability::Synced,
        }
    }

    async fn run(&self, said: Said, script: &Script) -> TurnEnd {
        self.run_request(self.request(said), script).await
    }

    async fn run_request(&self, request: TurnRequest, script: &Script) -> TurnEnd {
        run(request, script, &self.gate, &self.heard, &self.abort).await
    }

    /// The conversation as it stands in the transcript.
    fn messages(&self) -> Vec<Message> {
        self.session().recorded().into_iter().map(|r| r.message).collect()
    }

    /// The results in it: text, and whether it is an error.
    fn results(&self) -> Vec<(String, bool)> {
        let results = self.messages().into_iter().filter_map(|m| match m {
            Message::ToolResult { content, is_error, .. } => Some((texts(&content), is_error)),
            Message::User(_) | Message::Assistant(_) => None,
        });
        results.collect()
    }

    fn ledger(&self) -> Vec<Record> {
        read(&self.state.join("ledger"))
            .map(|l| l.into_iter().map(|l| l.record.unwrap()).collect())
            .unwrap_or_default()
    }

    /// Kind of surface and verdict of each record.
    fn verdicts(&self) -> Vec<String> {
        self.ledger().into_iter().map(|r| format!("{} {}", r.entry.subject, r.entry.verdict)).collect()
    }

    fn streamed(&self) -> String {
        let heard = self.heard.0.lock().unwrap();
        heard.iter().filter_map(|e| if let Event::Text(t) = e { Some(t.as_str()) } else { None }).collect()
    }
}

fn texts(blocks: &[Block]) -> String {
    let texts = blocks.iter().filter_map(|b| if let Block::Text(t) = b { Some(t.as_str()) } else { None });
    texts.collect::<Vec<_>>().join("\n")
}
