//! The BlueBubbles adapter against a fake of the server.
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
use fake_http::{FakeHttp, Reply};
use oc_channels::adapter::{Adapter, AdapterFailure, Attachment, MediaKind, Outgoing, OutgoingFile};
use serde_json::json;

const PASSWORD: &str = "bubbles-pw";
const CHAT: &str = "iMessage;-;+15552223333";

async fn fake_bluebubbles() -> FakeHttp {
    FakeHttp::start(|request| {
        Box::pin(async move {
            if request.query != format!("password={PASSWORD}") {
                return Reply::Json(401, json!({ "status": 401, "error": { "message": format!("Unauthorized {}", request.query) } }));
            }
            match request.path.as_str() {
                "/api/v1/server/info" => Reply::Json(200, json!({ "data": { "detected_imessage": "me@example.org" } })),
                "/api/v1/message/text" | "/api/v1/message/attachment" => Reply::Json(200, json!({ "data": { "guid": "SENT" } })),
                path if path.ends_with("/download") => {
                    Reply::Flood { size: 64 * 1024, count: 512, sent: Arc::new(Mutex::new(0)) }
                }
                path if path.ends_with("/typing") => Reply::Json(200, json!({})),
                _ => Reply::Json(404, json!({ "error": { "message": "Not Found" } })),
            }
        })
    })
    .await
}

fn adapter(http: &FakeHttp, password: &str) -> Arc<dyn Adapter> {
    let section = json!({ "serverUrl": http.root(), "password": password });
    one(&json!({ "bluebubbles": section }), Path::new("/nowhere"))
}

#[tokio::test]
async fn a_conversation_with_the_fake_server() {
    let http = fake_bluebubbles().await;
    let bubbles = adapter(&http, PASSWORD);
    assert_eq!(soon(bubbles.who()).await.unwrap().id, "me@example.org");
    assert_eq!(soon(bubbles.send(&to(CHAT), &text("**hi**"))).await.unwrap().id.as_deref(), Some("SENT"));
    let call = http.calls("/message/text")[0].json();
    assert_eq!((call["chatGuid"].as_str(), call["message"].as_str()), (Some(CHAT), Some("hi")));
    assert!(call["tempGuid"].as_str().unwrap().len() > 20);
    let file =
        OutgoingFile { name: "a.png".to_owned(), media_type: "image/png".to_owned(), bytes: b"PNG".to_vec() };
    soon(bubbles.send(&to(CHAT), &Outgoing { file: Some(file), ..Outgoing::default() })).await.unwrap();
    assert!(http.calls("/message/attachment")[0].text().contains("filename=\"a.png\""));
    bubbles.typing(&to(CHAT)).await;
    assert_eq!(http.calls("/typing").len(), 1);
    for bad in ["+15552223333", "chat9", "iMessage;x;y", ""] {
        assert!(
            matches!(bubbles.send(&to(bad), &text("x")).await, Err(AdapterFailure::Refused { .. })),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn sp_011_a_wrong_password_is_said_without_it() {
    let http = fake_bluebubbles().await;
    let bubbles = adapter(&http, "wrong-pw-7");
    let e = soon(bubbles.receive(&TestDoor::default())).await;
    assert!(
        matches!(&e, AdapterFailure::Credential { key, .. } if key == "channels.bluebubbles.password"),
        "{e}"
    );
    assert!(!e.to_string().contains("wrong-pw-7"), "{e}");
}

#[tokio::test]
async fn sp_422_a_download_is_cut_off_while_it_streams() {
    let http = fake_bluebubbles().await;
    let bubbles = adapter(&http, PASSWORD);
    let file = Attachment {
        kind: MediaKind::Image,
        name: None,
        media_type: None,
        bytes: Some(5),
        handle: "A/../1".to_owned(),
    };
    let e = soon(bubbles.fetch(&file, 100_000)).await;
    assert!(matches!(e, Err(AdapterFailure::Refused { .. })), "{e:?}");
    assert!(http.seen()[0].path.ends_with("/attachment/A%2F..%2F1/download"), "{}", http.seen()[0].path);
}
