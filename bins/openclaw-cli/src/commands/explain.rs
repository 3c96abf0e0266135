//! `openclaw explain <subject>`: which rule decides, where it stands, what would change the answer. Starts, sends and writes nothing.

pub mod config;
mod render;
mod sandbox;

use std::process::ExitCode;

use anyhow::Result;
use oc_config::Issue;
use oc_config::edit::Change;
use oc_config::load::{Loaded, Reading, load_edited};
use oc_config::what_if::{parse_set, parse_unset};
use oc_fs::config_source::DiskSource;
use oc_types::{DecidedBy, Effect, Explanation, Flip, TraceStep};

use crate::app::App;

/// Arguments of `openclaw explain`.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// What to explain.
    #[command(subcommand)]
    subject: Subject,
}

/// The subjects.
#[derive(Debug, clap::Subcommand)]
enum Subject {
    /// Where do this session's tools run, and with which settings?
    Sandbox(sandbox::SandboxArgs),
    /// Where does this value come from, and who overrides it?
    Config(config::ConfigArgs),
}

/// Flags of every subject.
#[derive(Debug, clap::Args)]
pub struct Common {
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
    /// The moment to answer for, for questions of expiry (RFC 3339); default: now.
    #[arg(long, value_name = "ISO")]
    pub now: Option<String>,
    /// Answer as if this key had this value (JSON5); nothing is written. Repeatable.
    #[arg(long, value_name = "PATH=JSON5", value_parser = parse_set)]
    pub set: Vec<Change>,
    /// Answer as if this key were not there; nothing is written. Repeatable.
    #[arg(long, value_name = "PATH", value_parser = parse_unset)]
    pub unset: Vec<Change>,
    /// Exit with 0 for allowed, 10 for needs a person, 11 for denied.
    #[arg(long)]
    pub exit_code: bool,
}

/// Explains.
///
/// # Errors
/// When the question cannot be answered.
pub fn run(app: &App, args: &ExplainArgs) -> Result<ExitCode> {
    match &args.subject {
        Subject::Sandbox(args) => answer(app, &args.common, |loaded| sandbox::explain(loaded, args)),
        Subject::Config(args) => config::run(app, args),
    }
}

/// Loads, answers, prints. An invalid configuration is an answer of its own.
///
/// # Errors
/// When the question cannot be answered.
pub fn answer(
    app: &App,
    common: &Common,
    explain: impl FnOnce(&Loaded) -> Result<Explanation>,
) -> Result<ExitCode> {
    let loaded = load(app, common);
    let explanation = if loaded.is_valid() { explain(&loaded)? } else { invalid(&loaded, common, "") };
    Ok(show(app, common, explanation))
}

/// Loads the configuration as the edits of the command line would make it.
pub fn load(app: &App, common: &Common) -> Loaded {
    let edits: Vec<Change> = common.unset.iter().chain(&common.set).cloned().collect();
    load_edited(&app.load_request(Reading::Product), &DiskSource, &edits)
}

/// Prints an answer.
pub fn show(app: &App, common: &Common, explanation: Explanation) -> ExitCode {
    if common.json {
        let text = serde_json::to_string_pretty(&explanation).unwrap_or_default();
        app.print(&format!("{text}\n"));
    } else {
        app.print(&render::text(&explanation));
    }
    match (common.exit_code, explanation.verdict.as_str()) {
        (false, _)
        | (true, "allowed" | "allow" | "admit" | "sandboxed" | "host" | "set" | "default" | "unset") => {
            ExitCode::SUCCESS
        }
        (true, "ask" | "pairing" | "pairing-required") => ExitCode::from(10),
        (true, _) => ExitCode::from(11),
    }
}

/// The answer that an invalid configuration gets: what is wrong, where, and what it means.
pub fn invalid(loaded: &Loaded, _common: &Common, subject: &str) -> Explanation {
    let step = |issue: &Issue| TraceStep {
        layer: "validation".to_owned(),
        rule: if issue.nearest.is_some() { "unknown-key" } else { "invalid" }.to_owned(),
        key_path: Some(issue.path.clone()),
        source: issue.origin.clone(),
        unset: false,
        effect: Effect::Removes,
        detail: match &issue.nearest {
            Some(n) => format!("{}; nearest valid key: {n}", issue.message),
            None => issue.message.clone(),
        },
    };
    let trace: Vec<TraceStep> = loaded.issues.iter().map(step).collect();
    let first = trace.first();
    let flip = loaded.issues.iter().filter_map(|issue| {
        let change = match (&issue.nearest, &issue.fix) {
            (Some(nearest), _) => format!("rename {} to {nearest}", issue.path),
            (None, Some(fix)) => fix.clone(),
            (None, None) => return None,
        };
        Some(Flip { change, verdict: "valid".to_owned(), opens: String::new() })
    });
    Explanation {
        subject: if subject.is_empty() { "config" } else { subject }.to_owned(),
        verdict: "config-invalid".to_owned(),
        reason: match first {
            Some(s) => format!("{}: {}", s.rule, s.detail),
            None => "invalid".to_owned(),
        },
        decided_by: DecidedBy {
            layer: "validation".to_owned(),
            rule: first.map_or_else(|| "invalid".to_owned(), |s| s.rule.clone()),
            key_path: first.and_then(|s| s.key_path.clone()),
            source: first.map_or(oc_types::Origin::Default, |s| s.source.clone()),
            unset: false,
        },
        flip: flip.collect(),
        trace,
        notes: vec![
            "The gateway does not start from this file; one that runs keeps the last good configuration.".to_owned(),
        ],
        facts: serde_json::Map::new(),
    }
}
