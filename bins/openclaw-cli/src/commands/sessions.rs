//! `openclaw sessions`: the conversations that the agents remember, read from their stores.

mod prune;
mod show;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use oc_audit::{agents, workspace};
use oc_config::load::{Loaded, Reading};
use oc_fs::bounded_read::{self, ReadFailure};
use oc_text::visible;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::sheet::{Sheet, ago, now_ms, text};
use crate::wire;

/// Largest session store, in bytes.
const LIMIT: u64 = 64 * 1024 * 1024;
/// Members of a stored session that are shown, in this order.
const SHOWN: [&str; 14] = [
    "sessionId",
    "systemSent",
    "abortedLastRun",
    "thinkingLevel",
    "verboseLevel",
    "reasoningLevel",
    "elevatedLevel",
    "responseUsage",
    "groupActivation",
    "inputTokens",
    "outputTokens",
    "totalTokens",
    "model",
    "contextTokens",
];

/// Arguments of `openclaw sessions`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct SessionsArgs {
    #[command(subcommand)]
    command: Option<SessionsCommand>,
    #[command(flatten)]
    list: ListArgs,
}

/// The commands below `openclaw sessions`.
#[derive(Debug, clap::Subcommand)]
enum SessionsCommand {
    /// List the sessions (the same as without a command).
    List(ListArgs),
    /// Remove idle sessions, their transcripts, archives and copies of older files that are older than an age.
    Prune(prune::PruneArgs),
    /// Show what was said in a session, credentials masked.
    Show(show::ShowArgs),
}

/// Arguments of `openclaw sessions list`.
#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Only sessions that were used within so many minutes.
    #[arg(long, value_name = "MINUTES")]
    active: Option<u64>,
    /// Read this store instead of the default agent's.
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// The agent; default: the default one.
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Lists.
///
/// # Errors
/// A store that cannot be read.
pub fn run(app: &App, args: &SessionsArgs) -> Result<ExitCode> {
    let list = match &args.command {
        Some(SessionsCommand::Prune(args)) => return prune::run(app, args),
        Some(SessionsCommand::Show(args)) => return show::run(app, args),
        Some(SessionsCommand::List(list)) => list,
        None => &args.list,
    };
    let loaded = app.load(Reading::Product);
    let path = list.store.clone().unwrap_or_else(|| store(&loaded, list.agent.as_deref()));
    let now = now_ms();
    let rows = rows(&read(&path)?, now, list.active);
    if list.json {
        let out = json!({"path": path.display().to_string(), "count": rows.len(), "activeMinutes": list.active, "sessions": rows});
        wire::print_json(app, &out);
    } else {
        app.print(&render(&path, &rows));
    }
    Ok(ExitCode::SUCCESS)
}

/// The store of an agent.
pub fn store(loaded: &Loaded, agent: Option<&str>) -> PathBuf {
    let all = workspace::agents(&loaded.tree);
    let default = all.first().map(|a| a.id.as_str()).unwrap_or("main");
    let id = oc_types::AgentId::normalized(agent.unwrap_or(default));
    agents::session_store(&loaded.locations.state_dir.join("agents").join(id.as_str()))
}

/// The entries of a store; none when there is no file.
///
/// # Errors
/// When it cannot be read or is no store.
pub fn read(path: &Path) -> Result<Map<String, Value>> {
    let text = match bounded_read::text(path, LIMIT) {
        Ok(text) => text,
        Err(ReadFailure::Missing) => return Ok(Map::new()),
        Err(e) => anyhow::bail!("{}: {e}", path.display()),
    };
    let value: Value = json5::from_str(&text).with_context(|| format!("{}: not JSON", path.display()))?;
    match value {
        Value::Object(entries) => Ok(entries),
        _ => anyhow::bail!("{}: not a session store", path.display()),
    }
}

