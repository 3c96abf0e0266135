//! The child process and its calls.

use std::collections::HashMap;
use std::convert::Infallible;
use std::process::Stdio;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};

use super::{IMessage, SERVICE, message};
use crate::adapter::{AdapterFailure, Door};
use crate::adapters::offering::offered_or_lost;
use crate::http_client::scrub;
use crate::json::Members as _;

/// How long a call may take.
const CALL: Duration = Duration::from_secs(60);
/// Longest line that is read, in bytes.
const MAX_LINE: usize = 8 * 1024 * 1024;
/// Calls that wait to be written.
const WAITING: usize = 32;
/// Messages that wait for the door.
const MESSAGES: usize = 64;
/// Where the child finds programs.
const PATH: &str = "/usr/local/bin:/opt/homebrew/bin:/usr/bin:/bin";

type Answers = Mutex<HashMap<i64, oneshot::Sender<Result<Value, AdapterFailure>>>>;

/// The calling side.
#[derive(Debug)]
pub(super) struct Rpc {
    out: mpsc::Sender<String>,
    answers: Answers,
    next: AtomicI64,
}

fn unavailable(why: &str) -> AdapterFailure {
    AdapterFailure::Unavailable { service: SERVICE, why: scrub(why, &[]) }
}

impl Rpc {
    pub(super) async fn call(&self, method: &str, params: Value) -> Result<Value, AdapterFailure> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.waiting().insert(id, answer);
        let line = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string();
        let done = tokio::time::timeout(CALL, async {
            self.out.send(line).await.map_err(|_| unavailable("the helper has ended"))?;
            answered.await.map_err(|_| unavailable("the helper has ended"))?
        });
        let result = done.await;
        self.waiting().remove(&id);
        result.unwrap_or_else(|_| Err(unavailable("the helper does not answer")))
    }

    fn waiting(
        &self,
    ) -> std::sync::MutexGuard<'_, HashMap<i64, oneshot::Sender<Result<Value, AdapterFailure>>>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer to a call; anything else is none of its business.
    fn heard(&self, json: &Value) {
        let Some(waiting) = json.at("id").as_i64().and_then(|id| self.waiting().remove(&id)) else { return };
        let error = json.at("error");
        let answer = if error.is_object() {
            let said = error.text("message").or_else(|| error.text("data")).unwrap_or("no reason given");
            Err(AdapterFailure::Refused { service: SERVICE, why: scrub(said, &[]) })
        } else {
            Ok(json.at("result").clone())
        };
        // Who asked may have given up.
        let _ = waiting.send(answer);
    }
}

/// A running helper; it is ended with this value.
#[derive(Debug)]
pub(super) struct Child {
    _process: tokio::process::Child,
    input: ChildStdin,
    output: ChildStdout,
    calls: mpsc::Receiver<String>,
    rpc: Arc<Rpc>,
}

impl Child {
    fn start(account: &IMessage) -> Result<Self, AdapterFailure> {
        let mut command = Command::new(&account.program);
        command.arg("rpc").env_clear().env("PATH", PATH);
        if let Some(home) = std::env::home_dir() {
            command.env("HOME", home);
        }
        if let Some(database) = &account.database {
            command.arg("--db").arg(database);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let name = account.program.display();
        let mut process = command.spawn().map_err(|e| AdapterFailure::Settings {
            key: format!("channels.imessage.cliPath ({})", account.account),
            why: format!("{name} was not started: {e}; install `imsg`, or name it with its full path"),
        })?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(unavailable("the helper has no streams"));
        };
        let (out, calls) = mpsc::channel(WAITING);
        let rpc = Arc::new(Rpc { out, answers: Mutex::new(HashMap::new()), next: AtomicI64::new(1) });
        Ok(Self { _process: process, input, output, calls, rpc })
    }

    /// Starts it, asks something, ends it.
    pub(super) async fn test(account: &IMessage) -> Result<Value, AdapterFailure> {
        let child = Self::start(account)?;
        let rpc = Arc::clone(&child.rpc);
        let (messages, _dropped) = mpsc::channel(1);
        tokio::select! {
            answer = rpc.call("chats.list", json!({ "limit": 1 })) => answer,
            end = child.speak(messages) => end.map(|never| match never {}),
        }
    }

