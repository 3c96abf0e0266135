//! `openclaw gateway probe`: every gateway that is known here, tried one after the other.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use oc_config::load::{Loaded, Reading};
use oc_gateway::client::{Asked, Source, Target};
use serde_json::{Value, json};

use crate::app::App;
use crate::sheet::{Sheet, now_ms, text};
use crate::wire::{self, Connection, WireArgs};

/// Time for one target.
const BUDGET: Duration = Duration::from_secs(3);

/// Arguments of `openclaw gateway probe`.
#[derive(Debug, clap::Args)]
pub struct ProbeArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What came of one target.
struct Tried {
    id: &'static str,
    target: Target,
    latency_ms: u64,
    outcome: Result<Answers, String>,
}

/// What a gateway said.
struct Answers {
    own: Value,
    health: Value,
    summary: Value,
    presence: Value,
}

/// Tries and prints; 1 when none answers.
pub fn run(app: &App, args: &WireArgs, probe: &ProbeArgs) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    let budget = args.timeout_or(BUDGET);
    let start = Instant::now();
    let tried: Vec<Tried> =
        targets(&loaded, args).into_iter().map(|(id, target)| attempt(&loaded, id, target, budget)).collect();
    let ok = tried.iter().any(|t| t.outcome.is_ok());
    if probe.json {
        let spent = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        wire::print_json(app, &as_json(&tried, budget, spent));
    } else {
        app.print(&as_text(&tried));
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// `--url`, the configured remote one, this machine's.
fn targets(loaded: &Loaded, args: &WireArgs) -> Vec<(&'static str, Target)> {
    let mut out = Vec::new();
    let asked = args.asked();
    let named = wire::resolve(loaded, &asked);
    match named.source {
        Source::Flag => out.push(("explicit", named)),
        Source::Remote => out.push(("configRemote", named)),
        Source::Local | Source::LocalAddress => return vec![("localLoopback", named)],
    }
    // The gateway of this machine beside it, with its own credentials only.
    let own = Asked { local: true, ..Asked::default() };
    out.push(("localLoopback", wire::resolve(loaded, &own)));
    out
}

fn attempt(loaded: &Loaded, id: &'static str, target: Target, budget: Duration) -> Tried {
    let start = Instant::now();
    let connection = Connection::open(loaded, &target, budget);
    let latency_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let outcome = match connection {
        Ok(c) => {
            let answers = ask(&c).map_err(|e| first_line(&format!("{e:#}")));
            c.close();
            answers
        }
        Err(e) => Err(e.reason()),
    };
    Tried { id, target, latency_ms, outcome }
}

fn ask(c: &Connection) -> Result<Answers> {
    let health = c.call("health", json!({}))?;
    let summary = c.call("status", json!({}))?;
    let presence = c.call("system-presence", json!({}))?;
    Ok(Answers { own: own(&presence), health, summary, presence })
}

/// The gateway's own entry among those present.
pub fn own(presence: &Value) -> Value {
    let entries = presence.as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(entry) = entries.iter().find(|e| text(e, "mode") == Some("gateway")) else { return Value::Null };
    let member = |name: &str| entry.get(name).cloned().unwrap_or(Value::Null);
    json!({"host": member("host"), "ip": member("ip"), "version": member("version"), "platform": member("platform")})
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn as_json(tried: &[Tried], budget: Duration, spent_ms: u64) -> Value {
    let primary = tried.iter().find(|t| t.outcome.is_ok()).map(|t| t.id);
    let targets: Vec<Value> = tried
        .iter()
        .map(|t| {
            let answers = t.outcome.as_ref().ok();
            let part = |f: fn(&Answers) -> &Value| answers.map(f).cloned().unwrap_or(Value::Null);
            json!({
                "id": t.id, "kind": t.id, "url": t.target.display, "active": true, "tunnel": null,
                "connect": {"ok": answers.is_some(), "latencyMs": answers.map(|_| t.latency_ms),
                    "error": t.outcome.as_ref().err(), "close": null},
                "self": part(|a| &a.own), "config": null, "health": part(|a| &a.health),
                "summary": part(|a| &a.summary), "presence": part(|a| &a.presence),
            })
        })
        .collect();
    json!({
        "ok": primary.is_some(), "ts": now_ms(), "durationMs": spent_ms,
        "timeoutMs": u64::try_from(budget.as_millis()).unwrap_or(u64::MAX),
        "primaryTargetId": primary, "warnings": [], "targets": targets,
    })
}

fn as_text(tried: &[Tried]) -> String {
    let mut sheet = Sheet::new(8);
    for t in tried {
        sheet.heading(&format!("{} ({})", t.target.display, t.target.source));
        match &t.outcome {
            Ok(answers) => {
                sheet.row("Answers", &format!("yes, connected in {} ms", t.latency_ms));
                sheet.some("Gateway", said(&answers.own));
                let channels = crate::sheet::list(&answers.health, "channelOrder").len();
                sheet.row("Health", &format!("{channels} channels configured"));
            }
            Err(why) => sheet.row("Answers", &format!("no: {why}")),
        }
    }
    sheet.text()
}

/// Host, address, version, system.
pub fn said(own: &Value) -> Option<String> {
    let parts: Vec<&str> =
        ["host", "ip", "version", "platform"].iter().filter_map(|name| text(own, name)).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried() -> Vec<Tried> {
        let target = |url| oc_gateway::client::target::parse(url, Source::Flag);
        let presence = json!([{"host": "vm", "ip": "192.0.2.2", "version": "2026.2.9", "mode": "gateway", "platform": "linux 6.1"}]);
        let answers = Answers {
            own: own(&presence),
            health: json!({"channelOrder": ["telegram"]}),
            summary: json!({}),
            presence,
        };
        vec![
            Tried {
                id: "explicit",
                target: target("wss://gateway.example"),
                latency_ms: 12,
                outcome: Err(
                    "no gateway answers: cannot connect: Connection refused (os error 111)".to_owned()
                ),
            },
            Tried {
                id: "localLoopback",
                target: target("ws://127.0.0.1:18789"),
                latency_ms: 4,
                outcome: Ok(answers),
            },
        ]
    }

    #[test]
    fn what_people_read() {
        insta::assert_snapshot!(as_text(&tried()));
    }

    #[test]
    fn what_programs_read() {
        let value = as_json(&tried(), BUDGET, 7);
        assert_eq!(value.pointer("/primaryTargetId"), Some(&json!("localLoopback")));
        assert_eq!(value.pointer("/targets/1/self/host"), Some(&json!("vm")));
        assert_eq!(value.pointer("/targets/0/connect/ok"), Some(&json!(false)));
    }
}
