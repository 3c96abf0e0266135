//! How turns end.

use super::*;

#[tokio::test]
async fn a_simple_answer() {
    let b = bench(&json!({}));
    let step =
        Step::Answer(vec!["Hel", "lo."], answer(vec![Block::Text("Hello.".to_owned())], StopReason::EndTurn));
    let (model, _) = script(vec![step]);
    let end = b.run(person("hi"), &model).await;
    assert_eq!(
        (end.how, end.reply.as_deref(), end.notice, end.detail),
        (Ended::Answered, Some("Hello."), None, None)
    );
    assert_eq!((b.streamed().as_str(), end.context_tokens, end.asked), ("Hello.", 15, 1));
    assert_eq!(b.messages().len(), 2);
}

#[tokio::test]
async fn a_turn_can_run_on_any_thread() {
    fn sendable<T: Send>(value: T) -> T {
        value
    }
    let b = bench(&json!({}));
    let (model, _) = script(vec![says("Hello.")]);
    let turn = sendable(run(b.request(person("hi")), &model, &b.gate, &b.heard, &b.abort));
    assert_eq!(turn.await.how, Ended::Answered);
}

#[tokio::test]
async fn silent_replies_are_not_sent_and_not_streamed() {
    use super::super::said::Background;
    let heartbeat = || Said::Background(Background::Heartbeat { text: "Look around.".to_owned() });
    for (said, pieces, text, silent) in [
        (person("x"), vec!["NO", "_REPLY"], "NO_REPLY", true),
        (person("x"), vec![" NO_REPLY", "\n"], " NO_REPLY\n", true),
        (person("x"), vec![], "", true),
        (person("x"), vec!["NO", "_REPLY", " is a word"], "NO_REPLY is a word", false),
        (person("x"), vec!["HEART", "BEAT_OK"], "HEARTBEAT_OK", false),
        (heartbeat(), vec!["HEARTBEAT", "_OK"], "HEARTBEAT_OK", true),
        (heartbeat(), vec!["The disk is full"], "The disk is full", false),
    ] {
        let b = bench(&json!({}));
        let step = Step::Answer(pieces, answer(vec![Block::Text(text.to_owned())], StopReason::EndTurn));
        let (model, _) = script(vec![step]);
        let end = b.run(said, &model).await;
        let expected = if silent { (Ended::Silent, None) } else { (Ended::Answered, Some(text)) };
        assert_eq!((end.how, end.reply.as_deref()), expected, "{text}");
        // What could still become one of the words is held back; the reply itself has it.
        assert_eq!(b.streamed(), if text.contains("word") || text.contains("disk") { text } else { "" });
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_runs_nothing_and_says_so() {
    let b = bench(&free());
    let partial = answer(
        vec![
            Block::Thinking { text: "hm".to_owned(), signature: None },
            Block::Text("I will".to_owned()),
            call("a", "exec", json!({ "command": "touch ran" })),
        ],
        StopReason::Error,
    );
    let (model, _) =
        script(vec![Step::Fail(vec!["I will"], failure(FailureClass::BrokenOff, Some(partial)))]);
    let end = b.run(person("run it"), &model).await;
    assert_eq!(end.how, Ended::Stopped(Notice::Model(FailureClass::BrokenOff)));
    let notice = end.notice.unwrap();
    assert!(!notice.contains("sk-secret") && !notice.contains('/'), "{notice}");
    assert!(end.detail.unwrap().contains("anthropic/claude-test"));
    let messages = b.messages();
    assert_eq!(messages.len(), 2);
    let Message::Assistant(kept) = &messages[1] else { panic!() };
    assert_eq!((kept.blocks.clone(), kept.stop), (vec![Block::Text("I will".to_owned())], StopReason::Error));
    assert!(!b.workspace.join("ran").exists() && b.verdicts().is_empty());
}

#[tokio::test]
async fn every_failure_is_told_in_our_words() {
    for class in [FailureClass::Auth, FailureClass::Billing, FailureClass::RateLimit, FailureClass::Other] {
        let b = bench(&json!({}));
        let (model, _) = script(vec![Step::Fail(vec![], failure(class, None))]);
        let end = b.run(person("hi"), &model).await;
        assert_eq!(end.how, Ended::Stopped(Notice::Model(class)));
        assert_eq!(end.notice, Some(Notice::Model(class).words()));
        assert_eq!(b.messages().len(), 1, "what was said is kept");
    }
    let all: Vec<&str> = Notice::ALL.iter().map(|n| n.words()).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[tokio::test]
async fn the_same_call_is_made_five_times_and_no_more() {
    let b = bench(&free());
    let again =
        |n: usize| calls(vec![call(&format!("c{n}"), "exec", json!({ "command": "echo x >> count" }))]);
    let (model, _) = script((0..8).map(again).collect());
    let end = b.run(person("go"), &model).await;
    assert_eq!((end.how, end.asked), (Ended::Stopped(Notice::Repeating), 6));
    assert_eq!(std::fs::read_to_string(b.workspace.join("count")).unwrap(), "x\n".repeat(5));
    assert!(b.results().last().unwrap().0.contains("again and again"));
    assert_eq!(b.results().len(), 6);
    assert_eq!(b.ledger().last().unwrap().entry.rule, "arguments: repeated-call");
}

#[tokio::test]
async fn other_calls_between_them_are_no_repetition() {
    let b = bench(&json!({}));
    let read =
        |n: usize| calls(vec![call(&format!("c{n}"), "read", json!({ "path": format!("f{}", n % 2) }))]);
    let (model, _) = script((0..12).map(read).chain([says("Enough.")]).collect());
    assert_eq!(b.run(person("go"), &model).await.how, Ended::Answered);
}

#[tokio::test]
async fn fifty_steps_are_enough() {
    let b = bench(&json!({}));
    let read = |n: usize| calls(vec![call(&format!("c{n}"), "read", json!({ "path": format!("f{n}") }))]);
    let (model, _) = script((0..51).map(read).collect());
    let end = b.run(person("go"), &model).await;
    assert_eq!((end.how, end.asked, end.calls), (Ended::Stopped(Notice::TooManySteps), 50, 50));
    assert_eq!(b.results().len(), 50);
}

#[tokio::test]
async fn a_turn_has_its_time() {
    let b = bench(&json!({}));
    let (model, _) = script(vec![Step::Hang(vec!["Let me"])]);
    let mut request = b.request(person("hi"));
    request.limits.timeout = Duration::from_millis(1_500);
    let end = b.run_request(request, &model).await;
    assert_eq!(end.how, Ended::Stopped(Notice::TimedOut));
    let Message::Assistant(kept) = &b.messages()[1] else { panic!() };
    assert_eq!((kept.text().as_str(), kept.stop), ("Let me", StopReason::Aborted));
}

#[tokio::test]
async fn a_stop_while_the_model_answers_keeps_what_there_is() {
    let b = bench(&json!({}));
    let (model, mut asked) = script(vec![Step::Hang(vec!["Let me", " think"])]);
    let stop = async {
        asked.recv().await.unwrap();
        b.abort.stop();
    };
    let (end, ()) = tokio::join!(b.run(person("hi"), &model), stop);
    assert_eq!((end.how, end.notice), (Ended::Aborted, None));
    let Message::Assistant(kept) = &b.messages()[1] else { panic!() };
    assert_eq!((kept.text().as_str(), kept.stop), ("Let me think", StopReason::Aborted));
    // The next turn goes on from there.
    let next = Bench { abort: Abort::new(), ..b };
    let (model, _) = script(vec![says("Again.")]);
    assert_eq!(next.run(person("and?"), &model).await.how, Ended::Answered);
    assert_eq!(model.requests.lock().unwrap()[0].messages.len(), 3);
}

fn long_history(b: &Bench, chars: usize) {
    let session = b.session();
    for n in 0..6 {
        let said = Message::User(vec![Block::Text(format!("question {n} {}", "q".repeat(chars)))]);
        let answered =
            Message::Assistant(answer(vec![Block::Text(format!("answer {n}"))], StopReason::EndTurn));
        session.append_now(&[said, answered], Some("person"), Durability::Written).unwrap();
    }
}

#[tokio::test]
async fn an_overflow_is_shortened_once_and_asked_again() {
    let b = bench(&json!({}));
    long_history(&b, 20_000);
    let (model, _) = script(vec![
        Step::Fail(vec![], failure(FailureClass::ContextOverflow, None)),
        says("They asked many things."),
        says("Here you are."),
    ]);
    let mut request = b.request(person("and now?"));
    request.window = Window { tokens: 60_000, reserve: 20_000 };
    let end = b.run_request(request, &model).await;
    assert_eq!((end.how, end.compactions), (Ended::Answered, 1));
    let requests = model.requests.lock().unwrap();
    assert!(requests[1].tools.is_empty(), "nothing is offered to the summariser");
    assert_eq!(requests[1].system, crate::context::compact::SYSTEM);
    assert!(requests[2].messages.len() < requests[0].messages.len());
    let Message::User(first) = &requests[2].messages[0] else { panic!() };
    assert!(texts(first).contains("They asked many things."));
    assert_eq!(requests[2].messages.last(), requests[0].messages.last(), "the question itself is kept");
    assert!(b.heard.0.lock().unwrap().contains(&Event::Shortening));
}

#[tokio::test]
async fn a_second_overflow_is_told() {
    let b = bench(&json!({}));
    long_history(&b, 20_000);
    let overflow = || Step::Fail(vec![], failure(FailureClass::ContextOverflow, None));
    let (model, _) = script(vec![overflow(), says("Short."), overflow()]);
    let mut request = b.request(person("and now?"));
    request.window = Window { tokens: 60_000, reserve: 20_000 };
    let end = b.run_request(request, &model).await;
    assert_eq!(end.how, Ended::Stopped(Notice::TooLong));
    // With nothing to shorten it is told at once.
    let b = bench(&json!({}));
    let (model, _) = script(vec![overflow()]);
    assert_eq!(b.run(person("hi"), &model).await.how, Ended::Stopped(Notice::TooLong));
}

#[tokio::test]
async fn what_does_not_fit_is_shortened_before_the_model_is_asked() {
    let b = bench(&json!({}));
    long_history(&b, 40_000);
    let (model, _) = script(vec![says("Short."), says("Here you are.")]);
    let mut request = b.request(person("and now?"));
    request.window = Window { tokens: 60_000, reserve: 20_000 };
    let end = b.run_request(request, &model).await;
    assert_eq!((end.how, end.compactions, end.asked), (Ended::Answered, 1, 1));
}

#[tokio::test]
async fn a_window_that_is_too_small_is_not_used() {
    let b = bench(&json!({}));
    let (model, _) = script(vec![]);
    let mut request = b.request(person("hi"));
    request.window = Window { tokens: 15_999, reserve: 1_000 };
    let end = b.run_request(request, &model).await;
    assert_eq!(end.how, Ended::Stopped(Notice::WindowTooSmall));
    assert!(b.messages().is_empty());
}

#[tokio::test]
async fn the_session_is_locked_as_long_as_the_turn() {
    let b = bench(&json!({}));
    let (model, mut asked) = script(vec![Step::Hang(vec![])]);
    let look = async {
        asked.recv().await.unwrap();
        let store = SessionStore::of(&b.state, &AgentId::normalized("main"), None, &b.state);
        let entry = json!({ "sessionId": "s1" }).as_object().unwrap().clone();
        assert!(Session::open_now(&store, &entry, "/w", clock, Duration::ZERO).is_err());
        b.abort.stop();
    };
    let _ = tokio::join!(b.run(person("hi"), &model), look);
    let _ = b.session();
}

#[tokio::test]
async fn sp_426_a_turn_is_steered_by_whoever_it_acts_for_alone() {
    let b = bench(&free());
    let (model, mut asked) =
        script(vec![asks("exec", json!({ "command": "sleep 0.2; echo one" })), says("First.")]);
    let mut request = b.request(person("go"));
    request.steering = steering::Steering::of(&request.said);
    let steering = request.steering.clone();
    let writing = async {
        asked.recv().await.unwrap();
        let of = |id: &str, owner| PersonMessage::new(sender(id), owner, format!("also this, says {id}"));
        assert!(steering.hand_in(of("8", Ownership::NotProven)).is_err(), "somebody else");
        assert!(steering.hand_in(of("7", Ownership::Proven)).is_err(), "another right");
        steering.hand_in(of("7", Ownership::NotProven)).unwrap();
    };
    let (end, ()) = tokio::join!(run(request, &model, &b.gate, &b.heard, &b.abort), writing);
    assert_eq!((end.how, end.reply.as_deref()), (Ended::Answered, Some("First.")));
    let requests = model.requests.lock().unwrap();
    let second = format!("{:?}", requests[1].messages);
    assert!(second.contains("also this, says 7") && !second.contains("says 8"), "{second}");
    assert!(steering.hand_in(PersonMessage::new(sender("7"), Ownership::NotProven, "late")).is_err());
}

#[tokio::test]
async fn a_message_that_comes_with_the_last_answer_is_answered_in_the_same_turn() {
    let b = bench(&free());
    let (model, _) = script(vec![says("First."), says("Second.")]);
    let mut request = b.request(person("go"));
    request.steering = steering::Steering::of(&request.said);
    let steering = request.steering.clone();
    // It waits before the first answer is there, after what waits was taken.
    #[derive(Debug)]
    struct Late(steering::Steering, std::sync::atomic::AtomicBool);
    impl Sink for Late {
        fn event(&self, event: Event) {
            if matches!(event, Event::Text(_)) && !self.1.swap(true, std::sync::atomic::Ordering::SeqCst) {
                let late = PersonMessage::new(sender("7"), Ownership::NotProven, "one more");
                self.0.hand_in(late).unwrap();
            }
        }
    }
    let sink = Late(steering, std::sync::atomic::AtomicBool::new(false));
    let end = run(request, &model, &b.gate, &sink, &b.abort).await;
    assert_eq!(end.reply.as_deref(), Some("First.\n\nSecond."));
    assert_eq!(end.asked, 2);
}

#[tokio::test]
async fn a_message_that_a_turn_has_not_read_is_handed_back_and_stands_nowhere() {
    for stopped in [false, true] {
        let b = bench(&free());
        let (model, mut asked) = script(vec![Step::Hang(vec!["I thi"])]);
        let mut request = b.request(person("go"));
        request.steering = steering::Steering::of(&request.said);
        if !stopped {
            request.limits = Limits { timeout: Duration::from_millis(300), ..Limits::default() };
        }
        let steering = request.steering.clone();
        let writing = async {
            asked.recv().await.unwrap();
            steering.hand_in(PersonMessage::new(sender("7"), Ownership::NotProven, "and this")).unwrap();
            if stopped {
                b.abort.stop();
            }
        };
        let (end, ()) = tokio::join!(run(request, &model, &b.gate, &b.heard, &b.abort), writing);
        let how = if stopped { Ended::Aborted } else { Ended::Stopped(Notice::TimedOut) };
        assert_eq!(end.how, how);
        let unread: Vec<&str> = end.unread.iter().map(|m| m.text.as_str()).collect();
        assert_eq!(unread, ["and this"]);
        assert!(!format!("{:?}", b.messages()).contains("and this"), "{:?}", b.messages());
        assert!(steering.hand_in(PersonMessage::new(sender("7"), Ownership::NotProven, "late")).is_err());
    }
}

#[test]
fn messages_that_were_taken_and_could_not_be_kept_come_before_those_that_wait() {
    let steering = steering::Steering::of(&person("go"));
    let of = |text: &str| PersonMessage::new(sender("7"), Ownership::NotProven, text);
    steering.hand_in(of("one")).unwrap();
    steering.hand_in(of("two")).unwrap();
    let taken = steering.take();
    steering.hand_in(of("three")).unwrap();
    steering.put_back(taken);
    assert!(!steering.close(), "they wait");
    let unread: Vec<String> = steering.close_now().into_iter().map(|m| m.text).collect();
    assert_eq!(unread, ["one", "two", "three"]);
}
