//! The WhatsApp adapter against a fake of the Graph API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    missing_debug_implementations,
    reason = "tests"
)]

#[path = "support/door.rs"]
mod door;
#[path = "support/fake_http.rs"]
mod fake_http;

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use door::{TestDoor, one, soon, text, to};
use fake_http::{FakeHttp, Reply};
use oc_channels::adapter::{
    Adapter, AdapterFailure, Attachment, Button, MediaKind, Outgoing, OutgoingFile, WebhookRequest,
};
use ring::hmac;
use serde_json::json;

const SECRET: &str = "made-up-app-secret";
const ALICE: &str = "+15552223333";

async fn fake_graph() -> FakeHttp {
    let own = Arc::new(OnceLock::<String>::new());
    let root = Arc::clone(&own);
    let http = FakeHttp::start(move |request| {
        let root = Arc::clone(&root);
        Box::pin(async move {
            if request.header("authorization") != Some("Bearer made-up-access-token") {
                let said = format!("Invalid OAuth access token {}", request.header("authorization").unwrap_or_default());
                return Reply::Json(401, json!({ "error": { "message": said, "code": 190 } }));
            }
            let call = request.json();
            match request.path.as_str() {
                "/1055" => Reply::Json(200, json!({ "id": "1055", "display_phone_number": "+1 555 000 1111", "verified_name": "Ours" })),
                "/1055/messages" if call["to"] == "15559990000" => {
                    Reply::Json(400, json!({ "error": { "message": "(#131056) pair rate limit", "code": 131_056 } }))
                }
                "/1055/messages" if call["to"] == "15559991111" => {
                    Reply::Json(400, json!({ "error": { "message": "Re-engagement message", "code": 131_047 } }))
                }
                "/1055/messages" => Reply::Json(200, json!({ "messages": [{ "id": "wamid.OUT" }] })),
                "/1055/media" => Reply::Json(200, json!({ "id": "77" })),
                "/7" => Reply::Json(200, json!({ "url": format!("{}/bytes", root.get().unwrap()), "file_size": 40 })),
                "/8" => Reply::Json(200, json!({ "url": "https://lookaside.fbsbx.com.evil.example/x", "file_size": 4 })),
                "/9" => Reply::Json(200, json!({ "url": format!("{}/bytes", root.get().unwrap()) })),
                "/bytes" => Reply::Bytes(200, Vec::new(), vec![1; 40]),
                _ => Reply::Json(404, json!({ "error": { "message": "Unknown path" } })),
            }
        })
    })
    .await;
    own.set(http.root()).unwrap();
    http
}

fn adapter(http: &FakeHttp, token: &str) -> Arc<dyn Adapter> {
    let cloud = json!({ "phoneNumberId": "1055", "accessToken": token, "appSecret": SECRET, "verifyToken": "v", "apiRoot": http.root() });
    one(&json!({ "whatsapp": { "cloud": cloud } }), Path::new("/nowhere"))
}

#[tokio::test]
async fn a_message_comes_in_and_its_answer_goes_out() {
    let http = fake_graph().await;
    let bot = adapter(&http, "made-up-access-token");
    assert_eq!(soon(bot.who()).await.unwrap().id, "+15550001111");
    let body = json!({ "object": "whatsapp_business_account", "entry": [{ "changes": [{ "field": "messages", "value": {
        "metadata": { "display_phone_number": "15550001111", "phone_number_id": "1055" },
        "messages": [{ "from": "15552223333", "id": "wamid.IN", "timestamp": "1", "type": "text", "text": { "body": "hello" } }] } }] }] });
    let body = body.to_string();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), body.as_bytes());
    let hex: String = tag.as_ref().iter().map(|b| format!("{b:02x}")).collect();
    let headers = [("x-hub-signature-256".to_owned(), format!("sha256={hex}"))];
    let request =
        WebhookRequest { method: "POST", query: "", headers: &headers, body: body.as_bytes(), now_ms: 0 };
    let hook = bot.webhook().unwrap();
    assert_eq!(hook.path(), "/whatsapp-webhook");
    // Delivered twice it is the same event: the door answers it once.
    let (first, second) = (hook.verify(&request).unwrap(), hook.verify(&request).unwrap());
    let event = &first.events[0];
    assert_eq!(event.id, second.events[0].id);
    assert!(http.calls("/messages").is_empty());
    bot.typing(&event.reply).await;
    soon(bot.send(&event.reply, &text("**hi** [a](https://a.example)"))).await.unwrap();
    let calls = http.calls("/messages");
    assert_eq!(calls[0].json()["message_id"].as_str(), Some("wamid.IN"));
    let call = calls[1].json();
    assert_eq!(
        (call["to"].as_str(), call["text"]["body"].as_str()),
        (Some("15552223333"), Some("*hi* a (https://a.example)"))
    );
    assert_eq!(call["context"]["message_id"].as_str(), Some("wamid.IN"));
}

