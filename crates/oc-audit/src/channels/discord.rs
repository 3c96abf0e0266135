//! Discord's slash commands (audit spec 1.10a).

use oc_types::{Node, Severity};

use super::account::{Account, entries};
use crate::{AuditContext, Findings};

/// Whether commands of one kind are registered: the channel's setting, else the global one; `auto` means what `auto` says.
#[must_use]
pub fn commands_on(ctx: &AuditContext<'_>, account: &Account<'_>, key: &str, auto: bool) -> bool {
    let setting = account.get("commands").and_then(|c| c.get(key)).filter(|n| !n.is_null());
    let setting = setting.or_else(|| ctx.get(&["commands", key]));
    setting.and_then(Node::as_bool).unwrap_or(auto)
}

/// Whether a section names users.
fn names_users(section: &Node) -> bool {
    !entries(section.get("users")).is_empty()
}

/// Open commands, or commands without an allow list.
pub fn run(ctx: &AuditContext<'_>, account: &Account<'_>, store: &[String], out: &mut Findings) {
    if !commands_on(ctx, account, "native", true) && !commands_on(ctx, account, "nativeSkills", true) {
        return;
    }
    let Some(guilds) = account.get("guilds").and_then(Node::as_object).filter(|g| !g.is_empty()) else {
        return;
    };
    if account.group_policy() == Some("disabled") {
        return;
    }
    let in_channels = |guild: &Node| {
        guild.get("channels").and_then(Node::as_object).is_some_and(|c| c.values().any(names_users))
    };
    if guilds.values().any(|g| names_users(g) || in_channels(g)) {
        return;
    }
    if ctx.flag(&["commands", "useAccessGroups"]) == Some(false) {
        out.report("channels.discord.commands.native.unrestricted", Severity::Critical)
            .detail("`commands.useAccessGroups` is false and no server names users: every member can run commands.")
            .key(ctx.key(&["commands", "useAccessGroups"]))
            .key(account.key(ctx, &["guilds"]));
    } else if account.dm_allow_from().is_empty() && store.is_empty() {
        out.report("channels.discord.commands.native.no_allowlists", Severity::Warn)
            .detail(format!(
                "Neither `{}` nor the pairing store nor a server under `{}` names who may use slash commands.",
                account.dm_allow_key(ctx).path,
                account.key(ctx, &["guilds"]).path
            ))
            .key(account.key(ctx, &["guilds"]))
            .key(account.dm_allow_key(ctx));
    }
}
