//! Commands in the background, and the tool that looks after them.

use std::sync::Mutex;

use super::*;

fn staying(config: Json) -> Bench {
    let mut fake = FakeExecutors::new(true, true);
    fake.stays = true;
    bench_with(config, fake)
}

fn text(answer: &Answer) -> String {
    answer
        .result
        .content
        .iter()
        .map(|c| match c {
            Content::Text { text } => text.as_str(),
            Content::Image { .. } => "",
        })
        .collect()
}

impl Bench {
    async fn act(&self, action: &str, more: Json, session: &str) -> Answer {
        let mut arguments = json!({"action": action});
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.call("process", arguments, session).await.unwrap()
    }
}

/// Nothing is configured for commands: they run on the host, and nobody is asked.
const OPEN: &str = "agent:main:main";

#[derive(Debug, Default)]
struct Ends {
    seen: Mutex<Vec<Finished>>,
    told: tokio::sync::Notify,
}

impl Listener for Ends {
    fn finished(&self, finished: &Finished) {
        self.seen.lock().unwrap().push(finished.clone());
        self.told.notify_one();
    }
}

#[tokio::test]
async fn a_command_in_the_background_is_listed_fed_read_and_ended() {
    let mut b = staying(json!({}));
    let ends = Arc::new(Ends::default());
    let approvals = Approvals::of(&b.state).unwrap().told_to(Arc::clone(&ends) as Arc<dyn Listener>);
    b.gate = b.gate.asking(approvals);
    let started = b.call("exec", json!({"command": "cat", "background": true}), OPEN).await.unwrap();
    assert_eq!(
        (started.result.outcome, &started.result.details["status"]),
        (Outcome::Done, &json!("running"))
    );
    let id = started.result.details["sessionId"].as_str().unwrap().to_owned();
    let this = json!({"sessionId": id});
    let list = b.act("list", json!({}), OPEN).await;
    assert_eq!(list.result.details["sessions"][0]["status"], "running");
    assert!(text(&list).contains(&format!("{id} running")), "{list:?}");

    b.act(
        "write",
        json!({"sessionId": id, "data": "OPENAI_API_KEY=sk-abcdefghijklmnopqrstuvwxyz012345\n"}),
        OPEN,
    )
    .await;
    b.act("submit", json!({"sessionId": id, "data": "line"}), OPEN).await;
    b.act("send-keys", json!({"sessionId": id, "literal": "x", "keys": ["Enter"]}), OPEN).await;
    b.act("paste", json!({"sessionId": id, "text": "pasted"}), OPEN).await;
    // What the first answer showed is not shown again.
    let mut seen = text(&started);
    while !seen.contains("pasted") {
        seen.push_str(&text(&b.act("poll", this.clone(), OPEN).await));
    }
    assert!(seen.contains("hello") && seen.contains("line") && !seen.contains("abcdefghijklmnop"), "{seen}");
    let log = b.act("log", json!({"sessionId": id, "offset": 0, "limit": 1}), OPEN).await;
    assert_eq!(text(&log), "hello");

    // Another session, and another agent, do not know it.
    for session in ["agent:main:other", "agent:dev:main"] {
        let other = b.act("kill", this.clone(), session).await;
        assert_eq!(other.result.outcome, Outcome::Failed);
        assert_eq!(b.act("list", json!({}), session).await.result.details["sessions"], json!([]));
    }
    let killed = b.act("kill", this.clone(), OPEN).await;
    assert_eq!(killed.result.details["status"], "killed");
    ends.told.notified().await;
    let finished = ends.seen.lock().unwrap()[0].clone();
    assert_eq!((finished.process.as_str(), finished.exit.unwrap().killed), (id.as_str(), true));
    assert!(finished.tail.contains("line") && !finished.tail.contains("abcdefghijklmnop"), "{finished:?}");
    b.act("clear", this.clone(), OPEN).await;
    assert_eq!(b.act("poll", this, OPEN).await.result.outcome, Outcome::Failed);
    // The ledger has the start, that it went on, and the end.
    let of_call: Vec<_> = b.records().into_iter().filter(|r| r.entry.subject == "tool:exec").collect();
    let verdicts: Vec<&str> = of_call.iter().map(|r| r.entry.verdict.as_str()).collect();
    assert_eq!(verdicts, ["allowed", "running", "failed"]);
}

#[tokio::test]
async fn a_slow_command_goes_on_in_the_background_and_a_quick_one_does_not() {
    let b = staying(json!({"tools": {"exec": {"backgroundMs": 10}}}));
    let slow = b.call("exec", json!({"command": "cat"}), OPEN).await.unwrap();
    assert_eq!(slow.result.details["status"], "running");
    let quick = bench(json!({}));
    let done = quick.call("exec", json!({"command": "cat"}), OPEN).await.unwrap();
    assert_eq!(
        (done.result.details["status"].as_str(), text(&done).as_str()),
        (Some("completed"), "hello\n")
    );
    assert_eq!(quick.act("list", json!({}), OPEN).await.result.details["sessions"], json!([]));
}

