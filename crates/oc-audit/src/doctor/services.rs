//! `--deep`: services of other gateways on this machine.

use std::path::PathBuf;

use oc_types::Severity;

use super::{Note, Step};
use crate::{AuditContext, Wanted};

/// Words in the file name of a unit that starts some release of the gateway.
const NAMES: [&str; 4] = ["openclaw", "clawdbot", "moltbot", "moldbot"];

fn folders(ctx: &AuditContext<'_>) -> [PathBuf; 3] {
    let home = &ctx.facts.places.home;
    [
        home.join(".config/systemd/user"),
        home.join("Library/LaunchAgents"),
        PathBuf::from("/etc/systemd/system"),
    ]
}

/// The unit folders.
pub fn wants(ctx: &AuditContext<'_>, wanted: &mut Wanted) {
    for folder in folders(ctx) {
        wanted.list(folder);
    }
}

/// More than one unit: two gateways would fight over the port, and a forgotten one keeps old settings alive.
pub fn examine(ctx: &AuditContext<'_>, notes: &mut Vec<Note>) {
    let mut found = Vec::new();
    for folder in folders(ctx) {
        let Some(listing) = ctx.facts.listing(&folder) else { continue };
        for entry in &listing.entries {
            let name = entry.name.display().to_string();
            let unit = name.ends_with(".service") || name.ends_with(".plist");
            if unit && NAMES.iter().any(|n| name.to_lowercase().contains(n)) {
                found.push(folder.join(&entry.name));
            }
        }
    }
    if found.len() > 1 {
        let list: Vec<String> = found.iter().map(|p| p.display().to_string()).collect();
        notes.push(Note {
            step: Step::Services,
            id: "services.several".to_owned(),
            severity: Severity::Warn,
            text: format!("several gateway services are installed; keep one: {}", list.join(", ")),
            keys: Vec::new(),
            repairs: Vec::new(),
        });
    }
}
