//! `openclaw nodes invoke` and `openclaw nodes run`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use oc_text::visible_lines;
use serde_json::{Map, Value, json};

use super::{NodeArg, resolve};
use crate::app::App;
use crate::sheet::text;
use crate::wire::{self, Connection, WireArgs};

/// Longest output that is printed, in characters.
const CAP: usize = 1_000_000;
/// Time that the way to and from the node may take beside the command itself.
const MARGIN: Duration = Duration::from_secs(5);

/// Arguments of `openclaw nodes invoke`.
#[derive(Debug, clap::Args)]
pub struct InvokeArgs {
    #[command(flatten)]
    node: NodeArg,
    /// The command, for example `system.which`.
    #[arg(long, value_name = "COMMAND")]
    command: String,
    /// Its parameters, one JSON object.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    params: String,
    /// How long the node may take, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 15_000)]
    invoke_timeout: u64,
    /// The same key twice is the same call.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

/// Arguments of `openclaw nodes run`.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    #[command(flatten)]
    node: NodeArg,
    /// A line for the node's shell, instead of a program with arguments.
    #[arg(long, value_name = "LINE", conflicts_with = "program")]
    raw: Option<String>,
    /// The directory it runs in.
    #[arg(long, value_name = "DIR")]
    cwd: Option<String>,
    /// A variable of its environment; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// The agent in whose name it runs.
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// How long the program may run, in milliseconds.
    #[arg(long, value_name = "MS")]
    command_timeout: Option<u64>,
    /// How long the node may take in all, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 30_000)]
    invoke_timeout: u64,
    /// It needs to see the screen.
    #[arg(long)]
    needs_screen_recording: bool,
    /// The program and its arguments.
    #[arg(trailing_var_arg = true, required_unless_present = "raw", value_name = "PROGRAM")]
    program: Vec<String>,
}

/// Invokes and prints.
pub fn invoke(app: &App, wire: &WireArgs, as_json: bool, args: &InvokeArgs) -> Result<ExitCode> {
    let params = wire::params(&args.params)?;
    let answer = wire::with(app, wire, |c| {
        let id = resolve(c, &args.node.node)?;
        let key = args.idempotency_key.as_deref();
        send(c, wire, &id, &args.command, params, args.invoke_timeout, key)
    })?;
    let shown = if as_json { &answer } else { answer.get("payload").unwrap_or(&Value::Null) };
    wire::print_json(app, shown);
    Ok(ExitCode::SUCCESS)
}

/// Runs and prints what the program wrote; 1 unless it ended well. Whether it may run is for the node's own approvals to say: nothing
/// that claims an approval is sent.
pub fn run(app: &App, wire: &WireArgs, as_json: bool, args: &RunArgs) -> Result<ExitCode> {
    let params = run_params(args)?;
    let answer = wire::with(app, wire, |c| {
        let id = resolve(c, &args.node.node)?;
        send(c, wire, &id, "system.run", params, args.invoke_timeout, None)
    })?;
    let outcome = answer.get("payload").cloned().unwrap_or_default();
    let code = outcome.get("exitCode").and_then(Value::as_i64);
    let well = code == Some(0) && outcome.get("timedOut").and_then(Value::as_bool) != Some(true);
    if as_json {
        wire::print_json(app, &answer);
    } else {
        if let Some(out) = text(&outcome, "stdout") {
            app.print(&visible_lines(out, CAP));
        }
        if let Some(err) = text(&outcome, "stderr") {
            app.note(visible_lines(err, CAP).trim_end_matches('\n'));
        }
        if !well {
            app.note(&ending(&outcome, code));
        }
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn ending(outcome: &Value, code: Option<i64>) -> String {
    let why = match (outcome.get("timedOut").and_then(Value::as_bool), code, text(outcome, "error")) {
        (Some(true), _, _) => "it took too long and was ended".to_owned(),
        (_, _, Some(error)) => error.to_owned(),
        (_, Some(code), None) => format!("exit code {code}"),
        (_, None, None) => "the node does not say how it ended".to_owned(),
    };
    format!("openclaw: on the node: {}", oc_text::visible(&why, 300))
}

fn run_params(args: &RunArgs) -> Result<Value> {
    let mut params = Map::new();
    match &args.raw {
        Some(line) => {
            params.insert("command".to_owned(), json!(["/bin/sh", "-lc", line]));
            params.insert("rawCommand".to_owned(), line.as_str().into());
        }
        None => {
            params.insert("command".to_owned(), args.program.as_slice().into());
        }
    }
    let mut env = Map::new();
    for pair in &args.env {
        let (name, value) = pair.split_once('=').context("--env takes NAME=VALUE")?;
        env.insert(name.to_owned(), value.into());
    }
    if !env.is_empty() {
        params.insert("env".to_owned(), Value::Object(env));
    }
    let texts = [("cwd", &args.cwd), ("agentId", &args.agent)];
    params.extend(texts.into_iter().filter_map(|(n, v)| Some((n.to_owned(), v.as_deref()?.into()))));
    if let Some(ms) = args.command_timeout {
        params.insert("timeoutMs".to_owned(), ms.into());
    }
    if args.needs_screen_recording {
        params.insert("needsScreenRecording".to_owned(), true.into());
    }
    Ok(Value::Object(params))
}

fn send(
    c: &Connection,
    wire: &WireArgs,
    node: &str,
    command: &str,
    params: Value,
    timeout_ms: u64,
    key: Option<&str>,
) -> Result<Value> {
    let key = match key {
        Some(key) => key.to_owned(),
        None => oc_fs::random::token_hex(16)?.expose().to_owned(),
    };
    let params = json!({"nodeId": node, "command": command, "params": params, "timeoutMs": timeout_ms, "idempotencyKey": key});
    let wait = Duration::from_millis(timeout_ms).saturating_add(MARGIN);
    c.call_within("node.invoke", params, wire.timeout_or(wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_claims_an_approval_is_sent() {
        let args = RunArgs {
            node: NodeArg { node: "n".to_owned() },
            raw: None,
            cwd: Some("/srv".to_owned()),
            env: vec!["A=b=c".to_owned()],
            agent: Some("main".to_owned()),
            command_timeout: Some(5),
            invoke_timeout: 1,
            needs_screen_recording: false,
            program: vec!["ls".to_owned(), "-l".to_owned()],
        };
        let want = json!({"command": ["ls", "-l"], "env": {"A": "b=c"}, "cwd": "/srv", "agentId": "main", "timeoutMs": 5});
        assert_eq!(run_params(&args).unwrap(), want);
        let raw = RunArgs { raw: Some("ls | wc".to_owned()), env: vec!["bad".to_owned()], ..args };
        assert!(run_params(&raw).unwrap_err().to_string().contains("NAME=VALUE"));
    }

    #[test]
    fn how_a_program_ended() {
        assert!(ending(&json!({"timedOut": true}), None).contains("too long"));
        assert!(ending(&json!({}), Some(3)).contains("exit code 3"));
        assert!(ending(&json!({"error": "SYSTEM_RUN_DENIED: no\u{7}"}), None).contains("DENIED"));
    }
}
