use oc_types::{Node, Origin};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

fn reach(policy: Value) -> Reach {
    Reach::of(Some(&Node::from_json(&policy, &Origin::Default)))
}

/// A server that answers with the request it got; counts connections.
async fn echo(address: &str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind((address, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let shared = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                let mut head = vec![0; 8192];
                let n = stream.read(&mut head).await.unwrap_or(0);
                let text = String::from_utf8_lossy(&head[..n]).into_owned();
                shared.lock().unwrap().push(text.clone());
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len());
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    (port, seen)
}

async fn ask(guard: &Guard, head: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", guard.port())).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn with_secret(guard: &Guard, line: &str, host: &str) -> String {
    let pass = credentials(guard.secret());
    format!(
        "{line}\r\nHost: {host}\r\nProxy-Authorization: {pass}\r\nProxy-Connection: keep-alive\r\nConnection: close\r\n\r\n"
    )
}

#[tokio::test]
async fn sp_246_the_guard_is_on_loopback_and_does_nothing_without_the_secret_of_its_launch() {
    let (port, seen) = echo("127.0.0.1").await;
    let policy = json!({"allowedHostnames": ["127.0.0.1"]});
    let (guard, other) =
        (Guard::open(reach(policy.clone())).await.unwrap(), Guard::open(reach(policy)).await.unwrap());
    let url = format!("GET http://127.0.0.1:{port}/ HTTP/1.1");
    let wrong = Secret::new("0".repeat(64));
    for pass in [
        String::new(),
        format!("Proxy-Authorization: {}\r\n", credentials(&wrong)),
        format!("Proxy-Authorization: {}\r\n", credentials(other.secret())),
        format!("Authorization: {}\r\n", credentials(guard.secret())),
        format!("Proxy-Authorization: Bearer {}\r\n", guard.secret().expose()),
        format!("Proxy-Authorization: {0}\r\nProxy-Authorization: {0}\r\n", credentials(guard.secret())),
    ] {
        for line in [url.clone(), format!("CONNECT 127.0.0.1:{port} HTTP/1.1")] {
            let answer = ask(&guard, &format!("{line}\r\nHost: x\r\n{pass}Connection: close\r\n\r\n")).await;
            assert!(answer.starts_with("HTTP/1.1 407 "), "{pass}: {answer}");
        }
    }
    assert!(seen.lock().unwrap().is_empty() && !*guard.passed().borrow());
    let answer = ask(&guard, &with_secret(&guard, &url, "somebody.else")).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(*guard.passed().borrow());
    let got = seen.lock().unwrap()[0].to_ascii_lowercase();
    assert!(got.starts_with("get / http/1.1") && got.contains(&format!("host: 127.0.0.1:{port}")), "{got}");
    assert!(!got.contains("proxy-") && !got.contains(&guard.secret().expose().to_ascii_lowercase()), "{got}");
    // It listens on loopback only: no other address of this machine answers.
    for address in ["127.0.0.2", "0.0.0.0"] {
        let listens = TcpListener::bind((address, guard.port())).await;
        assert_eq!(listens.is_ok(), address == "127.0.0.2", "{address}");
    }
}

#[tokio::test]
async fn sp_010_a_host_that_is_not_permitted_is_not_connected_to_by_any_spelling_or_method() {
    let (port, seen) = echo("127.0.0.1").await;
    let guard = Guard::open(Reach::default()).await.unwrap();
    let mark = guard.mark();
    for host in [
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f.1",
        "127.1",
        "0.0.0.0",
    ] {
        let plain =
            ask(&guard, &with_secret(&guard, &format!("GET http://{host}:{port}/ HTTP/1.1"), host)).await;
        assert_eq!(plain, "", "{host}: closed without an answer");
        let tunnel =
            ask(&guard, &with_secret(&guard, &format!("CONNECT {host}:{port} HTTP/1.1"), host)).await;
        assert!(tunnel.starts_with("HTTP/1.1 403 "), "{host}: {tunnel}");
    }
    for odd in [
        format!("GET https://127.0.0.1:{port}/ HTTP/1.1"),
        format!("GET http://a@127.0.0.1:{port}/ HTTP/1.1"),
        "GET / HTTP/1.1".to_owned(),
        "GET file:///etc/passwd HTTP/1.1".to_owned(),
    ] {
        let answer = ask(&guard, &with_secret(&guard, &odd, "x")).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{odd}: {answer}");
    }
    assert!(seen.lock().unwrap().is_empty());
    let refused = guard.refused_since(mark);
    assert!(
        refused.contains(&"127.0.0.1".to_owned()) && refused.contains(&"localhost".to_owned()),
        "{refused:?}"
    );
    assert_eq!(guard.refused_since(guard.mark()), [""; 0]);
}

#[tokio::test]
async fn the_guard_is_no_way_to_itself_and_a_tunnel_carries_both_directions() {
    let (port, seen) = echo("127.0.0.1").await;
    let guard = Guard::open(reach(json!({"dangerouslyAllowPrivateNetwork": true}))).await.unwrap();
    let own = format!("GET http://127.0.0.1:{}/ HTTP/1.1", guard.port());
    assert_eq!(ask(&guard, &with_secret(&guard, &own, "x")).await, "");
    let mut stream = TcpStream::connect(("127.0.0.1", guard.port())).await.unwrap();
    let pass = credentials(guard.secret());
    let head = format!("CONNECT localhost:{port} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: {pass}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 1024];
    let n = stream.read(&mut answer).await.unwrap();
    assert!(answer[..n].starts_with(b"HTTP/1.1 200 "), "{:?}", String::from_utf8_lossy(&answer[..n]));
    stream.write_all(b"GET /inner HTTP/1.1\r\n\r\n").await.unwrap();
    let n = stream.read(&mut answer).await.unwrap();
    assert!(String::from_utf8_lossy(&answer[..n]).contains("GET /inner"));
    assert_eq!(seen.lock().unwrap().len(), 1);
    // A tunnel has its place until it ends, and ends with the guard.
    assert_eq!(guard.shared.free.available_permits(), CONNECTIONS - 2, "the tunnel, and who is waited for");
    drop(guard);
    ends(stream).await;
}

async fn ends(mut stream: TcpStream) {
    let rest = tokio::time::timeout(Duration::from_secs(10), async {
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all).await;
    });
    rest.await.unwrap();
}

#[tokio::test]
async fn other_rules_end_what_is_connected_and_the_same_ones_do_not() {
    let (port, _) = echo_on("127.0.0.1").await;
    let policy = json!({"allowedHostnames": ["127.0.0.1"]});
    let guard = Guard::open(reach(policy.clone())).await.unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", guard.port())).await.unwrap();
    let pass = credentials(guard.secret());
    let head = format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: {pass}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 1024];
    let n = stream.read(&mut answer).await.unwrap();
    assert!(answer[..n].starts_with(b"HTTP/1.1 200 "), "{:?}", String::from_utf8_lossy(&answer[..n]));
    guard.set_reach(reach(policy.clone()));
    stream.write_all(b"on\n").await.unwrap();
    let n = stream.read(&mut answer).await.unwrap();
    assert_eq!(&answer[..n], b"on\n");
    guard.set_reach(Reach::default());
    ends(stream).await;
    let line = format!("GET http://127.0.0.1:{port}/ HTTP/1.1");
    assert_eq!(ask(&guard, &with_secret(&guard, &line, "x")).await, "");
    // What is connected from then on lives as long as these rules.
    guard.set_reach(reach(policy));
    let (port, _) = echo("127.0.0.1").await;
    let line = format!("GET http://127.0.0.1:{port}/ HTTP/1.1");
    let answered = ask(&guard, &with_secret(&guard, &line, "x")).await;
    assert!(answered.contains("GET / HTTP/1.1"), "{answered}");
}

/// A server that gives back what it gets.
async fn echo_on(address: &str) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind((address, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    (port, serving)
}
