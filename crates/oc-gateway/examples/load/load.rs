//! Load of one kind for some seconds. Prints one line: what was done, in how many seconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::support::{Frame, Place, Socket};

/// `connect` of a client without a device.
pub fn connect(token: &str) -> Value {
    json!({
        "minProtocol": 3, "maxProtocol": 3, "role": "operator",
        "scopes": ["operator.admin", "operator.read", "operator.write"],
        "client": {"id": "cli", "version": "1", "platform": "linux", "mode": "cli"},
        "auth": {"token": token},
    })
}

/// A client that is in; `None`: it was not let in.
pub async fn enter(port: u16, token: &str) -> Option<Socket> {
    let mut socket = Place { port }.try_connect().await?;
    loop {
        match socket.next().await {
            Frame::Json(frame) if frame["event"] == "connect.challenge" => break,
            Frame::Json(_) => {}
            Frame::Closed(..) => return None,
        }
    }
    let request = json!({"type": "req", "id": "c", "method": "connect", "params": connect(token)});
    socket.send_text(&request.to_string()).await;
    loop {
        match socket.next().await {
            Frame::Json(frame) if frame["id"] == "c" => return (frame["ok"] == true).then_some(socket),
            Frame::Json(_) => {}
            Frame::Closed(..) => return None,
        }
    }
}

fn report(done: u64, failed: u64, begun: Instant) -> bool {
    println!("{done} {failed} {:.3}", begun.elapsed().as_secs_f64());
    failed == 0 && done > 0
}

