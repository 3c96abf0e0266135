//! Google Chat spaces.

use oc_types::Effect;

use super::{GroupPolicy, authorizer, is_off, mention_rule, not_disabled, only_listed, policy};
use crate::access::{Case, Passed, Reason, Stop};
use crate::command::gate::WhenOff;

pub(super) fn decide<'a>(case: &mut Case<'a, '_>) -> Result<Passed<'a>, Box<Stop>> {
    let in_force = policy(case, &[]);
    not_disabled(&in_force)?;
    let map = case.settings.get("groups");
    let id = case.message.conversation.as_str();
    let find = |key: &str| map.member(key);
    let entry = find(id).filter(|_| !id.is_empty()).or_else(|| find("*"));
    let strict = in_force.0 == GroupPolicy::Allowlist;
    if strict && map.entries().is_none() {
        return Err(Stop::drop(Reason::ChannelAllowlistEmpty, "groups", "map", map.path()));
    }
    if strict && entry.is_none() {
        return Err(Stop::drop(Reason::ChannelNotListed, "groups", "map", map.path()));
    }
    let mut by = ("groupPolicy", "open", in_force.1);
    if let Some(entry) = &entry {
        for key in ["enabled", "allow"] {
            if let Some(path) = is_off(entry, key) {
                return Err(Stop::drop(Reason::ChannelDisabled, "groups", key, path));
            }
        }
        case.steps.add("groups", "entry", Effect::Keeps, || (entry.path(), "the room is listed"));
        by = ("groups", "entry", entry.path());
    }
    let own = entry.as_ref().map(|e| case.list(&e.get("users"))).filter(|l| !l.is_empty());
    let group = case.list(&case.settings.get("groupAllowFrom"));
    if own.is_none() && strict && group.is_set() && group.is_empty() {
        return Err(Stop::drop(Reason::GroupAllowlistEmpty, "senders", "groupAllowFrom", group.path()));
    }
    let (users, reason) = match own {
        Some(own) => (own, Reason::ChannelSenderNotAllowed),
        None => (group, Reason::GroupSenderNotAllowed),
    };
    only_listed(case, &users, reason)?;
    let commands = vec![authorizer(case, &users)];
    let mut mention: Vec<_> = entry.iter().map(|e| e.get("requireMention")).collect();
    mention.push(map.get("*").get("requireMention"));
    mention.push(case.settings.get("requireMention"));
    Ok(Passed { commands, when_off: WhenOff::Allow, mention: Some(mention_rule(&mention)), users: None, by })
}
