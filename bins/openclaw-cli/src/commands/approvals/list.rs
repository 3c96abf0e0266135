//! `openclaw approvals list`.

use std::process::ExitCode;

use anyhow::Result;
use oc_approval::life_cycle::{Record, State};
use oc_approval::prompt;
use oc_fs::approval_queue::ApprovalQueue;
use oc_text::redact::Redactor;
use serde_json::{Value, json};

use super::now_ms;
use crate::app::App;

/// Prints what waits.
pub fn run(app: &App, queue: &ApprovalQueue, all: bool, as_json: bool) -> Result<ExitCode> {
    let records = queue.records()?;
    let chosen: Vec<&Record> = records.iter().filter(|r| all || r.state == State::Pending).collect();
    if as_json {
        let list: Vec<Value> = chosen.iter().map(|r| entry(r)).collect();
        let name = if all { "approvals" } else { "pending" };
        app.print(&format!("{}\n", serde_json::to_string_pretty(&json!({ name: list }))?));
        return Ok(ExitCode::SUCCESS);
    }
    if chosen.is_empty() {
        app.print("No command waits for an answer.\n");
        return Ok(ExitCode::SUCCESS);
    }
    let now = now_ms();
    let blocks: Vec<String> = chosen.iter().map(|r| block(r, now)).collect();
    app.print(&blocks.join("\n"));
    Ok(ExitCode::SUCCESS)
}

/// One request, several lines.
fn block(record: &Record, now: u64) -> String {
    let age = prompt::span(now.saturating_sub(record.created_at_ms));
    let standing = match &record.state {
        State::Pending => format!("expires {}", prompt::expiry(record, now)),
        state => standing(state),
    };
    let mut out = format!("{}  asked {age} ago, {standing}\n", record.code);
    for line in prompt::facts(record, now) {
        // What the first line says already.
        if !["  Expires ", "  Code "].iter().any(|l| line.starts_with(l)) {
            out.push_str(&line);
            out.push('\n');
        }
    }
    if let Some(who) = &record.resolved_by {
        out.push_str(&format!("  Answered   {}\n", prompt::shown(who)));
    }
    out
}

/// `denied: approval-timeout`, `finished: exit 0`.
pub fn standing(state: &State) -> String {
    use oc_approval::life_cycle::Ending;
    match state {
        State::Denied { reason, detail } if detail.is_empty() => format!("denied: {}", reason.word()),
        State::Denied { reason, detail } => format!("denied: {} ({})", reason.word(), prompt::shown(detail)),
        State::Finished { ending: Ending::Exit(code) } => format!("finished: exit {code}"),
        State::Finished { ending: Ending::Timeout } => "finished: timeout".to_owned(),
        State::Finished { ending: Ending::Lost } => "finished: its process is gone".to_owned(),
        State::Pending | State::Allowed | State::Consumed | State::Running => state.word().to_owned(),
    }
}

/// A record for machines, without what only the waiting process needs; credentials masked.
fn entry(record: &Record) -> Value {
    let mut value = serde_json::to_value(record).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        members.shift_remove("binding");
        members.shift_remove("owner");
    }
    masked(&mut value, &Redactor::standard());
    value
}

fn masked(value: &mut Value, redactor: &Redactor) {
    match value {
        Value::String(text) => *text = redactor.redact(text),
        Value::Array(items) => items.iter_mut().for_each(|v| masked(v, redactor)),
        Value::Object(members) => members.values_mut().for_each(|v| masked(v, redactor)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
