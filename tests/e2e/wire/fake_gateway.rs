//! A fake gateway on a thread of its own: one token, canned answers. It is no model of the real one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::TOKEN;

#[derive(Default)]
struct Seen {
    connects: AtomicUsize,
    calls: Mutex<Vec<(String, Value)>>,
}

/// A running fake. Its runtime ends with it.
pub struct FakeGateway {
    pub port: u16,
    seen: Arc<Seen>,
    _runtime: tokio::runtime::Runtime,
}

impl FakeGateway {
    pub fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Seen> = Arc::default();
        let shared = Arc::clone(&seen);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let seen = Arc::clone(&shared);
                tokio::spawn(async move {
                    if let Ok(ws) = tokio_tungstenite::accept_async(stream).await {
                        let _ = serve(ws, &seen).await;
                    }
                });
            }
        });
        Self { port, seen, _runtime: runtime }
    }

    /// How many clients came.
    pub fn connects(&self) -> usize {
        self.seen.connects.load(Ordering::SeqCst)
    }

    /// The last call: method and parameters.
    pub fn last_call(&self) -> (String, Value) {
        self.seen.calls.lock().unwrap().last().cloned().unwrap()
    }
}

async fn serve(mut ws: WebSocketStream<TcpStream>, seen: &Seen) -> Option<()> {
    seen.connects.fetch_add(1, Ordering::SeqCst);
    say(&mut ws, json!({"type": "event", "event": "connect.challenge", "payload": {"nonce": "n", "ts": 1}}))
        .await?;
    let connect = hear(&mut ws).await?;
    let token = connect["params"]["auth"]["token"].as_str().unwrap_or_default().to_owned();
    if token != TOKEN && token != "device-token" {
        let error = json!({"code": "INVALID_REQUEST", "message": format!("unauthorized: {token}")});
        say(&mut ws, json!({"type": "res", "id": connect["id"], "ok": false, "error": error})).await?;
        let _ = ws.close(Some(CloseFrame { code: 1008.into(), reason: "unauthorized".into() })).await;
        while ws.next().await.is_some_and(|m| m.is_ok()) {}
        return None;
    }
    let hello = json!({"type": "hello-ok", "protocol": 3, "server": {"version": "fake", "connId": "c"},
        "auth": {"deviceToken": "device-token", "role": "operator", "scopes": ["operator.admin", "operator.approvals", "operator.pairing"], "issuedAtMs": 1}});
    say(&mut ws, json!({"type": "res", "id": connect["id"], "ok": true, "payload": hello})).await?;
    loop {
        let request = hear(&mut ws).await?;
        let method = request["method"].as_str().unwrap().to_owned();
        let params = request["params"].clone();
        let answer = match answer(&method, &params) {
            Some(payload) => json!({"type": "res", "id": request["id"], "ok": true, "payload": payload}),
            None => {
                let error =
                    json!({"code": "INVALID_REQUEST", "message": format!("unknown method: {method}")});
                json!({"type": "res", "id": request["id"], "ok": false, "error": error})
            }
        };
        seen.calls.lock().unwrap().push((method, params));
        say(&mut ws, answer).await?;
    }
}

fn answer(method: &str, params: &Value) -> Option<Value> {
    let logged = json!({"0": "{\"subsystem\":\"gateway\"}", "1": format!("said {TOKEN} and Bearer 0123456789-canary-bearer-0123456789"),
        "_meta": {"logLevelName": "INFO", "date": "2026-01-01T00:00:00.000Z"}});
    Some(match method {
        "echo" => params.clone(),
        "health" => {
            json!({"ok": true, "ts": 1, "channels": {"telegram": {"configured": true, "lastError": "token 123456:canary-telegram-token was refused"}},
            "channelOrder": ["telegram"], "channelLabels": {"telegram": "Telegram"}, "agents": []})
        }
        "status" => {
            json!({"channelSummary": ["telegram uses 123456:canary-telegram-token"], "queuedSystemEvents": [],
            "sessions": {"paths": [], "count": 0, "defaults": {}, "recent": [], "byAgent": []}, "heartbeat": {"defaultAgentId": "main", "agents": []}})
        }
        "system-presence" => {
            json!([{"host": "vm", "ip": "192.0.2.2", "version": "1", "mode": "gateway", "reason": "self", "ts": 1}])
        }
        "last-heartbeat" => Value::Null,
        "logs.tail" => {
            json!({"file": "/tmp/x.log", "cursor": 1, "size": 1, "lines": [logged.to_string(), "plain line with canary-gateway-password"], "truncated": false, "reset": false})
        }
        "device.pair.list" => json!({"pending": [], "paired": []}),
        "device.pair.approve" => json!({"requestId": "r1", "device": {"deviceId": "d"}}),
        "device.pair.reject" | "device.token.rotate" | "device.token.revoke" => {
            json!({"deviceId": "d", "role": "operator", "token": "t"})
        }
        "node.list" => {
            json!({"ts": 1, "nodes": [{"nodeId": "node-1", "displayName": "Pi", "paired": true, "connected": true, "commands": ["system.run"]}]})
        }
        "node.pair.list" => json!({"pending": [], "paired": []}),
        "node.pair.approve" => {
            json!({"requestId": "r2", "node": {"nodeId": "node-1", "token": "canary-node-token"}})
        }
        "node.pair.remove" => json!({"ok": true, "nodeId": "node-1", "closed": 1}),
        "node.rename" | "node.describe" => json!({"nodeId": "node-1", "displayName": "Pi"}),
        "node.invoke" => {
            json!({"ok": true, "nodeId": "node-1", "command": "system.run", "payload": {"exitCode": 0, "stdout": "file\n", "stderr": ""}})
        }
        "channels.status" => json!({"ts": 1, "channelOrder": [], "channels": {}}),
        "cron.list" => json!({"jobs": []}),
        "cron.status" => json!({"enabled": false, "jobs": 0, "nextWakeAtMs": null}),
        "exec.approvals.get" => {
            json!({"path": "/x", "exists": true, "hash": "hash-1", "file": {"version": 1, "socket": {}, "defaults": {}, "agents": {}}})
        }
        "exec.approvals.set" => {
            json!({"path": "/x", "exists": true, "hash": "hash-2", "file": params["file"]})
        }
        _ => return None,
    })
}

async fn say(ws: &mut WebSocketStream<TcpStream>, frame: Value) -> Option<()> {
    ws.send(Message::text(frame.to_string())).await.ok()
}

async fn hear(ws: &mut WebSocketStream<TcpStream>) -> Option<Value> {
    loop {
        match ws.next().await?.ok()? {
            Message::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
            Message::Close(_) => return None,
            _ => {}
        }
    }
}
