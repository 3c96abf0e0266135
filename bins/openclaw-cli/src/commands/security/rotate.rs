//! `openclaw security rotate`: a new secret where the old one stands, and the list of what a person has to change.

mod devices;
mod secrets;

use std::process::ExitCode;

use anyhow::Result;
use oc_audit::rotation::{Remaining, Secrets};
use oc_audit::text_block::Block;
use oc_types::Secret;
use serde_json::{Map, Value, json};

use crate::app::App;

/// Arguments of `openclaw security rotate`.
#[derive(Debug, clap::Args)]
pub struct RotateArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// The token and the password that callers of the gateway show.
    Gateway(How),
    /// The token that callers of the hooks show.
    Hooks(How),
    /// The tokens of all paired devices and nodes: they are taken back, and devices get new ones with the gateway's secret.
    Devices(How),
}

/// How to rotate.
#[derive(Debug, clap::Args)]
struct How {
    /// Say what would be changed and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print the new secret. It is written to its place in any case.
    #[arg(long)]
    show: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What was done, or would be.
#[derive(Default)]
struct Report {
    dry_run: bool,
    /// Key (or device) and where its new secret was written.
    rotated: Vec<(String, String)>,
    /// Key and what to do.
    by_hand: Vec<(String, String)>,
    /// New secrets by key, printed only when asked.
    secrets: Vec<(String, Secret)>,
    clients: Vec<String>,
    remaining: Vec<Remaining>,
    errors: Vec<String>,
}

/// Rotates.
///
/// # Errors
/// When the configuration cannot be used or there is nothing to rotate.
pub fn run(app: &App, args: &RotateArgs) -> Result<ExitCode> {
    let (how, report) = match &args.what {
        What::Gateway(how) => (how, secrets::run(app, Secrets::Gateway, how.dry_run)?),
        What::Hooks(how) => (how, secrets::run(app, Secrets::Hooks, how.dry_run)?),
        What::Devices(how) => (how, devices::run(app, how.dry_run)?),
    };
    if how.json {
        app.print(&format!("{:#}\n", report.json(how.show)));
    } else {
        app.print(&report.text(how.show, app.colour));
    }
    let whole = report.errors.is_empty() && report.by_hand.is_empty();
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

impl Report {
    fn json(&self, show: bool) -> Value {
        let pairs = |list: &[(String, String)], name: &str| -> Vec<Value> {
            list.iter().map(|(key, text)| json!({ "key": key, name: text })).collect()
        };
        let mut out = json!({
            "ok": self.errors.is_empty() && self.by_hand.is_empty(),
            "dryRun": self.dry_run,
            "rotated": pairs(&self.rotated, "writtenTo"),
            "byHand": pairs(&self.by_hand, "do"),
            "clients": self.clients,
            "remaining": self.remaining,
            "errors": self.errors,
        });
        if show && let Value::Object(members) = &mut out {
            let secrets: Map<String, Value> =
                self.secrets.iter().map(|(k, s)| (k.clone(), s.expose().into())).collect();
            members.insert("secrets".to_owned(), secrets.into());
        }
        out
    }

    fn text(&self, show: bool, colour: bool) -> String {
        let mut out = Block::new(colour);
        out.bold(if self.dry_run { "ROTATE (dry run, nothing was changed)" } else { "ROTATE" });
        for (key, place) in &self.rotated {
            let verb = if self.dry_run { "would be written to" } else { "new, written to" };
            out.indented("", &oc_text::visible(&format!("{key}: {verb} {place}"), 1_000));
        }
        for (key, secret) in self.secrets.iter().filter(|_| show) {
            out.indented("", &format!("{key} = {}", secret.expose()));
        }
        for (key, what) in &self.by_hand {
            out.indented("by hand: ", &oc_text::visible(&format!("{key}: {what}"), 1_000));
        }
        for error in &self.errors {
            out.indented("error: ", &oc_text::visible(error, 1_000));
        }
        if !self.clients.is_empty() {
            out.blank();
            out.bold("CLIENTS THAT NEED THE NEW SECRET");
            for client in &self.clients {
                out.indented("", &oc_text::visible(client, 1_000));
            }
        }
        if !self.remaining.is_empty() {
            out.blank();
            out.bold("STILL TO BE CHANGED, WHERE THEY WERE ISSUED");
            for r in &self.remaining {
                let at = r.at.as_ref().map_or_else(String::new, |at| format!(" ({at})"));
                out.indented("", &oc_text::visible(&format!("{}: {}{at}", r.what, r.place), 1_000));
            }
        }
        out.finish()
    }
}
