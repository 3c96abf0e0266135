//! `process`: looks after the background commands of the caller's own session (agent-runtime 3).
//!
//! What a command reads is not judged again: whoever lets a program run that takes orders from its input lets the session give them.
//! That is why interactive interpreters and shells cannot be approved (SP-172).

use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::background::owner;
use super::call::ToolCall;
use super::recording::{self, Grounds};
use super::snapshot::Snapshot;
use super::{Answer, Gate, GateError, Outcome, ToolResult, mask, outcome_facts};
use crate::executor::Place;
use crate::process_sessions::{Session, SessionError, Status, encode_keys, paste};
use crate::tools::ProcessRequest;

/// How long `kill` waits for the end, and `poll` for the first output.
const MOMENT: Duration = Duration::from_secs(5);
/// Lines that `log` shows when the call does not say.
const LOG_LINES: usize = 200;
/// Characters of a command in a list.
const SHOWN: usize = 120;

impl Gate {
    /// Carries out one action.
    pub(super) async fn process(
        &self,
        snapshot: &Snapshot,
        call: &ToolCall,
        request: &ProcessRequest,
    ) -> Result<Answer, GateError> {
        let owner = owner(&call.caller);
        let id = request.session.as_deref().unwrap_or_default();
        // The list itself is kept on this host.
        let place = self.sessions.get(&owner, id).map_or(Place::Host, |s| s.place());
        let mut grounds = Grounds { rule: "policy: no layer removes it".to_owned(), ..Grounds::default() };
        grounds.inputs.insert("action".to_owned(), request.action.clone().into());
        if !id.is_empty() {
            grounds.inputs.insert("process".to_owned(), id.into());
        }
        self.record(recording::allowed(snapshot, call, place, &grounds)).await?;
        let result = match self.act(&owner, id, request).await {
            Ok(result) => result,
            Err(e) => ToolResult::text(Outcome::Failed, e.to_string()).with("status", "failed"),
        };
        let result = mask::redacted(snapshot.redactor(), result);
        let facts = outcome_facts(&result);
        self.record(recording::outcome(snapshot, call, place, result.outcome.word(), facts)).await?;
        Ok(Answer { call: call.id.clone(), place, notes: Vec::new(), result })
    }

    async fn act(&self, owner: &str, id: &str, request: &ProcessRequest) -> Result<ToolResult, SessionError> {
        match request.action.as_str() {
            "list" => Ok(list(&self.sessions.list(owner))),
            "poll" => Ok(poll(self.sessions.get(owner, id)?.as_ref())),
            "log" => Ok(log(self.sessions.get(owner, id)?.as_ref(), request)),
            "write" => {
                let data = request.data.clone().unwrap_or_default().into_bytes();
                put(self.sessions.get(owner, id)?.as_ref(), data, request.eof)
            }
            "send-keys" => {
                let bytes = encode_keys(&request.keys, &request.hex, request.literal.as_deref())?;
                put(self.sessions.get(owner, id)?.as_ref(), bytes, false)
            }
            "submit" => {
                let session = self.sessions.get(owner, id)?;
                let mut bytes = request.data.clone().unwrap_or_default().into_bytes();
                bytes.push(if session.has_terminal() { b'\r' } else { b'\n' });
                put(&session, bytes, false)
            }
            "paste" => {
                let text = request.text.as_deref().unwrap_or_default();
                let session = self.sessions.get(owner, id)?;
                let bracketed = request.bracketed.unwrap_or(true) && session.has_terminal();
                put(&session, paste(text, bracketed), false)
            }
            "kill" => {
                let session = self.sessions.kill(owner, id)?;
                session.wait(MOMENT).await;
                Ok(ToolResult::text(Outcome::Done, format!("{id} is ended"))
                    .with("status", session.status().word()))
            }
            "clear" => {
                self.sessions.clear(owner, id)?;
                Ok(ToolResult::text(Outcome::Done, format!("{id} is forgotten")).with("status", "cleared"))
            }
            "remove" => {
                self.sessions.remove(owner, id)?;
                Ok(ToolResult::text(Outcome::Done, format!("{id} is ended and forgotten"))
                    .with("status", "removed"))
            }
            // The arguments hold no other word.
            other => Err(SessionError::Unknown(other.to_owned())),
        }
    }
}

