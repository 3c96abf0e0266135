use std::sync::Arc;

use super::*;

fn quiet() -> Says {
    Arc::new(|_| {})
}

fn spec(script: &str) -> ServerSpec {
    let path = [("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
    ServerSpec::of_command("srv", "sh", vec!["-c".to_owned(), script.to_owned()], &path, &[]).unwrap()
}

/// A server in shell: answers the handshake, lists `tools`, then runs `rest` for the first call.
fn server(tools: &str, rest: &str) -> ServerSpec {
    spec(&format!(
        r#"read -r _; printf '%s\n' '{{"jsonrpc":"2.0","id":0,"result":{{"protocolVersion":"2025-06-18","capabilities":{{"tools":{{}}}},"serverInfo":{{"name":"s","version":"1"}}}}}}'
read -r _; read -r _; printf '%s\n' '{{"jsonrpc":"2.0","id":1,"result":{{"tools":{tools}}}}}'
{rest}"#
    ))
}

const ADD: &str = r#"[{"name":"add","description":"adds","inputSchema":{"type":"object"}}]"#;

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let mut spec = spec("");
    spec.command = "/no/such/program".to_owned();
    let failure = McpServer::start(&spec, quiet()).await.unwrap_err();
    assert!(
        matches!(&failure, ServerFailure::NotStarted { command, .. } if command == "/no/such/program"),
        "{failure}"
    );
}

#[tokio::test]
async fn one_that_ends_at_once_is_quoted() {
    let failure = McpServer::start(&spec("echo 'no licence\x1b[2J' >&2; exit 3"), quiet()).await.unwrap_err();
    let ServerFailure::Failed { failure: Failure::NoHandshake(_), last_words, .. } = &failure else {
        panic!("{failure}");
    };
    // It is heard from a task of its own, which may be behind.
    assert!(last_words.is_empty() || last_words.starts_with("no licence\\u{1b}"), "{last_words}");
}

#[tokio::test]
async fn one_that_dies_in_a_call_fails_that_call_and_every_later_one() {
    let spec = server(ADD, "read -r _; exit 1");
    let server = McpServer::start(&spec, quiet()).await.unwrap();
    assert_eq!(server.tools().await.unwrap().tools.len(), 1);
    for _ in 0..2 {
        let failure = server.call("add", Map::new()).await.unwrap_err();
        assert!(matches!(failure, ServerFailure::Failed { failure: Failure::Gone, .. }), "{failure:?}");
    }
}

#[tokio::test]
async fn a_message_over_the_limit_is_dropped_and_the_call_fails_at_once() {
    let rest = format!(
        r#"read -r _; head -c {} /dev/zero | tr '\0' x; echo; read -r _; printf '%s\n' '{{"jsonrpc":"2.0","id":3,"result":{{"content":[{{"type":"text","text":"ok"}}]}}}}'; read -r _"#,
        limits::MESSAGE_BYTES + 10
    );
    let server = McpServer::start(&server(ADD, &rest), quiet()).await.unwrap();
    server.tools().await.unwrap();
    let failure = server.call("add", Map::new()).await.unwrap_err();
    assert!(matches!(failure, ServerFailure::Failed { failure: Failure::TooLarge, .. }), "{failure:?}");
}

#[tokio::test]
async fn one_that_does_not_answer_is_not_waited_for() {
    let mut spec = server(ADD, "sleep 60");
    spec.call_timeout = Duration::from_millis(200);
    let server = McpServer::start(&spec, quiet()).await.unwrap();
    server.tools().await.unwrap();
    let failure = server.call("add", Map::new()).await.unwrap_err();
    assert!(matches!(failure, ServerFailure::Failed { failure: Failure::TimedOut(_), .. }), "{failure:?}");
}

#[tokio::test]
async fn what_was_not_listed_is_not_called() {
    let server = McpServer::start(&server(ADD, "read -r _"), quiet()).await.unwrap();
    let failure = server.call("add", Map::new()).await.unwrap_err();
    assert!(matches!(failure, ServerFailure::NoSuchTool { .. }), "not listed yet: {failure:?}");
    server.tools().await.unwrap();
    let failure = server.call("sub", Map::new()).await.unwrap_err();
    assert!(matches!(failure, ServerFailure::NoSuchTool { .. }), "{failure:?}");
}

#[tokio::test]
async fn what_it_started_ends_with_it() {
    let home = tempfile::tempdir().unwrap();
    let pid_file = home.path().join("pid");
    let rest = format!("sleep 300 & echo $! > {}.new; mv {0}.new {0}; read -r _; exit 0", pid_file.display());
    let server = McpServer::start(&server(ADD, &rest), quiet()).await.unwrap();
    server.tools().await.unwrap();
    let mut pid = String::new();
    while pid.is_empty() {
        tokio::task::yield_now().await;
        pid = std::fs::read_to_string(&pid_file).unwrap_or_default();
    }
    let proc = format!("/proc/{}/cmdline", pid.trim());
    assert!(std::fs::read_to_string(&proc).unwrap().contains("sleep"));
    server.stop().await;
    let gone = async {
        while std::fs::read_to_string(&proc).is_ok_and(|c| c.contains("sleep")) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.unwrap();
}
