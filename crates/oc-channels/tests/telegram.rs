//! The Telegram adapter against a fake of the Bot API: what the test server from npm does not simulate.
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
use std::time::Duration;

use door::{TestDoor, one, soon, text, to};
use fake_http::{FakeHttp, Reply, Request};
use oc_channels::adapter::{Adapter, AdapterFailure, Attachment, Button, MediaKind, Outgoing, OutgoingFile};
use oc_policy::inbound::{ConversationKind, EventKind};
use serde_json::{Value, json};
use tokio::sync::Notify;

const TOKEN: &str = "4242:AAbb_cc-dd";

/// The fake: updates that wait to be acknowledged, and answers that a test asks for.
#[derive(Default)]
struct FakeTelegram {
    updates: Mutex<Vec<Value>>,
    changed: Notify,
    /// Method, and the answer it gives, once each.
    answers: Mutex<Vec<(&'static str, u16, Value)>>,
}

impl FakeTelegram {
    fn push(&self, update: Value) {
        self.updates.lock().unwrap().push(update);
        self.changed.notify_waiters();
    }

    fn next_answer(&self, method: &'static str, status: u16, answer: Value) {
        self.answers.lock().unwrap().push((method, status, answer));
    }

    async fn reply(&self, request: &Request) -> Reply {
        let method = request.path.rsplit('/').next().unwrap_or_default().to_owned();
        if !request.path.starts_with(&format!("/bot{TOKEN}/")) && !request.path.starts_with("/file/") {
            return Reply::Json(404, json!({ "ok": false, "error_code": 404, "description": "Not Found" }));
        }
        {
            let mut answers = self.answers.lock().unwrap();
            if let Some(at) = answers.iter().position(|(m, ..)| *m == method) {
                let (_, status, answer) = answers.remove(at);
                return Reply::Json(status, answer);
            }
        }
        let ok = |result: Value| Reply::Json(200, json!({ "ok": true, "result": result }));
        match method.as_str() {
            "getMe" => ok(json!({ "id": 4242, "is_bot": true, "username": "OurBot" })),
            "getUpdates" => ok(self.updates_from(request.json()["offset"].as_i64().unwrap_or(0)).await),
            "sendMessage" | "sendPhoto" | "sendDocument" => ok(json!({ "message_id": 55 })),
            "getFile" => ok(json!({ "file_id": "f", "file_path": "photos/a b.jpg" })),
            _ => ok(json!(true)),
        }
    }

