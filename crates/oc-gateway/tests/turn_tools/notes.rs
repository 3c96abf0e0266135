//! `memory_search`, `memory_get`.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sp_001_notes_are_found_and_read_and_nothing_else_is() {
    let script = |asked: &Recorded| match asked.results().len() {
        0 => Reply::call("a", "memory_search", &json!({ "query": "peanuts Ada" }))
            .and_call("b", "memory_get", &json!({ "path": "memory/food.md", "from": 2, "lines": 1 }))
            .and_call("c", "memory_get", &json!({ "path": "../openclaw.json" }))
            .and_call("d", "memory_get", &json!({ "path": "memory/link.md" })),
        _ => Reply::text("Done."),
    };
    let mut stage = Stage::start(json!({}), script).await;
    let workspace = stage.world.state_dir().join("workspace");
    std::fs::create_dir_all(workspace.join("memory")).unwrap();
    std::fs::write(workspace.join("MEMORY.md"), "The cat is called Momo.\n").unwrap();
    std::fs::write(workspace.join("memory/food.md"), "# Food\nNo peanuts for Ada.\n").unwrap();
    std::os::unix::fs::symlink(
        stage.world.state_dir().join("openclaw.json"),
        workspace.join("memory/link.md"),
    )
    .unwrap();
    assert_eq!(stage.say("agent:main:main", "what may Ada eat?").await, "Done.");
    let results = stage.model.requests().last().unwrap().results();
    assert!(
        results[0].1.contains("memory/food.md") && results[0].1.contains("No peanuts for Ada."),
        "{results:?}"
    );
    assert!(!results[0].1.contains("Momo"), "{results:?}");
    assert!(results[1].1.contains("\"text\": \"No peanuts for Ada.\\n\""), "{results:?}");
    assert!(results[2].1.contains("Refused (arguments)"), "{results:?}");
    assert!(results[3].1.contains("is a link"), "{results:?}");
    stage.model.assert_no_body_holds(TOKEN);
    assert_eq!(stage.verdicts("memory_search"), ["allowed", "done"]);
    assert_eq!(stage.verdicts("memory_get"), ["allowed", "done", "denied", "allowed", "failed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sandbox_that_does_not_see_the_workspace_does_not_see_its_notes() {
    let script = |asked: &Recorded| match asked.results().len() {
        0 => Reply::call("a", "memory_search", &json!({ "query": "peanuts" })),
        _ => Reply::text("No."),
    };
    let boxed = json!({
        "agents": { "defaults": { "sandbox": { "mode": "all", "workspaceAccess": "none" } } },
        "tools": { "sandbox": { "tools": { "allow": ["memory_search"] } } },
    });
    let mut stage = Stage::start(boxed, script).await;
    stage.say("agent:main:main", "search").await;
    let recorded = stage.recorded("memory_search");
    assert_eq!(recorded, [("denied".to_owned(), "policy: workspace-access".to_owned())]);
}