/// The sessions, last used first.
pub fn rows(entries: &Map<String, Value>, now_ms: u64, active_minutes: Option<u64>) -> Vec<Value> {
    let mut rows: Vec<(Option<u64>, Value)> = entries
        .iter()
        .filter(|(_, entry)| entry.is_object())
        .map(|(key, entry)| {
            let updated = entry.get("updatedAt").and_then(Value::as_u64);
            let age = updated.map(|u| now_ms.saturating_sub(u));
            let mut row = Map::new();
            row.insert("key".to_owned(), key.as_str().into());
            row.insert("kind".to_owned(), kind(key, entry).into());
            row.insert("updatedAt".to_owned(), updated.into());
            row.insert("ageMs".to_owned(), age.into());
            let shown = SHOWN.iter().filter_map(|n| Some(((*n).to_owned(), entry.get(*n)?.clone())));
            row.extend(shown.filter(|(_, v)| !v.is_null()));
            (age, Value::Object(row))
        })
        .filter(|(age, _)| active_minutes.is_none_or(|m| age.is_some_and(|a| a <= m.saturating_mul(60_000))))
        .collect();
    rows.sort_by_key(|(age, _)| age.unwrap_or(u64::MAX));
    rows.into_iter().map(|(_, row)| row).collect()
}

fn kind(key: &str, entry: &Value) -> &'static str {
    match (key, text(entry, "chatType")) {
        ("global", _) => "global",
        ("unknown", _) => "unknown",
        (_, Some("group" | "channel")) => "group",
        _ if key.contains(":group:") || key.contains(":channel:") => "group",
        _ => "direct",
    }
}

fn render(path: &Path, rows: &[Value]) -> String {
    let mut sheet = Sheet::new(10);
    sheet.line(&format!("{} sessions in {}", rows.len(), path.display()));
    for row in rows {
        sheet.heading(&visible(text(row, "key").unwrap_or("?"), 200));
        let kind = text(row, "kind").unwrap_or("?");
        let used = row.get("ageMs").and_then(Value::as_u64).map_or_else(|| "never".to_owned(), ago);
        sheet.row("Used", &format!("{used}, {kind}"));
        sheet.some("Session", text(row, "sessionId").map(str::to_owned));
        sheet.some("Model", text(row, "model").map(str::to_owned));
        sheet.some("Tokens", tokens(row));
        let flags: Vec<String> = ["thinkingLevel", "verboseLevel", "elevatedLevel", "groupActivation"]
            .iter()
            .filter_map(|n| text(row, n).map(|v| format!("{n} {v}")))
            .collect();
        sheet.some("Settings", Some(flags.join(", ")));
    }
    sheet.text()
}

fn tokens(row: &Value) -> Option<String> {
    let total = row.get("totalTokens")?.as_u64()?;
    let window = row.get("contextTokens").and_then(Value::as_u64).filter(|w| *w > 0);
    Some(match window {
        Some(window) => format!("{total} of {window} ({} %)", total.saturating_mul(100) / window),
        None => total.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Map<String, Value> {
        let value = json!({
            "agent:main:telegram:group:-1001": {"sessionId": "s2", "updatedAt": 1_000, "groupActivation": "mention"},
            "agent:main:main": {"sessionId": "s1", "updatedAt": 900_000, "model": "m", "totalTokens": 1500, "contextTokens": 200_000, "thinkingLevel": "low", "deliveryContext": {"to": "private"}},
            "odd": 5});
        value.as_object().unwrap().clone()
    }

    #[test]
    fn the_last_used_session_comes_first() {
        let rows = rows(&entries(), 1_000_000, None);
        let want = json!([
            {"key": "agent:main:main", "kind": "direct", "updatedAt": 900_000, "ageMs": 100_000, "sessionId": "s1", "thinkingLevel": "low", "totalTokens": 1500, "model": "m", "contextTokens": 200_000},
            {"key": "agent:main:telegram:group:-1001", "kind": "group", "updatedAt": 1_000, "ageMs": 999_000, "sessionId": "s2", "groupActivation": "mention"}]);
        assert_eq!(Value::Array(rows.clone()), want);
        assert_eq!(super::rows(&entries(), 1_000_000, Some(5)).len(), 1);
        insta::assert_snapshot!(render(Path::new("/state/agents/main/sessions/sessions.json"), &rows));
    }
}
