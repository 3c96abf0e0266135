//! A small HTTP server on loopback that fakes of services are made from. One request a connection.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// A request that came.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// What is answered.
pub enum Reply {
    Json(u16, Value),
    Bytes(u16, Vec<(String, String)>, Vec<u8>),
    /// Pieces as they come; the connection ends with the sender.
    Stream(&'static str, mpsc::Receiver<Vec<u8>>),
    /// `count` pieces of `size` bytes without a length; how many went out is counted.
    Flood {
        size: usize,
        count: usize,
        sent: Arc<Mutex<usize>>,
    },
}

pub type Answering = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// A running fake; it ends when it is dropped.
pub struct FakeHttp {
    port: u16,
    seen: Arc<Mutex<Vec<Request>>>,
    _tasks: JoinSet<()>,
}

impl FakeHttp {
    pub async fn start<F>(answer: F) -> Self
    where
        F: Fn(Request) -> Answering + Send + Sync + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&seen));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                connections.spawn(async move {
                    let mut stream = stream;
                    if let Some(request) = read(&mut stream).await {
                        log.lock().unwrap().push(request.clone());
                        let reply = answer(request).await;
                        write(&mut stream, reply).await;
                    }
                });
            }
        });
        Self { port, seen, _tasks: tasks }
    }

    pub fn root(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What came so far.
    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// The requests whose path ends so.
    pub fn calls(&self, end: &str) -> Vec<Request> {
        self.seen().into_iter().filter(|r| r.path.ends_with(end)).collect()
    }

    /// Waits until so many requests with this end of the path came.
    pub async fn wait_for(&self, end: &str, count: usize) -> Vec<Request> {
        let until = tokio::time::Instant::now() + Duration::from_secs(20);
        loop {
            let found = self.calls(end);
            if found.len() >= count {
                return found;
            }
            assert!(
                tokio::time::Instant::now() < until,
                "{count} x {end} did not come: {:?}",
                self.seen().iter().map(|r| r.path.clone()).collect::<Vec<_>>()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
        let mut piece = [0u8; 4096];
        let n = stream.read(&mut piece).await.ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&piece[..n]);
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|l| l.split_once(':'))
        .map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_owned()))
        .collect();
    let length: usize =
        headers.iter().find(|(n, _)| n == "content-length").and_then(|(_, v)| v.parse().ok()).unwrap_or(0);
    let mut body = bytes.split_off(head_end + 4);
    while body.len() < length {
        let mut piece = [0u8; 4096];
        let n = stream.read(&mut piece).await.ok().filter(|n| *n > 0)?;
        body.extend_from_slice(&piece[..n]);
    }
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Some(Request { method, path: path.to_owned(), query: query.to_owned(), headers, body })
}

async fn write(stream: &mut TcpStream, reply: Reply) {
    let head = |status: u16, headers: &[(String, String)], length: Option<usize>| {
        let mut head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(length) = length {
            head.push_str(&format!("Content-Length: {length}\r\n"));
        }
        head + "\r\n"
    };
    let kind = |text: &str| vec![("Content-Type".to_owned(), text.to_owned())];
    match reply {
        Reply::Json(status, value) => {
            let body = value.to_string();
            let text = head(status, &kind("application/json"), Some(body.len())) + &body;
            let _ = stream.write_all(text.as_bytes()).await;
        }
        Reply::Bytes(status, headers, body) => {
            let _ = stream.write_all(head(status, &headers, Some(body.len())).as_bytes()).await;
            let _ = stream.write_all(&body).await;
        }
        Reply::Stream(content_type, mut pieces) => {
            let _ = stream.write_all(head(200, &kind(content_type), None).as_bytes()).await;
            while let Some(piece) = pieces.recv().await {
                if stream.write_all(&piece).await.is_err() {
                    break;
                }
            }
        }
        Reply::Flood { size, count, sent } => {
            let _ = stream.write_all(head(200, &[], None).as_bytes()).await;
            for _ in 0..count {
                if stream.write_all(&vec![7u8; size]).await.is_err() {
                    break;
                }
                *sent.lock().unwrap() += size;
            }
        }
    }
    let _ = stream.shutdown().await;
}
