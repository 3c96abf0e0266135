//! The Discord adapter against a fake of the service: REST over HTTP, the gateway over a WebSocket, both on loopback.
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
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use door::{TestDoor, one, soon, text, to};
use fake_http::{FakeHttp, Reply};
use fake_ws::{FakeWs, Link};
use oc_channels::adapter::{Adapter, AdapterFailure, Attachment, Button, MediaKind, Outgoing};
use oc_policy::inbound::{ConversationKind, EventKind};
use serde_json::{Value, json};

const TOKEN: &str = "discord-token-0123456789";

async fn fake_discord(gateway: String) -> FakeHttp {
    let slow = Arc::new(AtomicUsize::new(0));
    FakeHttp::start(move |request| {
        let (gateway, slow) = (gateway.clone(), Arc::clone(&slow));
        Box::pin(async move {
            if request.path.contains("/callback") {
                return Reply::Bytes(204, Vec::new(), Vec::new());
            }
            if request.header("authorization") != Some("Bot discord-token-0123456789") {
                let said = format!("401: {}", request.header("authorization").unwrap_or_default());
                return Reply::Json(401, json!({ "message": said }));
            }
            match request.path.as_str() {
                "/users/@me" => Reply::Json(200, json!({ "id": "4242", "username": "ourbot" })),
                "/gateway/bot" => Reply::Json(200, json!({ "url": gateway })),
                "/channels/11" => Reply::Json(200, json!({ "id": "11", "type": 1 })),
                "/channels/901/messages" if slow.fetch_add(1, Ordering::SeqCst) == 0 => {
                    Reply::Json(429, json!({ "message": "slow down", "retry_after": 0.25, "global": false }))
                }
                path if path.ends_with("/messages") => Reply::Json(200, json!({ "id": "M1" })),
                path if path.ends_with("/typing") => Reply::Bytes(204, Vec::new(), Vec::new()),
                _ => Reply::Json(404, json!({ "message": "Unknown Channel" })),
            }
        })
    })
    .await
}

fn adapter(http: &FakeHttp, token: &str) -> Arc<dyn Adapter> {
    one(&json!({ "discord": { "token": token, "apiRoot": http.root() } }), Path::new("/nowhere"))
}

fn message(id: &str, s: u64) -> Value {
    json!({ "op": 0, "t": "MESSAGE_CREATE", "s": s, "d": { "id": id, "channel_id": "11", "type": 0, "content": format!("text {id}"),
        "author": { "id": "77", "username": "alice" }, "mentions": [] } })
}

async fn ready(gateway: &FakeWs, every: u64) -> Link {
    let mut link = gateway.link().await;
    assert_eq!(link.target, "/?v=10&encoding=json");
    link.say(&json!({ "op": 10, "d": { "heartbeat_interval": every } })).await;
    let identify = link.hear_that(|f| f["op"] != 1).await;
    assert_eq!((identify["op"].as_u64(), identify["d"]["token"].as_str()), (Some(2), Some(TOKEN)));
    assert_eq!(identify["d"]["intents"].as_u64().unwrap() & (1 << 15), 1 << 15);
    link.say(&json!({ "op": 0, "t": "READY", "s": 1, "d": { "session_id": "S", "resume_gateway_url": gateway.root() } })).await;
    link
}

