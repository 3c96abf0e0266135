//! The Telegram adapter against telegram-test-api (npm, `.ci/install-telegram-test-api`): a message in each direction, a button.
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

#[path = "../../../crates/oc-channels/tests/support/door.rs"]
mod door;
#[path = "peer.rs"]
mod peer;

use std::process::Stdio;
use std::sync::Arc;

use door::{TestDoor, one, soon, text, to};
use oc_channels::adapter::{Button, Outgoing};
use oc_policy::inbound::{ConversationKind, EventKind};
use peer::{Peer, free_port, installed};
use serde_json::{Value, json};
use tokio::process::Command;

const TOKEN: &str = "4242:AAbb_cc-dd";

async fn server() -> Option<(Peer, u16)> {
    let dir = installed(
        "OPENCLAW_TELEGRAM_PEER",
        "openclaw-telegram-peer",
        "telegram-test-api",
        "node_modules/telegram-test-api",
    )?;
    let port = free_port();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/e2e/channels/telegram-server.cjs");
    let mut command = Command::new("node");
    command.arg(script).arg(dir).arg(port.to_string()).arg(TOKEN).stderr(Stdio::null());
    let mut peer = Peer::start(command);
    assert_eq!(peer.line().await["ready"], true);
    Some((peer, port))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_with_the_test_server() {
    let Some((mut peer, port)) = server().await else { return };
    let channels =
        json!({ "telegram": { "botToken": TOKEN, "apiRoot": format!("http://127.0.0.1:{port}") } });
    let adapter = one(&channels, std::path::Path::new("/nowhere"));
    let me = soon(adapter.who()).await.unwrap();
    assert_eq!(me.username.as_deref(), Some("TestNameBot"));
    let door = Arc::new(TestDoor::default());
    let running = {
        let (adapter, door) = (Arc::clone(&adapter), Arc::clone(&door));
        tokio::spawn(async move { adapter.receive(&*door).await })
    };
    peer.ask(&json!({ "say": "hello there" })).await;
    let e = door.next().await;
    assert_eq!((e.message.text.as_str(), e.message.kind), ("hello there", ConversationKind::Direct));
    assert_eq!(e.message.sender.id.as_ref().unwrap().as_str(), "111");
    assert_eq!(e.message.event, EventKind::Message);

    adapter.typing(&e.reply).await;
    soon(adapter.send(&to("111"), &text("**hi** <b>"))).await.unwrap();
    let got = peer.ask(&json!({ "updates": true })).await;
    let said: Vec<&Value> = got["result"].as_array().unwrap().iter().map(|u| &u["message"]["text"]).collect();
    assert_eq!(said, [&json!("<b>hi</b> &lt;b&gt;")]);

    let asked = Outgoing {
        text: "run it?".to_owned(),
        buttons: vec![Button { label: "Yes".to_owned(), payload: "ok:1".to_owned() }],
        file: None,
    };
    soon(adapter.send(&e.reply, &asked)).await.unwrap();
    let got = peer.ask(&json!({ "updates": true })).await;
    assert!(got.to_string().contains("ok:1"), "{got}");
    peer.ask(&json!({ "press": "ok:1" })).await;
    let pressed = door.next().await;
    assert_eq!((pressed.message.event, pressed.payload.as_deref()), (EventKind::Button, Some("ok:1")));
    assert!(!running.is_finished());
    running.abort();
}
