//! Tools that other crates carry out, behind the same door.

use std::sync::Mutex;

use oc_approval::approver::Permit;
use oc_approval::life_cycle::{Decision, Ending, Record as Asked, State};
use oc_fs::approval_queue::ApprovalQueue;

use super::*;
use crate::executor::{ExecutorError, Pending};

/// Answers with its argument, and counts.
#[derive(Clone, Debug)]
struct Echo {
    name: &'static str,
    ran: Arc<Mutex<usize>>,
    asks: bool,
}

impl ToolHandler for Echo {
    fn tool(&self) -> &str {
        self.name
    }

    fn check(&self, call: &ToolCall) -> Result<(), String> {
        call.arguments
            .get("text")
            .and_then(Json::as_str)
            .map(drop)
            .ok_or_else(|| "`text` is missing".to_owned())
    }

    fn asks(&self, call: &ToolCall) -> Option<Question> {
        let text = format!("{} {}", self.name, Json::Object(call.arguments.clone()));
        self.asks.then(|| Question { text, of: "a test".to_owned(), key_path: Some("a.key".to_owned()) })
    }

    fn run<'a>(&'a self, handled: Handled<'a>) -> Pending<'a, ToolResult> {
        Box::pin(async move {
            *self.ran.lock().unwrap() += 1;
            assert_eq!(handled.authorized.place(), Place::Gateway);
            let text = handled.call.arguments.get("text").and_then(Json::as_str).unwrap_or_default();
            if text == "lost" {
                return Err(ExecutorError::Lost { place: Place::Gateway, cause: "gone".to_owned() });
            }
            Ok(ToolResult::text(Outcome::Done, text).with("bytes", text.len()))
        })
    }
}

fn with(config: Json, name: &'static str) -> (Bench, Echo) {
    let echo = Echo { name, ran: Arc::default(), asks: false };
    let b = bench(config);
    b.gate.replace_handlers(Handlers::new([Arc::new(echo.clone()) as Arc<dyn ToolHandler>]));
    (b, echo)
}

#[tokio::test]
async fn a_handler_runs_after_the_decision_is_recorded_and_its_text_is_masked() {
    let (b, echo) = with(json!({}), "web_fetch");
    assert!(b.gate.built().contains(&"web_fetch".to_owned()));
    let text = format!("password=hunter2{}", "hunter2hunter2");
    let answer = b.call("web_fetch", json!({"text": text}), MAIN).await.unwrap();
    assert_eq!((answer.place, answer.result.outcome), (Place::Gateway, Outcome::Done));
    assert!(!format!("{:?}", answer.result.content).contains("hunter2hunter2hunter2"));
    let words: Vec<String> = b.records().into_iter().map(|r| r.entry.verdict).collect();
    assert_eq!(words, ["allowed", "done"]);
    assert_eq!(*echo.ran.lock().unwrap(), 1);
}

#[tokio::test]
async fn a_denied_handler_or_one_with_unusable_arguments_never_runs() {
    let (b, echo) = with(json!({"tools": {"deny": ["web_fetch"]}}), "web_fetch");
    assert_eq!(b.refused("web_fetch", json!({"text": "x"}), MAIN).await.stage(), Stage::Policy);
    let (c, other) = with(json!({}), "web_fetch");
    let refused = c.refused("web_fetch", json!({}), MAIN).await;
    assert_eq!(refused.stage(), Stage::Arguments);
    assert!(refused.to_string().contains("`text` is missing"), "{refused}");
    assert_eq!((*echo.ran.lock().unwrap(), *other.ran.lock().unwrap()), (0, 0));
}

#[tokio::test]
async fn a_handler_cannot_take_the_place_of_a_tool_of_the_gate() {
    let (b, echo) = with(json!({}), "bash");
    let refused = b.refused("exec", json!({"text": "x"}), MAIN).await;
    assert_eq!(refused.stage(), Stage::Arguments);
    assert_eq!(*echo.ran.lock().unwrap(), 0);
}

#[tokio::test]
async fn the_doors_of_a_sandbox_stay_shut_for_handlers_too() {
    let (b, echo) = with(open_sandbox(), "browser");
    let refused = b.refused("browser", json!({"text": "x"}), GROUP).await;
    assert_eq!(refused.stage(), Stage::HostDoor);
    assert_eq!(*echo.ran.lock().unwrap(), 0);
}

