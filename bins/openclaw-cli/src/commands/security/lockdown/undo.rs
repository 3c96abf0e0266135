//! `openclaw security lockdown --undo`.

use std::process::ExitCode;

use anyhow::Result;
use oc_config::load::Reading;
use oc_fs::fix_record::FileRecord;
use oc_fs::lockdown_record;
use oc_fs::session_store::{self, SessionStore};
use oc_gateway::devices::DeviceStore;
use oc_gateway::node_pairing::NodeStore;
use oc_gateway::protocol::connect::Role;
use serde_json::json;

use crate::app::App;

/// Puts everything back. A pairing list that changed meanwhile keeps its changes; only the nodes that are missing from it are put back.
pub(super) fn run(app: &App, as_json: bool) -> Result<ExitCode> {
    let state_dir = app.load(Reading::Product).locations.state_dir;
    let undone = lockdown_record::undo(&state_dir)?;
    let devices = DeviceStore::of(&state_dir);
    let nodes = NodeStore::of(&state_dir);
    let mut back = Vec::new();
    for file in &undone.merge {
        if file.path == devices.files().paired() {
            back.extend(devices.put_back(&file.before, Role::Node)?);
        } else if file.path == nodes.files().paired() {
            back.extend(nodes.put_back(&file.before)?);
        }
    }
    let mut rooms = Vec::new();
    for file in &undone.merge_sessions {
        rooms.extend(session_store::unmute(&SessionStore::at(file.path.clone()), &file.before)?);
    }
    if !undone.record.pairing.is_empty() {
        // Whoever is back needs no new approval.
        devices.settle_removed()?;
    }
    lockdown_record::forget(&state_dir)?;
    let record = &undone.record;
    let paths = |files: &mut dyn Iterator<Item = &FileRecord>| -> Vec<String> {
        files.map(|f| f.path.display().to_string()).collect()
    };
    let merged = paths(&mut undone.merge.iter().chain(&undone.merge_sessions));
    let whole = |f: &&FileRecord| !undone.merge.contains(f) && !undone.merge_sessions.contains(f);
    let lists = record.pairing.iter().chain(&record.sessions).filter(whole);
    let restored = paths(&mut record.config.iter().chain(lists));
    if as_json {
        let out = json!({
            "lockedDownAt": record.at, "files": restored, "merged": merged, "nodes": back, "rooms": rooms,
        });
        app.print(&format!("{out:#}\n"));
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = String::new();
    for path in &restored {
        text.push_str(&format!("restored {path}\n"));
    }
    let among = |files: &[FileRecord], what: &str, count: usize| -> String {
        let line =
            |f: &FileRecord| format!("{} changed meanwhile: put {count} {what} back\n", f.path.display());
        files.iter().map(line).collect()
    };
    text.push_str(&among(&undone.merge, "nodes", back.len()));
    text.push_str(&among(&undone.merge_sessions, "rooms", rooms.len()));
    app.print(&text);
    Ok(ExitCode::SUCCESS)
}