#[tokio::test]
async fn what_goes_out() {
    let http = fake_graph().await;
    let bot = adapter(&http, "made-up-access-token");
    let button =
        |n: usize| Button { label: format!("Allow number {n} for ever"), payload: format!("oc1-{n}") };
    let out = Outgoing { text: "Run it?".to_owned(), buttons: vec![button(1), button(2)], file: None };
    assert_eq!(soon(bot.send(&to(ALICE), &out)).await.unwrap().id.as_deref(), Some("wamid.OUT"));
    let call = http.calls("/messages").pop().unwrap().json();
    assert_eq!(call["interactive"]["action"]["buttons"][1]["reply"]["id"].as_str(), Some("oc1-2"));
    assert_eq!(
        call["interactive"]["action"]["buttons"][0]["reply"]["title"].as_str(),
        Some("Allow number 1 for e")
    );
    let long = Outgoing { text: "x".repeat(2000), buttons: vec![button(1)], file: None };
    soon(bot.send(&to(ALICE), &long)).await.unwrap();
    let calls = http.calls("/messages");
    assert_eq!(
        (calls.len(), calls[1].json()["type"].as_str().map(str::to_owned)),
        (3, Some("text".to_owned()))
    );
    let file = OutgoingFile {
        name: "a.pdf".to_owned(),
        media_type: "application/pdf".to_owned(),
        bytes: b"PDF".to_vec(),
    };
    soon(bot.send(&to(ALICE), &Outgoing { file: Some(file), ..Outgoing::default() })).await.unwrap();
    assert_eq!(http.calls("/messages").pop().unwrap().json()["document"]["id"].as_str(), Some("77"));
    let limited = soon(bot.send(&to("+15559990000"), &text("x"))).await.unwrap_err();
    assert_eq!(limited, AdapterFailure::RateLimited { service: "WhatsApp", after: Duration::from_secs(5) });
    let late = soon(bot.send(&to("+15559991111"), &text("x"))).await.unwrap_err();
    assert!(matches!(&late, AdapterFailure::Refused { why, .. } if why.contains("24 hours")), "{late}");
    for bad in ["15552223333", "+1", "alice", "", "+1 555 222 3333"] {
        assert!(
            matches!(soon(bot.send(&to(bad), &text("x"))).await, Err(AdapterFailure::Refused { .. })),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn sp_422_files_are_fetched_from_the_service_up_to_the_limit() {
    let http = fake_graph().await;
    let bot = adapter(&http, "made-up-access-token");
    let named = |handle: &str| Attachment {
        kind: MediaKind::Image,
        name: None,
        media_type: None,
        bytes: None,
        handle: handle.to_owned(),
    };
    assert_eq!(soon(bot.fetch(&named("7"), 40)).await.unwrap().len(), 40);
    for (handle, most) in [("7", 39), ("8", 100), ("9", 39), ("../7", 100), ("", 100)] {
        assert!(
            matches!(soon(bot.fetch(&named(handle), most)).await, Err(AdapterFailure::Refused { .. })),
            "{handle}"
        );
    }
}

#[tokio::test]
async fn sp_011_a_refused_token_is_said_without_it() {
    let http = fake_graph().await;
    let said = soon(adapter(&http, "made-up-wrong-token").receive(&TestDoor::default())).await.to_string();
    assert!(
        said.contains("channels.whatsapp.cloud.accessToken") && !said.contains("made-up-wrong"),
        "{said}"
    );
}
