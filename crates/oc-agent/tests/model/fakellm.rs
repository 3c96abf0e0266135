//! Against `fakellm` from PyPI (`.ci/install-fakellm`), which other people wrote from the providers' descriptions. Without it the test says so and
//! passes, unless `OC_REQUIRE` has the word `fakellm`. (Its errors do not reach requests for a stream; the scripted fake is for those.)

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use oc_agent::message::{Arguments, Block, Message, StopReason};
use serde_json::json;

use crate::setting::{KEY, Setting, ask, saying};

const RULES: &str = r#"
version: 1
defaults:
  fallback: deterministic_echo
rules:
  - name: summary
    when:
      tool_result_contains: "the content"
    respond:
      content: "I have read it."
  - name: call
    when:
      messages_contain: "hello"
    respond:
      tool_calls:
        - name: read
          arguments: {path: "a.txt"}
"#;

fn program() -> Option<PathBuf> {
    let named = std::env::var_os("OPENCLAW_FAKELLM_DIR").map(PathBuf::from);
    let dir = named.or_else(|| Some(std::env::home_dir()?.join(".cache/openclaw-fakellm")))?;
    let found = Some(dir.join("bin/fakellm")).filter(|p| p.is_file());
    let required = std::env::var("OC_REQUIRE").unwrap_or_default().split_whitespace().any(|w| w == "fakellm");
    assert!(found.is_some() || !required, "no fakellm: run .ci/install-fakellm");
    if found.is_none() {
        println!("SKIP: no fakellm (.ci/install-fakellm brings one)");
    }
    found
}

/// Ended with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(program: &Path, dir: &Path) -> (Running, u16) {
    let rules = dir.join("fakellm.yaml");
    fs::write(&rules, RULES).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let child = Command::new(program)
        .args(["serve", "--host", "127.0.0.1", "--port", &port.to_string(), "--config"])
        .arg(&rules)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let running = Running(child);
    let deadline = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "fakellm does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
    (running, port)
}

#[tokio::test]
async fn both_formats_with_a_call_and_its_result() {
    let Some(program) = program() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (_running, port) = start(&program, dir.path());
    for (api, path) in [("anthropic-messages", ""), ("openai-completions", "/v1")] {
        let setting = Setting::new(json!({
            "models": {"providers": {"fakellm": {
                "baseUrl": format!("http://127.0.0.1:{port}{path}"), "api": api, "apiKey": KEY,
                "models": [{"id": "m", "name": "M", "contextWindow": 32000}],
            }}},
            "agents": {"defaults": {"model": {"primary": "fakellm/m"}}},
        }));
        let session = setting.session();
        // It tells conversations apart by their first message.
        let user = Message::User(vec![Block::Text(format!("hello, {api}"))]);
        let first = ask(&session, &saying(vec![user.clone()])).await.0.unwrap();
        assert_eq!(first.stop, StopReason::ToolUse, "{api}");
        let call = first.tool_calls().next().unwrap().clone();
        assert_eq!(call.name, "read");
        assert_eq!(
            call.arguments,
            Arguments::Object(json!({"path": "a.txt"}).as_object().cloned().unwrap()),
            "{api}"
        );
        let result = Message::ToolResult {
            call_id: call.id,
            tool: "read".to_owned(),
            content: vec![Block::Text("the content".to_owned())],
            is_error: false,
        };
        let (second, said) = ask(&session, &saying(vec![user, Message::Assistant(first), result])).await;
        assert_eq!(second.unwrap().text(), "I have read it.", "{api}");
        assert_eq!(said, "I have read it.", "{api}");
    }
}
