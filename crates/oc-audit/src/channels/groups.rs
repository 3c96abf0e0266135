//! Rooms: open group policies (audit spec 1.10d).

use oc_types::Severity;

use super::account::Account;
use crate::{AuditContext, Findings};

/// Channels that warn about an open group policy.
const WITH_ROOMS: [&str; 14] = [
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
];

/// The id of the next free-form warning: numbered by the channel findings so far.
fn next_id(account: &Account<'_>, out: &Findings) -> String {
    format!("channels.{}.warning.{}", account.channel, out.count("channels.") + 1)
}

/// An open group policy; for Google Chat also an open DM policy.
pub fn run(ctx: &AuditContext<'_>, account: &Account<'_>, out: &mut Findings) {
    if !WITH_ROOMS.contains(&account.channel) {
        return;
    }
    let policy = account
        .group_policy()
        .or_else(|| ctx.text(&["channels", "defaults", "groupPolicy"]))
        .unwrap_or("allowlist");
    if policy == "open" {
        let own = account.key(ctx, &["groupPolicy"]);
        let key = if own.unset { ctx.key(&["channels", "defaults", "groupPolicy"]) } else { own };
        let id = next_id(account, out);
        out.report(id, Severity::Critical)
            .detail(format!("`{}` is \"open\": any member of any room can talk to the assistant.", key.path))
            .key(key);
    }
    if account.channel == "googlechat" && account.dm_policy() == "open" {
        let key = account.dm_policy_key(ctx);
        let id = next_id(account, out);
        out.report(id, Severity::Warn)
            .title("Google Chat accepts direct messages from everybody")
            .detail(format!(
                "`{}` is \"open\": everybody in the organisation can talk to the assistant.",
                key.path
            ))
            .key(key);
    }
}