#[tokio::test]
async fn a_handler_that_is_lost_is_recorded_as_failed() {
    let (b, _) = with(json!({}), "web_fetch");
    let lost = b.call("web_fetch", json!({"text": "lost"}), MAIN).await;
    assert!(matches!(lost, Err(GateError::Place(ExecutorError::Lost { .. }))), "{lost:?}");
    assert_eq!(b.records().last().unwrap().entry.verdict, "failed");
}

/// Looks only: at once, or for ever.
#[derive(Debug)]
struct Looking {
    for_ever: bool,
}

impl ToolHandler for Looking {
    fn tool(&self) -> &str {
        "web_fetch"
    }

    fn acts(&self) -> bool {
        false
    }

    fn check(&self, _: &ToolCall) -> Result<(), String> {
        Ok(())
    }

    fn run<'a>(&'a self, _: Handled<'a>) -> Pending<'a, ToolResult> {
        if self.for_ever {
            return Box::pin(std::future::pending());
        }
        Box::pin(std::future::ready(Ok(ToolResult::text(Outcome::Done, "seen"))))
    }
}

#[tokio::test]
async fn what_only_looks_has_both_records_and_its_decision_when_it_is_given_up() {
    for (for_ever, want) in [(false, &["allowed", "done"][..]), (true, &["allowed", "aborted"])] {
        let b = bench(json!({}));
        let looking = Arc::new(Looking { for_ever }) as Arc<dyn ToolHandler>;
        b.gate.replace_handlers(Handlers::new([looking]));
        let call = super::call("web_fetch", json!({}), MAIN);
        // Given up once its first record stands.
        let mut running = Box::pin(b.gate.call(&call));
        let done = loop {
            tokio::select! {
                done = running.as_mut() => break Some(done),
                () = tokio::task::yield_now() => if for_ever && !b.records().is_empty() { break None },
            }
        };
        drop(running);
        match done {
            Some(done) => assert_eq!(done.unwrap().result.outcome, Outcome::Done),
            None => b.gate.aborted(&call).await.unwrap(),
        }
        let words: Vec<String> = b.records().into_iter().map(|r| r.entry.verdict).collect();
        assert_eq!(words, want);
    }
}

/// Answers each request at once, after it did something else.
#[derive(Debug)]
struct Answering {
    queue: ApprovalQueue,
    decision: Option<Decision>,
    seen: Mutex<Vec<Asked>>,
    gate: std::sync::Weak<Gate>,
    reload: Option<(Json, PathBuf)>,
}

impl Listener for Answering {
    fn requested(&self, record: &Asked) -> Reached {
        self.seen.lock().unwrap().push(record.clone());
        if let (Some((config, state)), Some(gate)) = (&self.reload, self.gate.upgrade()) {
            gate.reload(snapshot(config, state));
        }
        if let Some(decision) = self.decision {
            self.queue.answer(&record.id, decision, None, &Permit::terminal("me")).unwrap();
        }
        Reached::Somebody
    }
}

/// A gate with a tool that asks, and a person who answers.
fn asking(
    decision: Option<Decision>,
    then: Option<Json>,
) -> (tempfile::TempDir, PathBuf, Arc<Gate>, Echo, Arc<Answering>) {
    let tmp = tempfile::tempdir().unwrap();
    let state = tmp.path().join(".openclaw");
    let echo = Echo { name: "web_fetch", ran: Arc::default(), asks: true };
    let mut person = None;
    let gate = Arc::new_cyclic(|gate| {
        let listener = Arc::new(Answering {
            queue: ApprovalQueue::of(&state).unwrap(),
            decision,
            seen: Mutex::default(),
            gate: gate.clone(),
            reload: then.map(|config| (config, state.clone())),
        });
        person = Some(Arc::clone(&listener));
        let approvals = Approvals::of(&state).unwrap().told_to(listener);
        Gate::new(snapshot(&json!({}), &state), Ledger::of(&state), Arc::new(FakeExecutors::new(true, true)))
            .asking(approvals)
            .with_handlers(Handlers::new([Arc::new(echo.clone()) as Arc<dyn ToolHandler>]))
    });
    (tmp, state, gate, echo, person.unwrap())
}

