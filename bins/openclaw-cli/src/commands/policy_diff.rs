//! `openclaw policy diff OLD NEW`: what a change of the configuration opens and closes; a check for pull requests.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use oc_config::change_log::{Access, Entry, entries};
use oc_config::load::{Loaded, Reading, load};
use oc_fs::config_source::DiskSource;
use oc_policy::reach::{Change, Direction, diff};
use serde_json::json;

use super::reach::{facts, reach_of};
use crate::app::App;

/// Arguments of `openclaw policy diff`.
#[derive(Debug, clap::Args)]
pub struct DiffArgs {
    /// The configuration before.
    old: PathBuf,
    /// The configuration after.
    new: PathBuf,
    /// One JSON object on standard output.
    #[arg(long)]
    json: bool,
}

/// Most changed cells listed one by one for each direction.
const LISTED: usize = 40;

/// Compares the two. Exit code 1 when anything opens.
///
/// # Errors
/// When one of them is missing or invalid: an unreadable side cannot be compared, so nothing is claimed.
pub fn run(app: &App, args: &DiffArgs) -> Result<ExitCode> {
    let old = read(app, &args.old)?;
    let new = read(app, &args.new)?;
    let changes = diff(&reach_of(&old.tree, facts(&old)), &reach_of(&new.tree, facts(&new)));
    let keys = entries(&old.raw.to_json(), &new.raw.to_json());
    let widening = |e: &&Entry| e.access == Access::Widens;
    let opens = changes.iter().any(|c| c.direction.widens()) || keys.iter().any(|e| widening(&e));
    if args.json {
        let report = json!({ "opens": opens, "reach": changes, "keys": keys });
        app.print(&format!("{}\n", serde_json::to_string_pretty(&report)?));
    } else {
        app.print(&text(&changes, &keys, opens));
    }
    Ok(if opens { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn read(app: &App, file: &Path) -> Result<Loaded> {
    let mut request = app.load_request(Reading::Product);
    request.overrides.config = Some(app.cwd.join(file));
    let loaded = load(&request, &DiskSource);
    if !loaded.exists {
        bail!("{} does not exist", file.display());
    }
    if let Some(issue) = loaded.issues.first() {
        bail!("{} is invalid and cannot be compared: {issue}", file.display());
    }
    Ok(loaded)
}

fn text(changes: &[Change], keys: &[Entry], opens: bool) -> String {
    let mut out = String::new();
    for (direction, heading) in [
        (Direction::Opens, "Opens"),
        (Direction::Loosens, "Loosens"),
        (Direction::Tightens, "Tightens"),
        (Direction::Closes, "Closes"),
    ] {
        let of: Vec<&Change> = changes.iter().filter(|c| c.direction == direction).collect();
        if of.is_empty() {
            continue;
        }
        out.push_str(&format!("{heading}\n"));
        for c in of.iter().take(LISTED) {
            let way = c.after.as_ref().or(c.before.as_ref());
            let via = way.map_or("", |w| w.via.as_str());
            let place = |w: Option<&oc_policy::reach::Way>| {
                w.map_or_else(|| "shut".to_owned(), |w| format!("{}/{}", w.host.word(), w.approval.word()))
            };
            out.push_str(&format!(
                "  {:<14} {:<12} {:<17} {} -> {}  {via}\n",
                c.caller.label(),
                c.agent.as_str(),
                c.tool,
                place(c.before.as_ref()),
                place(c.after.as_ref()),
            ));
        }
        if of.len() > LISTED {
            out.push_str(&format!("  ... and {} more (--json lists all)\n", of.len() - LISTED));
        }
        out.push('\n');
    }
    let telling: Vec<&Entry> = keys.iter().filter(|e| e.access != Access::Neutral).collect();
    if !telling.is_empty() {
        out.push_str("Keys\n");
        for e in telling {
            let word = match e.access {
                Access::Widens => "widens",
                Access::Narrows => "narrows",
                _ => "review",
            };
            out.push_str(&format!("  {word:<8} {} {}\n", e.path, e.why));
        }
        out.push('\n');
    }
    out.push_str(if opens { "The change opens something.\n" } else { "The change opens nothing.\n" });
    out
}
