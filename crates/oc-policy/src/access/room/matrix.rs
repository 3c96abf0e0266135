//! Matrix rooms: found by id or alias, never by name.

use oc_types::Effect;

use super::{
    GroupPolicy, authorizer, dm_authorizer, is_off, mention_rule, not_disabled, only_listed, policy,
};
use crate::access::settings::Setting;
use crate::access::{Case, MentionRule, Passed, Reason, Stop};
use crate::command::gate::WhenOff;

pub(super) fn decide<'a>(case: &mut Case<'a, '_>) -> Result<Passed<'a>, Box<Stop>> {
    let in_force = policy(case, &[]);
    not_disabled(&in_force)?;
    let groups = case.settings.get("groups");
    let map = if groups.is_set() {
        groups
    } else {
        Some(case.settings.get("rooms")).filter(Setting::is_set).unwrap_or(groups)
    };
    let entry = entry(case, &map);
    if let Some(entry) = &entry {
        for key in ["enabled", "allow"] {
            if let Some(path) = is_off(entry, key) {
                return Err(Stop::drop(Reason::ChannelDisabled, "rooms", key, path));
            }
        }
    }
    let strict = in_force.0 == GroupPolicy::Allowlist;
    if strict && map.entries().is_none() {
        return Err(Stop::drop(Reason::ChannelAllowlistEmpty, "rooms", "map", map.path()));
    }
    if strict && entry.is_none() {
        return Err(Stop::drop(Reason::ChannelNotListed, "rooms", "map", map.path()));
    }
    let mut by = ("groupPolicy", "open", in_force.1);
    if let Some(entry) = &entry {
        case.steps.add("rooms", "entry", Effect::Keeps, || (entry.path(), "the room is listed"));
        by = ("rooms", "entry", entry.path());
    }
    let users = entry.as_ref().map(|e| case.list(&e.get("users"))).filter(|l| !l.is_empty());
    let group = case.list(&case.settings.get("groupAllowFrom"));
    match &users {
        Some(users) => only_listed(case, users, Reason::ChannelSenderNotAllowed)?,
        None if strict && group.is_set() && group.is_empty() => {
            return Err(Stop::drop(Reason::GroupAllowlistEmpty, "senders", "groupAllowFrom", group.path()));
        }
        None if strict => only_listed(case, &group, Reason::GroupSenderNotAllowed)?,
        None => {}
    }
    let mut commands = vec![dm_authorizer(case), authorizer(case, &group)];
    commands.extend(users.iter().map(|l| authorizer(case, l)));
    let mention = mention(&map, entry.as_ref());
    Ok(Passed { commands, when_off: WhenOff::Allow, mention: Some(mention), users: None, by })
}

/// Room id, with or without `room:`; an alias the adapter gives as the room's name counts when it is one (`#name:server`); `*`.
fn entry<'a>(case: &Case<'a, '_>, map: &Setting<'a>) -> Option<Setting<'a>> {
    let entries = map.entries()?;
    let id = case.message.conversation.as_str();
    let alias = case.message.place.name.as_deref().filter(|n| n.starts_with('#') && n.contains(':'));
    let is = |key: &str, wanted: &str| {
        let key = crate::access::identity::strip_prefix_any_case(key.trim(), "matrix:").unwrap_or(key.trim());
        let key = crate::access::identity::strip_prefix_any_case(key, "room:").unwrap_or(key);
        key == wanted
    };
    let by_id = entries.keys().find(|k| is(k, id)).filter(|_| !id.is_empty());
    let by_alias = || alias.and_then(|a| entries.keys().find(|k| is(k, a)));
    let star = || entries.get_key_value("*").map(|(k, _)| k);
    by_id.or_else(by_alias).or_else(star).map(|k| map.get(k))
}

/// `autoReply` overrides `requireMention`; a room that says nothing takes the rule of `*`.
fn mention<'a>(map: &Setting<'a>, entry: Option<&Setting<'a>>) -> MentionRule {
    let star = map.get("*");
    let layers: Vec<_> = entry.into_iter().cloned().chain(std::iter::once(star)).collect();
    let own = layers.iter().find(|s| s.get("autoReply").is_set() || s.get("requireMention").is_set());
    if let Some(auto) = own.map(|s| s.get("autoReply")).filter(Setting::is_set) {
        return MentionRule { required: auto.as_bool() != Some(true), path: auto.path() };
    }
    mention_rule(&layers.iter().map(|s| s.get("requireMention")).collect::<Vec<_>>())
}
