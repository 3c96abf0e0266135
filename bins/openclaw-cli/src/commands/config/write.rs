//! `set` and `unset`.

use std::io::Read;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use oc_config::change_log::{Access, Entry};
use oc_config::edit::Change;
use oc_config::load::Reading;
use oc_config::schema::{self, Kind};
use oc_config::view;
use oc_fs::config_store::{self, Edited, Force, WriteRefused, Writer};
use oc_text::diff::{Shown, unified};
use oc_text::visible;
use oc_types::KeyPath;
use serde_json::Value as Json;

use super::show::line;
use crate::app::App;

/// Most bytes taken from standard input.
const STDIN_LIMIT: u64 = 1024 * 1024;

/// Arguments of `openclaw config set`.
#[derive(Debug, clap::Args)]
pub struct SetArgs {
    /// The key, such as `gateway.bind` or `agents.list[0].id`.
    path: String,
    /// The value: JSON5, or text when it is no JSON5. `${VAR}` is written as a reference.
    #[arg(required_unless_present = "stdin", allow_hyphen_values = true)]
    value: Option<String>,
    /// The value is JSON5; anything else is an error.
    #[arg(long, conflicts_with = "string")]
    json: bool,
    /// The value is text, whatever it looks like.
    #[arg(long)]
    string: bool,
    /// Read the value from standard input: a credential on the command line is seen by other users.
    #[arg(long, conflicts_with = "value")]
    stdin: bool,
    #[command(flatten)]
    how: How,
}

/// Arguments of `openclaw config unset`.
#[derive(Debug, clap::Args)]
pub struct UnsetArgs {
    /// The keys.
    #[arg(required = true)]
    paths: Vec<String>,
    #[command(flatten)]
    how: How,
}

/// How to write.
#[derive(Debug, clap::Args)]
struct How {
    /// Show the difference and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Write even if most of the file, the mode or the authentication would go.
    #[arg(long)]
    force: bool,
}

/// Sets a key.
pub fn set(app: &App, args: &SetArgs) -> Result<ExitCode> {
    let path = KeyPath::parse(&args.path)?;
    let text = match &args.value {
        Some(text) => text.clone(),
        None => from_stdin()?,
    };
    let value = value(&path, &text, args)?;
    change(app, &[Change::Set { path, value }], &args.how, "openclaw config set")
}

/// Removes keys.
pub fn unset(app: &App, args: &UnsetArgs) -> Result<ExitCode> {
    let mut changes = Vec::new();
    let loaded = app.load(Reading::Product);
    for path in &args.paths {
        let path = KeyPath::parse(path)?;
        if loaded.is_valid() && loaded.tree.at(&path).is_none() {
            bail!("{} is not set", visible(&path.to_string(), 300));
        }
        changes.push(Change::Unset { path });
    }
    change(app, &changes, &args.how, "openclaw config unset")
}

fn from_stdin() -> Result<String> {
    let mut text = String::new();
    std::io::stdin().take(STDIN_LIMIT + 1).read_to_string(&mut text).context("standard input")?;
    if text.len() as u64 > STDIN_LIMIT {
        bail!("standard input holds more than {STDIN_LIMIT} bytes");
    }
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

/// The value that a text on the command line stands for.
fn value(path: &KeyPath, text: &str, args: &SetArgs) -> Result<Json> {
    if args.string {
        return Ok(Json::String(text.to_owned()));
    }
    let parsed = oc_config::document::parse(
        &oc_config::document::Frame::root("value"),
        text.as_bytes(),
        oc_config::Format::Json5,
    );
    match parsed {
        Ok(document) => {
            let value = document.node.to_json();
            // A token of digits is still a text.
            let scalar = matches!(value, Json::Number(_) | Json::Bool(_));
            if scalar && !args.json && wants_text(path) {
                Ok(Json::String(text.to_owned()))
            } else {
                Ok(value)
            }
        }
        // The text itself may be a credential: it is not repeated.
        Err(_) if args.json => bail!("the value is not JSON5; quote texts, or leave out --json"),
        Err(_) => Ok(Json::String(text.to_owned())),
    }
}

fn wants_text(path: &KeyPath) -> bool {
    schema::lookup(path)
        .is_some_and(|leaf| matches!(leaf.kind, Kind::Text | Kind::Filled | Kind::Secret | Kind::Form(_)))
}

fn change(app: &App, changes: &[Change], how: &How, name: &str) -> Result<ExitCode> {
    let request = app.load_request(Reading::Product);
    if how.dry_run {
        let planned = report(app, config_store::preview(&request, changes))?;
        let Some(planned) = planned else { return Ok(ExitCode::FAILURE) };
        app.print(&difference(&planned));
        if planned.plan.is_empty() {
            app.note("nothing would change");
        }
        for objection in &planned.objections {
            app.note(&format!("this needs --force: {objection}"));
        }
        note_access(app, &planned.changes);
        return Ok(ExitCode::SUCCESS);
    }
    let force = if how.force { Force::Yes } else { Force::No };
    let writer = Writer { name, force, expected: None };
    let Some(done) = report(app, config_store::edit(&request, changes, writer))? else {
        return Ok(ExitCode::FAILURE);
    };
    if done.plan.is_empty() {
        app.print("nothing to do: the configuration says so already\n");
        return Ok(ExitCode::SUCCESS);
    }
    for file in &done.plan.files {
        app.print(&format!("wrote {}\n", file.path.display()));
    }
    note_access(app, &done.changes);
    if let Some(why) = &done.unrecorded {
        app.note(&format!("warning: the change log has no record of this: {why}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// An invalid result is told problem by problem, everything else as one error.
fn report(app: &App, result: Result<Edited, WriteRefused>) -> Result<Option<Edited>> {
    match result {
        Ok(edited) => Ok(Some(edited)),
        Err(WriteRefused::Invalid(issues)) => {
            for issue in &issues {
                app.note(&line(issue));
            }
            app.note("openclaw: nothing was written: the configuration would not be valid");
            Ok(None)
        }
        Err(refused) => bail!("nothing was written: {}", visible(&refused.to_string(), 4000)),
    }
}

/// The difference of every file, credentials hidden.
fn difference(planned: &Edited) -> String {
    let mut out = String::new();
    for f in &planned.plan.files {
        let hide = |text: &str| {
            if text.is_empty() { Some(String::new()) } else { view::redacted_text(&f.path, text, f.format) }
        };
        let (before, after) = (hide(&f.before), hide(&f.after));
        let old = Shown { text: &f.before, shown: before.as_deref().unwrap_or_default() };
        let new = Shown { text: &f.after, shown: after.as_deref().unwrap_or_default() };
        out.push_str(&unified(&f.path.display().to_string(), old, new));
    }
    out
}

/// Says which changes widen access, and why.
pub fn note_access(app: &App, changes: &[Entry]) {
    for entry in changes.iter().filter(|e| e.access == Access::Widens) {
        app.note(&format!("note: {} widens access: {}", entry.path, entry.why));
    }
}
