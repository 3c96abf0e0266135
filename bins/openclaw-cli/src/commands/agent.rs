//! `openclaw agent`: says something to an agent of the running gateway and shows the answer.

use std::process::ExitCode;

use anyhow::Result;
use oc_text::visible_lines;
use serde_json::{Value, json};

use crate::app::App;
use crate::sheet::text;
use crate::wire::{self, WireArgs};

/// Longest answer that is shown, in characters.
const SHOWN: usize = 200_000;

/// Arguments of `openclaw agent`.
#[derive(Debug, clap::Args)]
pub struct AgentArgs {
    #[command(flatten)]
    wire: WireArgs,
    /// What is said.
    #[arg(short, long)]
    message: String,
    /// The agent; without it the default one.
    #[arg(long)]
    agent: Option<String>,
    /// The session, by its key; without it the agent's main session.
    #[arg(long, value_name = "KEY")]
    session: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs a turn.
///
/// # Errors
/// No connection, a refused call, a turn that failed.
pub fn run(app: &App, args: &AgentArgs) -> Result<ExitCode> {
    let key = oc_fs::random::token_hex(16)?;
    let mut params = json!({ "message": args.message, "idempotencyKey": key.expose() });
    if let Some(members) = params.as_object_mut() {
        for (name, value) in [("agentId", &args.agent), ("sessionKey", &args.session)] {
            if let Some(value) = value {
                members.insert(name.to_owned(), json!(value));
            }
        }
    }
    let answer = wire::with(app, &args.wire, |c| c.call_to_the_end("agent", params))?;
    let failed = text(&answer, "status") != Some("ok");
    if args.json {
        wire::print_json(app, &answer);
    } else if failed {
        app.note(&format!(
            "openclaw: {}",
            visible_lines(text(&answer, "error").unwrap_or("the turn failed"), SHOWN)
        ));
    } else {
        app.print(&render(&answer));
    }
    Ok(ExitCode::from(u8::from(failed)))
}

fn render(answer: &Value) -> String {
    let said = answer.pointer("/result/payloads/0/text").and_then(Value::as_str).unwrap_or_default();
    if said.is_empty() {
        return "(nothing was said)\n".to_owned();
    }
    format!("{}\n", visible_lines(said, SHOWN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_shown_without_control_characters() {
        let answer = json!({"status": "ok", "result": {"payloads": [{"text": "two\nlines \u{1b}[2J"}]}});
        let shown = render(&answer);
        assert!(shown.starts_with("two\nlines ") && !shown.contains('\u{1b}'), "{shown:?}");
        assert_eq!(render(&json!({"status": "ok"})), "(nothing was said)\n");
    }
}
