//! Who may run commands on the host (audit spec 1.5). Only the global list; agents' lists can only narrow it.

use oc_types::{KeyPath, Severity};

use crate::{AuditContext, Findings};

/// Most entries that a list may have before it is called large.
const MANY: usize = 25;

/// Wildcards and long lists under `tools.elevated.allowFrom`.
pub fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    if ctx.flag(&["tools", "elevated", "enabled"]) == Some(false) {
        return;
    }
    let keys = ["tools", "elevated", "allowFrom"];
    let Some(lists) = ctx.get(&keys).and_then(|n| n.as_object()) else { return };
    for (channel, list) in lists {
        let entries: Vec<String> = list
            .entries()
            .unwrap_or_default()
            .iter()
            .map(|e| e.trim().to_owned())
            .filter(|e| !e.is_empty())
            .collect();
        let path = KeyPath::keys(keys).key(channel);
        if entries.iter().any(|e| e == "*") {
            out.report(format!("tools.elevated.allowFrom.{channel}.wildcard"), Severity::Critical)
                .detail(format!(
                    "`{path}` contains \"*\": whoever can write there can run commands on the host."
                ))
                .key(ctx.key_at(&path));
        } else if entries.len() > MANY {
            out.report(format!("tools.elevated.allowFrom.{channel}.large"), Severity::Warn)
                .detail(format!(
                    "`{path}` has {} entries; more than {MANY} are hard to review.",
                    entries.len()
                ))
                .key(ctx.key_at(&path));
        }
    }
}
