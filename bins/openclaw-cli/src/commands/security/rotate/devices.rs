//! The tokens of all devices and nodes.

use anyhow::Result;
use oc_config::load::Reading;
use oc_fs::{lockdown_record, random};
use oc_gateway::devices::DeviceStore;
use oc_gateway::node_pairing::NodeStore;

use super::Report;
use crate::app::App;

/// Takes every device's token back and makes every node's anew.
///
/// # Errors
/// When a pairing list cannot be used, or there is no randomness.
pub(super) fn run(app: &App, dry_run: bool) -> Result<Report> {
    let loaded = app.load(Reading::Product);
    let state_dir = &loaded.locations.state_dir;
    let mut report = Report { dry_run, ..Report::default() };
    let devices = DeviceStore::of(state_dir);
    let mut present = devices.read()?;
    let revoked = match present.revoke_all(0) {
        live if live.is_empty() || dry_run => live,
        _ => devices.change(|all, now| all.revoke_all(now))?,
    };
    let nodes = NodeStore::of(state_dir);
    let renewed: Vec<String> = match nodes.read()?.paired.into_keys().collect::<Vec<_>>() {
        paired if paired.is_empty() || dry_run => paired,
        _ => nodes
            .change(|all, _| all.renew_all(|| random::token_hex(16).map(|s| s.expose().to_owned())))??,
    };
    // Nodes that a lockdown took out would come back with their old tokens.
    if !dry_run && lockdown_record::drop_pairing(state_dir)? {
        report.clients.push(
            "the nodes that the lockdown revoked: `--undo` does not bring them back, pair them again"
                .to_owned(),
        );
    }
    let list = |files: &std::path::Path| files.display().to_string();
    for (device, role) in revoked {
        let record = present.paired.get(&device);
        let name =
            record.and_then(|d| d.display_name.as_deref().or(d.client_id.as_deref())).unwrap_or("device");
        report.clients.push(format!(
            "{name}, device {device}: it shows the gateway's secret once and gets a new token"
        ));
        report.rotated.push((format!("device {device}, role {role}"), list(devices.files().paired())));
    }
    for node in renewed {
        report.clients.push(format!("node {node}: pair it again with `openclaw nodes approve`"));
        report.rotated.push((format!("node {node}"), list(nodes.files().paired())));
    }
    if report.rotated.is_empty() {
        report.clients.push("nobody: no device and no node has a live token".to_owned());
    }
    Ok(report)
}
