//! Plans and carries out. One part that fails does not keep the others back: in an incident half a lockdown is better than none, and the
//! exit code says that it is half.

use std::sync::Arc;

use anyhow::{Context, Result};
use oc_approval::life_cycle::{Reevaluated, State};
use oc_audit::lockdown;
use oc_config::edit::{self, Change};
use oc_config::load::{Loaded, Reading};
use oc_fs::approval_queue::ApprovalQueue;
use oc_fs::audit_fix::diff;
use oc_fs::config_store::{self, Edited, Force, Writer};
use oc_fs::fix_record::{self, FileRecord, ModeRecord};
use oc_fs::lockdown_record::{self, LockdownRecord};
use oc_fs::pairing_files::PairingFailure;
use oc_fs::session_store::{self, SessionStore};
use oc_fs::{mode, narrow};
use oc_gateway::devices::DeviceStore;
use oc_gateway::methods::Place;
use oc_gateway::node_pairing::NodeStore;
use oc_gateway::protocol::connect::Role;
use oc_types::Node;

use super::super::collect;
use super::Report;
use crate::app::App;

/// What is about to be written.
pub(super) struct Planned {
    changes: Vec<Change>,
    edited: Option<Edited>,
}

/// Plans the configuration's part, and says what else a person has to look at.
pub(super) fn plan(app: &App, loaded: &Loaded, report: &mut Report) -> Planned {
    let mut planned = Planned { changes: Vec::new(), edited: None };
    hints(&loaded.tree, report);
    if !loaded.issues.is_empty() {
        report.errors.extend(loaded.issues.iter().map(ToString::to_string));
        report.errors.push(
            "the configuration is not valid, so it was not changed: stop the gateway, mend it with `openclaw doctor`, lock down again"
                .to_owned(),
        );
        return planned;
    }
    if !loaded.exists {
        report.hints.push("there is no configuration: the defaults are closed already".to_owned());
        return planned;
    }
    for step in lockdown::plan(&loaded.tree) {
        planned.changes.push(step.change);
        match edit::plan(&loaded.locations.config, &loaded.files, Reading::Product, &planned.changes) {
            Ok(_) => report.changes.push(step.note),
            Err(e) => {
                planned.changes.pop();
                report.errors.push(format!("{}: {e}", step.note));
            }
        }
    }
    match config_store::preview(&app.load_request(Reading::Product), &planned.changes) {
        Ok(edited) => {
            report.diff = edited.plan.files.iter().map(diff).collect();
            report.files = edited.plan.files.iter().map(|f| f.path.display().to_string()).collect();
            let open = lockdown::plan(&edited.after.tree);
            report
                .errors
                .extend(open.into_iter().map(|s| format!("still open, close it by hand: {}", s.note)));
            planned.edited = Some(edited);
        }
        Err(e) => {
            report.changes.clear();
            report.errors.push(e.to_string());
        }
    }
    planned
}

fn hints(tree: &Node, report: &mut Report) {
    let text = |keys: &[&str]| tree.path(keys).and_then(Node::as_str).unwrap_or_default().to_owned();
    let mut hint = |words: &str| report.hints.push(words.to_owned());
    hint("a running gateway takes this over by itself; to be sure, stop it: `openclaw gateway stop`");
    if matches!(text(&["gateway", "tailscale", "mode"]).as_str(), "serve" | "funnel") {
        hint(
            "Tailscale may go on publishing what it was told to: `tailscale serve reset` and `tailscale funnel reset`",
        );
    }
    if tree.path(&["gateway", "trustedProxies"]).and_then(Node::as_array).is_some_and(|p| !p.is_empty()) {
        hint("a reverse proxy still reaches the loopback address: stop it, or close its port");
    }
    if tree.path(&["hooks", "enabled"]).and_then(Node::as_bool) == Some(true) {
        hint("hooks stay on: `openclaw security rotate hooks`, or set hooks.enabled to false");
    }
    hint(
        "`openclaw security rotate gateway`, then `openclaw security collect`, then `openclaw security audit --deep`",
    );
}

/// Carries it out, or only counts.
pub(super) fn apply(app: &App, loaded: &Loaded, planned: Planned, report: &mut Report) {
    let state_dir = loaded.locations.state_dir.as_path();
    if report.dry_run {
        count(state_dir, report);
        for store in stores(loaded) {
            match store.read() {
                Ok(all) => report.sessions.extend(session_store::activated(&all)),
                Err(e) => report.errors.push(e.to_string()),
            }
        }
        return;
    }
    // What can still start something goes first.
    deny_waiting(state_dir, report);
    let mut record = earlier(state_dir, report);
    if record.at == 0 {
        record.at = collect::start(app, loaded).now_ms;
    }
    if let Some(edited) = planned.edited.filter(|e| !e.plan.is_empty())
        && let Err(e) = write(app, state_dir, &edited, &planned.changes, &mut record)
    {
        report.files.clear();
        report.errors.push(format!("the configuration was not changed: {e:#}"));
    }
    mute_sessions(loaded, &mut record, report);
    revoke_nodes(state_dir, &mut record, report);
}

/// The session stores of all agents, each once.
fn stores(loaded: &Loaded) -> Vec<SessionStore> {
    let place = Place::new(Arc::new(loaded.locations.clone()), Arc::new(loaded.tree.clone()), 0);
    place.stores(&place.known_agents()).into_iter().map(|(_, store)| store).collect()
}

