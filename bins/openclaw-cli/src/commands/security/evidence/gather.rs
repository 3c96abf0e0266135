//! The parts of the bundle, before the last mask.

use std::path::{Path, PathBuf};

use oc_audit::evidence::{Masks, exposure_history};
use oc_audit::report::json as report_json;
use oc_audit::{AuditContext, RuleSet, workspace};
use oc_config::load::Loaded;
use oc_config::view::redacted_text;
use oc_fs::approval_queue::ApprovalQueue;
use oc_fs::ledger::Ledger;
use oc_fs::{bounded_read, change_log, ledger, lockdown_record, tails};
use oc_gateway::devices::DeviceStore;
use oc_gateway::node_pairing::NodeStore;
use oc_types::Node;
use serde_json::{Value, json};

use super::super::collect;
use super::CollectArgs;
use crate::app::App;

/// Most bytes from the end of one log or transcript.
const TAIL_BYTES: u64 = 512 * 1024;
/// Most ledger records and configuration changes, the newest.
const RECORDS: usize = 1_000;
/// Most log files.
const LOGS: usize = 3;

/// Everything. What could not be read is named under `missing`.
pub(super) fn all(app: &App, loaded: &Loaded, args: &CollectArgs, masks: &Masks) -> Value {
    let mut missing: Vec<String> = loaded.issues.iter().map(ToString::to_string).collect();
    let state = &loaded.locations.state_dir;
    let facts = collect::facts(app, loaded, RuleSet::Latest, None);
    let audit = oc_audit::run(&AuditContext::new(&loaded.tree, &facts, RuleSet::Latest));
    let changes = change_log::read(state).map(|l| l.records).unwrap_or_else(|e| {
        missing.push(format!("configuration changes: {e}"));
        Vec::new()
    });
    let history = exposure_history(&changes);
    let older = changes.len().saturating_sub(RECORDS);
    json!({
        "collectedAt": jiff::Timestamp::now().to_string(),
        "host": host(),
        "openclaw": { "version": env!("CARGO_PKG_VERSION") },
        "exposure": { "now": exposure(&loaded.tree), "history": history },
        "config": config(loaded, &mut missing),
        "configChanges": changes.iter().skip(older).collect::<Vec<_>>(),
        "audit": report_json::value(&audit),
        "lockdown": lockdown_record::read(state).ok().flatten().map(|r| json!({ "at": r.at })),
        "ledger": ledger_records(state, &mut missing),
        "approvals": approvals(state, &mut missing),
        "paired": paired(state, &mut missing),
        "logs": logs(loaded, args, masks, &mut missing),
        "transcripts": if args.no_transcripts { Vec::new() } else { transcripts(state, args, masks, &mut missing) },
        "missing": missing,
    })
}

fn host() -> Value {
    let release = bounded_read::text(Path::new("/etc/os-release"), 64 * 1024).unwrap_or_default();
    let name =
        release.lines().find_map(|l| l.strip_prefix("PRETTY_NAME=")).map(|n| n.trim_matches('"').to_owned());
    let uname = rustix::system::uname();
    json!({
        "os": std::env::consts::OS,
        "name": name,
        "kernel": uname.release().to_string_lossy(),
        "architecture": std::env::consts::ARCH,
    })
}

fn exposure(tree: &Node) -> Value {
    let at = |keys: &[&str]| tree.path(keys).map(Node::to_json);
    json!({
        "bind": at(&["gateway", "bind"]).unwrap_or_else(|| "loopback".into()),
        "customBindHost": at(&["gateway", "customBindHost"]),
        "port": at(&["gateway", "port"]),
        "authMode": at(&["gateway", "auth", "mode"]),
        "tailscale": at(&["gateway", "tailscale", "mode"]).unwrap_or_else(|| "off".into()),
        "trustedProxies": at(&["gateway", "trustedProxies"]),
        "tls": at(&["gateway", "tls", "enabled"]),
        "mdns": at(&["discovery", "mdns", "mode"]),
        "hooks": at(&["hooks", "enabled"]),
    })
}

fn config(loaded: &Loaded, missing: &mut Vec<String>) -> Value {
    loaded
        .files
        .iter()
        .filter_map(|f| match redacted_text(&f.path, &f.text, f.format) {
            Some(text) => Some(json!({ "file": f.path.to_string_lossy(), "text": text })),
            None => {
                missing.push(format!("{}: it cannot be shown without its credentials", f.path.display()));
                None
            }
        })
        .collect()
}

