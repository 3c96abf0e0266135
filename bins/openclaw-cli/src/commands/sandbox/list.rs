//! `openclaw sandbox list`: which containers there are, whose, whether they run and fit.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use oc_config::load::Reading;
use serde_json::{Value as Json, json};

use super::engine::{containers, wait};
use super::listed::{Listed, Which, read};
use crate::app::App;

/// Arguments of `openclaw sandbox list`.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// Show the browser containers instead.
    #[arg(long)]
    browser: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Lists.
///
/// # Errors
/// An invalid configuration, a registry that cannot be read.
pub fn run(app: &App, args: &ListArgs) -> Result<ExitCode> {
    let loaded = app.load(Reading::Product);
    if let Some(issue) = loaded.issues.first() {
        bail!("the configuration is invalid: {issue}");
    }
    let which = if args.browser { Which::Browsers } else { Which::Containers };
    let list = wait(async {
        let engine = containers(app, &loaded).await;
        if let Err(e) = &engine {
            app.note(&format!("openclaw: {e}; nothing is known to run"));
        }
        read(app, &loaded, &engine, which).await
    })?;
    if args.json {
        let rows: Vec<Json> = list.iter().map(Listed::json).collect();
        let out = match which {
            Which::Containers => json!({"containers": rows, "browsers": []}),
            Which::Browsers => json!({"containers": [], "browsers": rows}),
        };
        app.print(&format!("{}\n", serde_json::to_string_pretty(&out)?));
    } else {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
        app.print(&text(&list, which, u64::try_from(now).unwrap_or(u64::MAX)));
    }
    Ok(ExitCode::SUCCESS)
}

fn text(list: &[Listed], which: Which, now_ms: u64) -> String {
    let kind = match which {
        Which::Containers => "sandbox containers",
        Which::Browsers => "sandbox browsers",
    };
    if list.is_empty() {
        return format!("No {kind}\n");
    }
    let mut out = String::new();
    for c in list {
        let since = |key: &str| {
            let then = c.entry.get(key).and_then(Json::as_u64).unwrap_or(now_ms);
            span(now_ms.saturating_sub(then))
        };
        out.push_str(&format!(
            "{}\n  status: {}\n  image: {} ({})\n  age: {}  idle: {}\n  session: {}\n\n",
            c.name,
            if c.running { "running" } else { "stopped" },
            c.image,
            if c.image_match { "as configured" } else { "another one is configured" },
            since("createdAtMs"),
            since("lastUsedAtMs"),
            oc_text::visible::visible(&c.scope_key, 200),
        ));
    }
    let running = list.iter().filter(|c| c.running).count();
    let kind = if list.len() == 1 { kind.trim_end_matches('s') } else { kind };
    out.push_str(&format!("{} {kind}, {running} running\n", list.len()));
    let other = list.iter().filter(|c| !c.image_match).count();
    if other > 0 {
        out.push_str(&format!(
            "{other} made from another image than the configured one: `openclaw sandbox recreate --all`\n"
        ));
    }
    out
}

/// A length of time in its two largest units.
fn span(ms: u64) -> String {
    let s = ms / 1000;
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min", s / 60),
        3600..86_400 => format!("{} h {} min", s / 3600, s % 3600 / 60),
        _ => format!("{} d {} h", s / 86_400, s % 86_400 / 3600),
    }
}