#[tokio::test]
async fn without_the_process_tool_nothing_goes_to_the_background() {
    let b = bench(json!({"tools": {"deny": ["process"]}}));
    let answer = b.call("exec", json!({"command": "cat", "background": true}), OPEN).await.unwrap();
    assert_eq!(answer.result.details["status"], "completed");
    assert!(answer.notes.iter().any(|n| n.contains("no background")), "{:?}", answer.notes);
}

#[tokio::test]
async fn a_sandboxed_session_has_background_commands_too() {
    let b = staying(open_sandbox());
    let answer = b.call("exec", json!({"command": "cat", "background": true}), GROUP).await.unwrap();
    assert_eq!(answer.place, Place::Container);
    let list = b.act("list", json!({}), GROUP).await;
    assert_eq!(list.result.details["sessions"][0]["place"], "container");
    assert!(b.fake.seen.lock().unwrap().runs[0].1.input == oc_runner::protocol::Input::Frames);
}

#[tokio::test]
async fn what_the_rules_let_run_by_itself_reads_an_empty_input() {
    let b = staying(json!({"tools": {"exec": {"host": "gateway"}}}));
    b.call("exec", json!({"command": "cat", "background": true}), OPEN).await.unwrap();
    assert!(b.fake.seen.lock().unwrap().runs[0].1.input == oc_runner::protocol::Input::Empty);
}

#[tokio::test]
async fn closing_the_gate_ends_and_records_what_runs() {
    let b = staying(json!({}));
    for _ in 0..3 {
        b.call("exec", json!({"command": "cat", "background": true}), OPEN).await.unwrap();
    }
    b.gate.close().await;
    let ends = b.records().into_iter().filter(|r| r.entry.verdict == "failed").count();
    assert_eq!(ends, 3);
    assert!(verify(&b.state.join("ledger"), None).unwrap().is_whole());
}

#[tokio::test]
async fn the_end_of_a_session_ends_its_commands_and_no_others() {
    let b = staying(json!({}));
    for session in [OPEN, "agent:main:other"] {
        b.call("exec", json!({"command": "cat", "background": true}), session).await.unwrap();
    }
    b.gate.end_session(&call("exec", json!({}), OPEN).caller).await;
    assert_eq!(b.act("list", json!({}), OPEN).await.result.details["sessions"], json!([]));
    let list = b.act("list", json!({}), "agent:main:other").await;
    assert_eq!(list.result.details["sessions"][0]["status"], "running");
}

#[tokio::test]
async fn whoever_ends_a_session_hears_whether_anything_ran() {
    let b = staying(json!({}));
    for session in [OPEN, "agent:main:other"] {
        b.call("exec", json!({"command": "cat", "background": true}), session).await.unwrap();
    }
    let caller = call("exec", json!({}), OPEN).caller;
    assert!(b.gate.end_session_now(&caller));
    assert!(!b.gate.end_session_now(&caller), "nothing is left of it");
    assert_eq!(b.act("list", json!({}), OPEN).await.result.details["sessions"], json!([]));
    let list = b.act("list", json!({}), "agent:main:other").await;
    assert_eq!(list.result.details["sessions"][0]["status"], "running");
}

#[tokio::test]
async fn sp_426_the_end_of_a_command_tells_who_stood_behind_it_and_where_its_turn_was() {
    let mut b = staying(json!({}));
    let ends = Arc::new(Ends::default());
    let approvals = Approvals::of(&b.state).unwrap().told_to(Arc::clone(&ends) as Arc<dyn Listener>);
    b.gate = b.gate.asking(approvals);
    let mut made = call("exec", json!({"command": "cat", "background": true}), OPEN);
    made.caller.back.transcript = Some("t".to_owned());
    let people: Vec<Caller> = ["111", "222"]
        .into_iter()
        .map(|id| {
            let mut person = made.caller.clone();
            person.sender.id = Some(id.to_owned());
            person
        })
        .collect();
    made.behind = people.clone().into();
    let started = b.gate.call(&made).await.unwrap();
    let id = started.result.details["sessionId"].as_str().unwrap().to_owned();
    b.act("kill", json!({"sessionId": id}), OPEN).await;
    ends.told.notified().await;
    let finished = ends.seen.lock().unwrap()[0].clone();
    assert_eq!((finished.behind.to_vec(), finished.caller), (people, made.caller));
}
