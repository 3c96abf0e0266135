//! `openclaw health` and `openclaw gateway health`.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::app::App;
use crate::sheet::{Sheet, age, list, now_ms, text};
use crate::wire::{self, WireArgs};

/// Arguments of `openclaw health`, with the way to the gateway.
#[derive(Debug, clap::Args)]
pub struct HealthCommandArgs {
    #[command(flatten)]
    wire: WireArgs,
    #[command(flatten)]
    health: HealthArgs,
}

/// What health is asked for.
#[derive(Debug, clap::Args)]
pub struct HealthArgs {
    /// Have the channels looked at anew instead of taking the last report.
    #[arg(long)]
    probe: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// `openclaw health`.
///
/// # Errors
/// No connection, a refused call.
pub fn run(app: &App, args: &HealthCommandArgs) -> Result<ExitCode> {
    over(app, &args.wire, &args.health)
}

/// Asks and prints; 1 when the gateway says that it is not well.
///
/// # Errors
/// No connection, a refused call.
pub fn over(app: &App, wire: &WireArgs, args: &HealthArgs) -> Result<ExitCode> {
    let params = if args.probe { json!({"probe": true}) } else { json!({}) };
    let health = wire::call(app, wire, "health", params)?;
    if args.json {
        wire::print_json(app, &health);
    } else {
        app.print(&render(&health, now_ms()));
    }
    let well = health.get("ok").and_then(Value::as_bool) != Some(false);
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// The report for people.
pub fn render(health: &Value, now_ms: u64) -> String {
    let mut sheet = Sheet::new(10);
    rows(&mut sheet, health, now_ms);
    sheet.text()
}

/// The lines of the report.
pub fn rows(sheet: &mut Sheet<'_>, health: &Value, now_ms: u64) {
    let well = health.get("ok").and_then(Value::as_bool) != Some(false);
    let when = age(health, "ts", now_ms).unwrap_or_else(|| "at an unknown time".to_owned());
    sheet.row("Gateway", &format!("{}, looked at {when}", if well { "well" } else { "not well" }));
    for agent in list(health, "agents") {
        let id = text(agent, "agentId").unwrap_or("?");
        let default = agent.get("isDefault").and_then(Value::as_bool) == Some(true);
        let beat = agent.get("heartbeat");
        let enabled = beat.and_then(|b| b.get("enabled")).and_then(Value::as_bool) == Some(true);
        let every = beat.and_then(|b| text(b, "every")).filter(|_| enabled);
        let count = agent.pointer("/sessions/count").and_then(Value::as_u64).unwrap_or(0);
        let mut parts = vec![id.to_owned()];
        parts.extend(default.then(|| "default".to_owned()));
        parts.push(every.map_or_else(|| "no heartbeat".to_owned(), |e| format!("heartbeat every {e}")));
        parts.push(format!("{count} sessions"));
        sheet.row("Agent", &parts.join(", "));
    }
    let order = list(health, "channelOrder");
    if order.is_empty() {
        sheet.row("Channels", "none configured");
    }
    for id in order.iter().filter_map(Value::as_str) {
        let label = health.get("channelLabels").and_then(|l| text(l, id)).unwrap_or(id);
        let channel = health.get("channels").and_then(|c| c.get(id)).unwrap_or(&Value::Null);
        sheet.row("Channel", &format!("{label}: {}", standing(channel)));
    }
}

/// What a channel's summary says.
pub fn standing(channel: &Value) -> String {
    let is = |name: &str| channel.get(name).and_then(Value::as_bool);
    let mut parts = Vec::new();
    match (is("linked"), is("configured")) {
        (Some(true), _) => parts.push("linked".to_owned()),
        (Some(false), _) => parts.push("not linked".to_owned()),
        (None, Some(false)) => parts.push("not configured".to_owned()),
        (None, Some(true) | None) => parts.push("configured".to_owned()),
    }
    match is("running") {
        Some(true) => parts.push("running".to_owned()),
        Some(false) => parts.push("not running".to_owned()),
        None => {}
    }
    match channel.pointer("/probe/ok").and_then(Value::as_bool) {
        Some(true) => parts.push("answers".to_owned()),
        Some(false) => {
            let why = channel.pointer("/probe/error").and_then(Value::as_str).unwrap_or("no reason given");
            parts.push(format!("does not answer: {why}"));
        }
        None => {}
    }
    parts.extend(text(channel, "lastError").map(|e| format!("last error: {e}")));
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_read() {
        let health = json!({"ok": true, "ts": 1_000_000, "channels": {"telegram": {"configured": true, "running": true, "probe": {"ok": false, "error": "401 \u{1b}[31mUnauthorized"}}, "whatsapp": {"linked": true}},
            "channelOrder": ["telegram", "whatsapp"], "channelLabels": {"telegram": "Telegram", "whatsapp": "WhatsApp"},
            "agents": [{"agentId": "main", "isDefault": true, "heartbeat": {"enabled": true, "every": "30m"}, "sessions": {"count": 2}}, {"agentId": "work", "heartbeat": {"enabled": false}, "sessions": {"count": 0}}]});
        let empty = json!({"ok": false, "ts": 1_000_000, "channelOrder": [], "agents": []});
        insta::assert_snapshot!(format!("{}---\n{}", render(&health, 1_130_000), render(&empty, 1_000_000)));
    }
}
