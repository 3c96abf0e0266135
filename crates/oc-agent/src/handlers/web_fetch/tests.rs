use std::collections::HashMap;
use std::net::IpAddr;

use oc_sandbox::gate::{Caller, Surface};
use oc_types::AgentId;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// A server of fixed answers; counts the requests of each path and keeps their texts.
#[derive(Clone, Debug, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

async fn serve(pages: HashMap<&'static str, Vec<u8>>) -> (u16, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Seen::default();
    let shared = seen.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 8192];
            let n = stream.read(&mut head).await.unwrap_or(0);
            let text = String::from_utf8_lossy(&head[..n]).into_owned();
            let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
            shared.0.lock().unwrap().push(text);
            let missing =
                b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec();
            let answer = pages.get(path.as_str()).cloned().unwrap_or(missing);
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    });
    (port, seen)
}

fn page(kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn redirect(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        .into_bytes()
}

/// Loopback and nothing else: what the public internet is outside of tests.
#[derive(Debug)]
struct Loopback;

impl Destinations for Loopback {
    fn permits_host(&self, host: &str) -> bool {
        host == "127.0.0.1" || host == "localhost"
    }
    fn permits_address(&self, address: IpAddr) -> bool {
        address.is_loopback()
    }
}

async fn fetch(tool: &WebFetch, arguments: Value) -> Result<ToolResult, String> {
    let Value::Object(arguments) = arguments else { panic!("an object") };
    let caller = Caller::of_session(Surface::Model, AgentId::normalized("main"), "agent:main:main");
    let call = ToolCall {
        id: "1".to_owned(),
        tool: NAME.to_owned(),
        arguments,
        caller,
        behind: std::sync::Arc::default(),
    };
    tool.check(&call)?;
    let (url, mode, _) = asked(&call.arguments)?;
    let settings = settings(&Node::from_json(&json!({}), &oc_types::Origin::Default));
    let page = tool.fetch(url, mode, settings).await?;
    Ok(ToolResult::text(Outcome::Done, page.text).with("url", page.url).with("title", page.title))
}

fn tool(destinations: impl Destinations + 'static) -> WebFetch {
    WebFetch::new(Arc::new(destinations))
}

#[tokio::test]
async fn a_page_is_read_as_markdown_or_text_without_its_scripts() {
    let html = b"<html><head><title>A &amp; B</title><script>evil()</script></head><body><h1>Head</h1><p>One <a href='/x'>two</a>.</p><script>more()</script></body></html>";
    let (port, _) = serve(HashMap::from([("/", page("text/html; charset=utf-8", html))])).await;
    let t = tool(Loopback);
    let url = format!("http://127.0.0.1:{port}/");
    let got = fetch(&t, json!({"url": url})).await.unwrap();
    let text = format!("{:?}", got.content);
    assert!(
        text.contains("# Head")
            && text.contains("[two](/x)")
            && !text.contains("evil")
            && !text.contains("more()"),
        "{text}"
    );
    assert_eq!(got.details["title"], "A & B");
    let got = fetch(&t, json!({"url": url, "extractMode": "text"})).await.unwrap();
    let text = format!("{:?}", got.content);
    assert!(text.contains("One two.") && !text.contains("/x"), "{text}");
}

#[tokio::test]
async fn sp_010_what_is_not_public_is_not_reached_by_address_name_or_redirect() {
    let (port, seen) = serve(HashMap::from([("/", page("text/plain", b"inside"))])).await;
    let t = tool(PublicOnly);
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f.1",
        "127.1",
        "0.0.0.0",
        "a.localhost",
        "printer.local",
        "metadata.google.internal",
    ] {
        let why = fetch(&t, json!({"url": format!("http://{host}:{port}/")})).await.unwrap_err();
        assert!(why.contains("no public address"), "{host}: {why}");
    }
    assert!(seen.0.lock().unwrap().is_empty(), "nothing was asked");
}

/// Lets every name through, so that only the resolver can stop it.
#[derive(Debug)]
struct AnyName;

impl Destinations for AnyName {
    fn permits_host(&self, _: &str) -> bool {
        true
    }
    fn permits_address(&self, address: IpAddr) -> bool {
        PublicOnly.permits_address(address)
    }
}

#[tokio::test]
async fn sp_010_a_name_that_resolves_inside_is_stopped_at_the_connection() {
    let (port, seen) = serve(HashMap::new()).await;
    let why = fetch(&tool(AnyName), json!({"url": format!("http://localhost:{port}/")})).await.unwrap_err();
    assert!(why.contains("no public address"), "{why}");
    assert!(seen.0.lock().unwrap().is_empty());
}

