//! `openclaw system`: who is connected to the gateway.

use std::process::ExitCode;

use anyhow::Result;
use oc_text::visible;
use serde_json::{Value, json};

use crate::app::App;
use crate::sheet::{Sheet, age, joined, now_ms, text};
use crate::wire::{self, WireArgs};

/// Arguments of `openclaw system`.
#[derive(Debug, clap::Args)]
pub struct SystemArgs {
    #[command(flatten)]
    wire: WireArgs,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: SystemCommand,
}

/// The commands below `openclaw system`.
#[derive(Debug, clap::Subcommand)]
enum SystemCommand {
    /// Show the gateway and who is or was connected to it.
    Presence,
}

/// Runs a command below `openclaw system`.
///
/// # Errors
/// No connection, a refused call.
pub fn run(app: &App, args: &SystemArgs) -> Result<ExitCode> {
    let SystemCommand::Presence = args.command;
    let answer = wire::call(app, &args.wire, "system-presence", json!({}))?;
    if args.json {
        wire::print_json(app, &answer);
    } else {
        app.print(&render(&answer, now_ms()));
    }
    Ok(ExitCode::SUCCESS)
}

fn render(answer: &Value, now_ms: u64) -> String {
    let mut sheet = Sheet::new(8);
    for entry in answer.as_array().map(Vec::as_slice).unwrap_or_default() {
        let name = text(entry, "host").or_else(|| text(entry, "deviceId")).unwrap_or("somebody");
        let mode = text(entry, "mode").unwrap_or("unknown");
        sheet.heading(&visible(&format!("{name} ({mode})"), 70));
        let from: Vec<&str> = ["ip", "platform", "version"].iter().filter_map(|n| text(entry, n)).collect();
        sheet.some("From", Some(from.join(", ")));
        sheet.some("Roles", joined(entry, "roles"));
        sheet.some("Scopes", joined(entry, "scopes"));
        let reason = text(entry, "reason").unwrap_or("seen");
        sheet.some("Last", age(entry, "ts", now_ms).map(|a| format!("{reason}, {a}")));
    }
    sheet.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_read() {
        let answer = json!([
            {"host": "vm", "ip": "192.0.2.2", "version": "0.1.0", "platform": "linux 6.1", "mode": "gateway", "reason": "self", "ts": 100_000},
            {"host": "phone", "platform": "ios", "mode": "ui", "roles": ["operator"], "scopes": ["operator.read"], "reason": "disconnect", "ts": 40_000}]);
        insta::assert_snapshot!(render(&answer, 100_000));
    }
}
