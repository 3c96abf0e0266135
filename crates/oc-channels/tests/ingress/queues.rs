//! Lanes: one turn a session, a cap over all, what waits.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use oc_channels::turn::{Reply, StopCause, TurnOutcome};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::doubles::*;

fn open(more: Value) -> Value {
    let mut config = json!({
        "session": { "dmScope": "per-channel-peer" },
        "channels": { "telegram": { "dmPolicy": "open", "allowFrom": ["*"] }, "signal": { "dmPolicy": "open", "allowFrom": ["*"] } },
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        config[key] = value.clone();
    }
    config
}

fn hold(w: &World) -> Arc<Notify> {
    let hold = Arc::new(Notify::new());
    *w.turns.hold.lock().unwrap() = Some(Arc::clone(&hold));
    hold
}

fn release(w: &World, hold: &Notify) {
    *w.turns.hold.lock().unwrap() = None;
    hold.notify_waiters();
    hold.notify_one();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_turn_of_a_session_at_a_time_and_at_most_four_over_all() {
    let w = world(open(json!({})));
    let gate = hold(&w);
    for i in 0..8 {
        for s in 0..8 {
            w.offer(direct("telegram", &format!("{s}-{i}"), &format!("{s}"), &format!("m{i}"))).await;
        }
    }
    w.turns.begun.reach(4).await;
    assert_eq!(w.turns.begun.get(), 4);
    release(&w, &gate);
    gate.notify_waiters();
    for _ in 0..8 {
        gate.notify_one();
        tokio::task::yield_now().await;
    }
    let wait = async {
        while w.ingress.inbox().waiting() > 0 {
            gate.notify_waiters();
            w.ingress.inbox().flush().await.unwrap();
        }
    };
    tokio::time::timeout(DEADLINE, wait).await.unwrap();
    assert_eq!(w.turns.overlapped.load(Ordering::SeqCst), 0);
    assert_eq!(w.turns.most.load(Ordering::SeqCst), 4);
    // Order within a session.
    for s in 0..8 {
        let turns = w.turns.turns.lock().unwrap();
        let mine = turns.iter().filter(|t| t.session().as_str().ends_with(&format!(":{s}")));
        let texts: Vec<String> = mine.flat_map(|t| t.messages.iter().map(|m| m.text.clone())).collect();
        assert_eq!(texts, (0..8).map(|i| format!("m{i}")).collect::<Vec<_>>(), "session {s}");
    }
}

#[tokio::test]
async fn collected_messages_make_one_turn_and_followups_one_each() {
    for (mode, turns) in
        [("collect", vec![vec!["a"], vec!["b", "c"]]), ("followup", vec![vec!["a"], vec!["b"], vec!["c"]])]
    {
        let w = world(open(json!({ "messages": { "queue": { "mode": mode, "debounceMs": 0 } } })));
        let gate = hold(&w);
        w.offer(direct("telegram", "1", "1", "a")).await;
        w.turns.begun.reach(1).await;
        w.offer(direct("telegram", "2", "1", "b")).await;
        w.offer(direct("telegram", "3", "1", "c")).await;
        release(&w, &gate);
        w.idle().await;
        assert_eq!(w.turns.texts(), turns, "{mode}");
        assert_eq!(w.service.sends.get(), turns.len());
    }
}

#[tokio::test]
async fn what_is_answered_in_different_places_is_not_collected() {
    // Everybody's direct chats share one session.
    let mut config = open(json!({}));
    config["session"]["dmScope"] = "main".into();
    let w = world(config);
    let gate = hold(&w);
    w.offer(direct("telegram", "1", "1", "a")).await;
    w.turns.begun.reach(1).await;
    for (channel, id, sender, text) in [
        ("telegram", "2", "1", "b"),
        ("telegram", "3", "1", "c"),
        ("telegram", "4", "2", "d"),
        ("signal", "5", "+15551110002", "e"),
        ("telegram", "6", "1", "f"),
    ] {
        w.offer(direct(channel, id, sender, text)).await;
    }
    release(&w, &gate);
    w.idle().await;
    assert_eq!(w.turns.texts(), [vec!["a"], vec!["b", "c"], vec!["d"], vec!["e"], vec!["f"]]);
    let said = w.service.said.lock().unwrap().clone();
    let to: Vec<&str> = said.iter().map(|s| s.to.conversation.as_str()).collect();
    assert_eq!(to, ["1", "1", "2", "+15551110002", "1"]);
}

#[tokio::test]
async fn steering_hands_a_message_to_the_running_turn_or_lets_it_wait() {
    for (mode, takes, texts, steered) in [
        ("steer", true, vec![vec!["a"]], 1),
        ("steer", false, vec![vec!["a"], vec!["b"]], 0),
        ("steer-backlog", true, vec![vec!["a"], vec!["b"]], 1),
    ] {
        let w = world(open(json!({ "messages": { "queue": { "mode": mode, "debounceMs": 0 } } })));
        *w.turns.takes_steering.lock().unwrap() = takes;
        let gate = hold(&w);
        w.offer(direct("telegram", "1", "1", "a")).await;
        w.turns.begun.reach(1).await;
        w.offer(direct("telegram", "2", "1", "b")).await;
        assert_eq!(w.turns.steers.lock().unwrap().len(), steered, "{mode}");
        release(&w, &gate);
        w.idle().await;
        assert_eq!(w.turns.texts(), texts, "{mode} {takes}");
    }
}

#[tokio::test]
async fn a_message_that_the_turn_has_not_read_waits_for_a_turn_of_its_own() {
    for (mode, texts) in
        [("steer", vec![vec!["a"], vec!["b"]]), ("steer-backlog", vec![vec!["a"], vec!["b"]])]
    {
        let w = world(open(json!({ "messages": { "queue": { "mode": mode, "debounceMs": 0 } } })));
        *w.turns.takes_steering.lock().unwrap() = true;
        let go = Arc::new(tokio::sync::Notify::new());
        let gone = Arc::clone(&go);
        let act = Act(Box::new(move |turn, out| {
            let go = Arc::clone(&gone);
            let first = turn.messages[0].text == "a";
            Box::pin(async move {
                if first {
                    go.notified().await;
                    out.unread(vec!["2".to_owned(), "never".to_owned()]).await;
                }
                None
            })
        }));
        *w.turns.act.lock().unwrap() = Some(Arc::new(act));
        w.offer(direct("telegram", "1", "1", "a")).await;
        w.turns.begun.reach(1).await;
        w.offer(direct("telegram", "2", "1", "b")).await;
        assert_eq!(w.turns.steers.lock().unwrap().len(), 1, "{mode}");
        go.notify_one();
        w.idle().await;
        assert_eq!(w.turns.texts(), texts, "{mode}");
        assert_eq!(w.service.sends.get(), 2, "{mode}: {:?}", w.service.texts());
        assert_eq!(w.ingress.inbox().waiting(), 0, "{mode}");
    }
}

#[tokio::test]
async fn interrupt_ends_the_running_turn_for_the_newer_message() {
    let w = world(open(json!({ "messages": { "queue": { "mode": "interrupt", "debounceMs": 0 } } })));
    hold(&w);
    w.offer(direct("telegram", "1", "1", "a")).await;
    w.turns.begun.reach(1).await;
    *w.turns.hold.lock().unwrap() = None;
    w.offer(direct("telegram", "2", "1", "b")).await;
    w.idle().await;
    assert_eq!(w.turns.stops.lock().unwrap()[0].1, StopCause::Newer);
    assert_eq!(w.turns.texts(), [vec!["a"], vec!["b"]]);
    assert_eq!(w.service.texts(), ["echo: b"]);
}

#[tokio::test]
async fn a_full_queue_has_an_answer() {
    for (rule, turns, said) in [
        (
            "old",
            vec!["a", "c", "d"],
            vec![
                "I am still busy: an earlier message of yours was dropped for a newer one.",
                "echo: a",
                "echo: c | d",
            ],
        ),
        (
            "new",
            vec!["a", "b", "c"],
            vec![
                "I am still busy with your earlier messages and did not take this one. Send it again later, or /stop.",
                "echo: a",
                "echo: b | c",
            ],
        ),
        ("summarize", vec!["a", "c", "d"], vec!["echo: a", "echo: c | d"]),
    ] {
        let w = world(open(json!({ "messages": { "queue": { "cap": 2, "drop": rule, "debounceMs": 0 } } })));
        let gate = hold(&w);
        w.offer(direct("telegram", "1", "1", "a")).await;
        w.turns.begun.reach(1).await;
        for (id, text) in [("2", "b"), ("3", "c"), ("4", "d")] {
            w.offer(direct("telegram", id, "1", text)).await;
        }
        if rule != "summarize" {
            w.service.sends.reach(1).await;
        }
        release(&w, &gate);
        w.idle().await;
        assert_eq!(w.turns.texts().concat(), turns, "{rule}");
        assert_eq!(w.service.texts(), said, "{rule}");
        let summarized = w.turns.last().summarized;
        assert_eq!(summarized, if rule == "summarize" { vec!["b"] } else { vec![] });
    }
}

#[tokio::test]
async fn texts_of_one_sender_within_the_debounce_are_one_message_and_never_those_of_two() {
    let mut config = json!({
        "messages": { "inbound": { "debounceMs": 200 }, "queue": { "debounceMs": 0 } },
        "channels": { "telegram": { "groupPolicy": "open", "groups": { "-1": { "requireMention": false } } } },
    });
    config["session"] = json!({});
    let w = world(config);
    for (id, sender, text) in [("1", "1", "a"), ("2", "1", "b"), ("3", "2", "c"), ("4", "1", "d")] {
        w.offer(room("telegram", id, "-1", sender, text)).await;
    }
    assert_eq!(w.turns.begun.get(), 0, "it waits for more");
    w.clock.advance(200);
    // Another one ends nothing: the pause counts from the last.
    w.turns.begun.reach(1).await;
    w.idle().await;
    let turn = w.turns.last();
    let got: Vec<(&str, &str)> =
        turn.messages.iter().map(|m| (m.sender.id.as_ref().unwrap().as_str(), m.text.as_str())).collect();
    assert_eq!(got, [("1", "a\nb"), ("2", "c"), ("1", "d")]);
}

#[tokio::test]
async fn a_defect_of_the_runtime_is_told_to_the_person_and_ends_nothing_else() {
    let w = world(open(json!({})));
    *w.turns.act.lock().unwrap() = Some(Arc::new(Act(Box::new(|turn, _| {
        let broken = turn.messages[0].text == "boom";
        Box::pin(async move {
            assert!(!broken, "a defect");
            None
        })
    }))));
    w.offer(direct("telegram", "1", "1", "boom")).await;
    w.service.sends.reach(1).await;
    w.offer(direct("telegram", "2", "1", "hello")).await;
    w.idle().await;
    assert_eq!(
        w.service.texts(),
        [
            "Something went wrong inside of me, and your message was not answered. The log says more.",
            "echo: hello"
        ]
    );
    assert_eq!(w.observer.failures.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn nothing_is_sent_for_a_silent_answer_or_when_the_policy_says_so() {
    let w = world(open(
        json!({ "session": { "sendPolicy": { "rules": [{ "action": "deny", "match": { "channel": "signal" } }] } } }),
    ));
    for (text, sends) in [("NO_REPLY", 0), (" HEARTBEAT_OK\n", 0), ("", 0), ("NO_REPLY, really", 1)] {
        let answer = text.to_owned();
        *w.turns.act.lock().unwrap() = Some(Arc::new(Act(Box::new(move |_, _| {
            let answer = answer.clone();
            Box::pin(async move { Some(TurnOutcome::Answer(Reply::text(answer))) })
        }))));
        w.offer(direct("telegram", text, "1", "hello")).await;
        if text.trim().is_empty() {
            // The blank id was dropped.
            w.offer(direct("telegram", "blank", "1", "hello")).await;
        }
        w.idle().await;
        assert_eq!(w.service.sends.get(), sends, "{text:?}");
    }
    w.offer(direct("signal", "s", "+15551110001", "hello")).await;
    w.idle().await;
    assert_eq!(w.service.sends.get(), 1, "the run goes on, the answer stays here");
    assert!(w.observer.failures.lock().unwrap()[0].contains("session.sendPolicy.rules[0]"));
}

#[tokio::test]
async fn a_message_of_ten_megabytes_is_answered_and_not_run() {
    let w = world(open(json!({})));
    w.offer(direct("telegram", "1", "1", &"x".repeat(10 * 1024 * 1024))).await;
    w.idle().await;
    assert_eq!(w.service.texts(), ["Your message is too long for me. Send it in parts, or as a file."]);
    assert_eq!(w.turns.begun.get(), 0);
}

#[tokio::test]
async fn what_waits_is_decided_again_before_it_runs() {
    let w = world(open(json!({})));
    hold(&w);
    w.offer(direct("telegram", "1", "1", "a")).await;
    w.turns.begun.reach(1).await;
    w.offer(direct("telegram", "2", "1", "b")).await;
    let mut closed = open(json!({}));
    closed["channels"]["telegram"]["dmPolicy"] = "disabled".into();
    w.reload(closed);
    w.idle().await;
    assert_eq!(w.turns.texts(), [vec!["a"]]);
    assert_eq!(w.turns.stops.lock().unwrap()[0].1, StopCause::Access);
    assert_eq!(w.service.sends.get(), 0);
}

#[tokio::test]
async fn a_flood_is_told_once_that_the_queue_is_full() {
    let w = world(open(json!({ "messages": { "queue": { "cap": 1, "drop": "new", "debounceMs": 0 } } })));
    let gate = hold(&w);
    w.offer(direct("telegram", "1", "1", "a")).await;
    w.turns.begun.reach(1).await;
    for i in 0..200 {
        w.offer(direct("telegram", &format!("f{i}"), "1", "flood")).await;
    }
    release(&w, &gate);
    w.idle().await;
    assert_eq!(w.service.sends.get(), 3, "{:?}", w.service.texts());
    assert_eq!(w.turns.texts(), [vec!["a"], vec!["flood"]]);
}

#[tokio::test]
async fn a_session_that_is_occupied_from_elsewhere_waits() {
    let w = world(open(json!({})));
    let session = oc_policy::session_key::SessionKey::parse("agent:main:telegram:direct:1").unwrap();
    let occupied = w.ingress.occupy(&session).await;
    w.offer(direct("telegram", "1", "1", "a")).await;
    w.offer(direct("telegram", "2", "2", "b")).await;
    w.service.sends.reach(1).await;
    assert_eq!(w.turns.texts(), [vec!["b"]]);
    drop(occupied);
    w.idle().await;
    assert_eq!(w.turns.texts(), [vec!["b"], vec!["a"]]);
    w.ingress.close();
    assert_eq!(w.offer(direct("telegram", "3", "1", "c")).await, oc_channels::adapter::Taken::Later);
}
