//! `openclaw ledger show`.

use std::process::ExitCode;

use anyhow::Result;
use oc_fs::ledger::{Kind, Record};

use super::{head, lines};
use crate::app::App;

/// Arguments of `openclaw ledger show`.
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// Only of this agent.
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// Only of this session.
    #[arg(long, value_name = "KEY")]
    session: Option<String>,
    /// Only about this tool.
    #[arg(long, value_name = "NAME")]
    tool: Option<String>,
    /// Only with this verdict (`allowed`, `denied`, `done`, `failed`).
    #[arg(long, value_name = "WORD")]
    verdict: Option<String>,
    /// Only decisions, outcomes or recoveries.
    #[arg(long, value_name = "KIND", value_parser = ["decision", "outcome", "recovery"])]
    kind: Option<String>,
    /// Only from this moment on (RFC 3339, for example `2026-03-01T00:00:00Z`).
    #[arg(long, value_name = "ISO")]
    since: Option<jiff::Timestamp>,
    /// Show at most this many, the newest.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// One JSON object a line, as stored.
    #[arg(long)]
    json: bool,
}

impl ShowArgs {
    fn wants(&self, record: &Record) -> bool {
        let e = &record.entry;
        let same = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|w| w == found);
        let subject = self.tool.as_ref().map(|t| format!("tool:{}", oc_policy::tool_name::canonical(t)));
        let since = |at: jiff::Timestamp| record.ts.parse().is_ok_and(|ts: jiff::Timestamp| ts >= at);
        same(&self.agent, &e.agent)
            && same(&self.session, &e.session)
            && same(&subject, &e.subject)
            && same(&self.verdict, &e.verdict)
            && same(&self.kind, Kind::word(e.kind))
            && self.since.is_none_or(since)
    }
}

/// Shows the records.
pub fn run(app: &App, args: &ShowArgs) -> Result<ExitCode> {
    let lines = lines(app)?;
    let damaged = lines.iter().filter(|l| l.record.is_err()).count();
    let wanted: Vec<&Record> =
        lines.iter().filter_map(|l| l.record.as_ref().ok()).filter(|r| args.wants(r)).collect();
    let hidden = wanted.len().saturating_sub(args.limit);
    let mut out = String::new();
    for record in wanted.iter().skip(hidden) {
        if args.json {
            out.push_str(&serde_json::to_string(record)?);
            out.push('\n');
        } else {
            head(&mut out, record);
        }
    }
    if !args.json && wanted.is_empty() {
        out.push_str("no records\n");
    }
    app.print(&out);
    if hidden > 0 {
        app.note(&format!("{hidden} older records are not shown (--limit)"));
    }
    if damaged > 0 {
        app.note(&format!("{damaged} damaged lines are not shown; see `openclaw ledger verify`"));
    }
    Ok(ExitCode::SUCCESS)
}
