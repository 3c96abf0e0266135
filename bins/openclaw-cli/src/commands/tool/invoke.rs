//! `openclaw tool invoke NAME`.

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use oc_config::load::Reading;
use oc_sandbox::gate::{Answer, Content, GateError, Outcome, ToolCall};
use oc_text::visible::visible_lines;
use serde_json::{Map, Value as Json, json};

use super::super::explain::render::line;
use super::call::snapshot;
use super::door;
use crate::app::App;
use crate::caller_args::CallerArgs;

/// Largest arguments from standard input, in bytes.
const LARGEST: u64 = 16 * 1024 * 1024;
/// Most characters of a result that are shown.
const SHOWN: usize = 400_000;

/// Arguments of `openclaw tool invoke`.
#[derive(Debug, clap::Args)]
pub struct InvokeArgs {
    /// The tool, in any spelling.
    #[arg(value_name = "NAME")]
    name: String,
    /// Its arguments, a JSON object; `-` reads them from standard input.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    args: String,
    /// For whom.
    #[command(flatten)]
    caller: CallerArgs,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Makes the call. Exit code 0 when it did what was asked, 1 when it failed or was refused, 2 when the arguments are no JSON object.
pub fn run(app: &App, args: &InvokeArgs) -> Result<ExitCode> {
    let arguments = match arguments(&args.args)? {
        Ok(arguments) => arguments,
        Err(why) => {
            app.note(&format!("openclaw: --args is no JSON object: {why}"));
            return Ok(ExitCode::from(2));
        }
    };
    let loaded = app.load(Reading::Product);
    let snapshot = snapshot(app, &loaded)?;
    let caller = args.caller.caller(&loaded)?;
    let id = oc_fs::random::token_hex(16)?.expose().to_owned();
    let call = ToolCall { id, tool: args.name.clone(), arguments, caller, behind: std::sync::Arc::default() };
    let Some(done) = door::call(app, &loaded, snapshot, &call)? else { return Ok(ExitCode::from(1)) };
    Ok(show(app, args.json, &call, done))
}

/// The arguments; the inner error is the caller's mistake.
fn arguments(text: &str) -> Result<Result<Map<String, Json>, String>> {
    let mut read = String::new();
    let text = if text == "-" {
        let input = std::io::stdin().lock().take(LARGEST).read_to_string(&mut read);
        input.context("the arguments cannot be read from standard input")?;
        read.as_str()
    } else {
        text
    };
    Ok(match serde_json::from_str(text) {
        Ok(Json::Object(members)) => Ok(members),
        Ok(_) => Err("it is another kind of value".to_owned()),
        Err(e) => Err(e.to_string()),
    })
}

fn show(app: &App, as_json: bool, call: &ToolCall, done: Result<Answer, GateError>) -> ExitCode {
    let code = match &done {
        Ok(answer) if answer.result.outcome == Outcome::Done => ExitCode::SUCCESS,
        Ok(_) | Err(_) => ExitCode::from(1),
    };
    if as_json {
        let shown = serde_json::to_string_pretty(&as_one(call, &done)).unwrap_or_default();
        app.print(&format!("{shown}\n"));
        return code;
    }
    match &done {
        Ok(answer) => {
            app.print(&text(answer));
            for note in &answer.notes {
                let mut out = String::new();
                line(&mut out, 0, &format!("openclaw: {note}"));
                app.note(out.trim_end());
            }
        }
        Err(error) => app.note(&refusal(call, error)),
    }
    code
}

/// The answer as one JSON object.
pub fn as_one(call: &ToolCall, done: &Result<Answer, GateError>) -> Json {
    match done {
        Ok(answer) => json!({
            "status": answer.result.outcome,
            "call": answer.call,
            "place": answer.place,
            "notes": answer.notes,
            "content": answer.result.content,
            "details": answer.result.details,
        }),
        Err(GateError::Refused(refused)) => json!({
            "status": "refused",
            "call": call.id,
            "stage": refused.stage(),
            "reason": refused.sentence(),
            "explanation": refused.explanation(),
        }),
        Err(GateError::NotRecorded(failure)) => {
            json!({ "status": "refused", "call": call.id, "stage": "ledger", "reason": failure.to_string() })
        }
        Err(GateError::Place(error)) => {
            json!({ "status": "failed", "call": call.id, "stage": "place", "reason": error.to_string() })
        }
    }
}

/// What came back, for a terminal.
pub fn text(answer: &Answer) -> String {
    let mut out = String::new();
    for piece in &answer.result.content {
        match piece {
            Content::Text { text } => out.push_str(&visible_lines(text, SHOWN)),
            Content::Image { data, mime_type } => {
                out.push_str(&format!(
                    "[{mime_type}, {} characters of base64; --json prints them]",
                    data.len()
                ));
            }
        }
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
    }
    out
}

/// A refusal or failure, for standard error.
pub fn refusal(call: &ToolCall, error: &GateError) -> String {
    let mut out = String::new();
    let what = match error {
        GateError::Refused(_) | GateError::NotRecorded(_) => "refused",
        GateError::Place(_) => "failed",
    };
    line(&mut out, 0, &format!("openclaw: {what}: {error}"));
    if matches!(error, GateError::Refused(_) | GateError::Place(_)) {
        line(&mut out, 0, &format!("More: `openclaw ledger why {}`", call.id));
    }
    out.trim_end().to_owned()
}
