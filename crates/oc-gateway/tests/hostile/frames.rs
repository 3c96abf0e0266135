//! Frames that are too large, broken, or none.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::support::{Device, World};
use super::{bare, is_well, plain};

/// Upgrades a bare TCP connection, sends these bytes, and returns the close code that arrives, if any.
async fn raw(world: &World, bytes: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
    let head = format!(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        world.port
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let _ = stream.write_all(bytes).await;
    let mut all = Vec::new();
    let read = stream.read_to_end(&mut all);
    let _ = tokio::time::timeout(Duration::from_secs(14), read).await.expect("the socket stays open");
    let end = all.windows(4).position(|w| w == b"\r\n\r\n").expect("no answer") + 4;
    codes(&all[end..]).pop()
}

/// The close codes among unmasked frames.
fn codes(mut bytes: &[u8]) -> Vec<u16> {
    let mut out = Vec::new();
    while bytes.len() >= 2 {
        let (length, head) = match bytes[1] & 127 {
            126 => (usize::from(u16::from_be_bytes([bytes[2], bytes[3]])), 4),
            127 => panic!("no frame here is that long"),
            n => (usize::from(n), 2),
        };
        let payload = &bytes[head..head + length];
        if bytes[0] & 15 == 8 && length >= 2 {
            out.push(u16::from_be_bytes([payload[0], payload[1]]));
        }
        bytes = &bytes[head + length..];
    }
    out
}

/// A client's frame: opcode with its first bits, mask of zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match u16::try_from(payload.len()) {
        Ok(n) if n < 126 => out.push(128 | u8::try_from(n).unwrap()),
        Ok(n) => {
            out.push(128 | 126);
            out.extend(n.to_be_bytes());
        }
        Err(_) => {
            out.push(128 | 127);
            out.extend(u64::try_from(payload.len()).unwrap().to_be_bytes());
        }
    }
    out.extend([0; 4]);
    out.extend(payload);
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_338_what_is_no_frame_ends_its_own_socket_with_the_right_code_and_nothing_else() {
    let world = World::start(plain()).await;
    let large = vec![b'x'; 70_000];
    let mut declared = vec![0x81, 255];
    declared.extend((10_u64 << 30).to_be_bytes());
    declared.extend([0; 4]);
    let mut pieces = frame(0x01, &large[..30_000]);
    pieces.extend(frame(0x00, &large[..30_000]));
    pieces.extend(frame(0x80, &large[..30_000]));
    let cases: &[(&str, Vec<u8>, Option<u16>)] = &[
        ("70,000 bytes", frame(0x81, &large), Some(1009)),
        ("ten gigabytes announced", declared, Some(1009)),
        ("90,000 bytes in three pieces", pieces, Some(1009)),
        ("reserved bits", frame(0xF1, b"{}"), Some(1002)),
        ("an opcode that is none", frame(0x83, b"{}"), Some(1002)),
        ("a ping in pieces", frame(0x09, b"x"), Some(1002)),
        ("a long ping", frame(0x89, &large[..200]), Some(1002)),
        ("a piece of nothing", frame(0x80, b"x"), Some(1002)),
        ("no mask", vec![0x81, 2, b'{', b'}'], Some(1002)),
        ("no UTF-8", frame(0x81, b"\xff\xfe{}"), Some(1007)),
        ("no UTF-8 in a close", frame(0x88, b"\x03\xe8\xff"), None),
        ("binary", frame(0x82, b"{}"), Some(1008)),
        ("no JSON", frame(0x81, b"hello"), Some(1008)),
        ("a number", frame(0x81, b"1"), Some(1008)),
        ("another method first", frame(0x81, br#"{"type":"req","id":"1","method":"health"}"#), Some(1008)),
        ("a response", frame(0x81, br#"{"type":"res","id":"1","ok":true}"#), Some(1008)),
        ("braces 100,000 deep would not fit; 60,000", frame(0x81, &vec![b'['; 60_000]), Some(1008)),
        ("random bytes", (0..200_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect(), None),
    ];
    for (what, bytes, code) in cases {
        let got = raw(&world, bytes).await;
        if code.is_some() {
            assert_eq!(got, *code, "{what}");
        }
    }
    is_well(&world).await;
    assert!(world.gateway.registry.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_338_a_frame_before_the_handshake_has_64_kib_and_the_close_is_seen() {
    let world = World::start(plain()).await;
    for size in [64 * 1024 + 2048, 300_000, 2_000_000] {
        let mut socket = world.connect(&[]).await;
        let _ = socket.json().await;
        socket.send_text(&"x".repeat(size)).await;
        let (code, reason) = socket.closed().await;
        assert_eq!((code, reason.as_str()), (1009, "frame too large"), "{size}");
    }
    is_well(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_after_the_handshake_has_512_kib_and_the_close_is_seen() {
    let world = World::start(plain()).await;
    let device = Device::new(1);
    let (mut other, _) = world.admitted(&device, "operator", &["operator.read"]).await;
    // As large as it may be: answered.
    let mut socket = bare(&world).await;
    let mut text = json!({"type": "req", "id": "big", "method": "health", "params": {"x": ""}}).to_string();
    let room = 524_288 - text.len();
    text = text.replace("\"x\":\"\"", &format!("\"x\":\"{}\"", "y".repeat(room)));
    assert_eq!(text.len(), 524_288);
    socket.send_text(&text).await;
    let answer = loop {
        let frame = socket.json().await;
        if frame["id"] == "big" {
            break frame;
        }
    };
    assert_eq!(answer["error"]["code"], "INVALID_REQUEST", "{answer}");
    // One byte more, in one piece or in many.
    socket.send_text(&"x".repeat(524_289)).await;
    assert_eq!(socket.closed().await, (1009, "frame too large".to_owned()));
    let mut socket = bare(&world).await;
    let stream = socket.0.get_mut();
    for n in 0..30_u8 {
        let _ = stream.write_all(&frame(u8::from(n == 0), &vec![b'x'; 20_000])).await;
    }
    assert_eq!(socket.closed().await.0, 1009);
    assert_eq!(other.call("health", json!({})).await["ok"], true, "others are not touched");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_request_is_answered_or_passed_over_and_the_connection_stays() {
    let world = World::start(plain()).await;
    let mut socket = bare(&world).await;
    for text in ["", "not json", "{", "\u{0}", "[[[["] {
        socket.send_text(text).await;
    }
    let long = "m".repeat(300);
    for (frame, id) in [
        (json!({}), "invalid"),
        (json!([]), "invalid"),
        (json!({"type": "req", "id": 1, "method": "health"}), "invalid"),
        (json!({"type": "req", "id": "a", "method": "health", "more": 1}), "a"),
        (json!({"type": "event", "id": "b", "method": "health"}), "b"),
        (json!({"type": "req", "id": "c", "method": ""}), "c"),
        (json!({"type": "req", "id": "d", "method": long}), "d"),
        (json!({"type": "req", "id": "e", "method": "health", "params": []}), "e"),
        (json!({"type": "req", "id": "f", "method": "health", "params": {"no": 1}}), "f"),
        (json!({"type": "req", "id": "g", "method": "connect", "params": {}}), "g"),
        (json!({"type": "req", "id": "h", "method": "no.such.method"}), "h"),
    ] {
        socket.send_text(&frame.to_string()).await;
        let answer = loop {
            let frame = socket.json().await;
            if frame["type"] == "res" {
                break frame;
            }
        };
        assert_eq!((&answer["id"], &answer["ok"]), (&json!(id), &json!(false)), "{frame} {answer}");
        assert_eq!(answer["error"]["code"], "INVALID_REQUEST", "{answer}");
    }
    assert_eq!(socket.call("health", json!({})).await["ok"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_requests_of_a_connection_run_and_the_next_may_come_again() {
    let world = World::start(plain()).await;
    let device = Device::new(2);
    let (mut socket, _) = world.admitted(&device, "operator", &["operator.admin"]).await;
    let ask = json!({"id": "q", "command": "true", "cwd": "/", "timeoutMs": 60_000});
    let send = |n: usize, method: &str, params: serde_json::Value| {
        json!({"type": "req", "id": format!("r{n}"), "method": method, "params": params}).to_string()
    };
    socket.send_text(&send(0, "exec.approval.request", ask)).await;
    assert_eq!(socket.event("exec.approval.requested").await["id"], "q");
    for n in 1..64 {
        socket.send_text(&send(n, "exec.approval.waitDecision", json!({"id": "q"}))).await;
    }
    let refused = socket.call("health", json!({})).await;
    assert_eq!(
        (&refused["error"]["code"], &refused["error"]["retryable"]),
        (&json!("UNAVAILABLE"), &json!(true))
    );
    assert!(refused["error"]["retryAfterMs"].as_u64().unwrap() > 0, "{refused}");
    // Another connection is not touched, and answering makes room again.
    let (mut other, _) = world.admitted(&device, "operator", &["operator.admin"]).await;
    let resolve = json!({"id": "q", "decision": "deny"});
    assert_eq!(other.call("exec.approval.resolve", resolve).await["ok"], true);
    let mut answered = 0;
    while answered < 64 {
        answered += usize::from(socket.json().await["type"] == "res");
    }
    assert_eq!(socket.call("health", json!({})).await["ok"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_of_a_node_with_the_same_key_is_made_once() {
    let world = World::start(plain()).await;
    let (mut node, _) = {
        let device = Device::new(3);
        let (mut socket, answer) =
            world.knock_as(&device, "node", &[], &json!({"commands": ["system.which"]})).await;
        if answer["ok"] != true {
            let id = answer["error"]["details"]["requestId"]
                .as_str()
                .unwrap_or_else(|| panic!("{answer}"))
                .to_owned();
            let (mut admin, _) = world.admitted(&Device::new(4), "operator", &["operator.admin"]).await;
            admin.call("device.pair.approve", json!({"requestId": id})).await;
            (socket, _) = world.knock_as(&device, "node", &[], &json!({"commands": ["system.which"]})).await;
        }
        (socket, ())
    };
    let (mut caller, _) = world.admitted(&Device::new(4), "operator", &["operator.admin"]).await;
    let invoke = json!({
        "nodeId": Device::new(3).id, "command": "system.which", "params": {"bins": ["sh"]}, "idempotencyKey": "one",
    });
    let request =
        |id: &str| json!({"type": "req", "id": id, "method": "node.invoke", "params": invoke}).to_string();
    caller.send_text(&request("first")).await;
    let asked = node.event("node.invoke.request").await;
    caller.send_text(&request("second")).await;
    let result = json!({
        "id": asked["id"], "nodeId": Device::new(3).id, "ok": true, "payloadJSON": "{\"n\":1}",
    });
    assert_eq!(node.call("node.invoke.result", result).await["ok"], true);
    let mut answers = Vec::new();
    while answers.len() < 2 {
        let frame = caller.json().await;
        if frame["type"] == "res" {
            assert_eq!(frame["ok"], true, "{frame}");
            answers.push(frame["payload"].clone());
        }
    }
    assert_eq!(answers[0], answers[1]);
    // Later as well; and the node was asked once.
    assert_eq!(caller.call("node.invoke", invoke.clone()).await["payload"], answers[0]);
    let more = tokio::time::timeout(Duration::from_millis(200), node.event("node.invoke.request")).await;
    assert!(more.is_err(), "asked again: {more:?}");
}
