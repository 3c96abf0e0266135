//! Which channels are audited, in which order.

use oc_types::Node;

use crate::AuditContext;

/// Every channel that can have an account, in report order: the built-in ones as declared, then by rank and id.
const CHANNELS: [&str; 20] = [
    "telegram",
    "whatsapp",
    "discord",
    "googlechat",
    "slack",
    "signal",
    "imessage",
    "msteams",
    "mattermost",
    "nextcloud-talk",
    "feishu",
    "matrix",
    "bluebubbles",
    "line",
    "zalo",
    "zalouser",
    "tlon",
    "nostr",
    "irc",
    "twitch",
];

/// The channels that are looked at. The era looked at those whose plugin is loaded; the latest rules also at every channel that
/// is configured and not switched off, for such a channel is live here.
pub fn live<'a>(ctx: &AuditContext<'a>) -> impl Iterator<Item = &'static str> + use<'a> {
    let ctx = *ctx;
    CHANNELS.into_iter().filter(move |id| plugin_loaded(&ctx, id) || (ctx.latest() && is_live(&ctx, id)))
}

/// Whether a bundled channel plugin is loaded. They are off unless an entry switches them on.
#[must_use]
pub fn plugin_loaded(ctx: &AuditContext<'_>, id: &str) -> bool {
    let allow = ctx.get(&["plugins", "allow"]).and_then(Node::entries).unwrap_or_default();
    ctx.flag(&["plugins", "enabled"]) != Some(false)
        && !denied(ctx, id)
        && (allow.is_empty() || allow.iter().any(|e| e.trim() == id))
        && ctx.flag(&["plugins", "entries", id, "enabled"]) == Some(true)
}

/// Whether a channel has a section and nothing names it as off.
fn is_live(ctx: &AuditContext<'_>, id: &str) -> bool {
    ctx.get(&["channels", id]).is_some()
        && ctx.flag(&["channels", id, "enabled"]) != Some(false)
        && ctx.flag(&["plugins", "entries", id, "enabled"]) != Some(false)
        && !denied(ctx, id)
}

fn denied(ctx: &AuditContext<'_>, id: &str) -> bool {
    ctx.get(&["plugins", "deny"]).and_then(Node::entries).unwrap_or_default().iter().any(|e| e.trim() == id)
}
