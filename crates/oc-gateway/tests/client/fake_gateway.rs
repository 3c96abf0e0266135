//! A fake gateway: challenges, checks one token, answers a handful of made-up methods. It is no model of the real one.

use std::sync::{Arc, Mutex};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::TOKEN;

/// What it does.
#[derive(Clone, Copy)]
pub struct Script {
    /// The device token that it hands out.
    pub issue: Option<&'static str>,
    /// A token that it does not take although it once gave it.
    pub refuse_token: Option<&'static str>,
    /// The tick it advertises, in milliseconds. It never ticks.
    pub tick_ms: u64,
}

impl Default for Script {
    fn default() -> Self {
        Self { issue: None, refuse_token: None, tick_ms: 30_000 }
    }
}

/// A running fake.
pub struct FakeGateway {
    pub port: u16,
    connects: Arc<Mutex<Vec<Value>>>,
    task: tokio::task::JoinHandle<()>,
}

impl FakeGateway {
    pub async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connects: Arc<Mutex<Vec<Value>>> = Arc::default();
        let seen = Arc::clone(&connects);
        let task = tokio::spawn(async move {
            let mut count = 0;
            while let Ok((stream, _)) = listener.accept().await {
                count += 1;
                let seen = Arc::clone(&seen);
                tokio::spawn(async move {
                    if let Ok(ws) = tokio_tungstenite::accept_async(stream).await {
                        let _ = serve(ws, script, &seen, count).await;
                    }
                });
            }
        });
        Self { port, connects, task }
    }

    /// The parameters of every `connect`, oldest first.
    pub fn connects(&self) -> Vec<Value> {
        self.connects.lock().unwrap().clone()
    }
}

impl Drop for FakeGateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One connection, to its end.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut ws: WebSocketStream<S>,
    script: Script,
    seen: &Mutex<Vec<Value>>,
    count: u32,
) -> Option<()> {
    let nonce = format!("nonce-{count}");
    say(
        &mut ws,
        json!({"type": "event", "event": "connect.challenge", "payload": {"nonce": nonce, "ts": 1}}),
    )
    .await?;
    let connect = hear(&mut ws).await?;
    let params = connect["params"].clone();
    let token = params["auth"]["token"].as_str().unwrap_or_default().to_owned();
    seen.lock().unwrap().push(params);
    let good = token == TOKEN || script.issue == Some(&*token);
    if !good || script.refuse_token == Some(&*token) {
        let error = json!({"code": "INVALID_REQUEST", "message": format!("unauthorized: {token}")});
        say(&mut ws, json!({"type": "res", "id": connect["id"], "ok": false, "error": error})).await?;
        let reason = format!("unauthorized {token}");
        let _ = ws.close(Some(CloseFrame { code: 1008.into(), reason: reason.into() })).await;
        while ws.next().await.is_some_and(|m| m.is_ok()) {}
        return None;
    }
    let mut hello = json!({"type": "hello-ok", "protocol": 3, "server": {"version": "fake", "connId": "c"},
        "features": {"methods": ["health"], "events": []}, "policy": {"tickIntervalMs": script.tick_ms}});
    if let Some(token) = script.issue {
        hello["auth"] = json!({"deviceToken": token, "role": "operator",
            "scopes": ["operator.admin", "operator.approvals", "operator.pairing"], "issuedAtMs": 1});
    }
    say(&mut ws, json!({"type": "res", "id": connect["id"], "ok": true, "payload": hello})).await?;
    let mut held = None;
    loop {
        let request = hear(&mut ws).await?;
        let answer =
            |payload: Value| json!({"type": "res", "id": request["id"], "ok": true, "payload": payload});
        match request["method"].as_str().unwrap() {
            "late" => held = Some(answer(request["params"].clone())),
            "early" => {
                say(&mut ws, json!({"type": "event", "event": "presence", "payload": {}, "seq": 3})).await?;
                say(&mut ws, answer(request["params"].clone())).await?;
                if let Some(late) = held.take() {
                    say(&mut ws, late).await?;
                }
            }
            "refuse" => {
                let error = json!({"code": "UNAVAILABLE", "message": "not now", "details": {"why": "busy"}, "retryable": true});
                say(&mut ws, json!({"type": "res", "id": request["id"], "ok": false, "error": error}))
                    .await?;
            }
            "accepted-then-final" => {
                say(&mut ws, answer(json!({"status": "accepted"}))).await?;
                say(&mut ws, answer(json!({"status": "ok"}))).await?;
            }
            "restart" => {
                let frame = CloseFrame { code: 1012.into(), reason: "service restart".into() };
                let _ = ws.close(Some(frame)).await;
            }
            _ => {}
        }
    }
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(ws: &mut WebSocketStream<S>, frame: Value) -> Option<()> {
    ws.send(Message::text(frame.to_string())).await.ok()
}

async fn hear<S: AsyncRead + AsyncWrite + Unpin>(ws: &mut WebSocketStream<S>) -> Option<Value> {
    loop {
        match ws.next().await?.ok()? {
            Message::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
            Message::Close(_) => return None,
            _ => {}
        }
    }
}
