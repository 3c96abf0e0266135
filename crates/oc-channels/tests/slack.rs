//! The Slack adapter against a fake of the service: the Web API over HTTP, Socket Mode over a WebSocket, both on loopback.
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
#[path = "support/fake_ws.rs"]
mod fake_ws;

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use door::{TestDoor, one, soon, text, to};
use fake_http::{FakeHttp, Reply};
use fake_ws::{FakeWs, Link};
use oc_channels::adapter::{Adapter, AdapterFailure, Attachment, Button, MediaKind, Outgoing, OutgoingFile};
use oc_policy::inbound::{ConversationKind, EventKind};
use serde_json::{Value, json};

const BOT: &str = "xoxb-bot-token-0123";
const APP: &str = "xapp-app-token-4567";

async fn fake_slack(events: String) -> FakeHttp {
    let own = Arc::new(OnceLock::<String>::new());
    let place = Arc::clone(&own);
    let http = FakeHttp::start(move |request| {
        let (events, own) = (events.clone(), Arc::clone(&place));
        Box::pin(async move {
            let bearer = request.header("authorization").unwrap_or_default().to_owned();
            let expected = if request.path == "/apps.connections.open" { APP } else { BOT };
            if request.path == "/upload" {
                return Reply::Bytes(200, Vec::new(), b"OK".to_vec());
            }
            if bearer != format!("Bearer {expected}") {
                return Reply::Json(200, json!({ "ok": false, "error": "invalid_auth" }));
            }
            match request.path.as_str() {
                "/auth.test" => Reply::Json(200, json!({ "ok": true, "user_id": "U0BOT", "user": "ourbot", "bot_id": "B0BOT", "team_id": "T1" })),
                "/apps.connections.open" => Reply::Json(200, json!({ "ok": true, "url": format!("{events}/link/?ticket=t1") })),
                "/chat.postMessage" => match request.json()["channel"].as_str() {
                    Some("CSLOW") => Reply::Bytes(429, vec![("Retry-After".to_owned(), "7".to_owned())], b"{\"ok\":false,\"error\":\"ratelimited\"}".to_vec()),
                    Some("CGONE") => Reply::Json(200, json!({ "ok": false, "error": "channel_not_found" })),
                    _ => Reply::Json(200, json!({ "ok": true, "ts": "1700.5" })),
                },
                "/files.getUploadURLExternal" => {
                    Reply::Json(200, json!({ "ok": true, "file_id": "F1", "upload_url": format!("{}/upload", own.get().unwrap()) }))
                }
                "/files.completeUploadExternal" => Reply::Json(200, json!({ "ok": true })),
                "/file" => Reply::Bytes(200, Vec::new(), vec![7; 100]),
                _ => Reply::Json(200, json!({ "ok": false, "error": "unknown_method" })),
            }
        })
    })
    .await;
    own.set(http.root()).unwrap();
    http
}

fn adapter(http: &FakeHttp, bot: &str, app: &str) -> Arc<dyn Adapter> {
    let section = json!({ "botToken": bot, "appToken": app, "apiRoot": http.root() });
    one(&json!({ "slack": section }), Path::new("/nowhere"))
}

fn envelope(id: &str, text: &str) -> Value {
    json!({ "envelope_id": id, "type": "events_api", "accepts_response_payload": false, "payload": {
        "type": "event_callback", "event_id": id, "team_id": "T1", "event": {
            "type": "message", "channel": "D1", "channel_type": "im", "user": "U1", "text": text, "ts": format!("1700000000.{id}") } } })
}

async fn greeted(events: &FakeWs) -> Link {
    let mut link = events.link().await;
    assert_eq!(link.target, "/link/?ticket=t1");
    link.say(&json!({ "type": "hello" })).await;
    link
}

#[tokio::test]
async fn socket_mode_acknowledges_what_was_taken_and_connects_again_when_asked() {
    let events = FakeWs::start().await;
    let http = fake_slack(events.root()).await;
    let bot = adapter(&http, BOT, APP);
    let door = TestDoor::default();
    door.refuse(1);
    let service = async {
        let mut link = greeted(&events).await;
        // The first is not taken: it is not acknowledged, and comes again.
        link.say(&envelope("1", "not yet")).await;
        link.say(&envelope("2", "hello")).await;
        assert_eq!(link.hear().await, json!({ "envelope_id": "2" }));
        let e = door.next().await;
        assert_eq!((e.message.kind, e.message.text.as_str()), (ConversationKind::Direct, "hello"));
        link.say(&envelope("1", "not yet")).await;
        assert_eq!(link.hear().await, json!({ "envelope_id": "1" }));
        assert_eq!(door.next().await.message.text, "not yet");
        let press = json!({ "envelope_id": "3", "type": "interactive", "payload": { "type": "block_actions", "trigger_id": "t", "team": { "id": "T1" }, "user": { "id": "U1" },
            "channel": { "id": "D1", "name": "directmessage" }, "actions": [{ "type": "button", "value": "oc1-x" }] } });
        link.say(&press).await;
        assert_eq!(link.hear().await, json!({ "envelope_id": "3" }));
        let e = door.next().await;
        assert_eq!((e.message.event, e.payload.as_deref()), (EventKind::Button, Some("oc1-x")));
        link.say(&json!({ "envelope_id": "4", "type": "slash_commands", "payload": { "command": "/openclaw", "text": "status",
            "channel_id": "D1", "channel_name": "directmessage", "user_id": "U1", "team_id": "T1", "trigger_id": "t2" } })).await;
        assert_eq!(link.hear().await, json!({ "envelope_id": "4" }));
        assert_eq!(door.next().await.message.text, "/status");
        link.say(&json!({ "type": "disconnect", "reason": "refresh_requested" })).await;
        let mut second = greeted(&events).await;
        second.say(&envelope("5", "after")).await;
        assert_eq!(second.hear().await, json!({ "envelope_id": "5" }));
        second.close(1001).await;
    };
    let (ended, ()) = soon(async { tokio::join!(bot.receive(&door), service) }).await;
    assert!(matches!(ended, AdapterFailure::Unavailable { .. }), "{ended:?}");
    assert!(!ended.to_string().contains("ticket"), "{ended}");
    assert_eq!(http.calls("/apps.connections.open").len(), 2);
}