/// What every answer about a command says of it.
fn facts(session: &Session) -> Map<String, Json> {
    let mut out = Map::new();
    out.insert("sessionId".to_owned(), session.id().into());
    out.insert("status".to_owned(), session.status().word().into());
    if let Some(Ok(exit)) = session.end() {
        out.insert("exitCode".to_owned(), exit.code.into());
        out.insert("timedOut".to_owned(), exit.timed_out.into());
    }
    out
}

fn list(sessions: &[std::sync::Arc<Session>]) -> ToolResult {
    let mut text = String::new();
    let mut rows = Vec::new();
    for session in sessions {
        let until = session.ended_at().unwrap_or_else(std::time::Instant::now);
        let ran = until.duration_since(session.started_at());
        let command = oc_text::visible(session.command(), SHOWN);
        text.push_str(&format!(
            "{} {} {} s: {command}\n",
            session.id(),
            session.status().word(),
            ran.as_secs()
        ));
        let mut row = facts(session);
        row.insert("command".to_owned(), session.command().into());
        row.insert("cwd".to_owned(), session.directory().into());
        row.insert("place".to_owned(), session.place().word().into());
        row.insert("pty".to_owned(), session.has_terminal().into());
        row.insert("runtimeMs".to_owned(), u64::try_from(ran.as_millis()).unwrap_or(u64::MAX).into());
        rows.push(Json::Object(row));
    }
    if text.is_empty() {
        text.push_str("no command of this session is in the background\n");
    }
    ToolResult::text(Outcome::Done, text).with("sessions", json!(rows))
}

fn poll(session: &Session) -> ToolResult {
    let new = session.poll();
    let mut text = new.text;
    if new.dropped > 0 {
        text.insert_str(0, &format!("[{} earlier characters were dropped]\n", new.dropped));
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&standing(session));
    told(session, text)
}

fn log(session: &Session, request: &ProcessRequest) -> ToolResult {
    let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let limit = request.limit.map(number).unwrap_or(LOG_LINES);
    let (mut text, lines) = session.log(request.offset.map(number), Some(limit));
    if text.is_empty() {
        text = standing(session);
    }
    told(session, text).with("totalLines", lines)
}

fn told(session: &Session, text: String) -> ToolResult {
    let outcome = match session.status() {
        Status::Running | Status::Completed | Status::Killed => Outcome::Done,
        Status::Failed => Outcome::Failed,
    };
    let mut result = ToolResult::text(outcome, text);
    result.details = facts(session);
    result
}

fn standing(session: &Session) -> String {
    match (session.status(), session.end()) {
        (Status::Running, _) => "[it still runs]".to_owned(),
        (Status::Killed, _) => "[it was ended]".to_owned(),
        (_, Some(Ok(exit))) if exit.timed_out => "[it ran longer than it may and was ended]".to_owned(),
        (_, Some(Ok(exit))) => format!("[it ended with exit code {}]", exit.code),
        (_, Some(Err(e))) => format!("[it was lost: {e}]"),
        (_, None) => "[it ended]".to_owned(),
    }
}

fn put(session: &Session, bytes: Vec<u8>, eof: bool) -> Result<ToolResult, SessionError> {
    let count = bytes.len();
    session.write(bytes, eof)?;
    let end = if eof { ", and nothing follows" } else { "" };
    let mut result = ToolResult::text(Outcome::Done, format!("{count} bytes given to {}{end}", session.id()));
    result.details = facts(session);
    Ok(result)
}
