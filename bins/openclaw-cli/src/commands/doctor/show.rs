//! Doctor's answer, as text and as JSON.

use oc_audit::doctor::seed_checks::results;
use oc_audit::text_block::lines;
use oc_types::Severity;
use serde_json::{Value, json};

use super::Examined;
use super::carry_out::Done;
use crate::app::App;

/// Width of a line.
const WIDTH: usize = 80;

/// The text: steps with something to say, the five checks, what was done.
pub fn text(app: &App, examined: &Examined, done: &[Done]) -> String {
    let mut out = format!("openclaw doctor: {}\n", examined.loaded.locations.config.display());
    if !examined.loaded.exists {
        out.push_str("  there is no configuration file; the defaults apply\n");
    }
    let mut step = None;
    for note in &examined.notes {
        if step != Some(note.step) {
            step = Some(note.step);
            out.push_str(&format!("\n{}\n", note.step.heading()));
        }
        let mark = match note.severity {
            Severity::Critical => paint(app, "31", "!!"),
            Severity::Warn => paint(app, "33", "! "),
            Severity::Info => "- ".to_owned(),
        };
        let mut first = true;
        for line in lines(&note.text, WIDTH - 5) {
            out.push_str(&format!("  {} {line}\n", if first { mark.as_str() } else { "  " }));
            first = false;
        }
    }
    out.push_str("\nThe five security checks\n");
    for (check, findings) in results(&examined.report) {
        let state = if findings.is_empty() { paint(app, "32", "ok  ") } else { paint(app, "31", "look") };
        out.push_str(&format!("  {state}  {}\n", check.question()));
    }
    if !done.is_empty() {
        out.push_str("\nRepairs\n");
    }
    for d in done {
        let line = match &d.error {
            None => format!("done: {}", d.summary),
            Some(why) => format!("FAILED: {}: {why}", d.summary),
        };
        for l in lines(&line, WIDTH - 2) {
            out.push_str(&format!("  {l}\n"));
        }
    }
    let open = examined.notes.iter().map(|n| n.repairs.len()).sum::<usize>();
    if open > done.len() {
        out.push_str(&format!(
            "\n{} repair(s) left: run `openclaw doctor --repair`; `openclaw security audit --deep` says more\n",
            open - done.len()
        ));
    } else {
        out.push_str("\n`openclaw security audit --deep` says more\n");
    }
    out
}

/// The same as JSON.
pub fn json(examined: &Examined, done: &[Done]) -> Value {
    json!({
        "configPath": examined.loaded.locations.config,
        "stateDir": examined.loaded.locations.state_dir,
        "notes": examined.notes,
        "checks": results(&examined.report).into_iter().map(|(check, findings)| json!({
            "check": check,
            "question": check.question(),
            "findings": findings.iter().map(|f| json!({
                "checkId": f.check_id, "severity": f.severity, "detail": f.detail, "keys": f.keys,
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "repairs": done.iter().map(|d| json!({"what": d.summary, "ok": d.error.is_none(), "error": d.error})).collect::<Vec<_>>(),
    })
}

fn paint(app: &App, code: &str, text: &str) -> String {
    if app.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}
