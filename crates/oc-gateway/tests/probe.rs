//! The live probe against a fake gateway (a listener in this test) and against silence.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use oc_gateway::client::{Asked, Surroundings, Target, target};
use oc_gateway::probe;
use oc_types::{Node, Origin, Secret};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};

const TOKEN: &str = "canary-0123456789abcdef0123456789";

fn config(json: Value) -> Node {
    Node::from_json(&json, &Origin::Default)
}

fn plain(json: Value) -> Target {
    target::resolve(&Surroundings::of(&config(json)), &Asked::default())
}

async fn listener() -> (TcpListener, u16) {
    let l = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = l.local_addr().unwrap().port();
    (l, port)
}

fn local(port: u16) -> Target {
    plain(json!({"gateway": {"port": port, "auth": {"token": TOKEN}}}))
}

async fn recv(ws: &mut WebSocketStream<TcpStream>) -> Value {
    loop {
        if let Message::Text(t) = ws.next().await.unwrap().unwrap() {
            return serde_json::from_str(&t).unwrap();
        }
    }
}

async fn say(ws: &mut WebSocketStream<TcpStream>, v: Value) {
    ws.send(Message::text(v.to_string())).await.unwrap();
}

/// A fake gateway: challenges, checks the token, answers the four questions, or refuses as the real one does.
async fn fake_gateway(listener: TcpListener) -> Vec<Value> {
    let (stream, _) = listener.accept().await.unwrap();
    let mut ws = tokio_tungstenite::accept_async(stream).await.unwrap();
    say(&mut ws, json!({"type": "event", "event": "connect.challenge", "payload": {"nonce": "n", "ts": 1}}))
        .await;
    let mut seen = vec![recv(&mut ws).await];
    let id = seen[0]["id"].clone();
    if seen[0]["params"]["auth"]["token"] != TOKEN {
        let message = format!("unauthorized: you said {}", seen[0]["params"]["auth"]["token"]);
        say(&mut ws, json!({"type": "res", "id": id, "ok": false, "error": {"code": "INVALID_REQUEST", "message": message}})).await;
        let frame = CloseFrame { code: CloseCode::Policy, reason: "unauthorized".into() };
        let _ = ws.close(Some(frame)).await;
        return seen;
    }
    say(&mut ws, json!({"type": "event", "event": "presence", "payload": {}})).await;
    say(
        &mut ws,
        json!({"type": "res", "id": id, "ok": true, "payload": {"type": "hello-ok", "protocol": 3}}),
    )
    .await;
    for _ in 0..4 {
        let q = recv(&mut ws).await;
        say(&mut ws, json!({"type": "res", "id": q["id"], "ok": true, "payload": {}})).await;
        seen.push(q);
    }
    let _ = ws.next().await;
    seen
}

#[tokio::test]
async fn a_gateway_that_answers_everything_is_ok() {
    let (l, port) = listener().await;
    let server = tokio::spawn(fake_gateway(l));
    let outcome = probe::run(&local(port), None, probe::DEFAULT_TIMEOUT).await;
    assert_eq!((outcome.ok, outcome.attempted, &outcome.error, &outcome.close), (true, true, &None, &None));
    assert_eq!(outcome.url.as_deref(), Some(format!("ws://127.0.0.1:{port}").as_str()));
    let seen = server.await.unwrap();
    assert_eq!(seen[0]["params"]["client"]["mode"], "probe");
    let mut asked: Vec<_> = seen[1..].iter().map(|q| q["method"].as_str().unwrap()).collect();
    asked.sort_unstable();
    assert_eq!(asked, ["config.get", "health", "status", "system-presence"]);
}

#[tokio::test]
async fn a_refusal_is_reported_without_the_credential_it_echoes() {
    let (l, port) = listener().await;
    let server = tokio::spawn(fake_gateway(l));
    let mut target = local(port);
    target.credentials.token = Some(Secret::new("wrong-canary-token".to_owned()));
    let outcome = probe::run(&target, None, probe::DEFAULT_TIMEOUT).await;
    server.await.unwrap();
    let error = outcome.error.unwrap();
    assert!(!outcome.ok && error.contains("INVALID_REQUEST") && !error.contains("canary"), "{error}");
    assert_eq!(outcome.close.map(|c| (c.code, c.reason)), Some((1008, "unauthorized".to_owned())));
}

#[tokio::test]
async fn sp_284_a_silent_listener_is_a_failure_in_time_and_not_a_hang() {
    let (l, port) = listener().await;
    let start = Instant::now();
    let outcome = probe::run(&local(port), None, Duration::ZERO).await;
    assert!(!outcome.ok && outcome.attempted && outcome.error.unwrap().contains("250 ms"));
    assert!(start.elapsed() >= Duration::from_millis(250) && start.elapsed() < Duration::from_secs(3));
    drop(l);
    let outcome = probe::run(&local(port), None, probe::DEFAULT_TIMEOUT).await;
    assert!(!outcome.ok && outcome.error.unwrap().contains("cannot connect"));
}

/// The address of this machine that is not loopback, if it has one. Nothing is sent: connecting a UDP socket only picks a route.
fn own_address() -> Option<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok().map(|a| a.ip()).filter(|a| !a.is_loopback() && !a.is_unspecified())
}

#[tokio::test]
async fn sp_284_no_byte_goes_to_a_plaintext_address_that_is_not_loopback() {
    let l = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = l.local_addr().unwrap().port();
    let mut hosts = vec!["0.0.0.0".to_owned(), "gateway.example".to_owned()];
    hosts.extend(own_address().map(|a| a.to_string()));
    for host in hosts {
        let target = plain(
            json!({"gateway": {"mode": "remote", "remote": {"url": format!("ws://{host}:{port}"), "token": TOKEN}}}),
        );
        let outcome = probe::run(&target, None, probe::DEFAULT_TIMEOUT).await;
        assert!(!outcome.attempted && !outcome.ok, "{host}: {outcome:?}");
        assert!(!format!("{outcome:?}").contains("canary"));
    }
    let nobody = tokio::time::timeout(Duration::from_millis(200), l.accept()).await;
    assert!(nobody.is_err(), "somebody connected");
}

#[tokio::test]
async fn sp_284_a_redirect_is_not_followed() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (elsewhere, other) = listener().await;
    let (l, port) = listener().await;
    let server = tokio::spawn(async move {
        let (mut s, _) = l.accept().await.unwrap();
        let mut buf = vec![0; 4096];
        let n = s.read(&mut buf).await.unwrap();
        let head =
            format!("HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:{other}/\r\nContent-Length: 0\r\n\r\n");
        s.write_all(head.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&buf[..n]).into_owned()
    });
    let outcome = probe::run(&local(port), None, probe::DEFAULT_TIMEOUT).await;
    assert!(!outcome.ok, "{outcome:?}");
    // The upgrade request itself carries no credential either.
    assert!(!server.await.unwrap().contains("canary"));
    assert!(tokio::time::timeout(Duration::from_millis(200), elsewhere.accept()).await.is_err());
}
