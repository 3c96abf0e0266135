//! OpenAI's own client for Python, as a process (`.ci/install-openai`).

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::scripted_provider::{Reply, ScriptedProvider};
use super::support::TOKEN;
use super::world;

/// The interpreter that has it. Where nothing may be skipped (`OC_REQUIRE` has `openai`), a missing one is a failure.
fn python() -> Option<PathBuf> {
    let own = std::env::var_os("OPENCLAW_OPENAI_PEER").map(PathBuf::from);
    let cache = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/openclaw-openai-peer"));
    let found = own.or(cache).map(|dir| dir.join("python/bin/python")).filter(|python| python.exists());
    if found.is_none() {
        let required =
            std::env::var("OC_REQUIRE").unwrap_or_default().split_whitespace().any(|w| w == "openai");
        assert!(!required, "OpenAI's client is not installed (.ci/install-openai)");
        println!("SKIP: OpenAI's client is not installed (.ci/install-openai)");
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openais_own_client_understands_every_answer() {
    let Some(python) = python() else { return };
    let model = ScriptedProvider::answering(|asked| {
        if asked.text.contains("canary-break") {
            Reply::error(401, "invalid_api_key", "no")
        } else {
            Reply::text("one\ntwo")
        }
    });
    let world = world(&model, json!({})).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/turns/client.py");
    let run = tokio::process::Command::new(python)
        .arg(script)
        .args([&format!("http://127.0.0.1:{}/v1", world.port), TOKEN])
        .env_clear()
        .kill_on_drop(true)
        .output();
    let out = tokio::time::timeout(std::time::Duration::from_secs(90), run).await.expect("it hangs").unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let seen: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(seen["completion"], json!(["one\ntwo", "stop", 23]));
    assert_eq!(seen["chunks"], json!(["one\ntwo", 7]));
    assert_eq!(seen["response"], json!(["one\ntwo", "completed", 7]));
    assert_eq!(seen["events"], json!(["one\ntwo", "response.created", "response.completed"]));
    assert_eq!(
        seen["errors"],
        json!({
            "tools": ["BadRequestError", 400, "unsupported_parameter"], "agent": ["NotFoundError", 404, "model_not_found"],
            "secret": ["AuthenticationError", 401, null], "model": ["InternalServerError", 500, null],
        })
    );
    // A turn that failed is not asked for again by the client itself.
    assert_eq!(model.requests().iter().filter(|r| r.text.contains("canary-break")).count(), 1);
}
