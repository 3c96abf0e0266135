//! Slack's slash commands (audit spec 1.10b).

use oc_types::{Node, Severity};

use super::account::{Account, entries};
use super::discord::commands_on;
use crate::{AuditContext, Findings};

/// Open commands, or commands without an allow list. Only when slash commands are switched on.
pub fn run(ctx: &AuditContext<'_>, account: &Account<'_>, store: &[String], out: &mut Findings) {
    let slash = account.get("slashCommand").and_then(|s| s.get("enabled")).and_then(Node::as_bool);
    if slash != Some(true)
        && !commands_on(ctx, account, "native", false)
        && !commands_on(ctx, account, "nativeSkills", false)
    {
        return;
    }
    if ctx.flag(&["commands", "useAccessGroups"]) == Some(false) {
        out.report("channels.slack.commands.slash.useAccessGroups_off", Severity::Critical)
            .detail("`commands.useAccessGroups` is false: every member of the workspace can run commands, listed or not.")
            .key(ctx.key(&["commands", "useAccessGroups"]));
        return;
    }
    let named = account
        .get("channels")
        .and_then(Node::as_object)
        .is_some_and(|c| c.values().any(|c| !entries(c.get("users")).is_empty()));
    if !named && account.dm_allow_from().is_empty() && store.is_empty() {
        out.report("channels.slack.commands.slash.no_allowlists", Severity::Warn)
            .detail(format!(
                "Neither `{}` nor the pairing store nor a channel under `{}` names who may use slash commands.",
                account.dm_allow_key(ctx).path,
                account.key(ctx, &["channels"]).path
            ))
            .key(account.dm_allow_key(ctx));
    }
}
