//! `openclaw ledger`: what was decided and done, and whether the record of it is whole.

mod show;
mod verify;
mod why;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use oc_config::load::Reading;
use oc_fs::ledger::{Ledger, Line, Record, read};

use super::explain::render::line;
use crate::app::App;

/// Arguments of `openclaw ledger`.
#[derive(Debug, clap::Args)]
pub struct LedgerArgs {
    /// What to do.
    #[command(subcommand)]
    command: LedgerCommand,
}

/// What can be asked of the ledger.
#[derive(Debug, clap::Subcommand)]
enum LedgerCommand {
    /// Show the records, oldest first.
    Show(show::ShowArgs),
    /// Check that every record is there and unchanged; exit code 1 when not.
    Verify(verify::VerifyArgs),
    /// Show everything about one call: its decision, the rule, what came of it.
    Why(why::WhyArgs),
}

/// Runs the command.
///
/// # Errors
/// A ledger that cannot be read, an id that is not in it.
pub fn run(app: &App, args: &LedgerArgs) -> Result<ExitCode> {
    match &args.command {
        LedgerCommand::Show(args) => show::run(app, args),
        LedgerCommand::Verify(args) => verify::run(app, args),
        LedgerCommand::Why(args) => why::run(app, args),
    }
}

/// The folder of the ledger.
fn directory(app: &App) -> PathBuf {
    Ledger::of(&app.load(Reading::Product).locations.state_dir).directory().to_owned()
}

/// Every line, damaged ones too.
fn lines(app: &App) -> Result<Vec<Line>> {
    let directory = directory(app);
    read(&directory).with_context(|| format!("the ledger {} cannot be read", directory.display()))
}

/// The head of a record: number, time, verdict, subject; then who, and which rule.
fn head(out: &mut String, record: &Record) {
    let e = &record.entry;
    let time = record.ts.split('.').next().unwrap_or_default().replace('T', " ");
    line(out, 0, &format!("#{} {time} {} {} {}", record.seq, e.kind.word(), e.verdict, e.subject));
    let mut who = e.actor.clone();
    for (name, value) in [("agent", &e.agent), ("session", &e.session)] {
        if !value.is_empty() {
            who.push_str(&format!(", {name} {value}"));
        }
    }
    line(out, 4, &who);
    let rule = match (&e.key_path, &e.source) {
        (Some(key), Some(source)) => format!("{}; {key} at {source}", e.rule),
        (Some(key), None) => format!("{}; {key}", e.rule),
        (None, Some(source)) => format!("{}; {source}", e.rule),
        (None, None) => e.rule.clone(),
    };
    if !rule.is_empty() {
        line(out, 4, &rule);
    }
}
