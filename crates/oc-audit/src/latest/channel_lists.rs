//! Channel lists that admit more, less or others than they seem to (audit spec 2).

use oc_types::{KeyPath, Node, Severity};

use crate::channels::account::{self, Account};
use crate::channels::{order, sender};
use crate::{AuditContext, Findings};

/// Channels whose people have numeric or otherwise stable ids, so that a name in a list admits nobody or anybody.
const STABLE_IDS: [&str; 7] = ["discord", "slack", "msteams", "googlechat", "matrix", "mattermost", "feishu"];
/// Most entries that a finding lists.
const LISTED: usize = 8;

pub(super) fn run(ctx: &AuditContext<'_>, out: &mut Findings) {
    for channel in order::live(ctx) {
        let store = sender::store(ctx, channel);
        for account in account::audited(ctx, channel) {
            locked(ctx, &account, &store, out);
            if channel == "telegram" {
                telegram_ids(ctx, &account, &store, out);
            }
            if channel == "discord" {
                broad_members(ctx, &account, out);
            }
            names(ctx, &account, out);
        }
    }
}

fn locked(ctx: &AuditContext<'_>, account: &Account<'_>, store: &[String], out: &mut Findings) {
    if matches!(account.dm_policy(), "open" | "disabled")
        || !store.is_empty()
        || !account.dm_allow_from().is_empty()
    {
        return;
    }
    let key = account.dm_policy_key(ctx);
    out.report(format!("channels.{}.dm.locked", account.channel), Severity::Info)
        .detail(format!("`{}` is `{}` and nobody is admitted yet", key.path, account.dm_policy()))
        .keys([key, account.dm_allow_key(ctx)]);
}

/// The lists of senders of an account: with where each stands.
fn lists<'a>(ctx: &AuditContext<'a>, account: &Account<'a>) -> Vec<(KeyPath, Vec<String>)> {
    let mut out = vec![
        (account.dm_allow_key(ctx).path, account.dm_allow_from()),
        (account.key(ctx, &["groupAllowFrom"]).path, account::entries(account.get("groupAllowFrom"))),
    ];
    for (id, room) in account.get("groups").and_then(Node::as_object).into_iter().flatten() {
        let path = account.key(ctx, &["groups"]).path.key(id.as_str());
        out.push((path.key("allowFrom"), account::entries(room.get("allowFrom"))));
        for (topic, node) in room.get("topics").and_then(Node::as_object).into_iter().flatten() {
            out.push((
                path.key("topics").key(topic.as_str()).key("allowFrom"),
                account::entries(node.get("allowFrom")),
            ));
        }
    }
    out.retain(|(_, entries)| !entries.is_empty());
    out
}

fn telegram_ids(ctx: &AuditContext<'_>, account: &Account<'_>, store: &[String], out: &mut Findings) {
    let is_id = |e: &String| {
        let id = sender::normalized("telegram", e);
        id == "*" || (!id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
    };
    let mut bad = Vec::new();
    let mut keys = Vec::new();
    for (path, entries) in lists(ctx, account) {
        let count = entries.iter().filter(|e| !is_id(e)).count();
        if count > 0 {
            bad.push(format!("`{path}` ({count})"));
            keys.push(path);
        }
    }
    let stored = store.iter().filter(|e| !is_id(e)).count();
    if stored > 0 {
        bad.push(format!("{} ({stored})", sender::store_path(ctx, "telegram").display()));
    }
    if !bad.is_empty() {
        out.report("channels.telegram.allowFrom.invalid_entries", Severity::Warn)
            .detail(format!("Entries that are no numeric ids: {}; user names change hands", bad.join(", ")))
            .keys(keys.iter().map(|p| ctx.key_at(p)));
    }
}

fn broad_members(ctx: &AuditContext<'_>, account: &Account<'_>, out: &mut Findings) {
    if account.group_policy() != Some("allowlist") {
        return;
    }
    let limited = |node: &Node| ["users", "roles"].iter().any(|k| !account::entries(node.get(k)).is_empty());
    let mut hits = Vec::new();
    for (id, guild) in account.get("guilds").and_then(Node::as_object).into_iter().flatten() {
        let path = account.key(ctx, &["guilds"]).path.key(id.as_str());
        if limited(guild) {
            continue;
        }
        match guild.get("channels").and_then(Node::as_object).filter(|c| !c.is_empty()) {
            None => hits.push(path),
            Some(channels) => hits.extend(
                channels
                    .iter()
                    .filter(|(_, c)| !limited(c) && c.get("allow").and_then(Node::as_bool) != Some(false))
                    .map(|(name, _)| path.key("channels").key(name.as_str())),
            ),
        }
    }
    if !hits.is_empty() {
        out.report("channels.discord.allowlisted_groups.broad_members", Severity::Warn)
            .detail(format!(
                "{}: no `users` or `roles`, so every member may talk to the assistant",
                super::open_doors::list(&hits, LISTED)
            ))
            .keys(hits.iter().map(|p| ctx.key_at(p)));
    }
}

fn names(ctx: &AuditContext<'_>, account: &Account<'_>, out: &mut Findings) {
    let channel = account.channel;
    let matching = account.get("dangerouslyAllowNameMatching").and_then(Node::as_bool) == Some(true);
    if matching {
        let key = account.key(ctx, &["dangerouslyAllowNameMatching"]);
        out.report(format!("channels.{channel}.allowFrom.dangerous_name_matching_enabled"), Severity::Info)
            .detail(format!("`{}` is true: whoever takes a listed name is let in", key.path))
            .key(key);
        return;
    }
    if !STABLE_IDS.contains(&channel) {
        return;
    }
    let hits: Vec<KeyPath> = lists(ctx, account)
        .into_iter()
        .filter(|(_, entries)| entries.iter().any(|e| is_name(channel, e)))
        .map(|(path, _)| path)
        .collect();
    if !hits.is_empty() {
        out.report(format!("channels.{channel}.allowFrom.mutable_entries_inert"), Severity::Warn)
            .detail(format!(
                "{}: entries are names, which change hands; only ids admit",
                super::open_doors::list(&hits, LISTED)
            ))
            .keys(hits.iter().map(|p| ctx.key_at(p)));
    }
}

/// Whether an entry is a name or tag where the channel has ids.
fn is_name(channel: &str, entry: &str) -> bool {
    let id = sender::normalized(channel, entry);
    if id == "*" || id.is_empty() {
        return false;
    }
    match channel {
        "discord" => !id.bytes().all(|b| b.is_ascii_digit()),
        "slack" => {
            !(id.len() >= 3
                && id.bytes().all(|b| b.is_ascii_alphanumeric())
                && id.starts_with(['U', 'W', 'B', 'u', 'w', 'b']))
        }
        "matrix" => !(id.starts_with('@') && id.contains(':')),
        "googlechat" => !id.starts_with("users/") && !id.starts_with("googlechat:"),
        _ => id.starts_with('@') || id.contains(char::is_whitespace),
    }
}
