//! What the tests share: servers of pages, and a gate with a browser.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use oc_fs::ledger::{Ledger, read};
use oc_policy::inventory::Inventory;
use oc_policy::sandbox::Place as Places;
use oc_sandbox::executor::{Executor, ExecutorError, Pending, Place};
use oc_sandbox::gate::{
    Caller, Content, Executors, Gate, GateError, Handlers, HostSession, Outcome, SandboxSession, Snapshot,
    Surface, ToolCall, ToolHandler, ToolResult,
};
use oc_types::{AgentId, Node, Origin};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::handler::Browser;

pub const MAIN: &str = "agent:main:main";
pub const GROUP: &str = "agent:main:telegram:group:42";

/// The variables of this test process that the product would have.
pub fn environment() -> Vec<(String, String)> {
    vec![
        ("PATH".to_owned(), std::env::var("PATH").unwrap_or_default()),
        ("SECRET_OF_THE_OWNER".to_owned(), "canary".to_owned()),
    ]
}

/// Chromium, or a plain word that there is none. Where nothing may be skipped (`OC_REQUIRE`), its absence is a failure.
pub fn chromium() -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    let found = crate::executable::find(None, &path);
    let required =
        std::env::var("OC_REQUIRE").unwrap_or_default().split_whitespace().any(|w| w == "chromium");
    match found {
        Ok(_) => true,
        Err(why) => {
            assert!(!required, "{why}");
            eprintln!("skipped: {why}");
            false
        }
    }
}

/// A server of fixed pages; keeps the heads of all requests.
#[derive(Clone, Debug)]
pub struct Site {
    pub address: &'static str,
    pub port: u16,
    pub seen: Arc<Mutex<Vec<String>>>,
}

impl Site {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}:{}{path}", self.address, self.port)
    }

    pub fn asked_for(&self, path: &str) -> bool {
        let start = format!("GET {path} ");
        self.seen.lock().unwrap().iter().any(|head| head.starts_with(&start))
    }

    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

/// Serves what `pages` holds at the time of the question; `{port}` of a page is this server's port.
pub async fn site(address: &'static str, pages: HashMap<&'static str, String>) -> Site {
    let listener = TcpListener::bind((address, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let site = Site { address, port, seen: Arc::default() };
    let seen = Arc::clone(&site.seen);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (seen, pages) = (Arc::clone(&seen), pages.clone());
            tokio::spawn(async move {
                let mut head = vec![0; 16 * 1024];
                let n = stream.read(&mut head).await.unwrap_or(0);
                let head = String::from_utf8_lossy(&head[..n]).into_owned();
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                seen.lock().unwrap().push(head);
                let answer = match pages.get(path.split('?').next().unwrap_or_default()) {
                    Some(whole) if whole.starts_with("HTTP/1.1 ") => {
                        whole.replace("{port}", &port.to_string())
                    }
                    Some(body) => html(&body.replace("{port}", &port.to_string())),
                    None => {
                        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned()
                    }
                };
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    site
}

pub fn html(body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

pub fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

/// No place for commands: only the browser acts here.
#[derive(Debug)]
struct Nowhere;

fn none<T>(place: Place) -> Pending<'static, T>
where
    T: Send + 'static,
{
    Box::pin(async move {
        Err(ExecutorError::Unavailable { place, cause: "there is none in this test".to_owned() })
    })
}

impl Executors for Nowhere {
    fn engine(&self) -> Pending<'_, ()> {
        none(Place::Container)
    }
    fn container<'a>(&'a self, _: &'a SandboxSession) -> Pending<'a, Arc<dyn Executor>> {
        none(Place::Container)
    }
    fn native<'a>(&'a self, _: &'a SandboxSession) -> Pending<'a, Arc<dyn Executor>> {
        none(Place::Native)
    }
    fn host<'a>(&'a self, _: &'a HostSession) -> Pending<'a, Arc<dyn Executor>> {
        none(Place::Host)
    }
}

pub struct Bench {
    _tmp: tempfile::TempDir,
    pub home: PathBuf,
    pub state: PathBuf,
    pub gate: Gate,
    pub browser: Arc<Browser>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        // Chromium writes until its end; the folder goes after it.
        self.gate.replace_handlers(Handlers::default());
    }
}

pub fn bench(config: &Value) -> Bench {
    let tmp = tempfile::tempdir().unwrap();
    let home = tmp.path().join("home");
    let state = home.join(".openclaw");
    std::fs::create_dir_all(&home).unwrap();
    let browser = Arc::new(Browser::at(state.clone(), environment()));
    let handlers = Handlers::new([Arc::clone(&browser) as Arc<dyn ToolHandler>]);
    let gate =
        Gate::new(snapshot(config, &state), Ledger::of(&state), Arc::new(Nowhere)).with_handlers(handlers);
    Bench { _tmp: tmp, home, state, gate, browser }
}

pub fn snapshot(config: &Value, state: &std::path::Path) -> Snapshot {
    let home = state.parent().unwrap().display().to_string();
    let places = Places { home, state_dir: state.display().to_string() };
    Snapshot::new(Node::from_json(config, &Origin::Default), Inventory::standard(), places, [])
}

/// Pages of 127.0.0.1 may be used, headless; nothing else inside.
pub fn local() -> Value {
    json!({ "browser": { "headless": true, "ssrfPolicy": { "allowedHostnames": ["127.0.0.1"] } } })
}

impl Bench {
    pub async fn call(&self, arguments: Value, session: &str) -> Result<ToolResult, GateError> {
        let Value::Object(arguments) = arguments else { panic!("an object") };
        let caller = Caller::of_session(Surface::Model, AgentId::normalized("main"), session);
        let call = ToolCall {
            id: "1".to_owned(),
            tool: "browser".to_owned(),
            arguments,
            caller,
            behind: std::sync::Arc::default(),
        };
        self.gate.call(&call).await.map(|answer| answer.result)
    }

    /// A call that has to work; its text.
    pub async fn works(&self, arguments: Value) -> String {
        let result = self.call(arguments.clone(), MAIN).await.unwrap();
        let text = text(&result);
        assert_eq!(result.outcome, Outcome::Done, "{arguments}: {text}");
        text
    }

    /// A call that has to fail; its text.
    pub async fn fails(&self, arguments: Value) -> String {
        let result = self.call(arguments.clone(), MAIN).await.unwrap();
        let text = text(&result);
        assert_eq!(result.outcome, Outcome::Failed, "{arguments}: {text}");
        text
    }

    /// The reference of the element whose line of a snapshot holds a text.
    pub async fn reference(&self, of: &str) -> String {
        let outline = self.works(json!({"action": "snapshot"})).await;
        let line = outline
            .lines()
            .find(|l| l.contains(of) && l.contains("[ref="))
            .unwrap_or_else(|| panic!("{of}: {outline}"));
        line.split("[ref=").nth(1).unwrap().split(']').next().unwrap().to_owned()
    }

    pub async fn act(&self, request: Value) -> String {
        self.works(json!({"action": "act", "request": request})).await
    }

    pub fn verdicts(&self) -> Vec<String> {
        let lines = read(&self.state.join("ledger")).unwrap();
        lines.into_iter().map(|l| l.record.unwrap().entry.verdict).collect()
    }
}

pub fn text(result: &ToolResult) -> String {
    let texts = result.content.iter().filter_map(|c| match c {
        Content::Text { text } => Some(text.as_str()),
        Content::Image { .. } => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}
