//! A model that answers at once, and one turn in each of many sessions.

use std::time::Instant;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::load::enter;
use crate::support::Frame;

/// What the fake model streams, whatever it is asked.
const STREAM: &str = concat!(
    r#"data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":"Done."}}]}"#,
    "\n\n",
    r#"data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
    "\n\n",
    r#"data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#,
    "\n\ndata: [DONE]\n\n"
);

/// A fake model provider: chat completions, always the same words.
pub async fn model(port: u16) -> bool {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    loop {
        let Ok((stream, _)) = listener.accept().await else { return false };
        let _ = stream.set_nodelay(true);
        tokio::spawn(answer_all(stream));
    }
}

async fn answer_all(mut stream: TcpStream) -> Option<()> {
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {}\r\n\r\n{STREAM}",
        STREAM.len()
    );
    let (mut kept, mut some) = (Vec::new(), [0_u8; 16 * 1024]);
    loop {
        let whole = kept.windows(4).position(|w| w == b"\r\n\r\n").and_then(|end| {
            let head = String::from_utf8_lossy(&kept[..end]).to_ascii_lowercase();
            let length =
                head.lines().find_map(|l| l.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
            let whole = end + 4 + length.unwrap_or(0);
            (kept.len() >= whole).then_some(whole)
        });
        if let Some(whole) = whole {
            kept.drain(..whole);
            stream.write_all(answer.as_bytes()).await.ok()?;
            continue;
        }
        let n = stream.read(&mut some).await.ok().filter(|n| *n > 0)?;
        kept.extend_from_slice(&some[..n]);
    }
}

/// One turn in each of `sessions` sessions over `parallel` sockets. Prints how many were answered and how many not.
pub async fn turns(port: u16, token: &str, sessions: usize, parallel: usize) -> bool {
    let begun = Instant::now();
    let tasks: Vec<_> = (0..parallel)
        .map(|first| {
            let token = token.to_owned();
            tokio::spawn(async move {
                let Some(mut socket) = enter(port, &token).await else { return (0, 1) };
                let mut done = 0_u64;
                for n in (first..sessions).step_by(parallel) {
                    let id = format!("turn-{n}");
                    let params = json!({"sessionKey": format!("agent:main:bench-{n}"), "message": "hello there", "idempotencyKey": id});
                    let request = json!({"type": "req", "id": id, "method": "chat.send", "params": params});
                    socket.send_text(&request.to_string()).await;
                    loop {
                        match socket.next().await {
                            Frame::Json(f) if f["id"] == id.as_str() && f["ok"] == false => {
                                eprintln!("{f}");
                                return (done, 1);
                            }
                            Frame::Json(f) if f["payload"]["runId"] == id.as_str() && f["event"] == "chat" => {
                                match f["payload"]["state"].as_str() {
                                    Some("final") => break,
                                    Some("error" | "aborted") => {
                                        eprintln!("{f}");
                                        return (done, 1);
                                    }
                                    _ => {}
                                }
                            }
                            Frame::Json(_) => {}
                            Frame::Closed(..) => return (done, 1),
                        }
                    }
                    done += 1;
                }
                (done, 0)
            })
        })
        .collect();
    let (mut done, mut failed) = (0, 0);
    for task in tasks {
        let (d, f) = task.await.unwrap();
        (done, failed) = (done + d, failed + f);
    }
    println!("{done} {failed} {:.3}", begun.elapsed().as_secs_f64());
    failed == 0 && done > 0
}
