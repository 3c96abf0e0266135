//! A place of execution for tests: files in a map, commands that only are noted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use oc_runner::protocol::{Exit, FileOperation, FileRequest, RunRequest};
use tokio::sync::{mpsc, oneshot};

use crate::executor::{Executor, ExecutorError, FileAnswer, Order, Output, Pending, Place, Running};
use crate::gate::{AuthorizedCall, Executors, HostSession, SandboxSession};

/// What a fake place has seen and holds.
#[derive(Debug, Default)]
pub struct Seen {
    pub files: BTreeMap<String, Vec<u8>>,
    pub runs: Vec<(Place, RunRequest)>,
    pub file_calls: Vec<(Place, FileRequest)>,
}

/// A place that does nothing real.
#[derive(Clone, Debug)]
pub struct FakePlace {
    pub place: Place,
    pub seen: Arc<Mutex<Seen>>,
    /// What a command prints, and its exit code.
    pub prints: (String, i32),
    /// Whether commands stay: they print back what they read until they are ended or their input is.
    pub stays: bool,
}

fn failed(code: &str) -> ExecutorError {
    ExecutorError::Failed { code: code.to_owned(), message: format!("fake: {code}") }
}

pub fn sha256(bytes: &[u8]) -> String {
    ring::digest::digest(&ring::digest::SHA256, bytes).as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

impl FakePlace {
    fn act(&self, request: &FileRequest, content: Vec<u8>) -> Result<FileAnswer, ExecutorError> {
        let mut seen = self.seen.lock().unwrap();
        seen.file_calls.push((self.place, request.clone()));
        let files = &mut seen.files;
        let content = match &request.operation {
            FileOperation::Read { path, .. } => {
                files.get(path).cloned().ok_or_else(|| failed("not-found"))?
            }
            FileOperation::Write { path, expected } => {
                let now = files.get(path).map(|b| sha256(b)).unwrap_or_default();
                if expected.as_ref().is_some_and(|e| *e != now) {
                    return Err(failed(if expected.as_deref() == Some("") { "exists" } else { "changed" }));
                }
                files.insert(path.clone(), content.clone());
                content
            }
            FileOperation::Remove { path } => files.remove(path).ok_or_else(|| failed("not-found"))?,
            _ => return Err(failed("unsupported")),
        };
        Ok(FileAnswer { size: content.len() as u64, sha256: sha256(&content), content, entries: Vec::new() })
    }
}

impl Executor for FakePlace {
    fn place(&self) -> Place {
        self.place
    }

    fn start<'a>(&'a self, call: &'a AuthorizedCall, run: RunRequest) -> Pending<'a, Running> {
        assert_eq!(call.place(), self.place);
        self.seen.lock().unwrap().runs.push((self.place, run));
        let (text, code) = self.prints.clone();
        let stays = self.stays;
        Box::pin(async move {
            let (out, output) = mpsc::channel(4);
            let (orders, mut taken) = mpsc::channel(4);
            let (done, exit) = oneshot::channel();
            out.send(Output::Out(text.into_bytes())).await.unwrap();
            if stays {
                tokio::spawn(async move {
                    let mut killed = true;
                    while let Some(order) = taken.recv().await {
                        match order {
                            Order::Input(bytes) => out.send(Output::Out(bytes)).await.unwrap(),
                            Order::EndInput => {
                                killed = false;
                                break;
                            }
                            Order::Kill => break,
                            Order::Resize(..) => {}
                        }
                    }
                    let code = if killed { 137 } else { code };
                    let _ = done.send(Ok(Exit { code, timed_out: false, killed, dropped: 0 }));
                });
                return Ok(Running { output, orders, exit });
            }
            done.send(Ok(Exit { code, timed_out: false, killed: false, dropped: 0 })).unwrap();
            Ok(Running { output, orders, exit })
        })
    }

    fn file<'a>(
        &'a self,
        call: &'a AuthorizedCall,
        request: FileRequest,
        content: Vec<u8>,
    ) -> Pending<'a, FileAnswer> {
        assert_eq!(call.place(), self.place);
        Box::pin(async move { self.act(&request, content) })
    }
}

/// Where fake places come from, and which of them can be had.
#[derive(Clone, Debug)]
pub struct FakeExecutors {
    pub seen: Arc<Mutex<Seen>>,
    pub engine: bool,
    pub native: bool,
    pub prints: (String, i32),
    pub stays: bool,
}

impl FakeExecutors {
    pub fn new(engine: bool, native: bool) -> Self {
        Self { seen: Arc::default(), engine, native, prints: ("hello\n".to_owned(), 0), stays: false }
    }

    fn at(&self, place: Place) -> Arc<dyn Executor> {
        Arc::new(FakePlace {
            place,
            seen: Arc::clone(&self.seen),
            prints: self.prints.clone(),
            stays: self.stays,
        })
    }
}

fn unavailable(place: Place, cause: &str) -> ExecutorError {
    ExecutorError::Unavailable { place, cause: cause.to_owned() }
}

impl Executors for FakeExecutors {
    fn engine(&self) -> Pending<'_, ()> {
        let answers = self.engine;
        Box::pin(async move {
            if answers { Ok(()) } else { Err(unavailable(Place::Container, "no engine answers")) }
        })
    }

    fn container<'a>(&'a self, _: &'a SandboxSession) -> Pending<'a, Arc<dyn Executor>> {
        Box::pin(async move { Ok(self.at(Place::Container)) })
    }

    fn native<'a>(&'a self, _: &'a SandboxSession) -> Pending<'a, Arc<dyn Executor>> {
        Box::pin(async move {
            if self.native {
                Ok(self.at(Place::Native))
            } else {
                Err(unavailable(Place::Native, "the kernel has no user namespaces"))
            }
        })
    }

    fn host<'a>(&'a self, _: &'a HostSession) -> Pending<'a, Arc<dyn Executor>> {
        Box::pin(async move { Ok(self.at(Place::Host)) })
    }
}
