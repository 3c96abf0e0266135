//! What ends with a session, and what one stop does not reach.

use std::sync::Arc;

use oc_agent::session::Session;
use oc_agent::turn::said::{People, PersonMessage, Said};
use oc_agent::turn::{Abort, Ended, NoSink};
use oc_approval::life_cycle::State;
use oc_channels::adapter::Taken;
use oc_fs::session_store::SessionStoreFailure;
use oc_gateway::assistant::outside::{self, carry_out};
use oc_gateway::assistant::runs::Standing;
use oc_gateway::assistant::runtime::{Conversation, NotBegun, Unnoted};
use oc_policy::owner_only::Ownership;
use oc_sandbox::gate::CallSender;
use oc_types::AgentId;

use super::chat::{message, service};
use super::*;

/// What the ledger holds of the commands of a session. A line that is being written is not there yet.
fn of_exec(stage: &Stage, session: &str) -> Vec<String> {
    let lines = read(&stage.world.state_dir().join("ledger")).unwrap();
    let records = lines.into_iter().filter_map(|l| l.record.ok()).map(|r| r.entry);
    records.filter(|e| e.subject == "tool:exec" && e.session == session).map(|e| e.verdict).collect()
}

/// The states of what a session asked.
async fn asked(stage: &Stage, session: &str) -> Vec<State> {
    let (queue, session) = (stage.world.gateway.queue.clone(), session.to_owned());
    let records = tokio::task::spawn_blocking(move || queue.records().unwrap()).await.unwrap();
    records.into_iter().filter(|r| r.request.session() == session).map(|r| r.state).collect()
}

