//! Tools that the model asks for.

use oc_approval::approver::Permit;
use oc_approval::life_cycle::{Decision, Record as Question};
use oc_fs::approval_queue::ApprovalQueue;
use oc_sandbox::gate::{Approvals, Handled, Handlers, Listener, Outcome, Reached, ToolHandler, ToolResult};

use super::*;

#[tokio::test]
async fn sp_105_a_denied_tool_is_not_offered_and_a_call_of_it_is_an_error_result() {
    let mut config = free();
    config["tools"]["deny"] = json!(["exec"]);
    let b = bench(&config);
    let (model, _) =
        script(vec![asks("exec", json!({ "command": "touch ran" })), says("It is not allowed.")]);
    let end = b.run(person("run it"), &model).await;
    assert_eq!((end.how, end.reply.as_deref()), (Ended::Answered, Some("It is not allowed.")));
    let requests = model.requests.lock().unwrap();
    assert!(requests.iter().all(|r| r.tools.iter().all(|t| t.name != "exec")));
    assert!(requests[0].tools.iter().any(|t| t.name == "read"));
    let results = b.results();
    assert!(results[0].1 && results[0].0.starts_with("Refused (policy)"), "{results:?}");
    assert_eq!(b.verdicts(), ["tool:exec denied"]);
    assert!(!b.workspace.join("ran").exists());
}

#[tokio::test]
async fn a_command_that_the_rules_refuse_is_an_error_result() {
    let b = bench(&json!({ "tools": { "exec": { "host": "gateway", "security": "deny" } } }));
    let (model, _) = script(vec![asks("exec", json!({ "command": "touch ran" })), says("Refused.")]);
    let end = b.run(person("run it"), &model).await;
    assert_eq!(end.how, Ended::Answered);
    assert!(b.results()[0].1 && b.results()[0].0.starts_with("Refused (approval)"), "{:?}", b.results());
    assert_eq!(b.verdicts(), ["tool:exec denied"]);
    assert!(!b.workspace.join("ran").exists());
}

#[tokio::test]
async fn an_allowed_command_runs_as_the_turns_own_caller() {
    let b = bench(&free());
    let (model, _) = script(vec![
        calls(vec![
            Block::Text("I look.".to_owned()),
            call("a", "exec", json!({ "command": "printf one > f && cat f" })),
            call("a", "read", json!({ "path": "f" })),
            call("", "BASH", json!({ "command": "exit 3" })),
        ]),
        says("Done."),
    ]);
    let end = b.run(person("do it"), &model).await;
    assert_eq!((end.how, end.calls, end.asked), (Ended::Answered, 3, 2));
    assert_eq!(end.usage, Usage { input: 20, output: 10, cache_read: 0, cache_write: 0 });
    let results = b.results();
    assert!(!results[0].1 && results[0].0.contains("one"), "{results:?}");
    assert!(!results[1].1 && results[1].0.contains("one"), "{results:?}");
    assert!(results[2].1, "a failing command is an error: {results:?}");
    // The caller is the run's, whatever the integrator's base said about the door.
    for record in b.ledger() {
        assert!(record.entry.actor.starts_with("model for telegram:7"), "{}", record.entry.actor);
        assert_eq!(record.entry.session, MAIN);
        assert!(record.entry.call.starts_with("run-1-"));
    }
    // The second request holds the calls with ids of their own, and their results right after them.
    let requests = model.requests.lock().unwrap();
    let ids: Vec<String> = requests[1]
        .messages
        .iter()
        .filter_map(
            |m| if let Message::ToolResult { call_id, .. } = m { Some(call_id.clone()) } else { None },
        )
        .collect();
    assert_eq!(ids, ["a", "a-2", "call"]);
    let heard = b.heard.0.lock().unwrap();
    assert_eq!(heard[0], Event::Started);
    assert_eq!(heard[1], Event::Said("I look.".to_owned()));
    assert_eq!(heard[2], Event::Calling { call: "run-1-0".to_owned(), tool: "exec".to_owned() });
    assert_eq!(
        heard[7],
        Event::Called { call: "run-1-2".to_owned(), tool: "exec".to_owned(), is_error: true }
    );
}

/// Hands every question to the test.
#[derive(Debug)]
struct Desk(mpsc::UnboundedSender<Question>);

impl Listener for Desk {
    fn requested(&self, record: &Question) -> Reached {
        self.0.send(record.clone()).unwrap();
        Reached::Somebody
    }
}

