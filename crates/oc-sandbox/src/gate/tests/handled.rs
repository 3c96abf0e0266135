//! Tools that other crates carry out, behind the same door.

use std::sync::Mutex;

use super::*;
use crate::executor::{ExecutorError, Pending};

/// Answers with its argument, and counts.
#[derive(Clone, Debug)]
struct Echo {
    name: &'static str,
    ran: Arc<Mutex<usize>>,
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
    let echo = Echo { name, ran: Arc::default() };
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
