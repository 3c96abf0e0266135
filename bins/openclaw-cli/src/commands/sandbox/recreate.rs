//! `openclaw sandbox recreate`: removes containers, so that the next call makes them anew with the present configuration.

use std::io::{BufRead as _, IsTerminal as _};
use std::process::ExitCode;

use anyhow::{Result, bail};
use oc_config::load::Reading;

use super::engine::{containers, wait};
use super::listed::{Listed, Which, read};
use crate::app::App;

/// Arguments of `openclaw sandbox recreate`.
#[derive(Debug, clap::Args)]
pub struct RecreateArgs {
    /// All of them.
    #[arg(long)]
    all: bool,
    /// Those of this scope key, as `list` shows it.
    #[arg(long, value_name = "KEY")]
    session: Option<String>,
    /// Those of this agent and of its sessions.
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// The browser containers instead.
    #[arg(long)]
    browser: bool,
    /// Do not ask.
    #[arg(long)]
    force: bool,
}

/// Removes.
///
/// # Errors
/// Not exactly one selector, no engine, a container that could not be removed.
pub fn run(app: &App, args: &RecreateArgs) -> Result<ExitCode> {
    let selectors = [args.all, args.session.is_some(), args.agent.is_some()];
    if selectors.iter().filter(|s| **s).count() != 1 {
        bail!("say which: exactly one of --all, --session KEY, --agent ID");
    }
    let loaded = app.load(Reading::Product);
    let which = if args.browser { Which::Browsers } else { Which::Containers };
    wait(async {
        let engine = containers(app, &loaded).await;
        let mut list = read(app, &loaded, &engine, which).await?;
        list.retain(|c| chosen(args, c));
        if list.is_empty() {
            app.print("No containers match; nothing to do\n");
            return Ok(ExitCode::SUCCESS);
        }
        let engine = engine?;
        let mut text = String::from("To be removed; the next call makes them anew:\n");
        for c in &list {
            text.push_str(&format!("  {} ({})\n", c.name, if c.running { "running" } else { "stopped" }));
        }
        app.print(&text);
        if !args.force && !confirmed(app)? {
            app.print("Nothing removed\n");
            return Ok(ExitCode::SUCCESS);
        }
        let names = list.into_iter().map(|c| c.name).collect();
        let cleaned = match which {
            Which::Containers => engine.recreate(names).await?,
            Which::Browsers => engine.recreate_browsers(names).await?,
        };
        app.print(&format!("Removed {}\n", cleaned.removed.len()));
        for failure in &cleaned.failed {
            app.note(&format!("openclaw: not removed: {failure}"));
        }
        Ok(if cleaned.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
    })
}

fn chosen(args: &RecreateArgs, c: &Listed) -> bool {
    if let Some(key) = &args.session {
        return c.scope_key == *key;
    }
    if let Some(id) = &args.agent {
        let own = format!("agent:{id}");
        return c.scope_key.strip_prefix(&own).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'));
    }
    args.all
}

fn confirmed(app: &App) -> Result<bool> {
    let mut input = std::io::stdin().lock();
    if !std::io::stdin().is_terminal() {
        bail!("nobody can be asked here; add --force");
    }
    app.print("Remove them? [y/N] ");
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}