/// Rooms that answer without a mention by a setting of their session.
fn mute_sessions(loaded: &Loaded, record: &mut LockdownRecord, report: &mut Report) {
    let state_dir = loaded.locations.state_dir.as_path();
    for store in stores(loaded) {
        let muted = session_store::mute(&store, |file| {
            LockdownRecord::note(&mut record.sessions, file.clone());
            lockdown_record::write(state_dir, record)
        });
        match muted {
            Ok(keys) => report.sessions.extend(keys),
            Err(e) => report.errors.push(e.to_string()),
        }
    }
}

/// The record of a lockdown that was not undone. One that cannot be used is set aside: closing does not wait for it.
fn earlier(state_dir: &std::path::Path, report: &mut Report) -> LockdownRecord {
    lockdown_record::read(state_dir).map(Option::unwrap_or_default).unwrap_or_else(|e| {
        let kept =
            lockdown_record::set_aside(state_dir).map_or_else(|e| e.to_string(), |p| p.display().to_string());
        report
            .errors
            .push(format!("the record of an earlier lockdown cannot be used ({e}); it is kept: {kept}"));
        LockdownRecord::default()
    })
}

/// The configuration: recorded, then written.
fn write(
    app: &App,
    state_dir: &std::path::Path,
    edited: &Edited,
    changes: &[Change],
    record: &mut LockdownRecord,
) -> Result<()> {
    note_config(edited, record);
    lockdown_record::write(state_dir, record).context("it could not be recorded for the undo")?;
    let seen = config_store::hash(edited.before.files.first().map_or("", |f| f.text.as_str()));
    let writer = Writer { name: "openclaw security lockdown", force: Force::Yes, expected: Some(&seen) };
    let done = config_store::edit(&app.load_request(Reading::Product), changes, writer)?;
    if let Some(why) = done.unrecorded {
        app.note(&format!("warning: the change log has no record of this: {why}"));
    }
    Ok(())
}

fn note_config(edited: &Edited, record: &mut LockdownRecord) {
    for file in &edited.plan.files {
        let after_sha256 = fix_record::sha256(file.after.as_bytes());
        let new = FileRecord { path: file.path.clone(), before: file.before.clone(), after_sha256 };
        LockdownRecord::note(&mut record.config, new);
        // A rewritten file is owner-only whatever it was.
        if let Some(before) = narrow::present(&file.path).filter(|b| *b != mode::FILE) {
            record.note_mode(ModeRecord { path: file.path.clone(), before, after: mode::FILE });
        }
    }
}

fn count(state_dir: &std::path::Path, report: &mut Report) {
    match ApprovalQueue::of(state_dir).and_then(|q| q.records()) {
        Ok(records) => report.approvals.extend(
            records.into_iter().filter(|r| matches!(r.state, State::Pending | State::Allowed)).map(|r| r.id),
        ),
        Err(e) => report.errors.push(e.to_string()),
    }
    match DeviceStore::of(state_dir).read() {
        Ok(mut all) => report.nodes.extend(all.take_role(Role::Node, 0)),
        Err(e) => report.errors.push(e.to_string()),
    }
    match NodeStore::of(state_dir).read() {
        Ok(mut all) => report.nodes.extend(all.unpair_all()),
        Err(e) => report.errors.push(e.to_string()),
    }
}

/// Denies what waits for a person, and what was allowed and has not started.
fn deny_waiting(state_dir: &std::path::Path, report: &mut Report) {
    let denied = ApprovalQueue::of(state_dir).and_then(|queue| {
        if queue.path().symlink_metadata().is_err() {
            return Ok(Vec::new());
        }
        queue.reevaluate(&mut |_| Reevaluated::Refused)
    });
    match denied {
        Ok(ids) => report.approvals = ids,
        Err(e) => report.errors.push(e.to_string()),
    }
}

fn revoke_nodes(state_dir: &std::path::Path, record: &mut LockdownRecord, report: &mut Report) {
    let mut noted = |files: &[FileRecord]| -> Result<(), PairingFailure> {
        for file in files {
            LockdownRecord::note(&mut record.pairing, file.clone());
        }
        Ok(lockdown_record::write(state_dir, record)?)
    };
    let devices = DeviceStore::of(state_dir);
    let revoked = devices.read().and_then(|mut now| {
        let idle = now.take_role(Role::Node, 0).is_empty() && now == devices.read()?;
        if idle {
            Ok(Vec::new())
        } else {
            devices.change_noted(|all, now| all.take_role(Role::Node, now), &mut noted)
        }
    });
    match revoked {
        Ok(ids) => report.nodes.extend(ids),
        Err(e) => report.errors.push(e.to_string()),
    }
    let nodes = NodeStore::of(state_dir);
    let revoked = nodes.read().and_then(|now| {
        let idle = now.paired.is_empty() && now.pending.is_empty();
        if idle { Ok(Vec::new()) } else { nodes.change_noted(|all, _| all.unpair_all(), &mut noted) }
    });
    match revoked {
        Ok(ids) => report.nodes.extend(ids),
        Err(e) => report.errors.push(e.to_string()),
    }
}
