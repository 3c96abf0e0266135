//! `openclaw sandbox`: its containers, its image, what this machine offers; and `explain`, the report that the reference release prints, with the same JSON.

mod doctor;
mod engine;
mod image;
mod list;
mod listed;
mod recreate;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use oc_config::load::{Loaded, Reading};
use oc_config::location::expand_home;
use oc_fs::bounded_read::{self, ReadFailure};
use oc_policy::sandbox::{Report, Subject, report, stored_channel};
use oc_types::{AgentId, Node};
use serde_json::Value as Json;

use super::explain::render::line;
use super::explain::{place, removed};
use crate::app::App;

/// Where the reference documentation of this report lies; part of the compatible JSON.
const DOCS: &str = "https://docs.openclaw.ai/sandbox";

/// Largest session store that is read for the channel of a session, in bytes.
const STORE_LIMIT: u64 = 64 * 1024 * 1024;

/// Arguments of `openclaw sandbox`.
#[derive(Debug, clap::Args)]
pub struct SandboxArgs {
    /// The command.
    #[command(subcommand)]
    command: SandboxCommand,
}

/// The commands below `openclaw sandbox`.
#[derive(Debug, clap::Subcommand)]
enum SandboxCommand {
    /// Show the sandbox settings, tool lists and elevated gates of a session.
    Explain(ExplainArgs),
    /// Say what this machine offers for sandboxes, what is missing and what to do. Writes nothing.
    Doctor(doctor::DoctorArgs),
    /// Show the sandbox containers.
    List(list::ListArgs),
    /// Remove sandbox containers; the next call makes them anew with the present configuration.
    Recreate(recreate::RecreateArgs),
    /// The image that sandbox containers are made from.
    Image(image::ImageArgs),
}

/// Arguments of `openclaw sandbox explain`.
#[derive(Debug, clap::Args)]
struct ExplainArgs {
    /// The session key, or a session's short name; default: the agent's main session.
    #[arg(long, value_name = "KEY")]
    session: Option<String>,
    /// The agent; default: the one in the session key, else the default agent.
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs a command below `openclaw sandbox`.
///
/// # Errors
/// An invalid configuration, a malformed session key.
pub fn run(app: &App, args: &SandboxArgs) -> Result<ExitCode> {
    match &args.command {
        SandboxCommand::Explain(args) => explain(app, args),
        SandboxCommand::Doctor(args) => doctor::run(app, args),
        SandboxCommand::List(args) => list::run(app, args),
        SandboxCommand::Recreate(args) => recreate::run(app, args),
        SandboxCommand::Image(args) => image::run(app, args),
    }
}

fn explain(app: &App, args: &ExplainArgs) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    if let Some(issue) = loaded.issues.first() {
        bail!("the configuration is invalid: {issue}");
    }
    let subject = Subject::read(&loaded.tree, args.agent.as_deref(), args.session.as_deref())?;
    let entry = stored_entry(app, &loaded, &subject)?;
    let report = report(&loaded.tree, &subject, stored_channel(&entry), &place(&loaded))?;
    let gone = removed(&loaded, subject.session.as_str())?;
    if args.json {
        app.print(&format!("{}\n", serde_json::to_string_pretty(&json(&report, &gone))?));
    } else {
        app.print(&text(&report, &gone));
    }
    Ok(ExitCode::SUCCESS)
}

/// The entry of the session in its agent's store; `null` when there is none.
fn stored_entry(app: &App, loaded: &Loaded, subject: &Subject) -> Result<Json> {
    let path = store_path(loaded, &subject.agent);
    let text = match bounded_read::text(&path, STORE_LIMIT) {
        Ok(text) => text,
        Err(ReadFailure::Missing) => return Ok(Json::Null),
        Err(failure) => bail!("cannot read the session store {}: {failure}", path.display()),
    };
    let mut store: Json = match serde_json::from_str(&text) {
        Ok(store) => store,
        Err(e) => {
            app.note(&format!(
                "openclaw: the session store {} is damaged ({e}); no channel is taken from it",
                path.display()
            ));
            return Ok(Json::Null);
        }
    };
    Ok(store.get_mut(subject.session.as_str()).map(Json::take).unwrap_or_default())
}

