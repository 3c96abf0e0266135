//! `openclaw explain <subject>`: which rule decides, where it stands, what would change the answer. Starts, sends and writes nothing.

mod command;
pub mod config;
mod connection;
mod message;
pub mod render;
mod sandbox;
mod tool;

pub use command::{CommandArgs, pair};
pub use sandbox::place;
pub use tool::{plugin_tools, removed};

use std::process::ExitCode;

use anyhow::Result;
use oc_config::edit::Change;
use oc_config::load::{Loaded, Reading};
use oc_config::what_if::{parse_set, parse_unset};
use oc_gateway::explain as questions;
use oc_types::Explanation;

use crate::app::App;

/// Arguments of `openclaw explain`. Of a flag that takes one value the last one counts, so that a printed change can be appended.
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
pub struct ExplainArgs {
    /// What to explain.
    #[command(subcommand)]
    subject: Subject,
}

/// The subjects.
#[derive(Debug, clap::Subcommand)]
enum Subject {
    /// Has this session this tool, and which layer says so?
    Tool(tool::ToolArgs),
    /// Would this command line run, where, and who would be asked?
    Command(CommandArgs),
    /// What becomes of a message, and which rule says so?
    Message(message::MessageArgs),
    /// Where do this session's tools run, and with which settings?
    Sandbox(sandbox::SandboxArgs),
    /// Would this caller come in, and which rule says so?
    Connection(connection::ConnectionArgs),
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
        Subject::Tool(args) => answer(app, &args.common, "tool", |loaded| tool::explain(loaded, args)),
        Subject::Command(args) => command_line(app, args),
        Subject::Message(args) => {
            let loaded = load(app, &args.common);
            Ok(show(app, &args.common, message::explain(&loaded, args)?))
        }
        Subject::Sandbox(args) => {
            answer(app, &args.common, "sandbox", |loaded| sandbox::explain(loaded, args))
        }
        Subject::Connection(args) => {
            let loaded = load(app, &args.common);
            Ok(show(app, &args.common, connection::explain(&loaded, args)?))
        }
        Subject::Config(args) => config::run(app, args),
    }
}

/// Explains a command line.
///
/// # Errors
/// When the question cannot be answered.
pub fn command_line(app: &App, args: &CommandArgs) -> Result<ExitCode> {
    answer(app, &args.common, "command", |loaded| command::explain(app, loaded, args))
}

/// Loads, answers, prints. An invalid configuration is an answer of its own.
///
/// # Errors
/// When the question cannot be answered.
pub fn answer(
    app: &App,
    common: &Common,
    subject: &str,
    explain: impl FnOnce(&Loaded) -> Result<Explanation>,
) -> Result<ExitCode> {
    let loaded = load(app, common);
    let explanation =
        if loaded.is_valid() { explain(&loaded)? } else { questions::refused(&loaded, subject) };
    Ok(show(app, common, explanation))
}

/// Loads the configuration as the edits of the command line would make it.
pub fn load(app: &App, common: &Common) -> Loaded {
    let edits: Vec<Change> = common.unset.iter().chain(&common.set).cloned().collect();
    questions::load(&app.load_request(Reading::Product), &edits)
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
