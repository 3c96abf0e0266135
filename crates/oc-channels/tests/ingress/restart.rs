//! What a new process makes of what the old one left.

use std::sync::Arc;

use oc_channels::turn::Attempt;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::doubles::*;

fn config() -> Value {
    json!({
        "session": { "dmScope": "per-channel-peer" },
        "channels": { "telegram": { "dmPolicy": "open", "allowFrom": ["*"] } },
    })
}

/// Ends a world as a kill would: nothing is told to it. Its journal is on the disk already.
async fn killed(w: World) -> tempfile::TempDir {
    w.ingress.inbox().flush().await.unwrap();
    let World { dir, ingress, doors, .. } = w;
    let copy = tempfile::tempdir().unwrap();
    for (name, bytes) in files(dir.path()) {
        let to = copy.path().join(&name);
        oc_fs::mode::create_directories(to.parent().unwrap()).unwrap();
        oc_fs::atomic::replace(&to, &bytes).unwrap();
    }
    drop((ingress, doors));
    copy
}

#[tokio::test]
async fn what_was_acknowledged_is_answered_by_the_next_process() {
    let w = world(config());
    *w.turns.hold.lock().unwrap() = Some(Arc::new(Notify::new()));
    w.offer(direct("telegram", "1", "1", "begun")).await;
    w.turns.begun.reach(1).await;
    w.offer(direct("telegram", "2", "2", "too")).await;
    w.turns.begun.reach(2).await;
    w.offer(direct("telegram", "3", "1", "waits")).await;
    let w = in_dir(killed(w).await, config(), true);
    // The service delivers one of them again, as it does after a lost acknowledgement.
    w.offer(direct("telegram", "2", "2", "too")).await;
    assert_eq!(w.words(), ["drop duplicate"]);
    w.ingress.recover().await;
    w.idle().await;
    let mut said = w.service.texts();
    said.sort();
    assert!(
        said == ["echo: begun | waits", "echo: too"] || said == ["echo: begun", "echo: too", "echo: waits"],
        "{said:?}"
    );
    assert!(w.turns.turns.lock().unwrap().iter().any(|t| t.attempt == Attempt::Again));
    // And by nobody after that.
    let w = in_dir(killed(w).await, config(), true);
    w.ingress.recover().await;
    w.idle().await;
    assert_eq!(w.turns.begun.get() + w.service.sends.get(), 0);
    w.offer(direct("telegram", "1", "1", "begun")).await;
    assert_eq!(w.words(), ["drop duplicate"]);
}

#[tokio::test]
async fn a_turn_that_had_acted_is_not_run_again_and_the_person_is_told() {
    let w = world(config());
    *w.turns.hold.lock().unwrap() = Some(Arc::new(Notify::new()));
    *w.turns.act.lock().unwrap() = Some(Arc::new(Act(Box::new(|_, out| {
        Box::pin(async move {
            out.acting().await.unwrap();
            out.acting().await.unwrap();
            None
        })
    }))));
    w.offer(direct("telegram", "1", "1", "remove the old files")).await;
    w.turns.begun.reach(1).await;
    w.ingress.inbox().flush().await.unwrap();
    let w = in_dir(killed(w).await, config(), true);
    w.ingress.recover().await;
    w.idle().await;
    assert_eq!(w.turns.begun.get(), 0);
    assert_eq!(
        w.service.texts(),
        [
            "I was restarted while I worked on your message (\"remove the old files\"). What I had begun may be half done, and I do not repeat it by myself. Check it, then ask again."
        ]
    );
}

#[tokio::test]
async fn an_answer_that_may_have_arrived_is_repeated_only_where_keys_are_known() {
    for keyed in [true, false] {
        let w = in_dir(tempfile::tempdir().unwrap(), config(), keyed);
        *w.service.hold.lock().unwrap() = Some(Arc::new(Notify::new()));
        w.offer(direct("telegram", "1", "1", "hello")).await;
        w.turns.ended.reach(1).await;
        // The answer is on the disk; sending it hangs.
        let wait = async {
            while !journal(&w).contains(if keyed { "\"t\":\"answer\"" } else { "\"t\":\"sending\"" }) {
                w.ingress.inbox().flush().await.unwrap();
            }
        };
        tokio::time::timeout(DEADLINE, wait).await.unwrap();
        let w = in_dir(killed(w).await, config(), keyed);
        w.ingress.recover().await;
        w.idle().await;
        assert_eq!(w.turns.begun.get(), 0, "the turn is not run again");
        let said = w.service.texts();
        if keyed {
            assert_eq!(said, ["echo: hello"]);
            let key = w.service.last().key;
            assert!(
                key.len() <= 64
                    && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
                "{key}"
            );
        } else {
            assert_eq!(
                said,
                [
                    "I was restarted while I sent my last answer. If a part of it is missing, ask me again; I do not send it twice."
                ]
            );
        }
    }
}

fn journal(w: &World) -> String {
    files(w.dir.path()).into_iter().map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned()).collect()
}

#[tokio::test]
async fn who_is_no_longer_admitted_is_not_answered_after_a_restart() {
    let w = world(config());
    *w.turns.hold.lock().unwrap() = Some(Arc::new(Notify::new()));
    w.offer(direct("telegram", "1", "1", "hello")).await;
    w.turns.begun.reach(1).await;
    let mut closed = config();
    closed["channels"]["telegram"]["dmPolicy"] = "disabled".into();
    let w = in_dir(killed(w).await, closed, true);
    w.ingress.recover().await;
    w.idle().await;
    assert_eq!(w.turns.begun.get() + w.service.sends.get(), 0);
}

#[tokio::test]
async fn a_command_that_was_acknowledged_is_carried_out() {
    let w = world(config());
    *w.service.hold.lock().unwrap() = Some(Arc::new(Notify::new()));
    w.offer(direct("telegram", "1", "1", "/whoami")).await;
    let w = in_dir(killed(w).await, config(), true);
    w.ingress.recover().await;
    w.idle().await;
    assert_eq!(w.service.sends.get(), 1);
    assert!(w.service.last().text.starts_with("Channel: telegram"));
}
