//! MS Teams: the map of teams and channels is the list of rooms, `groupAllowFrom` the list of senders; both must pass (SP-409).

use oc_types::Effect;

use super::{GroupPolicy, authorizer, dm_authorizer, mention_rule, not_disabled, policy, room_entry};
use crate::access::settings::Setting;
use crate::access::{Case, Passed, Reason, Stop};
use crate::command::gate::WhenOff;

pub(super) fn decide<'a>(case: &mut Case<'a, '_>) -> Result<Passed<'a>, Box<Stop>> {
    let in_force = policy(case, &[]);
    not_disabled(&in_force)?;
    let teams = case.settings.get("teams");
    let place = &case.message.place;
    let team = place.team.as_deref().and_then(|id| room_entry(&teams, id, None));
    let channels = team.as_ref().map(|t| t.get("channels"));
    let listed = channels.as_ref().filter(|c| c.entries().is_some());
    let channel =
        listed.and_then(|c| room_entry(c, case.message.conversation.as_str(), place.name.as_deref()));
    let has_map = teams.entries().is_some();
    if has_map && team.is_none() {
        return Err(Stop::drop(Reason::ChannelNotListed, "teams", "map", teams.path()));
    }
    if let (Some(map), None) = (listed, &channel) {
        return Err(Stop::drop(Reason::ChannelNotListed, "teams", "channels", map.path()));
    }
    let mut by = ("groupPolicy", "open", in_force.1);
    if let Some(entry) = channel.as_ref().or(team.as_ref()) {
        case.steps.add("teams", "entry", Effect::Keeps, || (entry.path(), "the room is listed"));
        by = ("teams", "entry", entry.path());
    }
    let group = case.settings.get("groupAllowFrom");
    let list = case.list(&if group.is_set() { group.clone() } else { case.settings.get("allowFrom") });
    let path = if list.is_empty() { group.path() } else { list.path() };
    if in_force.0 == GroupPolicy::Allowlist {
        if list.is_empty() && (!has_map || group.is_set()) {
            return Err(Stop::drop(Reason::GroupAllowlistEmpty, "senders", "groupAllowFrom", path));
        }
        if !list.is_empty() {
            let Some(hit) = list.find(&case.sender) else {
                return Err(Stop::drop(Reason::GroupSenderNotAllowed, "senders", "groupAllowFrom", path)
                    .with(crate::access::direct::inert_entries(&list)));
            };
            by = ("senders", "groupAllowFrom", list.path().index(hit.index()));
            case.steps.add(by.0, by.1, Effect::Admits, || (by.2.clone(), "the sender may write in rooms"));
        }
    }
    let commands = vec![dm_authorizer(case), authorizer(case, &list)];
    let mut mention: Vec<Setting<'a>> =
        channel.iter().chain(&team).map(|s| s.get("requireMention")).collect();
    mention.push(case.settings.get("requireMention"));
    Ok(Passed { commands, when_off: WhenOff::Allow, mention: Some(mention_rule(&mention)), users: None, by })
}
