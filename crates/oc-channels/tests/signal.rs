//! The Signal adapter against a fake of signal-cli's HTTP daemon.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    missing_debug_implementations,
    reason = "tests"
)]

#[path = "support/door.rs"]
mod door;
#[path = "support/fake_http.rs"]
mod fake_http;

use std::path::Path;
use std::sync::{Arc, Mutex};

use door::{TestDoor, one, soon, text, to};
use fake_http::{FakeHttp, Reply, Request};
use oc_channels::adapter::{Adapter, AdapterFailure, Attachment, MediaKind, Outgoing, OutgoingFile};
use oc_policy::inbound::{ConversationKind, EventKind};
use serde_json::{Value, json};
use tokio::sync::mpsc;

const OWN: &str = "+15550001111";
const GROUP: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

type Pieces = mpsc::Sender<Vec<u8>>;

/// The fake: a stream of events that the test feeds, and answers by method.
async fn fake_signal(answer: impl Fn(&str, &Request) -> Value + Send + Sync + 'static) -> (FakeHttp, Pieces) {
    let (feed, events) = mpsc::channel(16);
    let events = Arc::new(Mutex::new(Some(events)));
    let answer = Arc::new(answer);
    let http = FakeHttp::start(move |request| {
        let (events, answer) = (Arc::clone(&events), Arc::clone(&answer));
        Box::pin(async move {
            if request.path == "/api/v1/events" {
                let stream = events.lock().unwrap().take().expect("one stream");
                return Reply::Stream("text/event-stream", stream);
            }
            let call = request.json();
            let mut reply = answer(call["method"].as_str().unwrap_or_default(), &request);
            reply["jsonrpc"] = json!("2.0");
            reply["id"] = call["id"].clone();
            Reply::Json(200, reply)
        })
    })
    .await;
    (http, feed)
}

fn usual(method: &str, _request: &Request) -> Value {
    match method {
        "listAccounts" => json!({ "result": [{ "number": OWN }] }),
        "send" => json!({ "result": { "timestamp": 99, "results": [{ "type": "SUCCESS" }] } }),
        _ => json!({ "result": {} }),
    }
}

fn adapter(http: &FakeHttp) -> Arc<dyn Adapter> {
    one(&json!({ "signal": { "account": OWN, "httpUrl": http.root() } }), Path::new("/nowhere"))
}

fn told(part: Value) -> Vec<u8> {
    let mut envelope = json!({ "sourceNumber": "+15552223333", "timestamp": 5 });
    envelope.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    format!("event:receive\ndata:{}\n\n", json!({ "account": OWN, "envelope": envelope })).into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_with_the_fake_daemon() {
    let (http, feed) = fake_signal(usual).await;
    let adapter = adapter(&http);
    assert_eq!(soon(adapter.who()).await.unwrap().id, OWN);
    let door = Arc::new(TestDoor::default());
    let running = {
        let (adapter, door) = (Arc::clone(&adapter), Arc::clone(&door));
        tokio::spawn(async move { adapter.receive(&*door).await })
    };
    let bytes = told(
        json!({ "dataMessage": { "timestamp": 5, "message": "hi", "attachments": [{ "id": "a1", "contentType": "image/png", "size": 3 }] } }),
    );
    // Cut in the middle of a frame.
    feed.send(bytes[..20].to_vec()).await.unwrap();
    feed.send(bytes[20..].to_vec()).await.unwrap();
    let e = door.next().await;
    assert_eq!((e.message.text.as_str(), e.message.kind), ("hi", ConversationKind::Direct));
    feed.send(told(json!({ "typingMessage": {} }))).await.unwrap();
    feed.send(told(json!({ "dataMessage": { "timestamp": 6, "reaction": { "emoji": "x" }, "groupInfo": { "groupId": GROUP } } }))).await.unwrap();
    let reaction = door.next().await;
    assert_eq!((reaction.message.event, reaction.reply.conversation.as_str()), (EventKind::Reaction, GROUP));

    adapter.typing(&e.reply).await;
    assert_eq!(soon(adapter.send(&e.reply, &text("**yes**"))).await.unwrap().id.as_deref(), Some("99"));
    let file = OutgoingFile {
        name: "a b.png".to_owned(),
        media_type: "image/png".to_owned(),
        bytes: b"PNG".to_vec(),
    };
    soon(adapter.send(&to(GROUP), &Outgoing { file: Some(file), ..text("see") })).await.unwrap();
    let sent: Vec<Value> =
        http.calls("/rpc").iter().map(Request::json).filter(|c| c["method"] == "send").collect();
    assert_eq!(sent[0]["params"], json!({ "recipient": ["+15552223333"], "message": "yes", "account": OWN }));
    assert_eq!(sent[1]["params"]["groupId"], GROUP);
    assert_eq!(sent[1]["params"]["attachments"][0], "data:image/png;filename=a%20b.png;base64,UE5H");
    assert!(matches!(adapter.send(&to("Alice"), &text("x")).await, Err(AdapterFailure::Refused { .. })));

    drop(feed);
    let end = soon(running).await.unwrap();
    assert!(matches!(end, AdapterFailure::Unavailable { .. }), "{end}");
}

#[tokio::test]
async fn sp_422_an_attachment_larger_than_the_budget_is_not_taken() {
    let (http, _feed) = fake_signal(|method, request| match method {
        "getAttachment" if request.text().contains("large") => {
            json!({ "result": { "data": "QUJD".repeat(100_000) } })
        }
        "getAttachment" => json!({ "result": { "data": "QUJD" } }),
        _ => json!({ "result": {} }),
    })
    .await;
    let adapter = adapter(&http);
    let file = |id: &str, bytes| Attachment {
        kind: MediaKind::Image,
        name: None,
        media_type: None,
        bytes,
        handle: format!("{id}|+15552223333"),
    };
    assert_eq!(soon(adapter.fetch(&file("small", None), 3)).await.unwrap(), b"ABC");
    for (name, claimed, most) in [("small", None, 2), ("small", Some(4), 3), ("large", Some(1), 1000)] {
        let e = soon(adapter.fetch(&file(name, claimed), most)).await;
        assert!(matches!(e, Err(AdapterFailure::Refused { .. })), "{name} {e:?}");
    }
}

#[tokio::test]
async fn failures_are_told_apart() {
    let (http, _feed) = fake_signal(|method, request| match method {
        "listAccounts" => json!({ "result": [{ "number": "+19998887777" }] }),
        _ if request.text().contains("slow down") => {
            json!({ "error": { "code": -5, "message": "rate limit" } })
        }
        _ if request.text().contains("unregistered") => {
            json!({ "result": { "timestamp": 1, "results": [{ "type": "UNREGISTERED_FAILURE" }] } })
        }
        _ => json!({ "error": { "code": -1, "message": "no such user" } }),
    })
    .await;
    let adapter = adapter(&http);
    assert!(matches!(soon(adapter.who()).await, Err(AdapterFailure::Credential { .. })));
    let place = to("+15552223333");
    let send = async |said: &str| soon(adapter.send(&place, &text(said))).await.unwrap_err();
    assert!(matches!(send("slow down").await, AdapterFailure::RateLimited { .. }));
    assert!(matches!(send("unregistered").await, AdapterFailure::Refused { .. }));
    assert!(matches!(send("x").await, AdapterFailure::Refused { .. }));
}
