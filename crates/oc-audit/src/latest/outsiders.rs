//! Who besides the owner gets through, and to which agents.

use std::collections::BTreeSet;

use oc_types::{AccountId, AgentId, KeyPath, Node};

use super::open_doors::Door;
use crate::channels::account::{self, Account};
use crate::channels::{order, sender};
use crate::{AuditContext, workspace};

/// Channels whose rooms are listed, with or without a list of people.
const LISTED_ROOMS: [&str; 5] = ["discord", "slack", "googlechat", "msteams", "matrix"];

/// A way in for others than the owner.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Way {
    channel: &'static str,
    account: String,
    /// Whether it leads through a room.
    pub(crate) room: bool,
    /// The key that opens it.
    pub(crate) key: KeyPath,
}

/// Every way in on a live channel.
pub(crate) fn ways(ctx: &AuditContext<'_>) -> Vec<Way> {
    let mut out = Vec::new();
    for channel in order::live(ctx) {
        let store = sender::store(ctx, channel);
        for account in account::audited(ctx, channel) {
            let way = |room, key| Way { channel, account: account.id.clone(), room, key };
            if let Some(key) = direct(ctx, &account, &store) {
                out.push(way(false, key));
            }
            if let Some(key) = rooms(ctx, &account) {
                out.push(way(true, key));
            }
        }
    }
    out
}

fn direct(ctx: &AuditContext<'_>, account: &Account<'_>, store: &[String]) -> Option<KeyPath> {
    let policy = account.dm_policy();
    if policy == "disabled" {
        return None;
    }
    let allow = account.dm_allow_from();
    if policy == "open" {
        return Some(account.dm_policy_key(ctx).path);
    }
    let people: BTreeSet<String> = allow
        .iter()
        .chain(store)
        .map(|e| sender::normalized(account.channel, e))
        .filter(|e| !e.is_empty())
        .collect();
    // One person is the owner; who a second one is, nobody can tell from here.
    (people.contains("*") || people.len() > 1).then(|| account.dm_allow_key(ctx).path)
}

fn rooms(ctx: &AuditContext<'_>, account: &Account<'_>) -> Option<KeyPath> {
    match account.group_policy().unwrap_or("allowlist") {
        "open" => return Some(account.key(ctx, &["groupPolicy"]).path),
        "disabled" => return None,
        _ => {}
    }
    let map = |key: &str| {
        account.get(key).and_then(Node::as_object).filter(|o| !o.is_empty()).map(|o| (key.to_owned(), o))
    };
    let listed = ["groups", "guilds", "channels", "rooms", "teams"].into_iter().find_map(map);
    if LISTED_ROOMS.contains(&account.channel) {
        return listed.map(|(key, _)| account.key(ctx, &[&key]).path);
    }
    // Elsewhere somebody must be admitted as well: a list of rooms alone lets nobody speak.
    let group_senders = account::entries(account.get("groupAllowFrom"));
    let per_room = listed
        .iter()
        .flat_map(|(_, rooms)| rooms.values())
        .any(|r| !account::entries(r.get("allowFrom")).is_empty());
    let anybody = !group_senders.is_empty() || per_room || !account.dm_allow_from().is_empty();
    match (&listed, group_senders.is_empty()) {
        (Some((key, _)), _) if anybody => Some(account.key(ctx, &[key]).path),
        (None, false) => Some(account.key(ctx, &["groupAllowFrom"]).path),
        _ => None,
    }
}

/// The agents that ways lead to, each with the ways. Without a binding for all of a channel the default agent answers.
pub(crate) fn reached(ctx: &AuditContext<'_>, ways: &[Way]) -> Vec<(AgentId, Vec<Way>)> {
    let agents = workspace::agents(ctx.config);
    let bindings = ctx.get(&["bindings"]).and_then(Node::as_array).unwrap_or_default();
    let mut out: Vec<(AgentId, Vec<Way>)> = agents.iter().map(|a| (a.id.clone(), Vec::new())).collect();
    for way in ways {
        let mut ids = Vec::new();
        let mut all = false;
        for binding in bindings {
            let text = |keys: &[&str]| binding.path(keys).and_then(Node::as_str).map(str::trim);
            let account = text(&["match", "accountId"]);
            let fits = text(&["match", "channel"]).is_some_and(|c| c.eq_ignore_ascii_case(way.channel))
                && account.is_none_or(|a| a == "*" || AccountId::normalized(a).as_str() == way.account);
            if let (true, Some(id)) = (fits, text(&["agentId"])) {
                ids.push(AgentId::normalized(id));
                all |= ["peer", "guildId", "teamId"].iter().all(|k| binding.path(&["match", k]).is_none());
            }
        }
        if !all {
            ids.extend(agents.iter().filter(|a| a.default).map(|a| a.id.clone()));
        }
        for (_, found) in out.iter_mut().filter(|(id, _)| ids.contains(id)) {
            found.push(way.clone());
        }
    }
    out.retain(|(_, ways)| !ways.is_empty());
    out
}

/// Whether anybody but the owner reaches an agent of this configuration.
pub(crate) fn any(ctx: &AuditContext<'_>) -> bool {
    !ways(ctx).is_empty() || Door::all(ctx, true).iter().any(|d| !d.open_keys().is_empty())
}
