//! `openclaw cron`: planned work of the gateway; only looked at.

use std::process::ExitCode;

use anyhow::Result;
use oc_text::visible;
use serde_json::{Value, json};

use crate::app::App;
use crate::sheet::{Sheet, ago, list, now_ms, text};
use crate::wire::{self, WireArgs};

/// Arguments of `openclaw cron`.
#[derive(Debug, clap::Args)]
pub struct CronArgs {
    #[command(flatten)]
    wire: WireArgs,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: CronCommand,
}

/// The commands below `openclaw cron`.
#[derive(Debug, clap::Subcommand)]
enum CronCommand {
    /// List the jobs.
    List(ListArgs),
    /// Say whether planned work is on, and when the next job is due.
    Status,
}

/// Arguments of `openclaw cron list`.
#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Also jobs that are switched off.
    #[arg(long)]
    all: bool,
}

/// Runs a command below `openclaw cron`.
///
/// # Errors
/// No connection, a refused call.
pub fn run(app: &App, args: &CronArgs) -> Result<ExitCode> {
    let (answer, words) = match &args.command {
        CronCommand::List(l) => {
            let answer = wire::call(app, &args.wire, "cron.list", json!({"includeDisabled": l.all}))?;
            let words = jobs(&answer);
            (answer, words)
        }
        CronCommand::Status => {
            let answer = wire::call(app, &args.wire, "cron.status", json!({}))?;
            let words = status(&answer, now_ms());
            (answer, words)
        }
    };
    if args.json {
        wire::print_json(app, &answer);
    } else {
        app.print(&words);
    }
    Ok(ExitCode::SUCCESS)
}

fn jobs(answer: &Value) -> String {
    let jobs = list(answer, "jobs");
    let mut sheet = Sheet::new(8);
    if jobs.is_empty() {
        sheet.line("No job is planned.");
    }
    for job in jobs {
        sheet.heading(&visible(text(job, "name").or_else(|| text(job, "id")).unwrap_or("?"), 70));
        sheet.some("Id", text(job, "id").map(str::to_owned));
        let on = job.get("enabled").and_then(Value::as_bool) != Some(false);
        sheet.row("On", if on { "yes" } else { "no" });
        let schedule = job.get("schedule");
        let when = schedule.and_then(|s| {
            let every = s.get("everyMs").and_then(Value::as_u64).map(|ms| format!("every {} s", ms / 1000));
            text(s, "expr").or_else(|| text(s, "at")).map(str::to_owned).or(every)
        });
        sheet.some("When", when);
        sheet.some("Agent", text(job, "agentId").map(str::to_owned));
    }
    sheet.text()
}

fn status(answer: &Value, now_ms: u64) -> String {
    let mut sheet = Sheet::new(8);
    let on = answer.get("enabled").and_then(Value::as_bool) == Some(true);
    sheet.row("On", if on { "yes" } else { "no" });
    sheet.row("Jobs", &answer.get("jobs").and_then(Value::as_u64).unwrap_or(0).to_string());
    let next = answer.get("nextWakeAtMs").and_then(Value::as_u64);
    let words = next.map(|at| match at.checked_sub(now_ms) {
        Some(ahead) => format!("in {}", oc_approval::prompt::span(ahead)),
        None => format!("was due {}", ago(now_ms.saturating_sub(at))),
    });
    sheet.row("Next", &words.unwrap_or_else(|| "nothing is due".to_owned()));
    sheet.some("Store", text(answer, "storePath").map(str::to_owned));
    sheet.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_read() {
        let listed = json!({"jobs": [{"id": "j1", "name": "Morning", "enabled": true, "schedule": {"kind": "cron", "expr": "0 7 * * *"}, "agentId": "main"}, {"id": "j2", "enabled": false, "schedule": {"kind": "every", "everyMs": 60_000}}]});
        let on = json!({"enabled": true, "storePath": "/state/cron/jobs.json", "jobs": 2, "nextWakeAtMs": 161_000});
        let off = json!({"enabled": false, "jobs": 0, "nextWakeAtMs": null});
        let all = [jobs(&listed), jobs(&json!({})), status(&on, 100_000), status(&off, 0)];
        insta::assert_snapshot!(all.join("---\n"));
    }
}
