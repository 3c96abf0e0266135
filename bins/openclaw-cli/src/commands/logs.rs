//! `openclaw logs`: the gateway's log, through the gateway.

mod line;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use oc_config::load::Reading;
use oc_text::redact::Redactor;
use serde_json::{Value, json};

use crate::app::App;
use crate::sheet::{list, text};
use crate::wire::{self, Connection, WireArgs};

/// Time for one answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Shortest pause between two questions, in milliseconds.
const MIN_INTERVAL: u64 = 100;

/// Arguments of `openclaw logs`.
#[derive(Debug, clap::Args)]
pub struct LogsArgs {
    #[command(flatten)]
    wire: WireArgs,
    /// Go on showing what is added.
    #[arg(long)]
    follow: bool,
    /// How many lines at most, up to 5000.
    #[arg(long, value_name = "N", default_value_t = 200)]
    limit: u64,
    /// How many bytes at most, up to 1000000.
    #[arg(long, value_name = "N", default_value_t = 250_000)]
    max_bytes: u64,
    /// With --follow: the pause between two questions, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    interval: u64,
    /// Print one JSON object a line: `meta`, `log`, `notice`, `raw` or `error`.
    #[arg(long)]
    json: bool,
    /// Print without colours. There are none; accepted for scripts.
    #[arg(long)]
    plain: bool,
}

/// Prints the end of the log, and with `--follow` what comes.
///
/// # Errors
/// No connection, a refused call.
pub fn run(app: &App, args: &LogsArgs) -> Result<ExitCode> {
    match tail(app, args) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(e) if args.json => {
            let all = format!("{e:#}");
            let message = all.lines().next().unwrap_or_default();
            print_row(
                app,
                &json!({"type": "error", "message": "the gateway's log cannot be read", "error": message}),
            );
            app.note(&format!("openclaw: {all}"));
            Ok(ExitCode::from(1))
        }
        Err(e) => Err(e),
    }
}

fn tail(app: &App, args: &LogsArgs) -> Result<()> {
    let loaded = app.load(Reading::Product);
    let target = wire::resolve(&loaded, &args.wire.asked());
    let connection = Connection::open(&loaded, &target, args.wire.timeout_or(TIMEOUT))?;
    let redactor = Redactor::standard();
    let mut cursor = None;
    loop {
        let mut params = json!({"limit": args.limit, "maxBytes": args.max_bytes});
        if let (Some(cursor), Some(members)) = (cursor.clone(), params.as_object_mut()) {
            members.insert("cursor".to_owned(), cursor);
        }
        let answer = connection.call("logs.tail", params)?;
        let first = cursor.is_none();
        show(app, args.json, first, &answer, &redactor);
        cursor = answer.get("cursor").filter(|c| c.is_u64()).cloned();
        if !args.follow || cursor.is_none() {
            connection.close();
            return Ok(());
        }
        connection.pause(Duration::from_millis(args.interval.max(MIN_INTERVAL)))?;
    }
}

fn show(app: &App, as_json: bool, first: bool, answer: &Value, redactor: &Redactor) {
    let is = |name: &str| answer.get(name).and_then(Value::as_bool) == Some(true);
    let member = |name: &str| answer.get(name).cloned().unwrap_or(Value::Null);
    if first && as_json {
        print_row(
            app,
            &json!({"type": "meta", "file": member("file"), "cursor": member("cursor"), "size": member("size")}),
        );
    } else if first {
        app.note(&format!("{}:", oc_text::visible(text(answer, "file").unwrap_or("the log"), 300)));
    }
    for (yes, words) in [
        (is("reset") && !first, "the log was started anew"),
        (is("truncated"), "older lines are left out; --limit and --max-bytes give more"),
    ] {
        if yes && as_json {
            print_row(app, &json!({"type": "notice", "message": words}));
        } else if yes {
            app.note(&format!("({words})"));
        }
    }
    for raw in list(answer, "lines").iter().filter_map(Value::as_str) {
        let line = line::Line::read(&redactor.redact(raw));
        if as_json {
            print_row(app, &line.json());
        } else {
            app.print(&line.text());
        }
    }
}

/// A line of the log for people.
pub fn words(raw: &str) -> String {
    line::Line::read(raw).text()
}

fn print_row(app: &App, row: &Value) {
    app.print(&format!("{row}\n"));
}
