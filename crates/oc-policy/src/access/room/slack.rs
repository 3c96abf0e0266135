//! Slack channels.

use oc_types::Effect;

use super::{
    GroupPolicy, authorizer, dm_authorizer, is_off, mention_rule, not_disabled, only_listed, policy,
    room_entry,
};
use crate::access::settings::Setting;
use crate::access::{Case, Passed, Reason, Stop};
use crate::command::gate::WhenOff;

/// The entry of the message's channel.
pub(in crate::access) fn entry<'a>(case: &Case<'a, '_>) -> Option<Setting<'a>> {
    let map = case.settings.get("channels");
    room_entry(&map, case.message.conversation.as_str(), case.message.place.name.as_deref())
}

pub(super) fn decide<'a>(case: &mut Case<'a, '_>) -> Result<Passed<'a>, Box<Stop>> {
    let in_force = policy(case, &[]);
    not_disabled(&in_force)?;
    let map = case.settings.get("channels");
    let entry = entry(case);
    if in_force.0 == GroupPolicy::Allowlist && map.entries().is_none() {
        return Err(Stop::drop(Reason::ChannelAllowlistEmpty, "channels", "map", map.path()));
    }
    if in_force.0 == GroupPolicy::Allowlist && entry.is_none() {
        return Err(Stop::drop(Reason::ChannelNotListed, "channels", "map", map.path()));
    }
    let mut by = ("groupPolicy", "open", in_force.1);
    let mut commands = vec![dm_authorizer(case)];
    if let Some(entry) = &entry {
        for key in ["enabled", "allow"] {
            if let Some(path) = is_off(entry, key) {
                return Err(Stop::drop(Reason::ChannelNotListed, "channels", key, path));
            }
        }
        case.steps.add("channels", "entry", Effect::Keeps, || (entry.path(), "the room is listed"));
        by = ("channels", "entry", entry.path());
        let users = case.list(&entry.get("users"));
        only_listed(case, &users, Reason::ChannelSenderNotAllowed)?;
        commands.push(authorizer(case, &users));
    }
    let mut mention: Vec<_> = entry.iter().map(|e| e.get("requireMention")).collect();
    mention.push(map.get("*").get("requireMention"));
    mention.push(case.settings.get("requireMention"));
    Ok(Passed { commands, when_off: WhenOff::Allow, mention: Some(mention_rule(&mention)), users: None, by })
}
