//! The approvals file of a gateway or of a node, through the gateway.

use std::process::ExitCode;

use anyhow::{Context, Result};
use oc_approval::approvals_file::edit::{Changed, Document};
use oc_approval::life_cycle::uuid_v4;
use serde_json::{Value, json};

use super::Whose;
use crate::app::App;
use crate::commands::nodes;
use crate::sheet::text;
use crate::wire::{self, Connection};

/// Whose file.
enum Owner {
    Gateway,
    Node(String),
}

impl Owner {
    fn of(c: &Connection, whose: &Whose) -> Result<Self> {
        match &whose.node {
            Some(node) => Ok(Self::Node(nodes::resolve(c, node)?)),
            None => Ok(Self::Gateway),
        }
    }

    fn get(&self, c: &Connection) -> Result<Value> {
        match self {
            Self::Gateway => c.call("exec.approvals.get", json!({})),
            Self::Node(id) => c.call("exec.approvals.node.get", json!({ "nodeId": id })),
        }
    }

    fn set(&self, c: &Connection, file: &Value, base: Option<&str>) -> Result<Value> {
        let mut params = json!({ "file": file });
        if let Some(members) = params.as_object_mut() {
            members.extend(base.map(|b| ("baseHash".to_owned(), b.into())));
            if let Self::Node(id) = self {
                members.insert("nodeId".to_owned(), id.as_str().into());
            }
        }
        let method = match self {
            Self::Gateway => "exec.approvals.set",
            Self::Node(_) => "exec.approvals.node.set",
        };
        c.call(method, params)
    }
}

/// Shows the file.
pub fn get(app: &App, whose: &Whose, as_json: bool) -> Result<ExitCode> {
    let snapshot = wire::with(app, &whose.wire, |c| Owner::of(c, whose)?.get(c))?;
    print(app, &snapshot, as_json)
}

/// Replaces the file. Without a hash it is replaced only as it was read now.
pub fn set(
    app: &App,
    whose: &Whose,
    document: &Document,
    base: Option<&str>,
    as_json: bool,
) -> Result<ExitCode> {
    let file: Value = serde_json::from_str(&document.text())?;
    let now = wire::with(app, &whose.wire, |c| {
        let owner = Owner::of(c, whose)?;
        let before = owner.get(c)?;
        owner.set(c, &file, base.or_else(|| text(&before, "hash")))
    })?;
    if as_json {
        wire::print_json(app, &now);
    } else {
        app.print(&format!("Wrote {}.\n", oc_text::visible(text(&now, "path").unwrap_or("the file"), 300)));
    }
    Ok(ExitCode::SUCCESS)
}

/// Adds or removes a pattern. Gives whether anything changed, and the file then.
pub fn change(app: &App, whose: &Whose, agent: &str, pattern: &str, adds: bool) -> Result<(Changed, Value)> {
    wire::with(app, &whose.wire, |c| {
        let owner = Owner::of(c, whose)?;
        let before = owner.get(c)?;
        let file = before.get("file").cloned().context("the answer holds no approvals file")?;
        let mut document =
            Document::of(file).context("the file there is no approvals file; nothing was changed")?;
        let changed =
            if adds { document.add(agent, pattern, &id()?)? } else { document.remove(agent, pattern)? };
        if changed == Changed::No {
            return Ok((changed, before));
        }
        let file: Value = serde_json::from_str(&document.text())?;
        Ok((changed, owner.set(c, &file, text(&before, "hash"))?))
    })
}

/// Prints what `get` and `set` answer.
pub fn print(app: &App, snapshot: &Value, as_json: bool) -> Result<ExitCode> {
    if as_json {
        wire::print_json(app, snapshot);
    } else {
        let file = snapshot.get("file").cloned().unwrap_or_else(|| json!({"version": 1}));
        app.print(&Document::of(file)?.text());
    }
    Ok(ExitCode::SUCCESS)
}

fn id() -> Result<String> {
    let hex = oc_fs::random::token_hex(16)?;
    let mut bytes = [0u8; 16];
    for (byte, pair) in bytes.iter_mut().zip(hex.expose().as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair)?, 16)?;
    }
    Ok(uuid_v4(bytes))
}
