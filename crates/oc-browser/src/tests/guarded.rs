//! What a page can reach: by itself, by redirects, by what it loads, by scripts.

use std::collections::HashMap;

use serde_json::json;

use super::bench::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_010_neither_a_model_nor_a_page_reaches_an_address_that_is_not_permitted() {
    if !chromium() {
        return;
    }
    // What must not be reached: another address of this machine, as a router or a metadata service would be one.
    let inside = site("127.0.0.2", HashMap::from([("/", "<title>inside</title>INNERMOST".to_owned())])).await;
    let target = inside.url("/");
    let ws = target.replacen("http", "ws", 1);
    let loads = format!(
        "<title>loads</title><img src='{target}'><iframe src='{target}'></iframe><link rel=stylesheet href='{target}'>\
         <link rel=preconnect href='{target}'><link rel=dns-prefetch href='{target}'><script src='{target}'></script>\
         <script>fetch('{target}').catch(e => 0); try {{ new WebSocket('{ws}') }} catch (e) {{}} navigator.sendBeacon('{target}', 'x'); \
         new Worker(URL.createObjectURL(new Blob([`fetch('{target}').catch(e => 0)`])));\
         const pc = new RTCPeerConnection({{iceServers: [{{urls: 'stun:127.0.0.2:{port}'}}]}}); pc.createDataChannel('x'); \
         pc.createOffer().then(o => pc.setLocalDescription(o));</script>\
         <a href='{target}'>inward</a><a href='file:///etc/passwd'>file</a><a href='chrome://version/'>chrome</a>",
        port = inside.port,
    );
    let pages = HashMap::from([
        ("/loads", loads),
        ("/redirect", redirect(&target)),
        ("/twice", redirect("/redirect")),
        ("/file", redirect("file:///etc/passwd")),
        ("/script", format!("<script>location = '{target}'</script>")),
        ("/meta", format!("<meta http-equiv=refresh content='0;url={target}'>")),
    ]);
    let site = site("127.0.0.1", pages).await;
    let b = bench(&local());
    for url in [
        target.clone(),
        "http://localhost:1/".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://0x7f.0.0.2/".to_owned(),
    ] {
        let refused = b.fails(json!({"action": "open", "targetUrl": url})).await;
        assert!(refused.contains("may not be reached from the browser"), "{url}: {refused}");
    }
    for path in ["/redirect", "/twice"] {
        let refused = b.fails(json!({"action": "open", "targetUrl": site.url(path)})).await;
        assert!(refused.contains("127.0.0.2 may not be reached"), "{path}: {refused}");
    }
    b.fails(json!({"action": "navigate", "targetUrl": site.url("/file")})).await;
    for path in ["/script", "/meta"] {
        b.call(json!({"action": "navigate", "targetUrl": site.url(path)}), MAIN).await.unwrap();
        b.call(json!({"action": "act", "request": {"kind": "wait", "timeMs": 500}}), MAIN).await.unwrap();
        let read = text(&b.call(json!({"action": "snapshot"}), MAIN).await.unwrap());
        assert!(!read.contains("INNERMOST"), "{path}: {read}");
    }
    let opened = b.works(json!({"action": "navigate", "targetUrl": site.url("/loads")})).await;
    assert!(
        opened.contains("not reached, because `browser.ssrfPolicy` does not permit it: 127.0.0.2"),
        "{opened}"
    );
    b.act(json!({"kind": "wait", "timeMs": 500})).await;
    for (link, words) in [("\"file\"", "root:"), ("\"chrome\"", "Chromium"), ("\"inward\"", "INNERMOST")] {
        let link = b.reference(link).await;
        b.act(json!({"kind": "click", "ref": link})).await;
        let read = text(&b.call(json!({"action": "snapshot"}), MAIN).await.unwrap());
        assert!(!read.contains(words), "{read}");
        b.works(json!({"action": "navigate", "targetUrl": site.url("/loads")})).await;
    }
    assert_eq!(inside.count(), 0, "{:?}", inside.seen.lock().unwrap());
    // The same page reaches it when the owner names it: what was kept back was kept back by the rule.
    let config = json!({ "browser": { "headless": true, "ssrfPolicy": { "allowedHostnames": ["127.0.0.1", "127.0.0.2"] } } });
    b.gate.reload(snapshot(&config, &b.state));
    b.works(json!({"action": "navigate", "targetUrl": site.url("/twice")})).await;
    assert!(b.works(json!({"action": "snapshot"})).await.contains("INNERMOST"));
    assert!(inside.count() > 0);
}

/// What stands outside the envelope.
fn outside(text: &str) -> String {
    let (before, rest) = text.split_once("<<<EXTERNAL_UNTRUSTED_CONTENT").unwrap_or((text, ""));
    let behind = rest.split_once("<<<END_EXTERNAL_UNTRUSTED_CONTENT").map_or("", |(_, behind)| behind);
    format!("{before}{behind}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_a_page_chose_is_named_in_the_envelope_only() {
    if !chromium() {
        return;
    }
    let pages = HashMap::from([
        ("/loads", "<title>p</title><img src='http://obey-me.localhost/'>".to_owned()),
        ("/led", redirect("http://obey-me.localhost/")),
        ("/link", "<title>p</title><a href='/loads'>on</a>".to_owned()),
    ]);
    let site = site("127.0.0.1", pages).await;
    let b = bench(&local());
    let opened = b.works(json!({"action": "open", "targetUrl": site.url("/loads")})).await;
    let led = b.fails(json!({"action": "navigate", "targetUrl": site.url("/led")})).await;
    b.works(json!({"action": "navigate", "targetUrl": site.url("/link")})).await;
    let link = b.reference("\"on\"").await;
    let acted = b.act(json!({"kind": "click", "ref": link})).await;
    for told in [opened, led, acted] {
        assert!(told.contains("obey-me.localhost"), "{told}");
        assert!(!outside(&told).contains("obey-me"), "{told}");
    }
    // The host of the address that was asked for is the caller's own word.
    let asked = b.fails(json!({"action": "navigate", "targetUrl": "http://obey-me.localhost/"})).await;
    assert!(outside(&asked).contains("obey-me.localhost may not be reached"), "{asked}");
}