/// Starts a gateway; milliseconds until a client is in.
pub async fn hello(token: &str, port: u16, command: &[String]) -> bool {
    let begun = Instant::now();
    let mut child = std::process::Command::new(&command[0])
        .args(&command[1..])
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut inside = None;
    while inside.is_none() && begun.elapsed() < Duration::from_secs(60) {
        inside = enter(port, token).await;
        if inside.is_none() {
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
    }
    println!("{:.2}", begun.elapsed().as_secs_f64() * 1000.0);
    // Whatever it started, too: it is told first, and has a moment.
    let _ = rustix::process::kill_process(
        rustix::process::Pid::from_child(&child),
        rustix::process::Signal::TERM,
    );
    for _ in 0..100 {
        if !matches!(child.try_wait(), Ok(None)) {
            return inside.is_some();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let _ = child.kill();
    let _ = child.wait();
    inside.is_some()
}

/// Holds clients until the end of standard input. Says when all are in.
pub async fn hold(port: u16, token: &str, clients: usize) -> bool {
    let begun = Instant::now();
    let at_once = Arc::new(Semaphore::new(64));
    let inside = Arc::new(AtomicU64::new(0));
    let entering: Vec<_> = (0..clients)
        .map(|_| {
            let (at_once, inside, token) = (Arc::clone(&at_once), Arc::clone(&inside), token.to_owned());
            tokio::spawn(async move {
                let place = at_once.acquire_owned().await.unwrap();
                let Some(mut socket) = enter(port, &token).await else { return };
                inside.fetch_add(1, Ordering::SeqCst);
                drop(place);
                tokio::spawn(async move { while let Frame::Json(_) = socket.next().await {} });
            })
        })
        .collect();
    for one in entering {
        let _ = one.await;
    }
    let all = inside.load(Ordering::SeqCst);
    report(all, u64::try_from(clients).unwrap() - all, begun);
    let end =
        tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink()));
    let _ = end.await;
    true
}

async fn many<F, Fut>(seconds: u64, parallel: usize, one: F) -> bool
where
    F: Fn(Instant) -> Fut,
    Fut: Future<Output = (u64, u64)> + Send + 'static,
{
    let begun = Instant::now();
    let end = begun + Duration::from_secs(seconds);
    let tasks: Vec<_> = (0..parallel).map(|_| tokio::spawn(one(end))).collect();
    let (mut done, mut failed) = (0, 0);
    for task in tasks {
        let (d, f) = task.await.unwrap();
        (done, failed) = (done + d, failed + f);
    }
    report(done, failed, begun)
}

/// Comes in and goes, again and again.
pub async fn handshakes(port: u16, token: &str, seconds: u64, parallel: usize) -> bool {
    many(seconds, parallel, |end| {
        let token = token.to_owned();
        async move {
            let (mut done, mut failed) = (0, 0);
            while Instant::now() < end {
                match enter(port, &token).await {
                    Some(_) => done += 1,
                    None => failed += 1,
                }
            }
            (done, failed)
        }
    })
    .await
}

/// `health`, one after the other on each socket.
pub async fn calls(port: u16, token: &str, seconds: u64, parallel: usize) -> bool {
    many(seconds, parallel, |end| {
        let token = token.to_owned();
        async move {
            let Some(mut socket) = enter(port, &token).await else { return (0, 1) };
            let mut done = 0_u64;
            while Instant::now() < end {
                let id = format!("h{done}");
                socket
                    .send_text(&format!(r#"{{"type":"req","id":"{id}","method":"health","params":{{}}}}"#))
                    .await;
                let mark = format!("\"id\":\"{id}\"");
                loop {
                    // Not parsed: the generator is not what is measured.
                    match socket.next_text().await {
                        Some(text) if text.contains(&mark) => {
                            if !text.contains("\"ok\":true") {
                                return (done, 1);
                            }
                            break;
                        }
                        Some(_) => {}
                        None => return (done, 1),
                    }
                }
                done += 1;
            }
            (done, 0)
        }
    })
    .await
}

/// One HTTP request, again and again over open connections.
#[derive(Clone)]
pub struct Http {
    pub port: u16,
    pub token: String,
    pub seconds: u64,
    pub parallel: usize,
    pub status: u16,
    pub method: String,
    pub path: String,
    pub body: String,
}

pub async fn http(asked: &Http) -> bool {
    many(asked.seconds, asked.parallel, |end| {
        let asked = asked.clone();
        async move {
            let request = format!(
                "{} {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\n\r\n{}",
                asked.method, asked.path, asked.port, asked.token, asked.body.len(), asked.body
            );
            let start = format!("HTTP/1.1 {} ", asked.status);
            let (mut done, mut failed) = (0, 0);
            let mut stream = TcpStream::connect(("127.0.0.1", asked.port)).await.unwrap();
            let mut kept = Vec::new();
            while Instant::now() < end {
                if stream.write_all(request.as_bytes()).await.is_err() {
                    failed += 1;
                    break;
                }
                match answer(&mut stream, &mut kept).await {
                    Some(head) if head.starts_with(&start) => done += 1,
                    other => {
                        eprintln!("{other:?}");
                        failed += 1;
                        break;
                    }
                }
            }
            (done, failed)
        }
    })
    .await
}

/// Reads one answer with a length or in pieces; its head.
async fn answer(stream: &mut TcpStream, kept: &mut Vec<u8>) -> Option<String> {
    let mut some = [0_u8; 8192];
    loop {
        if let Some(end) = kept.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&kept[..end]).into_owned();
            let lower = head.to_ascii_lowercase();
            let length =
                lower.lines().find_map(|l| l.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
            let whole = match length {
                Some(length) => (kept.len() >= end + 4 + length).then_some(end + 4 + length),
                None if lower.contains("transfer-encoding: chunked") => {
                    kept[end..].windows(5).position(|w| w == b"0\r\n\r\n").map(|at| end + at + 5)
                }
                None => Some(end + 4),
            };
            if let Some(whole) = whole {
                kept.drain(..whole);
                return Some(head);
            }
        }
        let n = stream.read(&mut some).await.ok().filter(|n| *n > 0)?;
        kept.extend_from_slice(&some[..n]);
    }
}