fn store_path(loaded: &Loaded, agent: &AgentId) -> PathBuf {
    let state = &loaded.locations.state_dir;
    match loaded.tree.path(&["session", "store"]).and_then(Node::as_str).filter(|s| !s.trim().is_empty()) {
        None => state.join("agents").join(agent.as_str()).join("sessions/sessions.json"),
        Some(text) => {
            let text = text.trim().replace("{agentId}", agent.as_str());
            let text = expand_home(&text, &loaded.locations.home).unwrap_or(text);
            let path = Path::new(&text);
            if path.is_absolute() { path.to_owned() } else { state.join(path) }
        }
    }
}

fn json(report: &Report, gone: &[Json]) -> Json {
    let mut out = serde_json::Map::new();
    out.insert("docsUrl".to_owned(), DOCS.into());
    if let Json::Object(members) = report.to_json() {
        out.extend(members);
    }
    let notes: Vec<String> = notes(report);
    out.insert(
        "policy".to_owned(),
        serde_json::json!({
            "runtimeSandboxed": report.runtime.is_sandboxed(),
            "removed": gone,
            "notes": notes,
        }),
    );
    out.into()
}

fn notes(report: &Report) -> Vec<String> {
    report.note().into_iter().chain(report.settings().tools.warnings.iter().cloned()).collect()
}

fn text(report: &Report, gone: &[Json]) -> String {
    let json = report.to_json();
    let at = |path: &str| json.pointer(path).cloned().unwrap_or_default();
    let word = |path: &str| match at(path) {
        Json::String(s) => s,
        other => other.to_string(),
    };
    let list = |path: &str| {
        let items: Vec<String> =
            at(path).as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect();
        if items.is_empty() { "(empty)".to_owned() } else { items.join(", ") }
    };
    let runtime = if at("/sandbox/sessionIsSandboxed") == true { "sandboxed" } else { "direct" };
    let mut out = format!(
        "Effective sandbox\n  agent: {}\n  session: {}\n  main session: {}\n  runtime: {runtime}\n  mode: {}  scope: {}\n  \
         workspace access: {}  root: {}\n\n",
        word("/agentId"),
        word("/sessionKey"),
        word("/mainSessionKey"),
        word("/sandbox/mode"),
        word("/sandbox/scope"),
        word("/sandbox/workspaceAccess"),
        word("/sandbox/workspaceRoot"),
    );
    out.push_str("Tools in the sandbox\n");
    for name in ["allow", "deny"] {
        out.push_str(&format!(
            "  {name} ({}, {}):\n",
            word(&format!("/sandbox/tools/sources/{name}/source")),
            word(&format!("/sandbox/tools/sources/{name}/key")),
        ));
        line(&mut out, 4, &list(&format!("/sandbox/tools/{name}")));
    }
    out.push_str(&format!("\nElevated\n  enabled: {}\n", word("/elevated/enabled")));
    if let Some(channel) = at("/elevated/channel").as_str() {
        out.push_str(&format!("  channel: {channel}\n"));
    }
    out.push_str(&format!("  allowed by configuration: {}\n", word("/elevated/allowedByConfig")));
    for f in at("/elevated/failures").as_array().into_iter().flatten() {
        let part = |k: &str| f.get(k).and_then(Json::as_str).unwrap_or_default().to_owned();
        out.push_str(&format!("  fails: {} ({})\n", part("gate"), part("key")));
    }
    out.push_str("\nTools this session does not have\n");
    for g in gone {
        let part = |k: &str| g.get(k).and_then(Json::as_str).unwrap_or_default().to_owned();
        let key = part("key");
        let key = if key.is_empty() { "built in".to_owned() } else { key };
        out.push_str(&format!("  {}: {} ({key})\n", part("tool"), part("layer")));
    }
    out.push_str("\nKeys to look at\n");
    for key in report.fix_it() {
        out.push_str(&format!("  {key}\n"));
    }
    for note in notes(report) {
        out.push('\n');
        line(&mut out, 0, &format!("Note: {note}"));
    }
    out
}
