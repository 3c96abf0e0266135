//! `openclaw skills`: which skills an agent has, and what stands against the others.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, bail};
use oc_config::load::Reading;
use oc_fs::skill_library::SkillLibrary;
use oc_gateway::methods::{Place, skills};
use oc_text::visible;
use oc_types::AgentId;
use serde_json::{Value, json};

use crate::app::App;
use crate::sheet::{Sheet, joined, list, now_ms, text};
use crate::wire::{self, WireArgs};

/// Arguments of `openclaw skills`.
#[derive(Debug, clap::Args)]
pub struct SkillsArgs {
    #[command(flatten)]
    wire: WireArgs,
    #[command(subcommand)]
    command: SkillsCommand,
}

/// The commands below `openclaw skills`.
#[derive(Debug, clap::Subcommand)]
enum SkillsCommand {
    /// List the skills of an agent.
    List(ListArgs),
    /// Say what stands against each skill. Exit code 1 when the code scan holds one back or a folder cannot be read.
    Check(ListArgs),
}

/// Arguments of `openclaw skills list` and `check`.
#[derive(Debug, clap::Args)]
struct ListArgs {
    /// The agent; default: the default one.
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// Ask the running gateway, which knows what its nodes have.
    #[arg(long)]
    live: bool,
    /// Only those that are offered.
    #[arg(long)]
    eligible: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs `openclaw skills`.
///
/// # Errors
/// An invalid configuration, an unknown agent, a gateway that does not answer.
pub fn run(app: &App, args: &SkillsArgs) -> Result<ExitCode> {
    let wire = &args.wire;
    let (args, check) = match &args.command {
        SkillsCommand::List(args) => (args, false),
        SkillsCommand::Check(args) => (args, true),
    };
    let mut answer =
        if args.live { wire::call(app, wire, "skills.status", params(args))? } else { here(app, args)? };
    let held_back = list(&answer, "skills").iter().any(|s| text(s, "blockedByScan").is_some());
    let failed = check && (held_back || !list(&answer, "problems").is_empty());
    if args.eligible
        && let Some(rows) = answer.get_mut("skills").and_then(Value::as_array_mut)
    {
        rows.retain(|r| r.get("eligible").and_then(Value::as_bool) == Some(true));
    }
    if args.json {
        wire::print_json(app, &answer);
    } else {
        app.print(&render(&answer, check, args.live));
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn params(args: &ListArgs) -> Value {
    args.agent.as_deref().map_or_else(|| json!({}), |agent| json!({ "agentId": agent }))
}

/// The same answer from the disk, without a gateway.
fn here(app: &App, args: &ListArgs) -> Result<Value> {
    let loaded = app.load(Reading::Product);
    if let Some(issue) = loaded.issues.first() {
        bail!("the configuration is invalid: {issue}");
    }
    if let Some(agent) = args.agent.as_deref() {
        AgentId::strict(agent)?;
    }
    let environment = loaded.environment.clone();
    let path: Vec<PathBuf> = std::env::split_paths(environment.get("PATH").unwrap_or_default()).collect();
    let place = Place::new(Arc::new(loaded.locations), Arc::new(loaded.tree), now_ms())
        .with_profile(environment.get("OPENCLAW_PROFILE").map(str::to_owned));
    let host = skills::Host { path: &path, variable: &|name| environment.text(name).is_some() };
    skills::status(&SkillLibrary::default(), &place, &host, params(args))
        .map_err(|failure| anyhow::anyhow!("{}", failure.message))
}

fn render(answer: &Value, check: bool, live: bool) -> String {
    let mut sheet = Sheet::new(10);
    let rows = list(answer, "skills");
    let eligible = rows.iter().filter(|r| r.get("eligible").and_then(Value::as_bool) == Some(true)).count();
    sheet.line(&format!("{eligible} of {} skills are offered", rows.len()));
    for row in rows {
        sheet.heading(&visible(text(row, "name").unwrap_or("?"), 80));
        sheet.some("About", text(row, "description").map(str::to_owned));
        let reasons = reasons(row);
        sheet.row("Standing", &if reasons.is_empty() { "offered".to_owned() } else { reasons.join("; ") });
        sheet.some("Node", text(row, "node").map(|n| format!("{n} has what it needs")));
        sheet.row("Source", text(row, "source").unwrap_or("?").trim_start_matches("openclaw-"));
        if check {
            sheet.some("File", text(row, "filePath").map(str::to_owned));
        }
    }
    for problem in list(answer, "problems") {
        sheet.heading(&visible(text(problem, "baseDir").unwrap_or("?"), 300));
        sheet.row("Not used", text(problem, "why").unwrap_or("?"));
    }
    let for_a_node = |row: &&Value| {
        let missing = row.get("missing").unwrap_or(&Value::Null);
        row.get("eligible").and_then(Value::as_bool) != Some(true)
            && ["bins", "anyBins", "os"].iter().any(|n| !list(missing, n).is_empty())
    };
    if !live && rows.iter().any(|r| for_a_node(&r)) {
        sheet.line("");
        sheet.line("A connected node may have what is missing: add --live to ask the gateway");
    }
    sheet.text()
}

/// Why a skill is not offered.
fn reasons(row: &Value) -> Vec<String> {
    let on = |name: &str| row.get(name).and_then(Value::as_bool) == Some(true);
    let mut out = Vec::new();
    if on("eligible") {
        return out;
    }
    let key = text(row, "skillKey").unwrap_or("?");
    if on("disabled") {
        out.push(format!("`skills.entries.{key}.enabled` is false"));
    }
    if on("blockedByAllowlist") {
        out.push("the agent's list of skills does not name it".to_owned());
    }
    if let Some(why) = text(row, "blockedByScan") {
        out.push(format!("{why}. If you have read that code: set `skills.entries.{key}.enabled` to true"));
    }
    let missing = row.get("missing").unwrap_or(&Value::Null);
    for (name, label) in [
        ("os", "runs on"),
        ("bins", "needs"),
        ("anyBins", "needs one of"),
        ("env", "needs the variable"),
        ("config", "needs the setting"),
    ] {
        out.extend(joined(missing, name).map(|all| format!("{label} {all}")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_read() {
        let none = json!({"bins": [], "anyBins": [], "env": [], "config": [], "os": []});
        let answer = json!({
            "skills": [
                {"name": "github", "description": "Issues", "source": "openclaw-workspace", "eligible": true, "missing": none, "filePath": "/w/skills/github/SKILL.md"},
                {"name": "say", "description": "Speaks", "source": "openclaw-managed", "eligible": true, "node": "studio", "missing": {"os": ["darwin"], "bins": ["say"]}},
                {"name": "odd", "description": "Runs things", "skillKey": "odd", "source": "openclaw-extra", "eligible": false, "blockedByScan": "dangerous-exec at x.js:1 (starts other programs)", "disabled": false,
                 "missing": {"bins": ["ffmpeg"], "anyBins": ["rg", "grep"], "env": ["KEY"], "config": ["channels.slack"], "os": []}},
                {"name": "off", "description": "Is off", "skillKey": "off", "source": "openclaw-extra", "eligible": false, "disabled": true, "blockedByAllowlist": true, "missing": none},
            ],
            "problems": [{"baseDir": "/w/skills/bad", "why": "SKILL.md: line 3: there is no `key:`"}],
        });
        insta::assert_snapshot!(render(&answer, true, false));
        assert!(!render(&answer, false, true).contains("--live"));
    }
}
