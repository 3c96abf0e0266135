//! The Microsoft Teams adapter against a fake of the Bot Framework: sign-in, keys and answers. Verified calls: `src/adapters/msteams/tests.rs`.
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

use data_encoding::BASE64URL_NOPAD;
use door::{TestDoor, one, soon, text, to};
use fake_http::{FakeHttp, Reply};
use oc_channels::adapter::{
    Adapter, AdapterFailure, Attachment, Button, MediaKind, Outgoing, WebhookRefusal, WebhookRequest,
};
use oc_policy::inbound::ConversationKind;
use serde_json::{Value, json};

const NOW: i64 = 1_700_000_100_000;

fn signed() -> Value {
    serde_json::from_str(include_str!("../../../fixtures/msteams/signed.json")).unwrap()
}

async fn fake_bot_framework() -> FakeHttp {
    let own = Arc::new(OnceLock::<String>::new());
    let root = Arc::clone(&own);
    let http = FakeHttp::start(move |request| {
        let root = Arc::clone(&root);
        Box::pin(async move {
            let root = root.get().unwrap();
            if request.path == "/login/botframework.com/oauth2/v2.0/token" {
                if !request.text().contains("client_secret=made-up-password&") {
                    return Reply::Json(401, json!({ "error": "invalid_client", "error_description": format!("bad {}", request.text()) }));
                }
                return Reply::Json(200, json!({ "access_token": "made-up-access-token", "expires_in": 3600 }));
            }
            match request.path.as_str() {
                "/openid" => return Reply::Json(200, json!({ "jwks_uri": format!("{root}/keys") })),
                "/keys" => return Reply::Json(200, signed()["jwks"].clone()),
                _ => {}
            }
            if request.header("authorization") != Some("Bearer made-up-access-token") {
                return Reply::Json(401, json!({}));
            }
            match request.path.as_str() {
                path if path.contains("slow") => Reply::Bytes(429, vec![("Retry-After".to_owned(), "2".to_owned())], Vec::new()),
                path if path.ends_with("/activities") => Reply::Json(201, json!({ "id": "OUT" })),
                "/teams/v3/attachments/7/views/original" | "/teams/file" => Reply::Bytes(200, Vec::new(), vec![1; 30]),
                _ => Reply::Json(404, json!({ "error": { "message": "no such conversation" } })),
            }
        })
    })
    .await;
    own.set(http.root()).unwrap();
    http
}

fn section(http: &FakeHttp, password: &str) -> Value {
    let root = http.root();
    json!({ "appId": "app-1", "appPassword": password, "apiRoot": format!("{root}/teams"),
        "loginRoot": format!("{root}/login"), "openIdRoot": format!("{root}/openid") })
}

fn adapter(http: &FakeHttp, password: &str) -> Arc<dyn Adapter> {
    one(&json!({ "msteams": section(http, password) }), Path::new("/nowhere"))
}

fn activity() -> Value {
    json!({ "type": "message", "id": "A1", "channelId": "msteams", "serviceUrl": "https://smba.trafficmanager.net/emea/", "text": "hello",
        "from": { "id": "29:alice", "aadObjectId": "11111111-aaaa" }, "recipient": { "id": "28:app-1" },
        "conversation": { "id": "a:chat", "conversationType": "personal" } })
}

fn good_token() -> String {
    let all = signed();
    let part = |v: &Value| BASE64URL_NOPAD.encode(v.as_str().unwrap().as_bytes());
    let good = &all["tokens"]["good"];
    format!("Bearer {}.{}.{}", part(&all["head"]), part(&good["claims"]), good["signature"].as_str().unwrap())
}

#[tokio::test]
async fn sp_414_nothing_is_believed_before_the_keys_are_there() {
    let http = fake_bot_framework().await;
    let bot = adapter(&http, "made-up-password");
    let hook = bot.webhook().unwrap();
    assert_eq!(hook.path(), "/api/messages");
    let body = activity().to_string();
    let headers = [("authorization".to_owned(), good_token())];
    let request =
        WebhookRequest { method: "POST", query: "", headers: &headers, body: body.as_bytes(), now_ms: NOW };
    assert_eq!(hook.verify(&request).unwrap_err(), WebhookRefusal::Unready);
    let door = TestDoor::default();
    let believed = async {
        http.wait_for("/keys", 1).await;
        // The keys are in force a moment after they were sent.
        loop {
            if let Ok(verified) = hook.verify(&request) {
                return verified;
            }
            tokio::task::yield_now().await;
        }
    };
    let verified = soon(async {
        tokio::select! {
            ended = bot.receive(&door) => panic!("{ended}"),
            verified = believed => verified,
        }
    })
    .await;
    assert_eq!(verified.events[0].message.kind, ConversationKind::Direct);
    assert_eq!(verified.events[0].message.conversation.as_str(), "11111111-aaaa");
    assert_eq!(verified.events[0].reply.conversation.as_str(), "a:chat");
}

