//! Who sends slowly, and who does not read.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::support::{TOKEN, World};
use super::{bare, is_well, plain, until};

/// Sends a byte of `text` every so often until the other side closes. How long that took, and what arrived.
async fn trickle(world: &World, at_once: &str, text: &str) -> (Duration, String) {
    let stream = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
    let (mut reads, mut writes) = stream.into_split();
    let begun = Instant::now();
    writes.write_all(at_once.as_bytes()).await.unwrap();
    let text = text.to_owned();
    let sending = tokio::spawn(async move {
        for byte in text.bytes().cycle() {
            if writes.write_all(&[byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    });
    let mut all = Vec::new();
    let read = reads.read_to_end(&mut all);
    let _ = tokio::time::timeout(Duration::from_secs(45), read).await.expect("it stays open");
    sending.abort();
    (begun.elapsed(), String::from_utf8_lossy(&all).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_338_slow_heads_bodies_and_handshakes_are_given_up() {
    let world = World::start(plain()).await;
    let upgrade = format!(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        world.port
    );
    let body = format!(
        "POST /tools/invoke HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 100000\r\n\r\n"
    );
    let idle = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let slow_frame = format!("{upgrade}\u{1}");
    let (head, frame, body, silent, idle) = tokio::join!(
        trickle(&world, "GET / HTTP/1.1\r\n", "X-A: b\r\n"),
        // A frame of 100 bytes, one at a time.
        trickle(&world, &slow_frame, "\u{0}"),
        trickle(&world, &body, " "),
        async {
            let mut socket = world.connect(&[]).await;
            let _ = socket.json().await;
            let begun = Instant::now();
            (socket.closed().await, begun.elapsed())
        },
        async {
            // Answered, then kept open without another request.
            let mut stream = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
            stream.write_all(idle.as_bytes()).await.unwrap();
            let begun = Instant::now();
            let mut all = Vec::new();
            let read = stream.read_to_end(&mut all);
            let _ = tokio::time::timeout(Duration::from_secs(45), read).await.expect("it stays open");
            begun.elapsed()
        },
    );
    let within = |took: Duration, most: u64| assert!(took < Duration::from_secs(most), "{took:?}");
    within(head.0, 14);
    within(frame.0, 16);
    within(body.0, 40);
    assert!(body.1.starts_with("HTTP/1.1 400 ") || body.1.is_empty(), "{}", body.1);
    let ((code, reason), took) = silent;
    assert_eq!((code, reason.as_str()), (1008, "handshake timeout"));
    within(took, 17);
    within(idle, 14);
    is_well(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_338_a_caller_that_does_not_read_gives_its_place_back() {
    let world = World::start(plain()).await;
    let mut stream = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
    // Requests without end, and no answer is taken: sooner or later the gateway can write no more.
    let request = "GET /app.js HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100);
    let begun = Instant::now();
    let all = async { while stream.write_all(request.as_bytes()).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(40), all).await.expect("the place is kept for ever");
    assert!(begun.elapsed() > Duration::from_secs(5), "it was given time");
    is_well(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_its_answers_is_closed_with_1008_and_others_go_on() {
    let world = World::start(plain()).await;
    let mut other = bare(&world).await;
    let mut slow = bare(&world).await;
    // Answers of some kilobytes each, never read until the gateway has given up.
    let mut sent = 0_u32;
    while world.gateway.registry.len() == 2 && sent < 60_000 {
        let request = json!({"type": "req", "id": format!("r{sent}"), "method": "health"}).to_string();
        let sending = slow.send_text(&request);
        if tokio::time::timeout(Duration::from_secs(1), sending).await.is_err() {
            break;
        }
        sent += 1;
    }
    until("the slow client is let go", || world.gateway.registry.len() == 1).await;
    // It reads on a while later, and hears why all the same: megabytes lie before the close.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (code, reason) = slow.closed().await;
    assert_eq!((code, reason.as_str()), (1008, "slow consumer"));
    assert_eq!(other.call("health", json!({})).await["ok"], true);
}
