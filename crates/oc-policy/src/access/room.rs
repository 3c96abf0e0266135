//! Rooms: group policy, room lists, sender lists (channels 4). One module a family of services.

use oc_types::{Effect, KeyPath, Node};

use super::direct::{dm_keys, inherited};
use super::identity::{Family, slug};
use super::sender_list::SenderList;
use super::settings::Setting;
use super::{Case, MentionRule, Passed, Reason, Stop};
use crate::command::gate::{Authorizer, WhenOff};
use crate::inbound::ConversationKind;

mod discord;
mod google_chat;
mod matrix;
mod phone;
mod slack;
mod teams;

pub(super) use slack::entry as slack_entry;

/// `groupPolicy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum GroupPolicy {
    Allowlist,
    Open,
    Disabled,
}

impl GroupPolicy {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "allowlist" => Some(Self::Allowlist),
            "open" => Some(Self::Open),
            "disabled" => Some(Self::Disabled),
            _ => None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Allowlist => "allowlist",
            Self::Open => "open",
            Self::Disabled => "disabled",
        }
    }
}

pub(super) fn decide<'a>(case: &mut Case<'a, '_>) -> Result<Passed<'a>, Box<Stop>> {
    let group_dm = case.message.kind == ConversationKind::Group;
    match case.family {
        Family::Discord | Family::Slack if group_dm => group_direct(case),
        Family::Discord => discord::decide(case),
        Family::Slack => slack::decide(case),
        Family::Matrix => matrix::decide(case),
        Family::GoogleChat => google_chat::decide(case),
        Family::Teams => teams::decide(case),
        Family::WhatsApp
        | Family::Signal
        | Family::Telegram
        | Family::IMessage
        | Family::Mattermost
        | Family::Line
        | Family::Other => phone::decide(case),
    }
}

/// The policy in force: the innermost that is set, then the account, the channel, the defaults, `allowlist`. The defaults count only for
/// a channel that has a section (SP-406).
fn policy<'a>(case: &mut Case<'a, '_>, inner: &[Setting<'a>]) -> (GroupPolicy, KeyPath) {
    let own = case.settings.get("groupPolicy");
    let fallback = case.settings.default_of("groupPolicy");
    let found = inner
        .iter()
        .chain(std::iter::once(&own))
        .find(|s| s.is_set())
        .or_else(|| (case.settings.exists() && fallback.is_set()).then_some(&fallback));
    let chosen = found.unwrap_or(&own);
    let written = match chosen.node {
        None => GroupPolicy::Allowlist,
        // An unknown word never gets here (validation); should it, nobody is admitted.
        Some(_) => chosen.as_str().and_then(GroupPolicy::parse).unwrap_or(GroupPolicy::Disabled),
    };
    let narrowed = case.family == Family::Matrix && case.settings.is_on("allowlistOnly");
    let policy = if narrowed && written == GroupPolicy::Open { GroupPolicy::Allowlist } else { written };
    let path = chosen.path();
    let origin = inherited(case, chosen);
    case.steps.add("groupPolicy", policy.word(), Effect::Keeps, || {
        (path.clone(), format!("rooms: {}{origin}", policy.word()))
    });
    (policy, path)
}

/// Refuses when rooms are off.
fn not_disabled((policy, path): &(GroupPolicy, KeyPath)) -> Result<(), Box<Stop>> {
    match policy {
        GroupPolicy::Disabled => {
            Err(Stop::drop(Reason::GroupPolicyDisabled, "groupPolicy", "disabled", path.clone()))
        }
        GroupPolicy::Allowlist | GroupPolicy::Open => Ok(()),
    }
}

