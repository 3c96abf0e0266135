//! Direct messages: who may send them, and who shares a session (audit spec 1.10c).

use std::collections::BTreeSet;

use oc_types::Severity;

use super::account::Account;
use super::sender;
use crate::{AuditContext, Findings};

/// Channels whose DM policy the era did not look at.
const NOT_IN_ERA: [&str; 2] = ["msteams", "feishu"];

/// Policy first, then shared sessions.
pub fn run(ctx: &AuditContext<'_>, account: &Account<'_>, store: &[String], out: &mut Findings) {
    let channel = account.channel;
    if !ctx.latest() && NOT_IN_ERA.contains(&channel) {
        return;
    }
    let allow = account.dm_allow_from();
    let everybody = allow.iter().any(|e| e == "*");
    let policy_key = account.dm_policy_key(ctx);
    let name = policy_key.path.to_string();
    match account.dm_policy() {
        "open" => {
            out.report(format!("channels.{channel}.dm.open"), Severity::Critical)
                .detail(format!(
                    "`{name}` is \"open\": anybody who finds the account can talk to the assistant."
                ))
                .key(policy_key.clone());
            if !everybody {
                out.report(format!("channels.{channel}.dm.open_invalid"), Severity::Warn)
                    .detail(format!(
                        "`{name}` is \"open\", but `{}` does not contain \"*\".",
                        account.dm_allow_key(ctx).path
                    ))
                    .key(policy_key)
                    .key(account.dm_allow_key(ctx));
            }
        }
        "disabled" => {
            out.report(format!("channels.{channel}.dm.disabled"), Severity::Info)
                .detail(format!("`{name}` is \"disabled\": direct messages are ignored."))
                .key(policy_key);
            return;
        }
        _ => {}
    }
    if ctx.text(&["session", "dmScope"]).unwrap_or("main") != "main" {
        return;
    }
    let people: BTreeSet<String> = allow
        .iter()
        .filter(|e| *e != "*")
        .chain(store)
        .map(|e| sender::normalized(channel, e))
        .filter(|e| !e.is_empty())
        .collect();
    if everybody || people.len() > 1 {
        let who = if everybody { "everybody".to_owned() } else { format!("{} senders", people.len()) };
        out.report(format!("channels.{channel}.dm.scope_main_multiuser"), Severity::Warn)
            .detail(format!(
                "`{}` and the pairing store admit {who}, and `session.dmScope` is \"main\": they share one session \
                 and its history.",
                account.dm_allow_key(ctx).path
            ))
            .key(ctx.key(&["session", "dmScope"]))
            .key(account.dm_allow_key(ctx));
    }
}
