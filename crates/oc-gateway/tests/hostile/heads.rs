//! Heads of requests that are too large, ambiguous, or ask for what is not served.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::support::{TOKEN, World};
use super::{is_well, plain};

/// The status of the first answer to these bytes; 0: closed without one.
async fn status(world: &World, text: &str) -> u16 {
    world.http(text).await.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_338_heads_that_are_no_heads_are_refused() {
    let world = World::start(plain()).await;
    let flood: String = (0..300).map(|n| format!("X-Flood-{n}: 1\r\n")).collect();
    let long = format!("X-Long: {}\r\n", "a".repeat(100_000));
    let target = format!("/{}", "a".repeat(50_000));
    let get = |head: &str| format!("GET /health HTTP/1.1\r\n{head}Connection: close\r\n\r\n");
    let websocket = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    for (what, text, wanted) in [
        ("300 headers", get(&format!("Host: localhost\r\n{flood}")), &[400, 431][..]),
        ("one header of 100 KB", get(&format!("Host: localhost\r\n{long}")), &[400, 431, 0]),
        (
            "a target of 50 KB",
            format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            &[400, 414, 431, 0],
        ),
        ("HTTP/1.0 without Host", "GET /health HTTP/1.0\r\n\r\n".to_owned(), &[400]),
        ("HTTP/1.1 without Host", get(""), &[400]),
        ("two hosts", get("Host: localhost\r\nHost: evil.example\r\n"), &[400]),
        ("HTTP/0.9", "GET /health\r\n\r\n".to_owned(), &[400, 0]),
        ("HTTP/2 without asking", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), &[400, 505, 0]),
        ("garbage", "\u{1}\u{2}\u{3}\r\n\r\n".to_owned(), &[400, 0]),
        ("a TLS hello", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\r\n\r\n".to_owned(), &[400, 0]),
        ("a header without a name", get("Host: localhost\r\n: x\r\n"), &[400, 0]),
        ("a header with a space", get("Host: localhost\r\nX Y: x\r\n"), &[400, 0]),
        ("a folded header", get("Host: localhost\r\nX: a\r\n b\r\n"), &[400, 0]),
        ("h2c", get("Host: localhost\r\nUpgrade: h2c\r\n"), &[400]),
        ("TLS on the way", get("Host: localhost\r\nUpgrade: TLS/1.2\r\nConnection: Upgrade\r\n"), &[400]),
        (
            "two upgrades",
            get("Host: localhost\r\nUpgrade: websocket\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n"),
            &[400],
        ),
        (
            "an upgrade without a key",
            get(
                "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n",
            ),
            &[400],
        ),
        (
            "an old WebSocket",
            get(
                "Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n",
            ),
            &[426],
        ),
        (
            "an upgrade by POST",
            format!(
                "POST / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{websocket}\r\n"
            ),
            &[400],
        ),
        (
            "an upgrade by HTTP/1.0",
            format!(
                "GET / HTTP/1.0\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{websocket}\r\n"
            ),
            &[400],
        ),
        (
            "a tunnel",
            "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_owned(),
            &[400, 404, 405],
        ),
        (
            "another machine's address",
            "GET http://evil.example/metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                .to_owned(),
            &[401, 404, 400],
        ),
    ] {
        let got = status(&world, &text).await;
        assert!(wanted.contains(&got), "{what}: {got}");
        is_well(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_has_one_length_and_a_limit() {
    let world = World::start(plain()).await;
    let post = |head: &str, body: &str| {
        format!(
            "POST /tools/invoke HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\
             Content-Type: application/json\r\nConnection: close\r\n{head}\r\n{body}"
        )
    };
    for (what, text, wanted) in [
        ("announced too long", post("Content-Length: 3000000\r\n", ""), &[413][..]),
        ("two lengths", post("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"), &[400, 0]),
        ("no number", post("Content-Length: two\r\n", "{}"), &[400, 0]),
        ("negative", post("Content-Length: -1\r\n", "{}"), &[400, 0]),
        ("a coding that is not served", post("Transfer-Encoding: gzip\r\n", "{}"), &[400, 501, 0]),
        ("a chunk of no size", post("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"), &[400, 0]),
        (
            "a chunk of every size",
            post("Transfer-Encoding: chunked\r\n", "ffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
            &[400, 413, 0],
        ),
        ("no JSON", post("Content-Length: 5\r\n", "hello"), &[400]),
        ("no tool", post("Content-Length: 2\r\n", "{}"), &[400]),
        ("braces without end", post("Content-Length: 100000\r\n", &"[".repeat(100_000)), &[400]),
    ] {
        let got = status(&world, &text).await;
        assert!(wanted.contains(&got), "{what}: {got}");
    }
    // In pieces, more than is announced anywhere: 413, and what is left is not read as a request.
    let mut stream = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
    stream.write_all(post("Transfer-Encoding: chunked\r\n", "").as_bytes()).await.unwrap();
    let piece = format!("10000\r\n{}\r\n", "x".repeat(65_536));
    for _ in 0..40 {
        if stream.write_all(piece.as_bytes()).await.is_err() {
            break;
        }
    }
    let mut answer = vec![0; 64];
    let n = stream.read(&mut answer).await.unwrap();
    assert!(String::from_utf8_lossy(&answer[..n]).starts_with("HTTP/1.1 413 "));
    // A length and pieces at once: whichever counts, no second request is found in the body (request smuggling).
    let smuggled = post(
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "0\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
    );
    let (_, _, rest) = world.http(&smuggled).await;
    assert!(!rest.contains("\"live\""), "{rest}");
    is_well(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_342_no_path_leads_to_a_file_of_this_machine() {
    let world = World::start(plain()).await;
    for path in [
        "/tools%2finvoke",
        "/tools/%69nvoke/../invoke",
        "/./tools/invoke",
        "//tools/invoke",
        "/tools//invoke",
        "/%2e%2e/etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/%252e%252e/etc/passwd",
        "/%c0%ae%c0%ae/etc/passwd",
        "/app.js%00.html",
        "/app.js%0d%0aX:%20y",
        "/\\..\\app.js",
        "/a%5c..%5cb",
        "/assets/../../openclaw.json",
        "/.openclaw/openclaw.json",
        "/.env",
        "/.git/config",
        "/openclaw.json",
        "/etc/passwd",
        "/app.js/",
        "/%",
        "/%zz",
    ] {
        let text = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let (status, head, body) = world.http(&text).await;
        let page = status == 200 && head.contains("text/html");
        assert!(matches!(status, 400 | 401 | 404 | 405) || page, "{path}: {status}");
        for leak in ["root:", "\"gateway\"", TOKEN] {
            assert!(!body.contains(leak), "{path}");
        }
    }
    // One spelling with an escape is the path it spells, and is treated as that.
    let text = "GET /tools/%69nvoke HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(world.http(text).await.0, 405);
}
