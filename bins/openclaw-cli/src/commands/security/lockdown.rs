//! `openclaw security lockdown`: after an incident, close everything at once; `--undo` opens it again, byte for byte.

mod apply;
mod undo;

use std::process::ExitCode;

use anyhow::Result;
use oc_audit::text_block::Block;
use oc_config::load::Reading;
use serde_json::{Value, json};

use crate::app::App;

/// Arguments of `openclaw security lockdown`.
#[derive(Debug, clap::Args)]
pub struct LockdownArgs {
    /// Show what would be done and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Put configuration, rooms and nodes back as they were before the lockdown.
    #[arg(long, conflicts_with = "dry_run")]
    undo: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What was done, or would be.
#[derive(Debug, Default)]
struct Report {
    dry_run: bool,
    changes: Vec<String>,
    diff: String,
    files: Vec<String>,
    approvals: Vec<String>,
    nodes: Vec<String>,
    /// Sessions that answered without a mention.
    sessions: Vec<String>,
    hints: Vec<String>,
    errors: Vec<String>,
}

/// Locks down, or undoes it.
///
/// # Errors
/// When there is nothing to undo, or something was changed since.
pub fn run(app: &App, args: &LockdownArgs) -> Result<ExitCode> {
    if args.undo {
        return undo::run(app, args.json);
    }
    let loaded = app.load(Reading::Product);
    let mut report = Report { dry_run: args.dry_run, ..Report::default() };
    let planned = apply::plan(app, &loaded, &mut report);
    if !args.json {
        // Before anything is changed: what is about to be.
        app.print(&report.before(app.colour));
    }
    apply::apply(app, &loaded, planned, &mut report);
    if args.json {
        app.print(&format!("{:#}\n", report.json()));
    } else {
        app.print(&report.after(app.colour));
    }
    Ok(if report.errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

impl Report {
    fn json(&self) -> Value {
        json!({
            "ok": self.errors.is_empty(),
            "dryRun": self.dry_run,
            "changes": self.changes,
            "diff": self.diff,
            "files": self.files,
            "approvalsDenied": self.approvals,
            "nodesRevoked": self.nodes,
            "sessionsMuted": self.sessions,
            "hints": self.hints,
            "errors": self.errors,
        })
    }

    fn before(&self, colour: bool) -> String {
        let mut out = Block::new(colour);
        out.bold(if self.dry_run { "LOCKDOWN (dry run, nothing is changed)" } else { "LOCKDOWN" });
        for change in &self.changes {
            out.indented("", &oc_text::visible(change, 1_000));
        }
        if self.changes.is_empty() {
            out.indented("", "the configuration has nothing to close");
        }
        let mut text = out.finish();
        if !self.diff.is_empty() {
            text.push_str(&format!("\n{}\n", self.diff));
        }
        text
    }

    fn after(&self, colour: bool) -> String {
        let mut out = Block::new(colour);
        let would = if self.dry_run { "would be " } else { "" };
        for file in &self.files {
            out.indented(
                if self.dry_run { "would write " } else { "wrote " },
                &oc_text::visible(file, 1_000),
            );
        }
        out.indented("", &format!("{} waiting commands {would}denied", self.approvals.len()));
        out.indented("", &format!("{} nodes {would}revoked", self.nodes.len()));
        for node in &self.nodes {
            out.indented("  node ", &oc_text::visible(node, 200));
        }
        if !self.sessions.is_empty() {
            let count = self.sessions.len();
            out.indented("", &format!("{count} rooms {would}answered on a mention only"));
        }
        for session in &self.sessions {
            out.indented("  room ", &oc_text::visible(session, 200));
        }
        for error in &self.errors {
            out.indented("error: ", &oc_text::visible(error, 1_000));
        }
        for hint in &self.hints {
            out.indented("next: ", hint);
        }
        if !self.dry_run {
            let undo = "`openclaw security lockdown --undo` puts configuration, rooms and nodes back; denied commands stay denied";
            out.indented("", undo);
        }
        out.finish()
    }
}
