//! WhatsApp, Telegram, Signal, iMessage, LINE, Mattermost and every service without rules of its own.

use oc_types::{Effect, KeyPath};

use super::{GroupPolicy, authorizer, dm_authorizer, mention_rule, not_disabled, policy};
use crate::access::identity::Family;
use crate::access::sender_list::SenderList;
use crate::access::settings::Setting;
use crate::access::{Case, MentionRule, Passed, Reason, Stop};
use crate::command::gate::WhenOff;

/// The entries of the groups map that concern a room.
struct Entries<'a> {
    map: Setting<'a>,
    own: Option<Setting<'a>>,
    star: Option<Setting<'a>>,
    topic: Option<Setting<'a>>,
}

impl<'a> Entries<'a> {
    fn of(case: &Case<'a, '_>) -> Self {
        let map = case.settings.get("groups");
        let room = case.message.conversation.as_str();
        let entry = |key: &str| map.member(key);
        // The star is no room id.
        let own = entry(room).filter(|_| room != "*" && !room.is_empty());
        let star = entry("*");
        let topic = case.message.place.topic.as_deref().and_then(|topic| {
            let at = |group: &Option<Setting<'a>>| group.as_ref().and_then(|g| g.get("topics").member(topic));
            at(&own).or_else(|| at(&star))
        });
        Self { map, own, star, topic }
    }

    /// The room's own entry, else the one for all rooms.
    fn group(&self) -> Option<&Setting<'a>> {
        self.own.as_ref().or(self.star.as_ref())
    }

    /// A key of the topic and of the group, innermost first.
    fn layers(&self, key: &'a str) -> Vec<Setting<'a>> {
        self.topic.iter().chain(self.group()).map(|s| s.get(key)).collect()
    }
}

/// The list of senders in force.
enum Senders<'a> {
    /// The room's or topic's own list, which replaces the others.
    Override(SenderList<'a>),
    /// `groupAllowFrom`.
    Group(SenderList<'a>),
    /// `allowFrom`, because `groupAllowFrom` is absent.
    Fallback(SenderList<'a>),
}

impl<'a> Senders<'a> {
    fn list(&self) -> &SenderList<'a> {
        let (Self::Override(l) | Self::Group(l) | Self::Fallback(l)) = self;
        l
    }
}

pub(super) fn decide<'a>(case: &mut Case<'a, '_>) -> Result<Passed<'a>, Box<Stop>> {
    let entries = Entries::of(case);
    let owns = matches!(case.family, Family::Telegram | Family::Line);
    if owns {
        switched_on(&entries)?;
    }
    let senders = senders(case, &entries, owns);
    if let Senders::Override(list) = &senders {
        override_admits(case, list)?;
    }
    let inner = if owns { entries.layers("groupPolicy") } else { Vec::new() };
    let in_force = policy(case, &inner);
    not_disabled(&in_force)?;
    let mut by = ("groupPolicy", "open", in_force.1);
    if in_force.0 == GroupPolicy::Allowlist {
        by = sender_admitted(case, &senders)?;
    }
    room_listed(case, &entries)?;
    let mut commands = vec![authorizer(case, senders.list())];
    match case.family {
        // The list in force alone.
        Family::WhatsApp | Family::Telegram => {}
        _ => commands.push(dm_authorizer(case)),
    }
    Ok(Passed { commands, when_off: WhenOff::Allow, mention: Some(mention(case, &entries)), users: None, by })
}

fn switched_on(entries: &Entries<'_>) -> Result<(), Box<Stop>> {
    if let Some(group) = entries.group()
        && let Some(path) = super::is_off(group, "enabled")
    {
        return Err(Stop::drop(Reason::GroupDisabled, "group", "enabled", path));
    }
    if let Some(topic) = &entries.topic
        && let Some(path) = super::is_off(topic, "enabled")
    {
        return Err(Stop::drop(Reason::TopicDisabled, "topic", "enabled", path));
    }
    Ok(())
}

fn senders<'a>(case: &mut Case<'a, '_>, entries: &Entries<'a>, owns: bool) -> Senders<'a> {
    if owns && let Some(own) = entries.layers("allowFrom").into_iter().find(Setting::is_set) {
        return Senders::Override(case.list(&own));
    }
    let group = case.settings.get("groupAllowFrom");
    let direct = case.settings.get("allowFrom");
    if group.is_set() {
        if direct.is_set() {
            let detail =
                "the list for direct messages; it stands in for rooms only when groupAllowFrom is absent";
            case.steps.add("senders", "allowFrom", Effect::Inert, || (direct.path(), detail));
        }
        return Senders::Group(case.list(&group));
    }
    let fallback = case.list(&direct);
    if fallback.is_empty() { Senders::Group(case.list(&group)) } else { Senders::Fallback(fallback) }
}