    async fn updates_from(&self, offset: i64) -> Value {
        let until = tokio::time::Instant::now() + Duration::from_secs(5);
        loop {
            let changed = self.changed.notified();
            let found: Vec<Value> = {
                let mut updates = self.updates.lock().unwrap();
                updates.retain(|u| u["update_id"].as_i64().unwrap_or(0) >= offset);
                updates.clone()
            };
            if !found.is_empty() || tokio::time::timeout_at(until, changed).await.is_err() {
                return found.into();
            }
        }
    }
}

async fn start() -> (Arc<FakeTelegram>, FakeHttp, Arc<dyn Adapter>) {
    let fake = Arc::new(FakeTelegram::default());
    let own = Arc::clone(&fake);
    let http = FakeHttp::start(move |request| {
        let fake = Arc::clone(&own);
        Box::pin(async move { fake.reply(&request).await })
    })
    .await;
    let adapter = bot(&http, &json!({}));
    (fake, http, adapter)
}

fn bot(http: &FakeHttp, more: &Value) -> Arc<dyn Adapter> {
    let mut channel = json!({ "botToken": TOKEN, "apiRoot": http.root() });
    channel.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    one(&json!({ "telegram": channel }), Path::new("/nowhere"))
}

fn message(id: i64, extra: &Value) -> Value {
    let mut m = json!({ "message_id": id, "date": 1, "from": { "id": 11, "first_name": "A" },
        "chat": { "id": -100, "type": "supergroup", "title": "Team" }, "text": "hi" });
    m.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    json!({ "update_id": id, "message": m })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_is_acknowledged_after_it_was_taken() {
    let (fake, http, adapter) = start().await;
    let door = Arc::new(TestDoor::default());
    door.refuse(1);
    fake.push(message(
        30,
        &json!({ "text": "@OurBot hello", "entities": [{ "type": "mention", "offset": 0, "length": 7 }] }),
    ));
    let running = {
        let (adapter, door) = (Arc::clone(&adapter), Arc::clone(&door));
        tokio::spawn(async move { adapter.receive(&*door).await })
    };
    let e = door.next().await;
    assert_eq!(e.message.kind, ConversationKind::Group);
    assert_eq!(e.message.mentions.bot, Some(true));
    let polls = http.wait_for("getUpdates", 3).await;
    let offsets: Vec<Value> = polls.iter().map(|p| p.json()["offset"].clone()).collect();
    assert_eq!(offsets[..3], [Value::Null, Value::Null, json!(31)], "the refused one came again");
    assert_eq!(http.calls("deleteWebhook").len(), 1);
    // What the test has not said is not asked for.
    assert!(polls[0].json()["allowed_updates"].as_array().unwrap().contains(&json!("message_reaction")));
    running.abort();
}

#[tokio::test]
async fn failures_are_told_apart_and_show_no_token() {
    let (fake, http, adapter) = start().await;
    let door = TestDoor::default();
    let error = |code: u16, text: &str| json!({ "ok": false, "error_code": code, "description": text });
    fake.next_answer("getUpdates", 409, error(409, "Conflict: terminated by other getUpdates request"));
    let e = soon(adapter.receive(&door)).await;
    assert!(matches!(e, AdapterFailure::Conflict { .. }), "{e}");
    let mut limited = error(429, "Too Many Requests: retry after 7");
    limited["parameters"] = json!({ "retry_after": 7 });
    fake.next_answer("sendMessage", 429, limited);
    let e = adapter.send(&to("11"), &text("x")).await.unwrap_err();
    assert_eq!(e, AdapterFailure::RateLimited { service: "Telegram", after: Duration::from_secs(7) });
    fake.next_answer("sendMessage", 403, error(403, "Forbidden: bot was blocked by the user"));
    let e = adapter.send(&to("11"), &text("x")).await.unwrap_err();
    assert!(matches!(e, AdapterFailure::Refused { .. }), "{e}");
    fake.next_answer("sendMessage", 502, json!(null));
    let e = adapter.send(&to("11"), &text("x")).await.unwrap_err();
    assert!(matches!(e, AdapterFailure::Unavailable { .. }), "{e}");
    fake.next_answer("getMe", 401, error(401, &format!("Unauthorized {TOKEN}")));
    let e = adapter.who().await.unwrap_err();
    assert!(matches!(e, AdapterFailure::Credential { .. }), "{e}");
    assert!(e.to_string().contains("channels.telegram.botToken") && !e.to_string().contains("AAbb"), "{e}");
    let other =
        one(&json!({ "telegram": { "botToken": "1:other", "apiRoot": http.root() } }), Path::new("/nowhere"));
    assert!(matches!(other.who().await, Err(AdapterFailure::Credential { .. })));
}

#[tokio::test]
async fn text_goes_out_as_html_and_once_more_plain_when_it_is_not_taken() {
    let (fake, http, adapter) = start().await;
    let said = "**a** < `b` [l](https://e.org)";
    let sent = adapter.send(&to("11"), &text(said)).await.unwrap();
    assert_eq!(sent.id.as_deref(), Some("55"));
    let refusal =
        json!({ "ok": false, "error_code": 400, "description": "Bad Request: can't parse entities: x" });
    fake.next_answer("sendMessage", 400, refusal);
    adapter.send(&to("11"), &text(said)).await.unwrap();
    let calls: Vec<Value> = http.calls("sendMessage").iter().map(Request::json).collect();
    assert_eq!(calls.len(), 3);
    assert_eq!(calls[0]["text"], "<b>a</b> &lt; <code>b</code> <a href=\"https://e.org\">l</a>");
    assert_eq!((&calls[1]["parse_mode"], &calls[2]["parse_mode"]), (&json!("HTML"), &Value::Null));
    assert_eq!(calls[2]["text"], "a < b l (https://e.org)");
    assert!(adapter.send(&to("@name"), &text(said)).await.is_err());
}

#[tokio::test]
async fn sp_422_a_file_is_cut_off_while_it_streams() {
    let sent = Arc::new(Mutex::new(0usize));
    let counted = Arc::clone(&sent);
    let http = FakeHttp::start(move |request| {
        let sent = Arc::clone(&counted);
        Box::pin(async move {
            if request.path.starts_with("/file/") {
                assert!(request.path.ends_with("/photos/a%20b.jpg"), "{}", request.path);
                return Reply::Flood { size: 64 * 1024, count: 4096, sent };
            }
            Reply::Json(
                200,
                json!({ "ok": true, "result": { "file_path": "photos/a b.jpg", "file_size": 10 } }),
            )
        })
    })
    .await;
    let adapter = bot(&http, &json!({}));
    let file = Attachment {
        kind: MediaKind::Image,
        name: None,
        media_type: None,
        bytes: Some(10),
        handle: "f".to_owned(),
    };
    let e = adapter.fetch(&file, 1_000_000).await.unwrap_err();
    assert!(matches!(e, AdapterFailure::Refused { .. }), "{e}");
    // Buffers of both ends take some; the 256 MiB were never taken.
    assert!(*sent.lock().unwrap() < 64 * 1024 * 1024, "{}", sent.lock().unwrap());
}

#[tokio::test]
async fn a_file_of_the_services_disk_is_not_asked_for() {
    let (fake, http, adapter) = start().await;
    let file = Attachment {
        kind: MediaKind::Image,
        name: None,
        media_type: None,
        bytes: None,
        handle: "f".to_owned(),
    };
    for path in ["/var/lib/telegram/x", "../x", "a//b", ""] {
        fake.next_answer("getFile", 200, json!({ "ok": true, "result": { "file_path": path } }));
        assert!(adapter.fetch(&file, 100).await.is_err(), "{path}");
    }
    assert!(http.seen().iter().all(|r| !r.path.starts_with("/file/")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_400_a_press_is_acknowledged_only_once_somebody_acts_on_it() {
    let (fake, http, adapter) = start().await;
    let door = Arc::new(TestDoor::default());
    fake.push(
        json!({ "update_id": 9, "callback_query": { "id": "press-1", "from": { "id": 11 }, "data": "ok:1",
        "message": { "message_id": 4, "chat": { "id": -100, "type": "group" } } } }),
    );
    let running = {
        let (adapter, door) = (Arc::clone(&adapter), Arc::clone(&door));
        tokio::spawn(async move { adapter.receive(&*door).await })
    };
    let e = door.next().await;
    assert_eq!((e.message.event, e.payload.as_deref()), (EventKind::Button, Some("ok:1")));
    assert_eq!(e.message.sender.id.as_ref().unwrap().as_str(), "11");
    http.wait_for("getUpdates", 2).await;
    assert!(http.calls("answerCallbackQuery").is_empty(), "nobody has admitted it");
    adapter.typing(&e.reply).await;
    assert!(http.calls("answerCallbackQuery").is_empty(), "what is said there is said to somebody else");
    adapter.admitted(&e);
    adapter.typing(&to("-5")).await;
    assert!(http.calls("answerCallbackQuery").is_empty(), "another conversation");
    adapter.typing(&e.reply).await;
    assert_eq!(http.calls("answerCallbackQuery")[0].json()["callback_query_id"], "press-1");
    running.abort();
}

#[tokio::test]
async fn buttons_files_and_topics_go_out() {
    let (_fake, http, adapter) = start().await;
    let button = |n: usize| Button { label: format!("B{n}"), payload: format!("p{n}") };
    let mut out = Outgoing { text: "choose".to_owned(), buttons: (0..4).map(button).collect(), file: None };
    let mut place = to("-100");
    place.thread = Some("3".to_owned());
    place.reply_to = Some("8".to_owned());
    adapter.send(&place, &out).await.unwrap();
    let call = http.calls("sendMessage")[0].json();
    assert_eq!(call["message_thread_id"], 3);
    assert_eq!(call["reply_parameters"]["message_id"], 8);
    assert_eq!(call["reply_markup"]["inline_keyboard"].as_array().unwrap().len(), 2);
    out.buttons[0].payload = "x".repeat(65);
    assert!(matches!(adapter.send(&place, &out).await, Err(AdapterFailure::Refused { .. })));
    let file = OutgoingFile {
        name: "a\"b.png".to_owned(),
        media_type: "image/png".to_owned(),
        bytes: b"PNG".to_vec(),
    };
    let with_file = Outgoing { text: "see **it**".to_owned(), buttons: Vec::new(), file: Some(file) };
    adapter.send(&place, &with_file).await.unwrap();
    let body = http.calls("sendPhoto")[0].text();
    assert!(body.contains("see <b>it</b>") && body.contains("filename=\"a_b.png\""), "{body}");
    let off = bot(&http, &json!({ "capabilities": { "inlineButtons": "off" }, "linkPreview": false }));
    out.buttons[0].payload = "p".to_owned();
    off.send(&to("11"), &out).await.unwrap();
    let call = http.calls("sendMessage")[1].json();
    assert!(call["reply_markup"].is_null() && !off.features().buttons);
    assert_eq!(call["link_preview_options"]["is_disabled"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_is_registered_with_its_secret() {
    let (_fake, http, _) = start().await;
    let secret = "hook-secret-0123456789";
    let adapter = bot(&http, &json!({ "webhookUrl": "https://bot.example.org/tg", "webhookSecret": secret }));
    let door = Arc::new(TestDoor::default());
    let running = {
        let (adapter, door) = (Arc::clone(&adapter), Arc::clone(&door));
        tokio::spawn(async move { adapter.receive(&*door).await })
    };
    let call = http.wait_for("setWebhook", 1).await[0].json();
    assert_eq!(
        (call["url"].as_str(), call["secret_token"].as_str()),
        (Some("https://bot.example.org/tg"), Some(secret))
    );
    assert!(http.calls("getUpdates").is_empty() && !running.is_finished());
    running.abort();
}