fn recorded(state: &Path) -> Vec<(String, String)> {
    let lines = read(&state.join("ledger")).unwrap();
    lines.into_iter().map(|l| l.record.unwrap().entry).map(|e| (e.verdict, e.rule)).collect()
}

#[tokio::test]
async fn a_call_that_asks_runs_once_for_exactly_what_was_shown() {
    let (_tmp, state, gate, echo, person) = asking(Some(Decision::AllowOnce), None);
    let answer = gate.call(&call("web_fetch", json!({"text": "hello"}), MAIN)).await.unwrap();
    assert_eq!((answer.result.outcome, *echo.ran.lock().unwrap()), (Outcome::Done, 1));
    let seen = person.seen.lock().unwrap().clone();
    assert_eq!(seen[0].request.command(), r#"web_fetch {"text":"hello"}"#);
    assert_eq!(
        seen[0].request.allowed_decisions(),
        [Decision::AllowOnce, Decision::Deny],
        "nothing to remember it by"
    );
    let states: Vec<State> = person.queue.records().unwrap().into_iter().map(|r| r.state).collect();
    assert_eq!(states, [State::Finished { ending: Ending::Exit(0) }]);
    let words: Vec<String> = recorded(&state).into_iter().map(|(verdict, _)| verdict).collect();
    assert_eq!(words, ["asked", "allowed", "done"]);
}

#[tokio::test]
async fn a_refused_call_and_one_that_nobody_can_be_asked_about_do_not_run() {
    let (_tmp, state, gate, echo, _) = asking(Some(Decision::Deny), None);
    let refused = gate.call(&call("web_fetch", json!({"text": "x"}), MAIN)).await.unwrap_err();
    assert!(refused.to_string().starts_with("a person refused this call (approval "), "{refused}");
    assert_eq!(recorded(&state).last().unwrap(), &("denied".to_owned(), "approval: user-denied".to_owned()));
    let (b, mut other) = with(json!({}), "web_fetch");
    other.asks = true;
    b.gate.replace_handlers(Handlers::new([Arc::new(other.clone()) as Arc<dyn ToolHandler>]));
    let refused = b.refused("web_fetch", json!({"text": "x"}), MAIN).await;
    assert_eq!(refused.explanation().decided_by.rule, "approval-unavailable");
    assert_eq!((*echo.ran.lock().unwrap(), *other.ran.lock().unwrap()), (0, 0));
}

#[tokio::test]
async fn sp_177_rules_that_change_while_a_call_waits_count() {
    let denying = json!({"tools": {"deny": ["web_fetch"]}});
    let (_tmp, state, gate, echo, person) = asking(Some(Decision::AllowOnce), Some(denying));
    let refused = gate.call(&call("web_fetch", json!({"text": "x"}), MAIN)).await.unwrap_err();
    assert!(matches!(refused, GateError::Refused(ref r) if r.stage() == Stage::Policy), "{refused:?}");
    assert_eq!(*echo.ran.lock().unwrap(), 0);
    assert_eq!(recorded(&state).last().unwrap().0, "denied");
    let states: Vec<State> = person.queue.records().unwrap().into_iter().map(|r| r.state).collect();
    assert!(matches!(states[0], State::Denied { .. }), "{states:?}");
}

#[tokio::test]
async fn a_call_that_is_dropped_while_it_waits_is_denied() {
    let (_tmp, _state, gate, echo, person) = asking(None, None);
    let waiting = call("web_fetch", json!({"text": "x"}), MAIN);
    {
        let mut running = std::pin::pin!(gate.call(&waiting));
        while person.seen.lock().unwrap().is_empty() {
            tokio::select! {
                done = &mut running => panic!("{done:?}"),
                () = tokio::task::yield_now() => {}
            }
        }
    }
    let denied = async {
        while person.queue.records().unwrap().iter().any(|r| r.state == State::Pending) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), denied).await.unwrap();
    assert_eq!(*echo.ran.lock().unwrap(), 0);
}