/// The room's own list is asked whatever the policy; an empty one admits nobody (SP-406).
fn override_admits(case: &mut Case<'_, '_>, list: &SenderList<'_>) -> Result<(), Box<Stop>> {
    if list.is_empty() {
        return Err(Stop::drop(Reason::GroupAllowlistEmpty, "senders", "room-list", list.path()));
    }
    match list.find(&case.sender) {
        Some(hit) => {
            case.steps.add("senders", "room-list", Effect::Keeps, || {
                (list.path().index(hit.index()), "on this room's own list")
            });
            Ok(())
        }
        None => Err(Stop::drop(Reason::GroupSenderOverrideBlocked, "senders", "room-list", list.path())
            .with(crate::access::direct::inert_entries(list))),
    }
}

fn sender_admitted(
    case: &mut Case<'_, '_>,
    senders: &Senders<'_>,
) -> Result<(&'static str, &'static str, KeyPath), Box<Stop>> {
    let list = senders.list();
    let rule = match senders {
        Senders::Override(_) => "room-list",
        Senders::Group(_) => "groupAllowFrom",
        Senders::Fallback(_) => "allowFrom",
    };
    let hit = list.find(&case.sender);
    // WhatsApp groups can hide a sender's number; `*` is said to mean everybody there.
    if case.family != Family::WhatsApp && !case.sender.is_known() && case.sender.chats.is_empty() {
        return Err(Stop::drop(Reason::GroupSenderUnknown, "senders", rule, list.path()));
    }
    if list.is_empty() {
        return Err(Stop::drop(Reason::GroupAllowlistEmpty, "senders", rule, list.path()));
    }
    let Some(hit) = hit else {
        return Err(Stop::drop(Reason::GroupSenderNotAllowed, "senders", rule, list.path())
            .with(crate::access::direct::inert_entries(list)));
    };
    let path = list.path().index(hit.index());
    let said =
        if hit.is_everybody() { "everybody may write in rooms" } else { "the sender may write in rooms" };
    let outer = case.settings.account().is_some_and(|a| !list.is_below(a));
    let origin = if outer { " (list inherited from the channel)" } else { "" };
    case.steps.add("senders", rule, Effect::Admits, || {
        (list.path(), format!("{said}: entry {}{origin}", hit.index().saturating_add(1)))
    });
    Ok(("senders", rule, path))
}

/// A map of groups with an entry is a list of allowed rooms, whatever the policy.
fn room_listed(case: &mut Case<'_, '_>, entries: &Entries<'_>) -> Result<(), Box<Stop>> {
    if let Some(outer) = case.settings.shadowed("groups") {
        let detail = "the account's own map replaces this one; they are not merged";
        case.steps.add("groups", "replaced", Effect::Inert, || (outer.path(), detail));
    }
    if entries.map.is_set() && entries.map.node.is_some_and(|n| n.as_object().is_none()) {
        return Err(Stop::drop(Reason::GroupNotListed, "groups", "map", entries.map.path()));
    }
    if entries.map.entries().is_none() {
        return Ok(());
    }
    match entries.group() {
        Some(entry) => {
            case.steps.add("groups", "entry", Effect::Keeps, || (entry.path(), "the room is listed"));
            Ok(())
        }
        None => Err(Stop::drop(Reason::GroupNotListed, "groups", "map", entries.map.path())),
    }
}

/// Session activation, topic, room, all rooms, then: needed.
fn mention(case: &Case<'_, '_>, entries: &Entries<'_>) -> MentionRule {
    let configured = || {
        let layers = entries.topic.iter().chain(&entries.own).chain(&entries.star);
        let keys: Vec<_> = layers.map(|s| s.get("requireMention")).collect();
        let keys = if keys.is_empty() { vec![entries.map.get("*").get("requireMention")] } else { keys };
        mention_rule(&keys)
    };
    match (case.family, case.message.activation) {
        (Family::Telegram | Family::WhatsApp, Some(required)) => {
            MentionRule { required, path: KeyPath::default() }
        }
        _ => configured(),
    }
}