#[tokio::test]
async fn an_address_for_events_elsewhere_is_not_followed() {
    let events = FakeWs::start().await;
    let http = fake_slack(events.root().replace("127.0.0.1", "localhost")).await;
    let ended = soon(adapter(&http, BOT, APP).receive(&TestDoor::default())).await;
    assert!(matches!(ended, AdapterFailure::Refused { .. }), "{ended:?}");
}

#[tokio::test]
async fn sp_011_refused_tokens_are_said_by_their_keys() {
    let http = fake_slack(String::new()).await;
    let said = soon(adapter(&http, "xoxb-wrong-999", APP).who()).await.unwrap_err().to_string();
    assert!(said.contains("channels.slack.botToken") && !said.contains("xoxb-wrong"), "{said}");
    let said = soon(adapter(&http, BOT, "xapp-wrong-999").receive(&TestDoor::default())).await.to_string();
    assert!(said.contains("channels.slack.appToken") && !said.contains("xapp-wrong"), "{said}");
}

#[tokio::test]
async fn messages_go_out() {
    let http = fake_slack(String::new()).await;
    let bot = adapter(&http, BOT, APP);
    let limited = soon(bot.send(&to("CSLOW"), &text("x"))).await.unwrap_err();
    assert_eq!(limited, AdapterFailure::RateLimited { service: "Slack", after: Duration::from_secs(7) });
    assert!(matches!(soon(bot.send(&to("CGONE"), &text("x"))).await, Err(AdapterFailure::Refused { .. })));
    let mut place = to("C1");
    place.thread = Some("1699.1".to_owned());
    let buttons = vec![Button { label: "Allow once".to_owned(), payload: "oc1-abc".to_owned() }];
    let out = Outgoing { text: "**run** `<ls>`".to_owned(), buttons, file: None };
    assert_eq!(soon(bot.send(&place, &out)).await.unwrap().id.as_deref(), Some("1700.5"));
    let call = http.calls("/chat.postMessage").pop().unwrap().json();
    assert_eq!((call["thread_ts"].as_str(), call["text"].as_str()), (Some("1699.1"), Some("run &lt;ls&gt;")));
    assert_eq!(call["blocks"][0]["text"]["text"].as_str(), Some("*run* `&lt;ls&gt;`"));
    assert_eq!(call["blocks"][1]["elements"][0]["value"].as_str(), Some("oc1-abc"));
    for bad in ["#general", "general", "U1", "", "C1/../x"] {
        assert!(
            matches!(soon(bot.send(&to(bad), &text("x"))).await, Err(AdapterFailure::Refused { .. })),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn files_go_both_ways() {
    let http = fake_slack(String::new()).await;
    let bot = adapter(&http, BOT, APP);
    let file = OutgoingFile {
        name: "a b.txt".to_owned(),
        media_type: "text/plain".to_owned(),
        bytes: b"bytes".to_vec(),
    };
    soon(bot.send(&to("D1"), &Outgoing { file: Some(file), ..Outgoing::default() })).await.unwrap();
    assert_eq!(http.calls("/files.getUploadURLExternal")[0].text(), "filename=a%20b.txt&length=5");
    assert_eq!(http.calls("/upload")[0].text(), "bytes");
    assert_eq!(http.calls("/upload")[0].header("authorization"), None);
    assert_eq!(http.calls("/files.completeUploadExternal")[0].json()["files"][0]["id"].as_str(), Some("F1"));
    let attached = |handle: String| Attachment {
        kind: MediaKind::Document,
        name: None,
        media_type: None,
        bytes: None,
        handle,
    };
    let here = attached(format!("{}/file", http.root()));
    assert_eq!(soon(bot.fetch(&here, 100)).await.unwrap().len(), 100);
    assert!(matches!(soon(bot.fetch(&here, 99)).await, Err(AdapterFailure::Refused { .. })));
    // The sender chooses the address of a file, and the token goes with it: only where the service keeps files.
    for elsewhere in [
        "https://files.slack.com.evil.example/x",
        "https://evil.slack.com/files-pri/T1-F1/x",
        "https://slack.com/files-pri/T1-F1/x",
        "https://files.slack.com/x",
        "https://files.slack.com/files-pri/../x",
        "https://files.slack.com:444/files-pri/T1-F1/x",
        "https://u@files.slack.com/files-pri/T1-F1/x",
        "http://files.slack.com/files-pri/T1-F1/x",
    ] {
        let failed = soon(bot.fetch(&attached(elsewhere.to_owned()), 9)).await;
        assert!(matches!(failed, Err(AdapterFailure::Refused { .. })), "{elsewhere}: {failed:?}");
    }
}