#[tokio::test]
async fn messages_come_in_and_a_lost_connection_is_resumed_after_the_last_one_taken() {
    let gateway = FakeWs::start().await;
    let http = fake_discord(gateway.root()).await;
    let bot = adapter(&http, TOKEN);
    let door = TestDoor::default();
    let service = async {
        let mut link = ready(&gateway, 1500).await;
        link.say(&message("175928847299117063", 2)).await;
        let e = door.next().await;
        assert_eq!((e.message.kind, e.message.conversation.as_str()), (ConversationKind::Direct, "77"));
        assert_eq!(e.reply.conversation.as_str(), "11");
        // The heart beats with the last number.
        assert_eq!(link.hear().await, json!({ "op": 1, "d": 2 }));
        link.say(&json!({ "op": 11 })).await;
        link.close(4000).await;
    };
    let (ended, ()) = soon(async { tokio::join!(bot.receive(&door), service) }).await;
    assert!(matches!(ended, AdapterFailure::Unavailable { .. }), "{ended:?}");
    assert_eq!(http.calls("/channels/11").len(), 1);

    let again = async {
        let mut link = gateway.link().await;
        link.say(&json!({ "op": 10, "d": { "heartbeat_interval": 5000 } })).await;
        let resume = link.hear().await;
        assert_eq!((resume["op"].as_u64(), resume["d"]["session_id"].as_str()), (Some(6), Some("S")));
        assert_eq!(resume["d"]["seq"].as_u64(), Some(2));
        link.say(&message("175928847299117064", 3)).await;
        link.say(&json!({ "op": 0, "t": "RESUMED", "s": 4, "d": {} })).await;
        assert_eq!(door.next().await.message.text, "text 175928847299117064");
        // The service asks for another connection: it is made at once.
        link.say(&json!({ "op": 7 })).await;
        let mut third = gateway.link().await;
        third.say(&json!({ "op": 10, "d": { "heartbeat_interval": 5000 } })).await;
        assert_eq!(third.hear().await["d"]["seq"].as_u64(), Some(4));
        // The session is gone: the next connection begins anew.
        third.say(&json!({ "op": 9, "d": false })).await;
    };
    let (ended, ()) = soon(async { tokio::join!(bot.receive(&door), again) }).await;
    assert!(ended.to_string().contains("session is not valid"), "{ended}");
    let anew = async {
        let link = ready(&gateway, 1500).await;
        link.close(4004).await;
    };
    let (ended, ()) = soon(async { tokio::join!(bot.receive(&door), anew) }).await;
    assert!(matches!(ended, AdapterFailure::Credential { .. }), "{ended:?}");
    // The channel was asked for once.
    assert_eq!(http.calls("/channels/11").len(), 1);
}

#[tokio::test]
async fn what_was_not_taken_is_offered_again_while_the_heart_beats() {
    let gateway = FakeWs::start().await;
    let http = fake_discord(gateway.root()).await;
    let bot = adapter(&http, TOKEN);
    let door = TestDoor::default();
    door.refuse(1);
    let service = async {
        let mut link = ready(&gateway, 1500).await;
        link.say(&message("175928847299117063", 2)).await;
        assert_eq!(door.next().await.id, "175928847299117063");
        link.close(4014).await;
    };
    let (ended, ()) = soon(async { tokio::join!(bot.receive(&door), service) }).await;
    assert!(
        matches!(&ended, AdapterFailure::Settings { why, .. } if why.contains("Message Content Intent")),
        "{ended}"
    );
}

#[tokio::test]
async fn a_heart_that_is_not_heard_ends_the_connection() {
    let gateway = FakeWs::start().await;
    let http = fake_discord(gateway.root()).await;
    let bot = adapter(&http, TOKEN);
    let door = TestDoor::default();
    let service = async {
        let mut link = ready(&gateway, 100).await;
        link.hear_that(|f| f["op"] == 1).await;
        link
    };
    let (ended, _link) = soon(async { tokio::join!(bot.receive(&door), service) }).await;
    assert!(ended.to_string().contains("no heartbeat"), "{ended}");
}

#[tokio::test]
async fn a_gateway_elsewhere_gets_no_token() {
    let elsewhere = FakeWs::start().await;
    let address = elsewhere.root().replace("127.0.0.1", "localhost");
    let http = fake_discord(address).await;
    let bot = adapter(&http, TOKEN);
    let ended = soon(bot.receive(&TestDoor::default())).await;
    assert!(matches!(ended, AdapterFailure::Refused { .. }), "{ended:?}");
}