#[tokio::test]
async fn messages_go_out() {
    let http = fake_bot_framework().await;
    let bot = adapter(&http, "made-up-password");
    assert_eq!(soon(bot.who()).await.unwrap().id, "28:app-1");
    let mut place = to("19:room@thread.tacv2");
    place.thread = Some("1700".to_owned());
    assert_eq!(
        soon(bot.send(&place, &text("**hi** <at>Bob</at>"))).await.unwrap().id.as_deref(),
        Some("OUT")
    );
    let call = http.calls("/activities").pop().unwrap();
    assert_eq!(call.path, "/teams/v3/conversations/19%3Aroom%40thread.tacv2%3Bmessageid%3D1700/activities");
    assert_eq!(call.json()["text"].as_str(), Some("**hi** &lt;at>Bob&lt;/at>"));
    let buttons = vec![Button { label: "Allow once".to_owned(), payload: "oc1-x".to_owned() }];
    soon(bot.send(&to("a:chat"), &Outgoing { text: "Run?".to_owned(), buttons, file: None })).await.unwrap();
    let card = http.calls("/activities").pop().unwrap().json();
    assert_eq!(card["attachments"][0]["content"]["actions"][0]["data"]["openclaw"].as_str(), Some("oc1-x"));
    bot.typing(&to("a:chat")).await;
    assert_eq!(http.calls("/activities").pop().unwrap().json()["type"].as_str(), Some("typing"));
    // One sign-in served all of it.
    assert_eq!(http.calls("/token").len(), 1);
    let limited = soon(bot.send(&to("a:slow"), &text("x"))).await.unwrap_err();
    assert_eq!(
        limited,
        AdapterFailure::RateLimited { service: "Microsoft Teams", after: Duration::from_secs(2) }
    );
    for bad in ["", "a b", "a\nb"] {
        assert!(
            matches!(soon(bot.send(&to(bad), &text("x"))).await, Err(AdapterFailure::Refused { .. })),
            "{bad:?}"
        );
    }
}

#[tokio::test]
async fn our_token_goes_to_the_service_alone() {
    let http = fake_bot_framework().await;
    let bot = adapter(&http, "made-up-password");
    let named = |handle: String| Attachment {
        kind: MediaKind::Image,
        name: None,
        media_type: None,
        bytes: None,
        handle,
    };
    let here = named(format!("{}/teams/v3/attachments/7/views/original", http.root()));
    assert_eq!(soon(bot.fetch(&here, 30)).await.unwrap().len(), 30);
    assert!(matches!(soon(bot.fetch(&here, 29)).await, Err(AdapterFailure::Refused { .. })));
    for bad in ["https://evil.example/x", "http://169.254.169.254/", "https://x.sharepoint.com.evil.example/"]
    {
        assert!(
            matches!(soon(bot.fetch(&named(bad.to_owned()), 9)).await, Err(AdapterFailure::Refused { .. })),
            "{bad}"
        );
    }
    // The sender chooses the address of a file: of the service it is one where the service keeps files.
    let other = named(format!("{}/teams/file", http.root()));
    assert!(matches!(soon(bot.fetch(&other, 30)).await, Err(AdapterFailure::Refused { .. })));
    assert!(http.calls("/teams/file").is_empty());
    // A blank entry names no host.
    let mut section = section(&http, "made-up-password");
    section["mediaAllowHosts"] = json!(["", " ", "."]);
    section["serviceHosts"] = json!(["", " ", "."]);
    let bot = one(&json!({ "msteams": section }), Path::new("/nowhere"));
    for bad in ["https://evil.example./x", "https://evil.example./v3/attachments/7"] {
        assert!(
            matches!(soon(bot.fetch(&named(bad.to_owned()), 9)).await, Err(AdapterFailure::Refused { .. })),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn sp_011_a_refused_password_is_said_without_it() {
    let http = fake_bot_framework().await;
    let said = soon(adapter(&http, "made-up-wrong").who()).await.unwrap_err().to_string();
    assert!(said.contains("channels.msteams.appPassword") && !said.contains("made-up-wrong"), "{said}");
}
