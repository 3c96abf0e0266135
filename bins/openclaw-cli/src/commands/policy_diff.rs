//! `openclaw policy diff OLD NEW`: what a change of the configuration opens and closes; a check for pull requests.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use oc_config::change_log::{Access, Entry, entries};
use oc_config::load::{Loaded, Reading, load};
use oc_fs::config_source::DiskSource;
use oc_policy::reach::{Change, Direction, Way, diff};
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

/// Width of a line.
const WIDTH: usize = 80;

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

/// Where a tool acts and what stands between, or that it is shut.
fn place(way: Option<&Way>) -> String {
    way.map_or_else(|| "shut".to_owned(), |w| format!("on {}, approval {}", w.host.word(), w.approval.word()))
}

/// Tool names, indented, broken before column 80.
fn wrapped(tools: &[&str]) -> String {
    let mut out = String::new();
    let mut line = "     ".to_owned();
    for tool in tools {
        if line.len() + 1 + tool.len() > WIDTH {
            out.push_str(&format!("{line}\n"));
            line = "     ".to_owned();
        }
        line.push(' ');
        line.push_str(tool);
    }
    out.push_str(&format!("{line}\n"));
    out
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
        let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
        for c in of {
            let way = c.after.as_ref().or(c.before.as_ref());
            let heading = format!(
                "  {} of agent {}, by {}:\n    {} -> {}\n",
                c.caller.label(),
                c.agent,
                way.map_or("", |w| w.via.as_str()),
                place(c.before.as_ref()),
                place(c.after.as_ref()),
            );
            match groups.iter_mut().find(|(h, _)| *h == heading) {
                Some((_, tools)) => tools.push(&c.tool),
                None => groups.push((heading, vec![&c.tool])),
            }
        }
        for (heading, tools) in groups {
            out.push_str(&heading);
            out.push_str(&wrapped(&tools));
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
            let path = e.path.to_string();
            if path.len() + e.why.len() + 13 <= WIDTH {
                out.push_str(format!("  {word:<8} {path}  {}", e.why).trim_end());
                out.push('\n');
            } else {
                out.push_str(&format!("  {word:<8} {path}\n           {}\n", e.why));
            }
        }
        out.push('\n');
    }
    out.push_str(if opens { "The change opens something.\n" } else { "The change opens nothing.\n" });
    out
}
