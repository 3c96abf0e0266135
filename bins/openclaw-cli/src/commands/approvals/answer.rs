//! `openclaw approvals approve`, `deny` and `resolve`.

use std::process::ExitCode;

use anyhow::Result;
use oc_approval::life_cycle::{Answered, Decision, Record, Target};
use oc_approval::prompt;
use oc_fs::approval_queue::ApprovalQueue;

use super::permit;
use crate::app::App;

/// Answers one request.
pub fn run(
    app: &App,
    queue: &ApprovalQueue,
    code: &str,
    decision: Decision,
    target: Option<Target>,
) -> Result<ExitCode> {
    let answered = queue.answer(code, decision, target, &permit(app))?;
    app.print(&format!("{}\n", said(&answered)));
    Ok(ExitCode::SUCCESS)
}

/// What was decided about what, one line.
pub fn said(answered: &Answered) -> String {
    let record = answered.record();
    let already = if matches!(answered, Answered::Already(_)) { "already " } else { "" };
    let mut out = format!("{} {already}{}", record.code, decided(record));
    let room = prompt::WIDTH.saturating_sub(out.chars().count() + 2);
    let command = prompt::shown(record.request.command());
    out.push_str(": ");
    if command.chars().count() > room {
        out.extend(command.chars().take(room.saturating_sub(1)));
        out.push('…');
    } else {
        out.push_str(&command);
    }
    out
}

fn decided(record: &Record) -> String {
    let Some(answer) = &record.answer else { return "open".to_owned() };
    let word = match answer.decision {
        Decision::AllowOnce => "approved once",
        Decision::AllowAlways => "approved from now on",
        Decision::Deny => "denied",
    };
    match answer.target {
        Some(Target::Host) => format!("{word}, on the host"),
        Some(Target::Sandbox) => format!("{word}, in the sandbox"),
        None => word.to_owned(),
    }
}
