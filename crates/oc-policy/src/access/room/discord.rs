//! Discord servers: the map of servers, their channels, their users.

use oc_types::Effect;

use super::{
    GroupPolicy, authorizer, dm_authorizer, is_off, mention_rule, names_room, not_disabled, policy,
    room_entry,
};
use crate::access::identity::slug;
use crate::access::settings::Setting;
use crate::access::{Case, Passed, Reason, Stop};
use crate::command::gate::WhenOff;

pub(super) fn decide<'a>(case: &mut Case<'a, '_>) -> Result<Passed<'a>, Box<Stop>> {
    let guilds = case.settings.get("guilds");
    let guild = guild(case, &guilds);
    if guilds.entries().is_some() && guild.is_none() {
        let _ = policy(case, &[]);
        return Err(Stop::drop(Reason::GuildNotListed, "guilds", "map", guilds.path()));
    }
    if let Some(guild) = &guild {
        case.steps.add("guilds", "entry", Effect::Keeps, || (guild.path(), "the server is listed"));
    }
    let channels = guild.as_ref().map(|g| g.get("channels")).filter(|c| c.entries().is_some());
    let channel = channels.as_ref().and_then(|c| channel(case, c));
    if let Some(path) = channel.as_ref().and_then(|c| is_off(c, "enabled")) {
        return Err(Stop::drop(Reason::ChannelDisabled, "channels", "enabled", path));
    }
    let in_force = policy(case, &[]);
    not_disabled(&in_force)?;
    if in_force.0 == GroupPolicy::Allowlist && guild.is_none() {
        return Err(Stop::drop(Reason::ChannelAllowlistEmpty, "guilds", "map", guilds.path()));
    }
    if let Some(map) = &channels {
        match &channel {
            None => return Err(Stop::drop(Reason::ChannelNotListed, "channels", "map", map.path())),
            Some(entry) => {
                if let Some(path) = is_off(entry, "allow") {
                    return Err(Stop::drop(Reason::ChannelNotListed, "channels", "allow", path));
                }
                case.steps.add("channels", "entry", Effect::Keeps, || (entry.path(), "the room is listed"));
            }
        }
    }
    let of =
        |key: &'a str| -> Vec<Setting<'a>> { channel.iter().chain(&guild).map(|s| s.get(key)).collect() };
    let users = of("users").into_iter().map(|s| case.list(&s)).find(|l| l.is_set() && !l.is_empty());
    let mut commands = vec![dm_authorizer(case)];
    commands.extend(users.iter().map(|l| authorizer(case, l)));
    let mut mention = of("requireMention");
    if mention.is_empty() {
        mention.push(guilds.get("*").get("requireMention"));
    }
    let by = match (&channel, &guild) {
        (Some(entry), _) => ("channels", "entry", entry.path()),
        (None, Some(guild)) => ("guilds", "entry", guild.path()),
        (None, None) => ("groupPolicy", "open", in_force.1),
    };
    Ok(Passed {
        commands,
        when_off: WhenOff::Configured,
        mention: Some(mention_rule(&mention)),
        users: users.map(|l| (l, Reason::ChannelSenderNotAllowed)),
        by,
    })
}

/// By id, then by the slug of the name, then `*`.
fn guild<'a>(case: &Case<'a, '_>, guilds: &Setting<'a>) -> Option<Setting<'a>> {
    let entries = guilds.entries()?;
    let place = &case.message.place;
    let by_id = place.guild.as_deref().and_then(|id| entries.get_key_value(id.trim()));
    let wanted = place.guild_name.as_deref().map(slug).filter(|s| !s.is_empty());
    let by_name = || {
        let wanted = wanted.as_deref()?;
        let named = |v: &oc_types::Node| v.get("slug").and_then(oc_types::Node::as_str).map(slug);
        entries.iter().find(|(k, v)| *k != "*" && (slug(k) == wanted || named(v).as_deref() == Some(wanted)))
    };
    let found = by_id.or_else(by_name).or_else(|| entries.get_key_value("*"));
    found.map(|(k, _)| guilds.get(k))
}

/// The room's entry; a thread is found by its id, then through its parent, never by its own name.
fn channel<'a>(case: &Case<'a, '_>, map: &Setting<'a>) -> Option<Setting<'a>> {
    let place = &case.message.place;
    let id = case.message.conversation.as_str();
    let Some(parent) = &place.thread_parent else { return room_entry(map, id, place.name.as_deref()) };
    let own = map.entries()?.keys().find(|k| names_room(k, id, None)).map(|k| map.get(k));
    own.or_else(|| room_entry(map, parent.as_str(), place.thread_parent_name.as_deref()))
}
