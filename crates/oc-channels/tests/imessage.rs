//! The iMessage adapter against a fake of the helper `imsg`.
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

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use door::{TestDoor, one, soon, text};
use oc_channels::adapter::{Adapter, AdapterFailure};
use oc_policy::inbound::ConversationKind;
use serde_json::{Value, json};

const FAKE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/fake-imsg");

fn adapter(log: &Path) -> Arc<dyn Adapter> {
    one(&json!({ "imessage": { "cliPath": FAKE, "dbPath": log } }), Path::new("/nowhere"))
}

fn asked(log: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_with_the_fake_helper() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("asked");
    let adapter = adapter(&log);
    soon(adapter.who()).await.unwrap();
    let door = Arc::new(TestDoor::default());
    door.refuse(1);
    let running = {
        let (adapter, door) = (Arc::clone(&adapter), Arc::clone(&door));
        tokio::spawn(async move { adapter.receive(&*door).await })
    };
    let direct = door.next().await;
    assert_eq!((direct.message.text.as_str(), direct.message.kind), ("hello", ConversationKind::Direct));
    let group = door.next().await;
    assert_eq!((group.message.kind, group.message.conversation.as_str()), (ConversationKind::Group, "9"));
    let sent = soon(adapter.send(&group.reply, &text("**hi** all"))).await.unwrap();
    assert_eq!(sent.id.as_deref(), Some("SENT"));
    let call = asked(&log).pop().unwrap();
    assert_eq!(call["params"], json!({ "chat_id": 9, "text": "hi all", "service": "auto" }));
    let refused = soon(adapter.send(&direct.reply, &text("refuse"))).await;
    assert!(matches!(refused, Err(AdapterFailure::Refused { .. })), "{refused:?}");

    // The helper ends: who waits hears it, and so does whoever runs the adapter.
    let lost = soon(adapter.send(&direct.reply, &text("crash"))).await;
    assert!(matches!(lost, Err(AdapterFailure::Unavailable { .. })), "{lost:?}");
    let end = tokio::time::timeout(Duration::from_secs(20), running).await.unwrap().unwrap();
    assert!(matches!(end, AdapterFailure::Unavailable { .. }), "{end}");
    let after = soon(adapter.send(&direct.reply, &text("x"))).await;
    assert!(matches!(after, Err(AdapterFailure::Unavailable { .. })), "{after:?}");

    // A new connection goes on after the last message that was offered.
    let again = {
        let (adapter, door) = (Arc::clone(&adapter), Arc::clone(&door));
        tokio::spawn(async move { adapter.receive(&*door).await })
    };
    door.next().await;
    let subscribed: Vec<Value> =
        asked(&log).into_iter().filter(|c| c["method"] == "watch.subscribe").collect();
    assert_eq!(
        (&subscribed[0]["params"]["since_rowid"], &subscribed[1]["params"]["since_rowid"]),
        (&Value::Null, &json!(42))
    );
    again.abort();
}
