use std::sync::Mutex as StdMutex;

use tokio::io::{DuplexStream, duplex, split};

use super::method::{GetVersion, Navigate};
use super::*;

/// A browser that answers with what a function makes of each message.
fn connected(answer: impl Fn(Value) -> Vec<Vec<u8>> + Send + 'static) -> (Cdp, Arc<StdMutex<Vec<Event>>>) {
    let (here, there) = duplex(64 * 1024);
    let (from, to) = split(here);
    let (cdp, carrier) = Cdp::new(from, to);
    let events = Arc::new(StdMutex::new(Vec::new()));
    let seen = Arc::clone(&events);
    tokio::spawn(carrier.run(move |_, event| seen.lock().unwrap().push(event.clone())));
    tokio::spawn(serve(there, answer));
    (cdp, events)
}

async fn serve(there: DuplexStream, answer: impl Fn(Value) -> Vec<Vec<u8>>) {
    let (from, mut to) = split(there);
    let mut from = BufReader::new(from);
    let mut message = Vec::new();
    while from.read_until(0, &mut message).await.is_ok_and(|n| n > 0) {
        message.pop();
        for bytes in answer(serde_json::from_slice(&message).unwrap()) {
            to.write_all(&bytes).await.unwrap();
        }
        message.clear();
    }
}

fn framed(value: &Value) -> Vec<u8> {
    let mut bytes = value.to_string().into_bytes();
    bytes.push(0);
    bytes
}

#[tokio::test]
async fn answers_find_their_requests_and_events_come_between() {
    let (cdp, events) = connected(|m| {
        vec![
            framed(&json!({"method": "Page.loadEventFired", "sessionId": "S", "params": {"a": 1}})),
            b"no JSON\0".to_vec(),
            framed(&json!({"id": 999, "result": {}})),
            framed(
                &json!({"id": m["id"], "result": {"product": format!("{} {}", m["method"].as_str().unwrap(), m["sessionId"])}}),
            ),
        ]
    });
    let version = cdp.call(Some("T"), &GetVersion {}).await.unwrap();
    assert_eq!(version.product, "Browser.getVersion \"T\"");
    let events = events.lock().unwrap();
    assert_eq!(
        (events.len(), &*events[0].name, events[0].session.as_deref()),
        (1, "Page.loadEventFired", Some("S"))
    );
}

#[tokio::test]
async fn a_refusal_an_odd_answer_and_a_browser_that_ends_are_told_apart() {
    let (cdp, _) = connected(|m| {
        let url = m["params"]["url"].as_str().unwrap_or_default().to_owned();
        vec![match url.as_str() {
            "refuse" => framed(&json!({"id": m["id"], "error": {"code": 1, "message": "no\u{1b}[31m"}})),
            "odd" => framed(&json!({"id": m["id"], "result": {"loaderId": 7}})),
            _ => b"ends in the middle".to_vec(),
        }]
    });
    let go = |url: &str| Navigate { url: url.to_owned() };
    let refused = cdp.call(None, &go("refuse")).await.unwrap_err();
    assert_eq!(refused.to_string(), "the browser refused Page.navigate: no\\u{1b}[31m");
    assert_eq!(cdp.call(None, &go("odd")).await.unwrap_err(), CdpFailure::Odd("Page.navigate"));
    let slow = cdp.call_within(None, &go("x"), Duration::from_millis(50)).await.unwrap_err();
    assert_eq!(slow, CdpFailure::Slow("Page.navigate"));
    assert!(cdp.waiting().answers.is_empty(), "what nobody waits for is forgotten");
}

#[tokio::test]
async fn sp_016_a_message_without_an_end_ends_the_connection_and_not_the_memory() {
    let (here, there) = duplex(1024 * 1024);
    let (from, to) = split(here);
    let (cdp, carrier) = Cdp::new(from, to);
    let carrying = tokio::spawn(carrier.run(|_, _| {}));
    let (_read, mut write) = split(there);
    let flood = tokio::spawn(async move {
        let piece = vec![b'x'; 1024 * 1024];
        while write.write_all(&piece).await.is_ok() {}
    });
    let asked = cdp.call_within(None, &GetVersion {}, Duration::from_secs(60)).await;
    assert_eq!(asked.unwrap_err(), CdpFailure::Gone);
    carrying.await.unwrap();
    flood.abort();
    assert_eq!(cdp.call(None, &GetVersion {}).await.unwrap_err(), CdpFailure::Gone);
}

#[tokio::test]
async fn a_message_that_is_too_long_is_left_out_and_the_next_one_is_read() {
    let (here, there) = duplex(1024 * 1024);
    let (from, to) = split(here);
    let (cdp, carrier) = Cdp::new(from, to);
    let events = Arc::new(StdMutex::new(Vec::new()));
    let seen = Arc::clone(&events);
    tokio::spawn(carrier.run(move |_, event| seen.lock().unwrap().push(event.name.clone())));
    let (mut read, mut write) = split(there);
    let (length, piece) = (usize::try_from(LARGEST).unwrap() + 1, vec![b'x'; 1024 * 1024]);
    write.write_all(b"{\"method\": \"long\", \"params\": \"").await.unwrap();
    for _ in 0..length.div_ceil(piece.len()) {
        write.write_all(&piece).await.unwrap();
    }
    write.write_all(b"\"}\0{\"method\": \"short\"}\0").await.unwrap();
    let answering = tokio::spawn(async move {
        let mut asked = vec![0; 1024];
        let n = read.read(&mut asked).await.unwrap();
        let asked: Value = serde_json::from_slice(&asked[..n - 1]).unwrap();
        write.write_all(&framed(&json!({"id": asked["id"], "result": {"product": "P"}}))).await.unwrap();
        (read, write)
    });
    let version = cdp.call_within(None, &GetVersion {}, Duration::from_secs(60)).await.unwrap();
    assert_eq!(version.product, "P");
    assert_eq!(*events.lock().unwrap(), ["short"]);
    answering.await.unwrap();
}

#[tokio::test]
async fn a_browser_that_takes_no_orders_any_more_is_left() {
    let (here, there) = duplex(1024);
    let (from, to) = split(here);
    let (cdp, carrier) = Cdp::new(from, to);
    let carrying = tokio::spawn(carrier.run(|_, _| {}));
    let order = Order { session: None, method: "Target.closeTarget", params: json!({"x": "y".repeat(4096)}) };
    for _ in 0..=QUEUE + 1 {
        cdp.tell(&order);
    }
    assert_eq!(cdp.call(None, &GetVersion {}).await.unwrap_err(), CdpFailure::Gone);
    tokio::time::timeout(Duration::from_secs(20), carrying).await.unwrap().unwrap();
    drop(there);
}