#[tokio::test]
async fn messages_go_out() {
    let http = fake_discord(String::new()).await;
    let bot = adapter(&http, TOKEN);
    let limited = soon(bot.send(&to("901"), &text("x"))).await.unwrap_err();
    assert_eq!(
        limited,
        AdapterFailure::RateLimited { service: "Discord", after: Duration::from_millis(250) }
    );
    let mut place = to("901");
    place.reply_to = Some("55".to_owned());
    let buttons = vec![Button { label: "Allow once".to_owned(), payload: "oc1-abc".to_owned() }];
    let out = Outgoing { text: "**hi** @everyone".to_owned(), buttons, file: None };
    assert_eq!(soon(bot.send_keyed(&place, &out, "key-1")).await.unwrap().id.as_deref(), Some("M1"));
    let call = http.calls("/messages").pop().unwrap().json();
    assert_eq!(call["content"].as_str(), Some("**hi** @everyone"));
    assert_eq!(call["allowed_mentions"]["parse"], json!([]));
    assert_eq!(call["message_reference"]["message_id"].as_str(), Some("55"));
    assert_eq!((call["nonce"].as_str().unwrap().len(), call["enforce_nonce"].as_bool()), (25, Some(true)));
    assert_eq!(call["components"][0]["components"][0]["custom_id"].as_str(), Some("oc1-abc"));
    bot.typing(&to("901")).await;
    assert_eq!(http.calls("/typing").len(), 1);
    for bad in ["general", "", "../users/@me", "1/2"] {
        let failed = soon(bot.send(&to(bad), &text("x"))).await;
        assert!(matches!(failed, Err(AdapterFailure::Refused { .. })), "{bad}");
    }
}

#[tokio::test]
async fn sp_400_a_press_is_acknowledged_only_when_it_is_answered() {
    let gateway = FakeWs::start().await;
    let http = fake_discord(gateway.root()).await;
    let bot = adapter(&http, TOKEN);
    let door = TestDoor::default();
    let service = async {
        let mut link = ready(&gateway, 1500).await;
        link.say(&json!({ "op": 0, "t": "INTERACTION_CREATE", "s": 2, "d": { "id": "9", "type": 3, "token": "press-token",
            "channel_id": "11", "user": { "id": "77" }, "data": { "component_type": 2, "custom_id": "oc1-x" } } })).await;
        let e = door.next().await;
        assert_eq!((e.message.event, e.payload.as_deref()), (EventKind::Button, Some("oc1-x")));
        bot.admitted(&e);
        // That of somebody else is not admitted.
        link.say(&json!({ "op": 0, "t": "INTERACTION_CREATE", "s": 3, "d": { "id": "10", "type": 2, "token": "other-token",
            "channel_id": "11", "user": { "id": "88" }, "data": { "name": "status" } } })).await;
        assert_eq!(door.next().await.message.event, EventKind::SlashCommand);
        link.close(4000).await;
    };
    soon(async { tokio::join!(bot.receive(&door), service) }).await;
    assert!(http.calls("/callback").is_empty());
    soon(bot.send(&to("12"), &text("elsewhere"))).await.unwrap();
    assert!(http.calls("/callback").is_empty());
    soon(bot.send(&to("11"), &text("done"))).await.unwrap();
    let calls = http.calls("/callback");
    assert_eq!((calls.len(), calls[0].path.as_str()), (1, "/interactions/9/press-token/callback"));
    assert_eq!(calls[0].json()["type"].as_u64(), Some(6));
    assert_eq!(calls[0].header("authorization"), None);
}

#[tokio::test]
async fn sp_011_a_refused_token_is_said_without_it() {
    let http = fake_discord(String::new()).await;
    let said = soon(adapter(&http, "wrong-token-987654").who()).await.unwrap_err().to_string();
    assert!(said.starts_with("Discord refuses the credential at channels.discord.token"), "{said}");
    assert!(!said.contains("wrong-token"), "{said}");
}

#[tokio::test]
async fn files_come_from_the_service_alone() {
    let http = fake_discord(String::new()).await;
    let bot = adapter(&http, TOKEN);
    for bad in ["http://169.254.169.254/x", "https://cdn.discordapp.com.evil.example/x", "file:///etc/passwd"]
    {
        let a = Attachment {
            kind: MediaKind::Document,
            name: None,
            media_type: None,
            bytes: None,
            handle: bad.to_owned(),
        };
        assert!(matches!(soon(bot.fetch(&a, 10)).await, Err(AdapterFailure::Refused { .. })), "{bad}");
    }
}
