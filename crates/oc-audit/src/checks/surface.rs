//! The overview line (audit spec 1.5).

use oc_types::Severity;

use crate::channels::schema_defaults;
use crate::{AuditContext, Findings};

/// Always one finding.
pub fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    let (mut open, mut listed) = (0_usize, 0_usize);
    if let Some(channels) = ctx.get(&["channels"]).and_then(|n| n.as_object()) {
        for (id, section) in channels {
            let written = section.get("groupPolicy").filter(|n| !n.is_null()).and_then(|n| n.as_str());
            match written.or_else(|| schema_defaults::group_policy(id)) {
                Some("open") => open += 1,
                Some("allowlist") => listed += 1,
                _ => {}
            }
        }
    }
    let on = |yes: bool| if yes { "on" } else { "off" };
    out.report("summary.attack_surface", Severity::Info).detail(format!(
        "Rooms: {open} open, {listed} by allow list. Elevated execution {}, hooks {}, browser control {}.",
        on(ctx.flag(&["tools", "elevated", "enabled"]) != Some(false)),
        on(ctx.flag(&["hooks", "enabled"]) == Some(true)),
        on(ctx.flag(&["browser", "enabled"]) != Some(false)),
    ));
}
