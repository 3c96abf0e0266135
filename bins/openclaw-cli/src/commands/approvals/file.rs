//! `openclaw approvals get`, `set` and `allowlist`: the approvals file.

use std::io::Read;
use std::process::ExitCode;

use anyhow::{Context, Result};
use oc_approval::approvals_file::edit::{Changed, Document};
use oc_fs::approvals_store::{ApprovalsStore, Snapshot};
use oc_fs::bounded_read;
use oc_text::visible::{LINE_CAP, visible};
use serde_json::{Value, json};

use super::{AllowlistArgs, AllowlistCommand, GetArgs, SetArgs, remote};
use crate::app::App;

/// Largest new content, in bytes.
const LIMIT: u64 = 8 * 1024 * 1024;

/// Shows the file; the token of the socket never.
pub fn get(app: &App, args: &GetArgs) -> Result<ExitCode> {
    if args.whose.is_remote() {
        return remote::get(app, &args.whose, args.json);
    }
    let store = local(app);
    let now = store.read()?;
    if args.json {
        print_json(app, &store, &now)?;
    } else if now.file.is_none() {
        app.print(&format!("There is no approvals file; {} is the place for it.\n", store.path().display()));
    } else {
        app.print(&Document::of(now.document.shown())?.text());
    }
    Ok(ExitCode::SUCCESS)
}

/// Replaces the file.
pub fn set(app: &App, args: &SetArgs) -> Result<ExitCode> {
    let text = match &args.file {
        Some(path) => {
            bounded_read::text(path, LIMIT).with_context(|| format!("cannot read {}", path.display()))?
        }
        None => {
            let mut text = String::new();
            std::io::stdin().take(LIMIT).read_to_string(&mut text).context("cannot read standard input")?;
            text
        }
    };
    let value: Value =
        json5::from_str(&text).context("the new content is not JSON or JSON5; nothing was changed")?;
    let document =
        Document::of(value).context("the new content is no approvals file; nothing was changed")?;
    if args.whose.is_remote() {
        return remote::set(app, &args.whose, &document, args.base_hash.as_deref(), args.json);
    }
    let store = local(app);
    let now = store.set(document, args.base_hash.as_deref())?;
    if args.json {
        print_json(app, &store, &now)?;
    } else {
        app.print(&format!("Wrote {}.\n", store.path().display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Adds or removes a pattern.
pub fn allowlist(app: &App, args: &AllowlistArgs) -> Result<ExitCode> {
    let (AllowlistCommand::Add(p) | AllowlistCommand::Remove(p)) = &args.command;
    let adds = matches!(args.command, AllowlistCommand::Add(_));
    let changed = if p.whose.is_remote() {
        let (changed, snapshot) = remote::change(app, &p.whose, &p.agent, &p.pattern, adds)?;
        if p.json {
            return remote::print(app, &snapshot, true);
        }
        changed
    } else {
        let store = local(app);
        let changed =
            if adds { store.add(&p.agent, &p.pattern)? } else { store.remove(&p.agent, &p.pattern)? };
        if p.json {
            print_json(app, &store, &store.read()?)?;
            return Ok(ExitCode::SUCCESS);
        }
        changed
    };
    let (pattern, agent) = (visible(&p.pattern, LINE_CAP), visible(&p.agent, LINE_CAP));
    app.print(&match (adds, changed) {
        (true, Changed::Yes) => {
            format!("Added `{pattern}` for agent `{agent}`: it runs with any arguments.\n")
        }
        (true, Changed::No) => format!("`{pattern}` is on the list of agent `{agent}` already.\n"),
        (false, Changed::Yes) => format!("Removed `{pattern}` of agent `{agent}`.\n"),
        (false, Changed::No) => format!("`{pattern}` is not on the list of agent `{agent}`.\n"),
    });
    Ok(ExitCode::SUCCESS)
}

fn local(app: &App) -> ApprovalsStore {
    ApprovalsStore::of(&super::loaded(app).locations.state_dir)
}

fn print_json(app: &App, store: &ApprovalsStore, now: &Snapshot) -> Result<()> {
    let out = json!({
        "path": store.path().display().to_string(),
        "exists": now.file.is_some(),
        "hash": now.hash,
        "file": now.document.shown(),
    });
    app.print(&format!("{}\n", serde_json::to_string_pretty(&out)?));
    Ok(())
}