/// The first server is reachable, the second is not.
#[derive(Debug)]
struct ByName;

impl Destinations for ByName {
    fn permits_host(&self, host: &str) -> bool {
        host == "localhost"
    }
    fn permits_address(&self, address: IpAddr) -> bool {
        address.is_loopback()
    }
}

#[tokio::test]
async fn sp_010_every_redirect_is_looked_at_again() {
    let (inner, seen) = serve(HashMap::from([("/", page("text/plain", b"inside"))])).await;
    let target: &'static str = Box::leak(format!("http://127.0.0.1:{inner}/").into_boxed_str());
    let (port, _) = serve(HashMap::from([
        ("/in", redirect(target)),
        ("/file", redirect("file:///etc/passwd")),
        ("/user", redirect("http://a:b@localhost/")),
        ("/circle", redirect("/circle")),
        ("/1", redirect("/2")),
        ("/2", redirect("/3")),
        ("/3", redirect("/4")),
        ("/4", redirect("/5")),
        ("/5", page("text/plain", b"far")),
    ]))
    .await;
    let t = tool(ByName);
    for (path, part) in [
        ("in", "no public address"),
        ("file", "http://"),
        ("user", "no user name"),
        ("circle", "circle"),
        ("1", "more than 3 redirects"),
    ] {
        let why = fetch(&t, json!({"url": format!("http://localhost:{port}/{path}")})).await.unwrap_err();
        assert!(why.contains(part), "{path}: {why}");
    }
    let far = fetch(&t, json!({"url": format!("http://localhost:{port}/2")})).await.unwrap();
    assert!(format!("{:?}", far.content).contains("far"));
    assert!(seen.0.lock().unwrap().is_empty(), "the inner server was never asked");
}

#[tokio::test]
async fn limits_of_size_and_kind() {
    let big = vec![b'a'; BODY + 1];
    let (port, _) = serve(HashMap::from([
        ("/big", page("text/plain", &big)),
        ("/pic", page("image/png", b"\x89PNG\0\0")),
        ("/zero", page("text/plain", b"a\0b")),
        ("/json", page("application/json", b"{\"a\":1}")),
    ]))
    .await;
    let t = tool(Loopback);
    for (path, part) in
        [("big", "larger than 2 MiB"), ("pic", "no text"), ("zero", "no text"), ("none", "404")]
    {
        let why = fetch(&t, json!({"url": format!("http://127.0.0.1:{port}/{path}")})).await.unwrap_err();
        assert!(why.contains(part), "{path}: {why}");
    }
    let got = fetch(&t, json!({"url": format!("http://127.0.0.1:{port}/json")})).await.unwrap();
    assert!(format!("{:?}", got.content).contains("{\\\"a\\\":1}"), "{:?}", got.content);
}

#[tokio::test]
async fn no_credential_goes_out() {
    let (port, seen) = serve(HashMap::from([("/", page("text/plain", b"x"))])).await;
    fetch(&tool(Loopback), json!({"url": format!("http://127.0.0.1:{port}/")})).await.unwrap();
    let head = seen.0.lock().unwrap()[0].to_lowercase();
    for name in ["authorization", "cookie", "referer", "x-api-key"] {
        assert!(!head.contains(name), "{head}");
    }
}

#[test]
fn arguments_are_named_when_they_are_wrong() {
    let check = |arguments: Value| asked(arguments.as_object().unwrap()).unwrap_err();
    assert!(check(json!({})).contains("`url` is missing"));
    assert!(check(json!({"url": "ftp://x"})).contains("http://"));
    assert!(check(json!({"url": "http://u:p@x"})).contains("no user name"));
    assert!(check(json!({"url": "http://x", "extractMode": "pdf"})).contains("extractMode"));
    assert!(check(json!({"url": "http://x", "maxChars": 99})).contains("from 100 on"));
}

#[test]
fn a_page_is_kept_for_its_time_and_at_most_a_hundred_are() {
    let mut cache = Cache::default();
    let now = Instant::now();
    let page = Page { url: String::new(), status: 200, title: None, text: "x".to_owned(), bytes: 1 };
    for n in 0..120 {
        cache.put((n.to_string(), Mode::Text), page.clone(), now, Duration::from_secs(60 + n));
    }
    let kept = (0..120).filter(|n: &u64| cache.get(&(n.to_string(), Mode::Text), now).is_some()).count();
    assert_eq!(kept, 100);
    assert!(cache.get(&("119".to_owned(), Mode::Text), now + Duration::from_secs(200)).is_none());
    assert!(cache.get(&("119".to_owned(), Mode::Markdown), now).is_none());
}
