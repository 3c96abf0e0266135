//! `openclaw doctor`: looks the setup over and, when asked to, puts right what can be put right.

mod carry_out;
mod show;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use oc_audit::doctor::consent::{Consent, Flags, decide};
use oc_audit::doctor::{self, ConfigState, Note};
use oc_audit::{AuditContext, Facts, KeyRef, Report, RuleSet};
use oc_config::load::{Loaded, Reading};
use oc_fs::facts::collect_with;
use oc_types::KeyPath;

use crate::app::App;

/// Arguments of `openclaw doctor`.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct DoctorArgs {
    /// Carry out repairs: modes, missing folders, older and unknown keys.
    #[arg(long, visible_alias = "fix")]
    repair: bool,
    /// Accept what would be asked.
    #[arg(long)]
    yes: bool,
    /// Accepted for compatibility; no repair here needs more than --repair.
    #[arg(long, hide = true)]
    force: bool,
    /// Never ask; only what the flags allow is done.
    #[arg(long)]
    non_interactive: bool,
    /// Generate a gateway token and write it, if there is none.
    #[arg(long)]
    generate_gateway_token: bool,
    /// Also look for gateway services of other releases.
    #[arg(long)]
    deep: bool,
    /// Accepted for compatibility; workspaces are never touched.
    #[arg(long, hide = true)]
    no_workspace_suggestions: bool,
    /// One JSON object on standard output.
    #[arg(long)]
    json: bool,
}

/// What one look found.
pub struct Examined {
    /// The configuration.
    loaded: Loaded,
    /// The audit of the latest rules.
    report: Report,
    /// What doctor noticed.
    notes: Vec<Note>,
}

/// Looks, repairs what it may, and reports.
///
/// # Errors
/// When a repair that was consented to fails.
pub fn run(app: &App, args: &DoctorArgs) -> Result<ExitCode> {
    let examined = examine(app, args.deep);
    let interactive = std::io::stdin().is_terminal() && !args.non_interactive && !args.json;
    let flags = Flags {
        repair: args.repair,
        yes: args.yes,
        non_interactive: !interactive,
        generate_token: args.generate_gateway_token,
    };
    let mut wanted = Vec::new();
    for repair in examined.notes.iter().flat_map(|n| &n.repairs) {
        let yes = match decide(flags, repair) {
            Consent::Yes => true,
            Consent::No => false,
            Consent::Ask => ask(&repair.summary()),
        };
        if yes {
            wanted.push(repair.clone());
        }
    }
    let done = carry_out::all(app, &examined, &wanted);
    let failed = done.iter().any(|d| d.error.is_some());
    if args.json {
        app.print(&format!("{}\n", serde_json::to_string_pretty(&show::json(&examined, &done))?));
    } else {
        app.print(&show::text(app, &examined, &done));
    }
    Ok(if failed { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn examine(app: &App, deep: bool) -> Examined {
    let loaded = app.load(Reading::Product);
    let mut facts = Facts::new(loaded.locations.clone(), loaded.environment.clone());
    facts.cwd = Some(app.cwd.clone());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    facts.now_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    let facts =
        collect_with(&loaded.tree, facts, RuleSet::Latest, |ctx, wanted| doctor::wants(ctx, deep, wanted));
    let ctx = AuditContext::new(&loaded.tree, &facts, RuleSet::Latest);
    let report = oc_audit::run(&ctx);
    let notes = doctor::examine(&ctx, &config_state(&loaded), &report, deep);
    Examined { loaded, report, notes }
}

fn config_state(loaded: &Loaded) -> ConfigState {
    let moved = loaded
        .warnings
        .iter()
        .filter(|w| w.message.starts_with("older key"))
        .filter_map(|w| {
            let to = KeyPath::parse(w.nearest.as_deref()?).ok()?;
            let key = KeyRef { path: w.path.clone(), origin: w.origin.clone(), unset: false };
            Some((w.path.clone(), to, key))
        })
        .collect();
    let unknown = loaded
        .issues
        .iter()
        .filter(|i| i.message.starts_with("unknown key"))
        .map(|i| i.path.clone())
        .collect();
    ConfigState { issues: loaded.issues.clone(), moved, unknown }
}

/// A question on the terminal; only a clear yes is one.
fn ask(what: &str) -> bool {
    let mut err = std::io::stderr().lock();
    if write!(err, "{what}? [y/N] ").and_then(|()| err.flush()).is_err() {
        return false;
    }
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok()
        && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}
