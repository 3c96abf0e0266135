//! What a node tells the gateway about a run: `exec.started`, `exec.finished`, `exec.denied`.

use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

/// Longest output in an event, in characters: the end of it.
const TAIL: usize = 20_000;
/// Longest command in an event, in characters.
const COMMAND: usize = 2_000;
/// Most notes that wait to be sent.
pub(super) const QUEUE: usize = 256;

/// Sends notes about one run.
#[derive(Clone, Debug)]
pub(super) struct Notes {
    sender: mpsc::Sender<(String, Value)>,
    run_id: String,
    session: String,
    command: String,
}

impl Notes {
    pub(super) fn new(
        sender: mpsc::Sender<(String, Value)>,
        run_id: String,
        session: String,
        command: &str,
    ) -> Self {
        let command = oc_text::Redactor::standard().redact(command);
        Self { sender, run_id, session, command: oc_text::visible(&command, COMMAND) }
    }

    /// The command, fit to show.
    pub(super) fn command(&self) -> &str {
        &self.command
    }

    pub(super) fn started(&self) {
        self.send("exec.started", Map::new());
    }

    pub(super) fn denied(&self, reason: &str) {
        self.send("exec.denied", Map::from_iter([("reason".to_owned(), reason.into())]));
    }

    pub(super) fn finished(&self, exit: Option<i64>, timed_out: bool, output: &str) {
        let all = output.chars().count();
        let tail: String = output.chars().skip(all.saturating_sub(TAIL)).collect();
        let more = json!({
            "exitCode": exit,
            "timedOut": timed_out,
            "success": exit == Some(0) && !timed_out,
            "output": tail,
        });
        self.send("exec.finished", more.as_object().cloned().unwrap_or_default());
    }

    /// A note that finds no room is dropped: the answer to the call says the same.
    fn send(&self, event: &str, more: Map<String, Value>) {
        let mut payload = Map::new();
        payload.insert("sessionKey".to_owned(), self.session.as_str().into());
        payload.insert("runId".to_owned(), self.run_id.as_str().into());
        payload.insert("host".to_owned(), "node".into());
        payload.insert("command".to_owned(), self.command.as_str().into());
        payload.extend(more);
        let _ = self.sender.try_send((event.to_owned(), Value::Object(payload)));
    }
}