fn ledger_records(state: &Path, missing: &mut Vec<String>) -> Vec<Value> {
    let lines = ledger::read(Ledger::of(state).directory()).unwrap_or_else(|e| {
        missing.push(format!("ledger: {e}"));
        Vec::new()
    });
    let damaged = lines.iter().filter(|l| l.record.is_err()).count();
    if damaged > 0 {
        missing.push(format!("ledger: {damaged} damaged lines"));
    }
    let records: Vec<_> = lines.into_iter().filter_map(|l| l.record.ok()).collect();
    let older = records.len().saturating_sub(RECORDS);
    records.iter().skip(older).filter_map(|r| serde_json::to_value(r).ok()).collect()
}

fn approvals(state: &Path, missing: &mut Vec<String>) -> Vec<Value> {
    let records = ApprovalQueue::of(state).and_then(|q| q.records()).unwrap_or_else(|e| {
        missing.push(format!("approvals: {e}"));
        Vec::new()
    });
    records.iter().filter_map(|r| serde_json::to_value(r).ok()).collect()
}

/// Who is paired, without tokens.
fn paired(state: &Path, missing: &mut Vec<String>) -> Value {
    let mut devices = Vec::new();
    match DeviceStore::of(state).read() {
        Ok(all) => devices.extend(all.paired.values().map(|d| {
            json!({
                "deviceId": d.device_id, "name": d.display_name, "platform": d.platform, "client": d.client_id,
                "roles": d.roles, "scopes": d.scopes, "remoteIp": d.remote_ip, "createdAtMs": d.created_at_ms,
                "approvedAtMs": d.approved_at_ms, "lastUsedAtMs": d.tokens.values().filter_map(|t| t.last_used_at_ms).max(),
            })
        })),
        Err(e) => missing.push(format!("devices: {e}")),
    }
    let mut nodes = Vec::new();
    match NodeStore::of(state).read() {
        Ok(all) => nodes.extend(all.paired.values().map(oc_gateway::node_pairing::PairedNode::shown)),
        Err(e) => missing.push(format!("nodes: {e}")),
    }
    json!({ "devices": devices, "nodes": nodes })
}

fn logs(loaded: &Loaded, args: &CollectArgs, masks: &Masks, missing: &mut Vec<String>) -> Vec<Value> {
    let named = loaded
        .tree
        .path(&["logging", "file"])
        .and_then(Node::as_str)
        .map(str::trim)
        .filter(|t| !t.is_empty());
    let files: Vec<PathBuf> = match named {
        Some(file) => vec![workspace::expand(file, &loaded.locations.home)],
        None => {
            let uid = oc_fs::facts::uid();
            let folders =
                [PathBuf::from("/tmp/openclaw"), std::env::temp_dir().join(format!("openclaw-{uid}"))];
            let is_log = |n: &str| n.starts_with("openclaw-") && n.ends_with(".log");
            folders.iter().flat_map(|f| tails::newest(f, LOGS, &is_log)).map(|d| d.path).take(LOGS).collect()
        }
    };
    if files.is_empty() {
        missing.push("log: there is none".to_owned());
    }
    files.iter().filter_map(|f| end(f, args, masks, missing)).collect()
}

fn transcripts(state: &Path, args: &CollectArgs, masks: &Masks, missing: &mut Vec<String>) -> Vec<Value> {
    let mut out = Vec::new();
    for agent in tails::folders(&state.join("agents")) {
        let newest = tails::newest(&agent.join("sessions"), args.sessions, &|n| n.ends_with(".jsonl"));
        out.extend(newest.iter().filter_map(|d| end(&d.path, args, masks, missing)));
    }
    out
}

/// The end of a file, line by line, masked.
fn end(file: &Path, args: &CollectArgs, masks: &Masks, missing: &mut Vec<String>) -> Option<Value> {
    match tails::tail(file, TAIL_BYTES, args.lines) {
        Ok(tail) => Some(json!({
            "file": file.to_string_lossy(),
            "bytes": tail.length,
            "cut": tail.cut,
            "lines": tail.lines.iter().map(|l| masks.line(l)).collect::<Vec<_>>(),
        })),
        Err(e) => {
            missing.push(format!("{}: {e}", file.display()));
            None
        }
    }
}