    /// Writes calls and reads lines until one of them ends.
    async fn speak(mut self, messages: mpsc::Sender<Value>) -> Result<Infallible, AdapterFailure> {
        let mut buffer: Vec<u8> = Vec::new();
        let mut piece = vec![0u8; 64 * 1024];
        loop {
            tokio::select! {
                call = self.calls.recv() => {
                    let Some(call) = call else { return Err(unavailable("the helper was given up")) };
                    let line = format!("{call}\n");
                    let write = async { self.input.write_all(line.as_bytes()).await?; self.input.flush().await };
                    match tokio::time::timeout(CALL, write).await {
                        Ok(Ok(())) => {}
                        Ok(Err(_)) | Err(_) => return Err(unavailable("the helper takes nothing")),
                    }
                }
                read = self.output.read(&mut piece) => {
                    let count = read.map_err(|e| unavailable(&format!("the helper broke off: {e}")))?;
                    if count == 0 {
                        return Err(unavailable("the helper has ended"));
                    }
                    buffer.extend_from_slice(piece.get(..count).unwrap_or_default());
                    while let Some(at) = buffer.iter().position(|b| *b == b'\n') {
                        let rest = buffer.split_off(at.saturating_add(1));
                        let line = std::mem::replace(&mut buffer, rest);
                        // What is no JSON is a word of the helper to its user.
                        let Ok(json) = serde_json::from_slice::<Value>(&line) else { continue };
                        if json.text("method").is_none() {
                            self.rpc.heard(&json);
                        } else if messages.send(json).await.is_err() {
                            return Err(unavailable("nothing is taken in any more"));
                        }
                    }
                    if buffer.len() > MAX_LINE {
                        return Err(unavailable("the helper sent a line without an end"));
                    }
                }
            }
        }
    }
}

/// Takes the calling side away when the connection ends, however it ends.
struct Running<'a>(&'a IMessage);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let rpc = self.0.state().rpc.take();
        // Who still waits for an answer hears that none will come.
        if let Some(rpc) = rpc {
            rpc.waiting().clear();
        }
    }
}

/// Runs until the helper ends.
pub(super) async fn run(account: &IMessage, door: &dyn Door) -> AdapterFailure {
    let child = match Child::start(account) {
        Ok(child) => child,
        Err(e) => return e,
    };
    let rpc = Arc::clone(&child.rpc);
    let (messages, incoming) = mpsc::channel(MESSAGES);
    let _running = Running(account);
    let watching = async {
        let mut params = json!({ "attachments": account.attachments });
        let last = account.state().last;
        if let (Some(last), Some(o)) = (last, params.as_object_mut()) {
            o.insert("since_rowid".to_owned(), last.into());
        }
        if let Err(e) = rpc.call("watch.subscribe", params).await {
            return e;
        }
        account.state().rpc = Some(Arc::clone(&rpc));
        offering(account, door, incoming).await
    };
    tokio::select! {
        end = child.speak(messages) => match end {
            Ok(never) => match never {},
            Err(e) => e,
        },
        e = watching => e,
    }
}

async fn offering(
    account: &IMessage,
    door: &dyn Door,
    mut incoming: mpsc::Receiver<Value>,
) -> AdapterFailure {
    while let Some(json) = incoming.recv().await {
        let params = json.at("params");
        match json.text("method") {
            Some("message") => {
                let row = params.at("message").at("id").as_i64();
                offered_or_lost(
                    door,
                    message::read(params.at("message"), account),
                    SERVICE,
                    &account.account,
                )
                .await;
                let mut state = account.state();
                state.last = state.last.max(row);
            }
            Some("error") => {
                let said = params.at("error").text("message").or_else(|| params.text("message"));
                return unavailable(said.unwrap_or("the helper reports an error"));
            }
            _ => {}
        }
    }
    unavailable("the helper has ended")
}
