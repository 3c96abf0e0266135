//! `get`, `validate`, `file`, `schema`: nothing here writes, and all of it works on an invalid configuration.

use std::process::ExitCode;

use anyhow::{Result, bail};
use oc_config::load::{Loaded, Reading};
use oc_config::{Issue, view};
use oc_text::visible;
use oc_types::KeyPath;
use serde_json::{Value as Json, json};

use super::pretty;
use crate::app::App;

/// Longest value or message on one line, in characters.
const LINE: usize = 4000;

/// Arguments of `openclaw config get`.
#[derive(Debug, clap::Args)]
pub struct GetArgs {
    /// The key, such as `gateway.bind`, `agents.list[0].id` or `channels.telegram.groups["-1001"]`.
    path: String,
    /// Print JSON, texts in quotes.
    #[arg(long)]
    json: bool,
}

/// Arguments of `openclaw config validate`.
#[derive(Debug, clap::Args)]
pub struct ValidateArgs {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Shows a value.
pub fn get(app: &App, args: &GetArgs) -> Result<ExitCode> {
    let path = KeyPath::parse(&args.path)?;
    let loaded = app.load(Reading::Product);
    note_invalid(app, &loaded);
    let Some(node) = loaded.tree.at(&path) else {
        let (_, found, _) = loaded.tree.nearest(&path);
        let name = visible(&path.to_string(), LINE);
        if found.is_root() {
            bail!("{name} is not set in {}", loaded.locations.config.display());
        }
        bail!("{name} is not set; {found} is");
    };
    // The value with the keys around it: whether it is a credential depends on where it stands.
    let value = view::redacted(&path, &node.to_json());
    app.print(&match value {
        Json::String(text) if !args.json => format!("{}\n", oc_text::visible_lines(&text, LINE)),
        other => pretty(&other)?,
    });
    Ok(ExitCode::SUCCESS)
}

/// Checks the configuration.
pub fn validate(app: &App, args: &ValidateArgs) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    if args.json {
        app.print(&pretty(&json!({
            "valid": loaded.is_valid(),
            "file": loaded.locations.config.to_string_lossy(),
            "exists": loaded.exists,
            "files": loaded.files.iter().map(|f| f.path.to_string_lossy().into_owned()).collect::<Vec<_>>(),
            "issues": loaded.issues.iter().map(issue_json).collect::<Vec<_>>(),
            "warnings": loaded.warnings.iter().map(issue_json).collect::<Vec<_>>(),
        }))?);
    } else {
        for warning in &loaded.warnings {
            app.note(&format!("warning: {}", line(warning)));
        }
        for issue in &loaded.issues {
            app.note(&line(issue));
        }
        let file = loaded.locations.config.display();
        match (loaded.is_valid(), loaded.exists) {
            (true, true) => app.print(&format!("{file} is valid\n")),
            (true, false) => app.print(&format!("{file} does not exist; the defaults apply\n")),
            (false, _) => {
                let count = loaded.issues.len();
                let s = if count == 1 { "" } else { "s" };
                app.note(&format!("{file} is not valid: {count} problem{s}"));
            }
        }
    }
    Ok(if loaded.is_valid() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints where the configuration is.
pub fn file(app: &App) -> ExitCode {
    let loaded = app.load(Reading::Product);
    app.print(&format!("{}\n", loaded.locations.config.display()));
    if !loaded.exists {
        app.note("it does not exist yet: `openclaw onboard` writes one");
    }
    ExitCode::SUCCESS
}

/// Prints the JSON Schema.
pub fn schema(app: &App) -> Result<ExitCode> {
    app.print(&pretty(&oc_config::json_schema::json_schema())?);
    Ok(ExitCode::SUCCESS)
}

/// Says that the configuration is invalid, once.
fn note_invalid(app: &App, loaded: &Loaded) {
    if let Some(first) = loaded.issues.first() {
        let more = loaded.issues.len() - 1;
        let more =
            if more > 0 { format!(" (and {more} more: openclaw config validate)") } else { String::new() };
        app.note(&format!("note: the configuration is not valid: {}{more}", first.one_line()));
    }
}

/// An issue as text. Issues are safe for a terminal and never repeat a value, so there is nothing to mask (and masking would garble
/// `gateway.auth.token: what is wrong`).
pub(super) fn line(issue: &Issue) -> String {
    issue.to_string()
}

fn issue_json(issue: &Issue) -> Json {
    let at = issue.origin.position();
    json!({
        "path": issue.path.to_string(),
        "file": issue.origin.file_name().map(|f| f.to_string()),
        "line": at.map(|p| p.line),
        "column": at.map(|p| p.column),
        "message": issue.message,
        "nearest": issue.nearest,
        "fix": issue.fix,
    })
}
