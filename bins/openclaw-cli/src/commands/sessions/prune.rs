//! `openclaw sessions prune`: what is older than an age goes.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use oc_config::load::Reading;
use oc_fs::session_store::{Act, Kind, Pruned};
use oc_gateway::log::retention;
use oc_gateway::methods::Place;
use oc_text::visible;
use serde_json::json;

use crate::app::App;

/// Arguments of `openclaw sessions prune`.
#[derive(Debug, clap::Args)]
pub struct PruneArgs {
    /// What was not used for this long goes: `30d`, `12h`. Without it the age that `session.retention` names.
    #[arg(long, value_name = "AGE")]
    older_than: Option<String>,
    /// Say what would go; remove nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs it. The exit code is 1 when something could not be removed.
///
/// # Errors
/// An invalid configuration, an age that is none.
pub fn run(app: &App, args: &PruneArgs) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    if let Some(issue) = loaded.issues.first() {
        bail!("the configuration is invalid: {issue}");
    }
    let age = match &args.older_than {
        Some(text) => oc_config::span::millis(text, retention::DAY)
            .filter(|ms| *ms > 0)
            .with_context(|| format!("`{}` is no age; write 30d or 12h", visible(text, 40)))?,
        None => retention::configured(&loaded.tree)
            .context("nothing says how old: give --older-than 30d, or set `session.retention`")?,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
    let place =
        Place::new(Arc::new(loaded.locations), Arc::new(loaded.tree), u64::try_from(now).unwrap_or(u64::MAX));
    let act = if args.dry_run { Act::Name } else { Act::Remove };
    let pruned = retention::apply(&place, age, act);
    if args.json {
        let out = json!({
            "dryRun": args.dry_run,
            "olderThanMs": age,
            "removed": pruned.removed,
            "failed": pruned.failed,
        });
        app.print(&format!("{}\n", serde_json::to_string_pretty(&out)?));
    } else {
        app.print(&text(&pruned, act));
    }
    for failed in &pruned.failed {
        app.note(&format!("openclaw: {}", visible(failed, 400)));
    }
    Ok(if pruned.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One line a thing, and the sum.
fn text(pruned: &Pruned, act: Act) -> String {
    let mut out = String::new();
    for removal in &pruned.removed {
        let kind = match removal.kind {
            Kind::Session => "session",
            Kind::Transcript => "transcript",
            Kind::Archive => "archive",
            Kind::Backup => "copy",
        };
        let days = removal.age_ms / retention::DAY;
        out.push_str(&format!("{kind:<10} {days:>5} d  {}\n", visible(&removal.name, 300)));
    }
    let bytes: u64 = pruned.removed.iter().map(|r| r.bytes).sum();
    let (count, kib) = (pruned.removed.len(), bytes.div_ceil(1024));
    out.push_str(&match act {
        Act::Remove => format!("{count} removed, {kib} KiB\n"),
        Act::Name => format!("{count} would be removed, {kib} KiB; nothing was changed\n"),
    });
    out
}
