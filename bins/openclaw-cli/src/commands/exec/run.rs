//! `openclaw exec run`: one command line through the gate.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use oc_config::load::Reading;
use oc_policy::elevated::Level;
use oc_sandbox::gate::{Answer, Content, Gate, GateError, Stage, ToolCall};
use serde_json::{Map, Value as Json};

use super::super::explain::pair;
use super::super::explain::render::line;
use super::super::tool::{as_one, refusal, snapshot, through_the_gate};
use crate::app::App;
use crate::caller_args::CallerArgs;

/// Exit code when nobody answered in time.
const UNANSWERED: u8 = 10;
/// Exit code when the rules or a person refused.
const REFUSED: u8 = 11;

/// Arguments of `openclaw exec run`.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// For whom.
    #[command(flatten)]
    caller: CallerArgs,
    /// The working directory; default: the current one, in a sandbox its own.
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// A variable for the command. Repeatable; on the host only harmless names are taken.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    env: Vec<(String, String)>,
    /// End it after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
    /// Where it should run; can only be less than the session reaches.
    #[arg(long, value_name = "HOST", value_parser = ["sandbox", "gateway"])]
    host: Option<String>,
    /// As if this elevated directive stood in the message; counts for senders who may elevate.
    #[arg(long, value_name = "LEVEL", value_parser = ["off", "on", "ask", "full"])]
    elevated: Option<String>,
    /// Ask a person at least so often.
    #[arg(long, value_name = "WHEN", value_parser = ["on-miss", "always"])]
    ask: Option<String>,
    /// Print one JSON object instead of the output.
    #[arg(long)]
    json: bool,
    /// The command line, as one argument.
    #[arg(last = true, value_name = "COMMAND", required = true)]
    command: String,
}

/// Runs it.
///
/// # Errors
/// An invalid configuration, an unusable queue or ledger.
pub fn run(app: &App, args: &RunArgs) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    let snapshot = snapshot(app, &loaded)?;
    let mut caller = args.caller.caller(&loaded)?;
    caller.exec.directive = args.elevated.as_deref().and_then(Level::parse);
    let id = oc_fs::random::token_hex(16)?.expose().to_owned();
    let mut call = ToolCall {
        id,
        tool: "exec".to_owned(),
        arguments: Map::new(),
        caller,
        behind: std::sync::Arc::default(),
    };
    // What is refused is refused below, with its record.
    let sandboxed = Gate::would(&snapshot, &call).is_ok_and(oc_policy::sandbox::Runs::is_sandboxed);
    call.arguments = arguments(app, args, sandboxed);
    let Some(done) = through_the_gate(app, &loaded, snapshot, &call)? else { return Ok(ExitCode::from(1)) };
    if args.json {
        app.print(&format!("{}\n", serde_json::to_string_pretty(&as_one(&call, &done)).unwrap_or_default()));
        return Ok(code(&done));
    }
    match &done {
        Ok(answer) => show(app, answer),
        Err(error) => app.note(&refusal(&call, error)),
    }
    Ok(code(&done))
}

fn arguments(app: &App, args: &RunArgs, sandboxed: bool) -> Map<String, Json> {
    let mut out = Map::new();
    let mut put = |name: &str, value: Option<Json>| value.map(|v| out.insert(name.to_owned(), v));
    put("command", Some(args.command.clone().into()));
    let cwd = match &args.cwd {
        // A path inside a sandbox is none of this machine's.
        Some(dir) if sandboxed => Some(dir.clone()),
        Some(dir) => Some(app.cwd.join(dir)),
        None => (!sandboxed).then(|| app.cwd.clone()),
    };
    put("workdir", cwd.map(|dir| dir.to_string_lossy().into_owned().into()));
    let env: Map<String, Json> = args.env.iter().map(|(n, v)| (n.clone(), v.clone().into())).collect();
    put("env", (!env.is_empty()).then_some(Json::Object(env)));
    put("timeout", args.timeout.map(Json::from));
    put("host", args.host.clone().map(Json::from));
    put("ask", args.ask.clone().map(Json::from));
    out
}

/// The output to standard output; what the gate has to say to standard error.
fn show(app: &App, answer: &Answer) {
    let remark = answer.result.details.get("remark").and_then(Json::as_str).unwrap_or_default();
    for (at, piece) in answer.result.content.iter().enumerate() {
        let Content::Text { text } = piece else { continue };
        if at > 0 || !answer.result.details.contains_key("exitCode") {
            note(app, text.trim_end());
            continue;
        }
        let output = text.strip_suffix(remark).unwrap_or(text);
        app.print(&oc_text::visible::visible_lines(output, usize::MAX));
    }
    for note in &answer.notes {
        self::note(app, note);
    }
}

fn note(app: &App, text: &str) {
    let mut out = String::new();
    line(&mut out, 0, &format!("openclaw: {text}"));
    app.note(out.trim_end());
}

/// The command's own exit code, or why it did not run.
fn code(done: &Result<Answer, GateError>) -> ExitCode {
    match done {
        Ok(answer) => {
            let exit = answer.result.details.get("exitCode").and_then(Json::as_i64);
            ExitCode::from(exit.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
        }
        Err(GateError::Refused(refused)) => {
            let rule = refused.explanation().decided_by.rule.as_str();
            let unanswered = rule.starts_with("approval-timeout") || rule == "no-approval-route";
            match refused.stage() {
                Stage::Approval if unanswered => ExitCode::from(UNANSWERED),
                Stage::Approval | Stage::Policy | Stage::HostDoor => ExitCode::from(REFUSED),
                Stage::Session
                | Stage::Arguments
                | Stage::Place
                | Stage::Ledger
                | Stage::NotBuilt
                | Stage::Withheld => ExitCode::from(1),
            }
        }
        Err(GateError::NotRecorded(_) | GateError::Place(_)) => ExitCode::from(1),
    }
}
