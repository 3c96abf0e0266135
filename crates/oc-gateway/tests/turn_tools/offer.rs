//! Which tools a model is told of.

use oc_agent::tools::definition::ABSENT;

use super::*;

/// What a session without rules of its own is offered, in order.
const OFFERED: [&str; 15] = [
    "read",
    "edit",
    "write",
    "exec",
    "process",
    "message",
    "agents_list",
    "sessions_list",
    "sessions_history",
    "sessions_send",
    "sessions_spawn",
    "session_status",
    "web_fetch",
    "memory_search",
    "memory_get",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_built_is_not_offered_and_a_call_of_it_is_refused() {
    let script = |asked: &Recorded| {
        if !asked.results().is_empty() {
            return Reply::text("None of them.");
        }
        let calls = ABSENT.iter().enumerate();
        calls
            .fold(Reply::text(""), |reply, (n, (name, _))| reply.and_call(&format!("c{n}"), name, &json!({})))
    };
    let mut stage = Stage::start(json!({ "browser": { "enabled": false } }), script).await;
    stage.say("agent:main:main", "use everything").await;
    let offered = stage.model.requests()[0].tools();
    let expected: Vec<&str> = OFFERED.to_vec();
    assert_eq!(offered, expected);
    for (name, why) in ABSENT {
        assert!(!offered.iter().any(|o| o == name), "{name} is offered and not built");
        assert!(!why.is_empty());
        assert_eq!(stage.verdicts(name), ["denied"], "{name}");
    }
    let results = stage.model.requests().last().unwrap().results();
    assert!(results.iter().all(|(_, text)| text.contains("Refused (")), "{results:?}");
}
