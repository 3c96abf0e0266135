//! `log`: who changed which key when, and whether it widened access.

use std::process::ExitCode;

use anyhow::{Context, Result};
use oc_config::change_log::{Access, Entry, How, OUTSIDE, Record};
use oc_config::load::Reading;
use oc_fs::{change_log, config_store};
use oc_text::visible;
use serde_json::json;

use super::pretty;
use crate::app::App;

/// Arguments of `openclaw config log`.
#[derive(Debug, clap::Args)]
pub struct LogArgs {
    /// Only changes that bear on access, those that widen it first.
    #[arg(long)]
    security: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Show at most this many changes.
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: usize,
}

/// One line of the answer.
struct Line<'a> {
    record: &'a Record,
    entry: Option<&'a Entry>,
}

impl Line<'_> {
    fn access(&self) -> Access {
        self.entry.map_or(self.record.access, |e| e.access)
    }
}

/// Shows the change log.
pub fn run(app: &App, args: &LogArgs) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    let state = &loaded.locations.state_dir;
    let log = change_log::read(state).context("the change log cannot be read")?;
    let mut lines = Vec::new();
    for record in log.records.iter().rev() {
        if record.changes.is_empty() {
            lines.push(Line { record, entry: None });
        }
        lines.extend(record.changes.iter().map(|e| Line { record, entry: Some(e) }));
    }
    if args.security {
        lines.retain(|l| l.access() != Access::Neutral);
        // Stable: within one rank the newest stays first.
        lines.sort_by_key(Line::access);
    }
    let shown = lines.len().min(args.limit);
    let hidden = lines.len() - shown;
    lines.truncate(shown);
    let name = loaded.locations.config.to_string_lossy();
    let text = loaded.files.first().map(|f| f.text.as_str());
    let last = log.records.iter().rev().find(|r| r.file == name);
    let edited = matches!((text, last), (Some(t), Some(l)) if config_store::hash(t) != l.after);
    if args.json {
        let changes: Vec<_> = lines.iter().map(line_json).collect();
        app.print(&pretty(&json!({
            "file": change_log::path(state).to_string_lossy(),
            "changes": changes,
            "more": hidden,
            "unreadable": log.unreadable,
            "editedSince": edited,
        }))?);
        return Ok(ExitCode::SUCCESS);
    }
    if edited {
        app.print(&format!(
            "edited by hand since the last record, keys not known: {}\n",
            loaded.locations.config.display()
        ));
    }
    if lines.is_empty() {
        app.print("no recorded changes\n");
    }
    for l in &lines {
        app.print(&line_text(l));
    }
    if hidden > 0 {
        app.print(&format!("... and {hidden} more (--limit)\n"));
    }
    if log.unreadable > 0 {
        app.note(&format!("{} lines of the change log cannot be read", log.unreadable));
    }
    Ok(ExitCode::SUCCESS)
}

fn word(access: Access) -> &'static str {
    match access {
        Access::Widens => "WIDENS",
        Access::Review => "review",
        Access::Narrows => "narrows",
        Access::Neutral => "",
    }
}

fn how(how: How) -> &'static str {
    match how {
        How::Added => "added",
        How::Changed => "changed",
        How::Removed => "removed",
    }
}

/// Two lines: when, what, how; then who and why.
fn line_text(l: &Line<'_>) -> String {
    let time = visible(l.record.time.split('.').next().unwrap_or_default(), 19).replace('T', " ");
    let writer = visible(&l.record.writer, 60);
    let forced = if l.record.forced { ", forced" } else { "" };
    let (path, did, why) = match l.entry {
        Some(e) => (visible(&e.path, 200), how(e.how), visible(&e.why, 100)),
        None if l.record.writer == OUTSIDE => {
            ("(keys not known)".to_owned(), "edited by hand", String::new())
        }
        None => (visible(&l.record.file, 200), "written", String::new()),
    };
    let why = if why.is_empty() { why } else { format!(": {why}") };
    format!("{time}  {:<7}  {path} {did}\n    {writer}{forced}{why}\n", word(l.access()))
}

fn line_json(l: &Line<'_>) -> serde_json::Value {
    json!({
        "time": l.record.time,
        "writer": l.record.writer,
        "file": l.record.file,
        "path": l.entry.map(|e| e.path.as_str()),
        "how": l.entry.map(|e| how(e.how)),
        "access": l.access(),
        "why": l.entry.map(|e| e.why.as_str()),
        "forced": l.record.forced,
    })
}
