//! Commands in Telegram groups (audit spec 1.10e).

use oc_types::{Node, Severity};

use super::account::{Account, entries};
use crate::{AuditContext, Findings};

/// A wildcard among the group senders, or no sender list at all.
pub fn run(ctx: &AuditContext<'_>, account: &Account<'_>, store: &[String], out: &mut Findings) {
    if ctx.flag(&["commands", "text"]) == Some(false) {
        return;
    }
    let groups = account.get("groups").and_then(Node::as_object).filter(|g| !g.is_empty());
    match account.group_policy() {
        Some("open") => {}
        Some("allowlist") if groups.is_some() => {}
        _ => return,
    }
    let listed = entries(account.get("groupAllowFrom"));
    let key = account.key(ctx, &["groupAllowFrom"]);
    if listed.iter().any(|e| e == "*") {
        out.report("channels.telegram.groups.allowFrom.wildcard", Severity::Critical)
            .detail(format!(
                "`{}` contains \"*\": every member of an admitted group can run commands.",
                key.path
            ))
            .key(key);
        return;
    }
    let named = |section: &Node| !entries(section.get("allowFrom")).is_empty();
    let in_topics =
        |group: &Node| group.get("topics").and_then(Node::as_object).is_some_and(|t| t.values().any(named));
    let per_group = groups.is_some_and(|g| g.values().any(|group| named(group) || in_topics(group)));
    if listed.is_empty() && store.is_empty() && !per_group {
        out.report("channels.telegram.groups.allowFrom.missing", Severity::Critical)
            .detail(format!(
                "`{}` is empty and no group has an `allowFrom`: every member can run commands.",
                key.path
            ))
            .key(key)
            .key(account.key(ctx, &["groups"]));
    }
}
