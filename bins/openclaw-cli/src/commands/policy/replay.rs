//! `openclaw policy replay LEDGER`: which recorded decisions another configuration would change.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use oc_config::load::Reading;
use oc_fs::ledger;
use oc_policy::inventory::Tool;
use oc_policy::reach::Direction;
use oc_sandbox::gate::{Changed, replay};
use serde_json::json;

use super::super::explain::render::line;
use super::super::tool::snapshot_with;
use crate::app::App;

/// Arguments of `openclaw policy replay`.
#[derive(Debug, clap::Args)]
pub struct ReplayArgs {
    /// The folder of a ledger (`<state>/ledger`); default: the one of this state directory.
    #[arg(value_name = "LEDGER")]
    ledger: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Makes the recorded decisions again. Exit code 1 when any of them lets more through.
pub fn run(app: &App, args: &ReplayArgs) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    if app.overrides.config.is_some() && !loaded.exists {
        bail!("{} does not exist", loaded.locations.config.display());
    }
    let folder = match &args.ledger {
        Some(folder) => app.cwd.join(folder),
        None => ledger::Ledger::of(&loaded.locations.state_dir).directory().to_owned(),
    };
    if args.ledger.is_some() && !folder.is_dir() {
        bail!("{} is no folder; give the folder of a ledger, for example <state>/ledger", folder.display());
    }
    let whole = ledger::verify(&folder, None)
        .with_context(|| format!("the ledger {} cannot be read", folder.display()))?;
    if !whole.is_whole() {
        app.note(
            "openclaw: this ledger is damaged (`openclaw ledger verify`); its readable records are used",
        );
    }
    let lines = ledger::read(&folder)?;
    let records: Vec<_> = lines.iter().filter_map(|l| l.record.as_ref().ok()).collect();
    let decisions = records.iter().filter(|r| r.entry.kind == ledger::Kind::Decision).count();
    // The tools of MCP servers are known by the names that were recorded.
    let tool = |r: &&ledger::Record| Tool::of_mcp(r.entry.subject.strip_prefix("tool:")?);
    let servers: Vec<Tool> = records.iter().filter_map(tool).collect();
    let snapshot = snapshot_with(&loaded, app.process.get("OPENCLAW_PROFILE"), &servers)?;
    let approvals_file = loaded.locations.state_dir.join("exec-approvals.json").exists();
    let changed: Vec<Changed> = records.iter().filter_map(|r| replay(r, &snapshot, approvals_file)).collect();
    let widens = changed.iter().any(|c| c.direction.widens());
    if args.json {
        let report = json!({ "decisions": decisions, "opens": widens, "changed": changed });
        app.print(&format!("{}\n", serde_json::to_string_pretty(&report)?));
    } else {
        app.print(&text(decisions, &changed, widens));
    }
    Ok(if widens { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn text(decisions: usize, changed: &[Changed], widens: bool) -> String {
    let mut out = String::new();
    for (direction, heading) in [
        (Direction::Opens, "Opens"),
        (Direction::Loosens, "Loosens"),
        (Direction::Tightens, "Tightens"),
        (Direction::Closes, "Closes"),
    ] {
        // The same call again and again is one line with a count.
        let mut groups: Vec<(&Changed, usize)> = Vec::new();
        for c in changed.iter().filter(|c| c.direction == direction) {
            let same = |g: &Changed| {
                (&g.tool, &g.session, &g.actor, &g.before, &g.after)
                    == (&c.tool, &c.session, &c.actor, &c.before, &c.after)
            };
            match groups.iter_mut().find(|(g, _)| same(g)) {
                Some((_, count)) => *count += 1,
                None => groups.push((c, 1)),
            }
        }
        if groups.is_empty() {
            continue;
        }
        out.push_str(&format!("{heading}\n"));
        for (c, count) in groups {
            let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
            line(&mut out, 2, &format!("#{}{more}: {} of {}, {}", c.seq, c.tool, c.session, c.actor));
            line(&mut out, 4, &format!("{} -> {}", c.before, c.after));
            line(&mut out, 4, &format!("then: {}", c.rule_before));
            if !c.rule_after.is_empty() {
                line(&mut out, 4, &format!("now: {}", c.rule_after));
            }
        }
        out.push('\n');
    }
    let n = changed.len();
    let verdict = if widens { "this opens something" } else { "this opens nothing" };
    line(&mut out, 0, &format!("{n} of {decisions} recorded decisions would change; {verdict}."));
    out
}