fn asking(config: &Value) -> (Bench, mpsc::UnboundedReceiver<Question>, ApprovalQueue) {
    let mut b = bench(config);
    let (tell, told) = mpsc::unbounded_channel();
    let queue = ApprovalQueue::of(&b.state).unwrap();
    b.gate = b.gate.asking(Approvals::of(&b.state).unwrap().told_to(Arc::new(Desk(tell))));
    std::fs::write(b.workspace.join("tool"), "#!/bin/sh\necho it ran\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(b.workspace.join("tool"), mode).unwrap();
    (b, told, queue)
}

fn on_host() -> Value {
    json!({ "tools": { "exec": { "host": "gateway" } } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_asked_and_the_turn_goes_on_with_the_answer() {
    for (decision, ran) in [(Decision::AllowOnce, true), (Decision::Deny, false)] {
        let (b, mut told, queue) = asking(&on_host());
        let (model, _) = script(vec![asks("exec", json!({ "command": "./tool" })), says("That is it.")]);
        let person_at_desk = tokio::task::spawn_blocking(move || {
            let question = told.blocking_recv().unwrap();
            queue.answer(&question.code, decision, None, &Permit::terminal("me")).unwrap();
        });
        let end = b.run(person("run the tool"), &model).await;
        person_at_desk.await.unwrap();
        assert_eq!(end.how, Ended::Answered);
        let results = b.results();
        assert_eq!((results[0].0.contains("it ran"), results[0].1), (ran, !ran), "{results:?}");
        assert_eq!(b.verdicts()[0], "tool:exec asked");
    }
}

/// Makes calls through a gate of its own handle, and keeps what outlives its turn.
#[derive(Debug)]
struct Keeper {
    gate: Arc<Gate>,
    kept: std::sync::Mutex<Vec<(oc_sandbox::gate::ToolCall, KeptCall)>>,
}

struct KeptCall(Going);

impl std::fmt::Debug for KeptCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeptCall")
    }
}

impl Afterwards for Keeper {
    fn begin(&self, call: oc_sandbox::gate::ToolCall) -> Going {
        let gate = Arc::clone(&self.gate);
        Box::pin(async move { gate.call(&call).await })
    }

    fn take_over(&self, call: oc_sandbox::gate::ToolCall, going: Going) {
        self.kept.lock().unwrap().push((call, KeptCall(going)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_approved_after_the_turn_still_runs() {
    let (b, mut told, queue) = asking(&on_host());
    let gate = Arc::new(b.gate);
    let keeper = Arc::new(Keeper { gate: Arc::clone(&gate), kept: std::sync::Mutex::default() });
    let (model, _) = script(vec![asks("exec", json!({ "command": "./tool" })), says("never asked")]);
    let store = SessionStore::of(&b.state, &AgentId::normalized("main"), None, &b.state);
    let entry = json!({ "sessionId": "s1" }).as_object().unwrap().clone();
    let session = Session::open_now(&store, &entry, "/w", clock, Duration::ZERO).unwrap().0;
    let mut caller = Caller::of_session(Surface::Model, AgentId::normalized("main"), MAIN);
    caller.channel = Some("telegram".to_owned());
    let request = TurnRequest {
        run: "run".to_owned(),
        caller,
        said: person("run the tool"),
        behind: vec![Caller::of_session(Surface::Model, AgentId::normalized("main"), "agent:main:other")],
        session: session.clone(),
        ground: Ground::of(Mode::Full),
        tools: Vec::new(),
        afterwards: Some(Arc::clone(&keeper) as Arc<dyn Afterwards>),
        steering: steering::Steering::default(),
        window: Window { tokens: 200_000, reserve: 20_000 },
        max_tokens: 4_000,
        thinking: Thinking::Off,
        limits: Limits { timeout: Duration::from_millis(700), ..Limits::default() },
        keep: Durability::Synced,
    };
    let end = run(request, &model, &gate, &b.heard, &b.abort).await;
    assert_eq!(end.how, Ended::Stopped(Notice::TimedOut));
    let (call, going) = keeper.kept.lock().unwrap().pop().expect("it was taken over");
    assert_eq!(call.tool, "exec");
    let behind: Vec<&str> = call.behind.iter().map(|b| b.session.as_str()).collect();
    assert_eq!(behind, ["agent:main:other"], "who stands behind the turn stands behind what comes of it");
    // A slow machine may not have come to the question yet.
    let running = tokio::spawn(going.0);
    let question = told.recv().await.unwrap();
    tokio::task::spawn_blocking(move || {
        queue.answer(&question.code, Decision::AllowOnce, None, &Permit::terminal("me")).unwrap();
    })
    .await
    .unwrap();
    let answer = running.await.unwrap().unwrap();
    assert!(format!("{:?}", answer.result.content).contains("it ran"), "{answer:?}");
    let last = session.recorded().into_iter().next_back().unwrap();
    assert!(format!("{:?}", last.message).contains("comes into this session"), "{last:?}");
}

/// Makes calls whose futures note, when they go, what the ledger holds.
#[derive(Debug)]
struct Noting {
    gate: Arc<Gate>,
    state: PathBuf,
    held: Arc<std::sync::Mutex<Vec<Vec<String>>>>,
}

struct Goes {
    state: PathBuf,
    held: Arc<std::sync::Mutex<Vec<Vec<String>>>>,
}

impl Drop for Goes {
    fn drop(&mut self) {
        let lines = read(&self.state.join("ledger")).unwrap();
        let verdicts = lines.into_iter().map(|l| l.record.unwrap().entry.verdict).collect();
        self.held.lock().unwrap().push(verdicts);
    }
}

impl Afterwards for Noting {
    fn begin(&self, call: oc_sandbox::gate::ToolCall) -> Going {
        let goes = Goes { state: self.state.clone(), held: Arc::clone(&self.held) };
        let gate = Arc::clone(&self.gate);
        Box::pin(async move {
            let _goes = goes;
            gate.call(&call).await
        })
    }

    fn take_over(&self, _: oc_sandbox::gate::ToolCall, _: Going) {
        panic!("a stopped call is nobody's to go on with");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_stopped_is_over_before_the_ledger_says_so() {
    let (mut b, mut told, _queue) = asking(&on_host());
    let gate = Arc::new(b.gate);
    let held = Arc::default();
    let noting = Noting { gate: Arc::clone(&gate), state: b.state.clone(), held: Arc::clone(&held) };
    b.gate = bench(&on_host()).gate;
    let (model, _) = script(vec![asks("exec", json!({ "command": "./tool" }))]);
    let mut request = b.request(person("run the tool"));
    request.afterwards = Some(Arc::new(noting));
    let abort = b.abort.clone();
    let stopper = tokio::spawn(async move {
        told.recv().await.unwrap();
        abort.stop();
    });
    let end = run(request, &model, &gate, &b.heard, &b.abort).await;
    stopper.await.unwrap();
    assert_eq!(end.how, Ended::Aborted);
    let held = held.lock().unwrap().clone();
    assert_eq!(held.len(), 1);
    assert!(held[0].iter().all(|v| v != "aborted"), "{held:?}");
    assert!(b.verdicts().iter().any(|v| v == "tool:exec aborted"), "{:?}", b.verdicts());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_while_a_person_is_asked_denies_the_question() {
    let (b, mut told, queue) = asking(&on_host());
    let (model, _) = script(vec![asks("exec", json!({ "command": "./tool" }))]);
    let abort = b.abort.clone();
    let stopper = tokio::spawn(async move {
        told.recv().await.unwrap();
        abort.stop();
    });
    let end = b.run(person("run the tool"), &model).await;
    stopper.await.unwrap();
    assert_eq!((end.how, end.notice, end.reply), (Ended::Aborted, None, None));
    assert!(b.results()[0].1 && b.results()[0].0.starts_with("Stopped by a person"), "{:?}", b.results());
    assert!(b.verdicts().iter().any(|v| v == "tool:exec aborted"), "{:?}", b.verdicts());
    let states: Vec<String> = queue.records().unwrap().iter().map(|r| format!("{:?}", r.state)).collect();
    assert!(states.iter().all(|s| !s.contains("Pending")), "{states:?}");
}

#[tokio::test]
async fn a_tool_that_does_not_exist_or_is_not_built_is_an_error_result() {
    let b = bench(&free());
    let (model, _) = script(vec![
        calls(vec![
            call("a", "web_search", json!({ "query": "x" })),
            call("b", "rm -rf /\u{1b}[2J", json!({})),
            call("c", "sessions_spawn", json!({ "task": "x" })),
        ]),
        says("None of these."),
    ]);
    let end = b.run(person("search"), &model).await;
    assert_eq!(end.how, Ended::Answered);
    let results = b.results();
    assert!(
        results.iter().all(|(text, error)| *error && text.starts_with("Refused (policy)")),
        "{results:?}"
    );
    assert!(results.iter().all(|(text, _)| !text.contains('\u{1b}')), "{results:?}");
    // What goes back to the provider is something that every provider takes.
    let requests = model.requests.lock().unwrap();
    let names: Vec<String> = requests[1]
        .messages
        .iter()
        .filter_map(|m| if let Message::ToolResult { tool, .. } = m { Some(tool.clone()) } else { None })
        .collect();
    assert_eq!(names, ["web_search", "rm_-rf____2J", "sessions_spawn"]);
    assert!(b.verdicts().iter().all(|v| v.ends_with(" denied")) && b.verdicts().len() == 3);
}

#[tokio::test]
async fn arguments_that_are_no_json_are_an_error_result_and_never_a_guess() {
    let b = bench(&free());
    let broken = Block::ToolCall(ToolCall {
        id: "x".to_owned(),
        name: "exec".to_owned(),
        arguments: crate::message::Arguments::Invalid {
            text: "{\"command\":\"touch ran".to_owned(),
            why: "EOF while parsing a string".to_owned(),
        },
    });
    let (model, _) = script(vec![calls(vec![broken]), says("Again later.")]);
    assert_eq!(b.run(person("run it"), &model).await.how, Ended::Answered);
    assert!(b.results()[0].1 && b.results()[0].0.contains("EOF while parsing"), "{:?}", b.results());
    assert!(!b.workspace.join("ran").exists());
    assert_eq!(b.verdicts(), ["tool:exec denied"]);
    assert_eq!(b.ledger()[0].entry.rule, "arguments: unreadable-arguments");
}

#[tokio::test]
async fn calls_beyond_the_thirty_second_are_recorded_and_not_made() {
    let b = bench(&free());
    let many = (0..34).map(|n| call(&format!("c{n}"), "read", json!({ "path": format!("f{n}") }))).collect();
    let (model, _) = script(vec![calls(many), says("Too many.")]);
    assert_eq!(b.run(person("look"), &model).await.how, Ended::Answered);
    let rules: Vec<String> = b.ledger().into_iter().map(|r| r.entry.rule).collect();
    assert_eq!(rules.iter().filter(|r| *r == "arguments: too-many-calls").count(), 2, "{rules:?}");
    assert!(b.results()[33].0.contains("at most 32"), "{:?}", b.results()[33]);
}

#[tokio::test]
async fn an_answer_that_was_cut_off_runs_nothing() {
    for stop in [StopReason::MaxTokens, StopReason::Refusal, StopReason::StopSequence, StopReason::Error] {
        let b = bench(&free());
        let cut = Step::Answer(
            Vec::new(),
            answer(vec![call("a", "exec", json!({ "command": "touch ran" }))], stop),
        );
        let (model, _) = script(vec![cut, says("Shorter.")]);
        let end = b.run(person("run it"), &model).await;
        let expected =
            if stop == StopReason::Refusal { Ended::Stopped(Notice::ModelRefused) } else { Ended::Answered };
        assert_eq!(end.how, expected);
        assert!(b.results()[0].1 && b.results()[0].0.contains("cut off"), "{:?}", b.results());
        assert!(!b.workspace.join("ran").exists());
        assert_eq!(b.verdicts(), ["tool:exec denied"]);
        assert_eq!(b.ledger()[0].entry.rule, "arguments: answer-cut-off");
    }
}

#[tokio::test]
async fn sp_177_a_rule_that_comes_in_the_middle_of_a_turn_counts_at_once() {
    let b = bench(&free());
    let (model, mut asked) = script(vec![
        asks("exec", json!({ "command": "touch one" })),
        asks("exec", json!({ "command": "touch two" })),
        says("Over."),
    ]);
    let reload = async {
        asked.recv().await.unwrap();
        asked.recv().await.unwrap();
        b.gate.reload(snapshot(&json!({ "tools": { "deny": ["exec"] } }), &b.state));
    };
    let (end, ()) = tokio::join!(b.run(person("run both"), &model), reload);
    assert_eq!(end.how, Ended::Answered);
    assert!(b.workspace.join("one").exists());
    // Whether the reload came before or after the second call began, the third request is not offered it.
    assert!(model.requests.lock().unwrap()[2].tools.iter().all(|t| t.name != "exec"));
}

/// A tool of another crate that says when it runs and never ends.
#[derive(Debug)]
struct Endless {
    began: mpsc::UnboundedSender<&'static str>,
}

struct Told(mpsc::UnboundedSender<&'static str>);

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.0.send("ended");
    }
}

impl ToolHandler for Endless {
    fn tool(&self) -> &str {
        "session_status"
    }
    fn check(&self, _: &oc_sandbox::gate::ToolCall) -> Result<(), String> {
        Ok(())
    }
    fn run<'a>(&'a self, _: Handled<'a>) -> PlacePending<'a, ToolResult> {
        Box::pin(async move {
            let _told = Told(self.began.clone());
            let _ = self.began.send("began");
            std::future::pending::<()>().await;
            Ok(ToolResult::text(Outcome::Done, "never"))
        })
    }
}

fn endless() -> (Bench, mpsc::UnboundedReceiver<&'static str>) {
    let mut b = bench(&free());
    let (began, told) = mpsc::unbounded_channel();
    b.gate = b.gate.with_handlers(Handlers::new([Arc::new(Endless { began }) as Arc<dyn ToolHandler>]));
    (b, told)
}

fn two_calls() -> Step {
    calls(vec![call("a", "session_status", json!({})), call("b", "exec", json!({ "command": "touch ran" }))])
}

#[tokio::test]
async fn a_stop_ends_the_running_tool_and_leaves_a_whole_transcript() {
    let (b, mut told) = endless();
    let (model, _) = script(vec![two_calls()]);
    let stop = async {
        assert_eq!(told.recv().await, Some("began"));
        b.abort.stop();
        assert_eq!(told.recv().await, Some("ended"));
    };
    let (end, ()) = tokio::join!(b.run(person("status"), &model), stop);
    assert_eq!(end.how, Ended::Aborted);
    let results = b.results();
    assert_eq!(results.len(), 2);
    assert!(
        results.iter().all(|(text, error)| *error && text.starts_with("Stopped by a person")),
        "{results:?}"
    );
    assert!(!b.workspace.join("ran").exists());
    assert!(b.verdicts().contains(&"tool:session_status aborted".to_owned()));
}

#[tokio::test]
async fn a_turn_that_is_dropped_leaves_a_whole_transcript() {
    let (b, mut told) = endless();
    let (model, _) = script(vec![two_calls()]);
    {
        let turn = b.run(person("status"), &model);
        tokio::pin!(turn);
        tokio::select! {
            end = &mut turn => panic!("it ended: {end:?}"),
            began = told.recv() => assert_eq!(began, Some("began")),
        }
    }
    assert_eq!(told.recv().await, Some("ended"));
    let store = SessionStore::of(&b.state, &AgentId::normalized("main"), None, &b.state);
    let entry = json!({ "sessionId": "s1" }).as_object().unwrap().clone();
    let (session, notes) = Session::open_now(&store, &entry, "/w", clock, Duration::ZERO).unwrap();
    assert_eq!(notes.unanswered, 0, "the turn itself has written them");
    assert_eq!(session.recorded().len(), 4);
    drop(session);
    assert!(b.results().iter().all(|(text, error)| *error && text.contains("broken off")));
}

#[tokio::test]
async fn a_long_result_is_cut_at_a_line_with_a_notice() {
    let b = bench(&free());
    let (model, _) = script(vec![
        asks("exec", json!({ "command": "i=0; while [ $i -lt 4000 ]; do echo line $i; i=$((i+1)); done" })),
        says("Long."),
    ]);
    let mut request = b.request(person("go"));
    // 30 % of 16,000 tokens are 19,200 characters.
    request.window = Window { tokens: 16_000, reserve: 8_000 };
    let end = b.run_request(request, &model).await;
    assert_eq!((end.how, end.small_window), (Ended::Answered, true));
    let text = &b.results()[0].0;
    assert!(text.chars().count() < 19_400 && text.chars().count() > 18_000, "{}", text.chars().count());
    let (kept, notice) = text.rsplit_once('\n').unwrap();
    assert!(kept.lines().last().unwrap().starts_with("line "), "a whole line");
    assert!(notice.contains("characters left out"), "{notice}");
}

#[test]
fn how_much_of_a_result_fits() {
    use crate::turn::result::{LEAST, MOST, cap, fitted};
    let window = |tokens| Window { tokens, reserve: 0 };
    assert_eq!((cap(window(1_000)), cap(window(100_000)), cap(window(10_000_000))), (LEAST, 120_000, MOST));
    let text = |t: &str| Block::Text(t.to_owned());
    assert_eq!(fitted(vec![text("abc")], 3), [text("abc")]);
    let cut = fitted(vec![text("abc\ndefgh\n"), text("xyz")], 6);
    assert_eq!(
        texts(&cut[..1]),
        "abc\n[6 of 10 characters left out: a result holds no more here; ask for a smaller piece]"
    );
    assert!(texts(&cut[1..]).starts_with("[3 of 3 characters left out"));
    // No line end near: cut where it is.
    assert!(texts(&fitted(vec![text("äöüäöü")], 2)).starts_with("äö\n[4 of 6"));
}