/// A Discord or Slack group direct message: off unless switched on, and only the listed ones when some are listed.
fn group_direct<'a>(case: &mut Case<'a, '_>) -> Result<Passed<'a>, Box<Stop>> {
    let dm = case.settings.get("dm");
    let enabled = dm.get("groupEnabled");
    if enabled.as_bool() != Some(true) {
        return Err(Stop::drop(Reason::GroupDmDisabled, "group-dm", "groupEnabled", enabled.path()));
    }
    let listed = dm.get("groupChannels");
    let entries = listed.node.and_then(Node::entries).unwrap_or_default();
    let mut by = ("group-dm", "groupEnabled", enabled.path());
    if entries.iter().any(|e| !e.trim().is_empty()) {
        let at = entries.iter().position(|e| e.trim() == "*" || is_room(case, e));
        let Some(at) = at else {
            return Err(Stop::drop(Reason::GroupDmNotListed, "group-dm", "groupChannels", listed.path()));
        };
        by = ("group-dm", "groupChannels", listed.path().index(at));
    } else if listed.is_set() && listed.node.and_then(Node::as_array).is_none() {
        return Err(Stop::drop(Reason::GroupDmNotListed, "group-dm", "groupChannels", listed.path()));
    }
    case.steps.add(by.0, by.1, Effect::Admits, || (by.2.clone(), "group direct messages are switched on"));
    let dm_list = dm_authorizer(case);
    let when_off = if case.family == Family::Discord { WhenOff::Configured } else { WhenOff::Allow };
    Ok(Passed { commands: vec![dm_list], when_off, mention: None, users: None, by })
}

/// The direct-message list as an authoriser of commands. The approved store never counts in rooms (SP-404).
fn dm_authorizer(case: &Case<'_, '_>) -> Authorizer {
    let list = case.list(&dm_keys(&case.settings, case.family).list);
    authorizer(case, &list)
}

fn authorizer(case: &Case<'_, '_>, list: &SenderList<'_>) -> Authorizer {
    Authorizer { configured: !list.is_empty(), allowed: list.find(&case.sender).is_some() }
}

/// Whether a key or list entry names the message's room: its id (any case), its name, or the name's slug; `#` does not count.
fn is_room(case: &Case<'_, '_>, key: &str) -> bool {
    let id = case.message.conversation.as_str();
    names_room(key, id, case.message.place.name.as_deref())
}

fn names_room(key: &str, id: &str, name: Option<&str>) -> bool {
    is_id(key, id) || name.is_some_and(|n| is_name(key, n))
}

fn is_id(key: &str, id: &str) -> bool {
    !id.is_empty() && key.trim().to_lowercase() == id.to_lowercase()
}

fn is_name(key: &str, name: &str) -> bool {
    let (key, name) = (slug(key), slug(name));
    !key.is_empty() && key == name
}

/// The entry of a map of rooms: by id, then by name, then `*`. The key as it stands in the map.
fn room_entry<'a>(map: &Setting<'a>, id: &str, name: Option<&str>) -> Option<Setting<'a>> {
    let entries = map.entries()?;
    let exact = entries.get_key_value(id).map(|(k, _)| k).filter(|k| !k.is_empty());
    let by_id = || entries.keys().find(|k| is_id(k, id));
    let by_name = || name.and_then(|n| entries.keys().find(|k| *k != "*" && is_name(k, n)));
    let star = || entries.get_key_value("*").map(|(k, _)| k);
    exact.or_else(by_id).or_else(by_name).or_else(star).map(|k| map.get(k))
}

/// Whether an entry of a map switches its room off: `enabled` or `allow` there and not `true`.
fn is_off<'a>(entry: &Setting<'a>, key: &'a str) -> Option<KeyPath> {
    let switch = entry.get(key);
    (switch.is_set() && switch.as_bool() != Some(true)).then_some(switch.path())
}

/// The first of the settings that is set decides whether a mention is needed; unset everywhere it is. Anything but `false` means yes.
fn mention_rule<'a>(candidates: &[Setting<'a>]) -> MentionRule {
    match candidates.iter().find(|s| s.is_set()) {
        Some(s) => MentionRule { required: s.as_bool() != Some(false), path: s.path() },
        None => {
            MentionRule { required: true, path: candidates.first().map_or_else(KeyPath::root, |s| s.path()) }
        }
    }
}

/// Refuses a sender that a non-empty list of the room does not hold.
pub(super) fn only_listed(
    case: &mut Case<'_, '_>,
    list: &SenderList<'_>,
    reason: Reason,
) -> Result<(), Box<Stop>> {
    if list.is_empty() {
        return Ok(());
    }
    match list.find(&case.sender) {
        Some(hit) => {
            let path = list.path().index(hit.index());
            case.steps
                .add("senders", "entry", Effect::Keeps, || (path, "the sender is on the list of this room"));
            Ok(())
        }
        None => {
            Err(Stop::drop(reason, "senders", "users", list.path()).with(super::direct::inert_entries(list)))
        }
    }
}