async fn until_asked(stage: &Stage, session: &str, holds: impl Fn(&[State]) -> bool) {
    let deadline = Instant::now() + LONG;
    loop {
        let states = asked(stage, session).await;
        if holds(&states) {
            return;
        }
        assert!(Instant::now() < deadline, "{session}: {states:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A question in the name of a session, of which no turn runs.
async fn ask(stage: &mut Stage, session: &str) {
    let wants = json!({ "command": "make all", "cwd": "/tmp", "sessionKey": session });
    let request = json!({ "type": "req", "id": session, "method": "exec.approval.request", "params": wants });
    stage.client.send_text(&request.to_string()).await;
    until_asked(stage, session, |s| matches!(s, [State::Pending])).await;
    assert!(!stage.world.gateway.assistant().unwrap().is_running(session));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_ends_with_its_session_though_no_turn_runs() {
    let mut stage = Stage::start(json!({}), |_| Reply::text("Here.")).await;
    let stays = "agent:main:stays";
    ask(&mut stage, stays).await;
    let said = |key: &str, text: &str| json!({ "sessionKey": key, "message": text, "idempotencyKey": text });
    let of = |key: &str| json!({ "key": key });
    let ways = [
        ("chat.abort", json!({ "sessionKey": "agent:main:w0" })),
        ("chat.send", said("agent:main:w1", "/stop")),
        ("chat.send", said("agent:main:w2", "/new")),
        ("sessions.reset", of("agent:main:w3")),
        ("sessions.delete", of("agent:main:w4")),
    ];
    let assistant = stage.world.gateway.assistant().unwrap();
    for (n, (method, params)) in ways.into_iter().enumerate() {
        let key = format!("agent:main:w{n}");
        assert_eq!(stage.say(&key, "be there").await, "Here.");
        ask(&mut stage, &key).await;
        let outlived = assistant.taken_over().begin(&key);
        let answer = stage.client.call(method, params).await;
        assert_eq!(answer["ok"], true, "{answer}");
        let states = asked(&stage, &key).await;
        assert!(matches!(states[..], [State::Denied { .. }]), "{method}: {states:?}");
        tokio::time::timeout(LONG, outlived.stopped()).await.expect(method);
    }
    let states = asked(&stage, stays).await;
    assert!(matches!(states[..], [State::Pending]), "another session's question waits: {states:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_ends_when_the_session_is_begun_anew_by_itself() {
    let mut stage = Stage::start(json!({}), |_| Reply::text("Here.")).await;
    let key = "agent:main:main";
    assert_eq!(stage.say(key, "be there").await, "Here.");
    ask(&mut stage, key).await;
    assert_eq!(stage.say(key, "again").await, "Here.");
    assert!(matches!(asked(&stage, key).await[..], [State::Pending]), "the session goes on");
    let store = stage.world.gateway.snapshot().place().store(&AgentId::normalized("main"));
    store
        .change(|all| {
            all[key]["updatedAt"] = 1.into();
            Ok::<_, SessionStoreFailure>(())
        })
        .unwrap();
    assert_eq!(stage.say(key, "the next day").await, "Here.");
    let states = asked(&stage, key).await;
    assert!(matches!(states[..], [State::Denied { .. }]), "{states:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stop_in_a_chat_ends_what_waits_though_no_turn_runs() {
    let config =
        json!({ "channels": { "discord": { "dm": { "policy": "allowlist", "allowFrom": ["7"] } } } });
    let mut stage = Stage::start(config, |_| Reply::text("Here.")).await;
    let (fake, door) = service(&stage).await;
    assert_eq!(door.offer(message("1", "be there")).await, Taken::Done);
    until("it is answered", || fake.sent_to("100") == ["Here."]).await;
    for (n, word) in [(0, "/stop"), (1, "/new")] {
        let key = "agent:main:main";
        let id = format!("q{n}");
        let wants = json!({ "command": "make all", "cwd": "/tmp", "sessionKey": key });
        let request = json!({ "type": "req", "id": id, "method": "exec.approval.request", "params": wants });
        stage.client.send_text(&request.to_string()).await;
        until_asked(&stage, key, |s| s.iter().any(|s| matches!(s, State::Pending))).await;
        assert_eq!(door.offer(message(&id, word)).await, Taken::Done);
        until("it is said", || fake.sent_to("100").len() == n + 2).await;
        let states = asked(&stage, key).await;
        assert!(states.iter().all(|s| matches!(s, State::Denied { .. })), "{word}: {states:?}");
    }
    assert_eq!(fake.sent_to("100")[1], "Stopped.");
    assert_eq!(door.offer(message("3", "/stop")).await, Taken::Done);
    until("it is said", || fake.sent_to("100").len() == 4).await;
    assert_eq!(fake.sent_to("100")[3], "Nothing was running.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_outlived_its_turn_ends_with_the_session() {
    let key = "agent:main:main";
    let config = json!({
        "agents": { "defaults": { "timeoutSeconds": 2 } },
        "tools": { "exec": { "host": "gateway", "ask": "always" } },
    });
    let script = |asked: &Recorded| match asked.results().len() {
        0 => Reply::call("a", "exec", &json!({ "command": "uname -a" })),
        _ => Reply::text("Later."),
    };
    let mut stage = Stage::start(config, script).await;
    let sent = json!({ "sessionKey": key, "message": "run it", "idempotencyKey": "a" });
    assert_eq!(stage.client.call("chat.send", sent).await["payload"]["status"], "started");
    until_asked(&stage, key, |s| matches!(s, [State::Pending])).await;
    let assistant = stage.world.gateway.assistant().unwrap();
    until("the turn's time is up", || !assistant.is_running(key)).await;
    assert!(matches!(asked(&stage, key).await[..], [State::Pending]), "it still waits");
    let answer = stage.client.call("chat.abort", json!({ "sessionKey": key })).await;
    assert_eq!((&answer["ok"], &answer["payload"]["aborted"]), (&json!(true), &json!(false)), "{answer}");
    until("it is given up", || of_exec(&stage, key).contains(&"aborted".to_owned())).await;
    assert!(!matches!(asked(&stage, key).await[..], [State::Pending]));
    assert!(!assistant.taken_over().stop_of(key), "nothing goes on");
    assert_eq!(stage.say(key, "what now?").await, "Later.");
    let requests = stage.model.requests();
    assert!(requests.iter().all(|r| !r.text.contains("in the background has ended")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stop_reaches_a_sub_agent_and_nothing_of_it_comes_back() {
    let script = |asked: &Recorded| {
        if asked.text.contains("gives it a task") {
            return Reply::text("never whole").held_after(1);
        }
        if asked.text.contains("just talk") {
            return Reply::text("Hello.");
        }
        match asked.results().len() {
            0 => Reply::call("a", "sessions_spawn", &json!({ "task": "count" })),
            _ => Reply::text("It counts."),
        }
    };
    let config = json!({ "agents": { "defaults": { "maxConcurrent": 1 } } });
    let mut stage = Stage::start(config, script).await;
    let gateway = Arc::clone(&stage.world.gateway);
    until("chats are served", || gateway.channels().is_some()).await;
    let key = "agent:main:main";
    assert_eq!(stage.say(key, "count").await, "It counts.");
    until("it works", || stage.model.requests().iter().any(|r| r.text.contains("gives it a task"))).await;
    let spawned = stage.ledger().into_iter().find_map(|r| r.entry.inputs.get("to").cloned()).unwrap();
    let child = spawned.as_str().unwrap().to_owned();
    let assistant = stage.world.gateway.assistant().unwrap();
    // It has its session to itself, and takes no place of the turns of people.
    assert!(tokio::time::timeout(Duration::from_millis(50), gateway.lane(&child)).await.is_err());
    assert_eq!(stage.say("agent:main:other", "just talk").await, "Hello.");
    let answer = stage.client.call("chat.abort", json!({ "sessionKey": key })).await;
    assert_eq!(answer["ok"], true, "{answer}");
    until("it has ended", || !assistant.is_running(&child)).await;
    until("it is forgotten", || assistant.children().stop_of(key).is_empty()).await;
    assert_eq!(stage.say(key, "and now?").await, "It counts.");
    assert!(stage.model.requests().iter().all(|r| !r.text.contains("A sub-agent has finished")));
}

fn what(stage: &Stage, key: &str, text: &str) -> Conversation {
    let sender = CallSender { id: Some("me".to_owned()), ..CallSender::default() };
    let said = Said::People(People::one(PersonMessage::new(sender, Ownership::NotProven, text)));
    let place = stage.world.gateway.snapshot().place();
    outside::conversation(&place, AgentId::normalized("main"), key.to_owned(), said).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_that_is_stopped_before_it_begins_does_not_begin() {
    let stage = Stage::start(json!({}), |_| Reply::text("Never asked.")).await;
    let assistant = stage.world.gateway.assistant().unwrap();
    let (key, abort) = ("agent:main:main", Abort::new());
    abort.stop();
    let ended = assistant.converse_until(what(&stage, key, "go"), &NoSink, &Unnoted, &abort).await;
    assert!(matches!(ended, Err(NotBegun::Stopped)), "{ended:?}");
    // Another one holds the transcript: the turn waits for it, and does not when it is stopped.
    let place = stage.world.gateway.snapshot().place();
    let store = place.store(&AgentId::normalized("main"));
    let entry = json!({ "sessionId": "s1", "updatedAt": support::now_ms() }).as_object().unwrap().clone();
    let noted = entry.clone();
    store
        .change(|all| {
            all.insert(key.to_owned(), Value::Object(noted));
            Ok::<_, SessionStoreFailure>(())
        })
        .unwrap();
    let held =
        Session::open(store, entry, "/w".to_owned(), jiff::Timestamp::now, Duration::from_secs(5)).await;
    let abort = Abort::new();
    let (mine, going) = (abort.clone(), what(&stage, key, "go"));
    let turning = Arc::clone(&assistant);
    let turn = tokio::spawn(async move { turning.converse_until(going, &NoSink, &Unnoted, &mine).await });
    abort.stop();
    let ended = tokio::time::timeout(LONG, turn).await.expect("it still waits").unwrap();
    assert!(matches!(ended, Err(NotBegun::Stopped)), "{ended:?}");
    assert!(stage.model.requests().is_empty() && !assistant.is_running(key));
    drop(held);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_goes_ends_the_turn_of_its_own_and_no_other() {
    let stage = Stage::start(json!({}), |_| Reply::text("A whole answer.").held_after(1)).await;
    let gateway = Arc::clone(&stage.world.gateway);
    until("chats are served", || gateway.channels().is_some()).await;
    let assistant = gateway.assistant().unwrap();
    let key = "agent:main:main";
    let (first, going) = (Arc::clone(&assistant), what(&stage, key, "the first"));
    let first = tokio::spawn(async move { first.converse(going, &NoSink, &Unnoted).await });
    until("the first one runs", || assistant.is_running(key)).await;
    let (leave, left) = tokio::sync::oneshot::channel::<()>();
    let (of, second, going) = (Arc::clone(&gateway), Arc::clone(&assistant), what(&stage, key, "the second"));
    let second = tokio::spawn(async move {
        let gone = async {
            let _ = left.await;
        };
        carry_out(&of, &second, going, &NoSink, gone).await
    });
    // It has the session's place and waits for the transcript.
    let deadline = Instant::now() + LONG;
    while tokio::time::timeout(Duration::from_millis(50), gateway.lane(key)).await.is_ok() {
        assert!(Instant::now() < deadline, "it does not begin");
    }
    leave.send(()).unwrap();
    let over = tokio::time::timeout(LONG, second).await.expect("it does not end").unwrap();
    assert_eq!(over.standing, Standing::Aborted);
    assert!(assistant.is_running(key), "the first one goes on");
    // Its answer breaks off; nobody has stopped it.
    stage.model.release();
    let end = first.await.unwrap().unwrap();
    assert!(matches!(end.how, Ended::Stopped(_)), "{:?}", end.how);
    assert!(stage.model.requests().iter().all(|r| !r.text.contains("the second")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_begun_or_sent_in_a_session_that_cannot_be_read() {
    let config = json!({ "channels": { "discord": { "dm": { "policy": "open", "allowFrom": ["*"] } } } });
    let mut stage = Stage::start(config, |_| Reply::text("Never asked.")).await;
    let (fake, door) = service(&stage).await;
    let folder = stage.world.state_dir().join("agents/main/sessions");
    std::fs::create_dir_all(&folder).unwrap();
    support::write(&folder.join("sessions.json"), "{ damaged");
    assert_eq!(door.offer(message("1", "hello")).await, Taken::Done);
    let gateway = Arc::clone(&stage.world.gateway);
    until("it is over", || gateway.channels().unwrap().ingress().inbox().waiting() == 0).await;
    assert_eq!(fake.sent_to("100"), Vec::<String>::new());
    let sent = json!({ "sessionKey": "agent:main:main", "message": "hello", "idempotencyKey": "a" });
    let answer = stage.client.call("chat.send", sent).await;
    assert_eq!(answer["ok"], false, "{answer}");
    assert!(!answer.to_string().contains("sessions.json"), "{answer}");
    assert!(stage.model.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_so_many_messages_of_a_session_wait_for_others() {
    let script = |asked: &Recorded| {
        if asked.text.contains("[Another session writes.") {
            return Reply::text("Slow.").held_after(1);
        }
        if asked.text.contains("be there") {
            return Reply::text("I am.");
        }
        let to = json!({ "sessionKey": "agent:main:other", "message": "do this", "timeoutSeconds": 0 });
        match asked.results().len() {
            0 => (1..6).fold(Reply::call("c0", "sessions_send", &to), |reply, n| {
                // Not the same call again and again.
                let mut to = to.clone();
                to["message"] = format!("do this, {n}").into();
                reply.and_call(&format!("c{n}"), "sessions_send", &to)
            }),
            _ => Reply::text("Told."),
        }
    };
    let mut stage = Stage::start(json!({ "tools": { "sessions": { "visibility": "agent" } } }), script).await;
    assert_eq!(stage.say("agent:main:other", "be there").await, "I am.");
    assert_eq!(stage.say("agent:main:main", "tell it").await, "Told.");
    let results = stage.model.requests().into_iter().map(|r| r.results()).max_by_key(Vec::len).unwrap();
    let accepted = results.iter().filter(|(_, text)| text.contains("accepted")).count();
    assert_eq!(accepted, 5, "{results:?}");
    assert!(results[5].1.contains("not answered yet"), "{results:?}");
}
