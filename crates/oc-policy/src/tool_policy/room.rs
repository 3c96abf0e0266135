//! Layer 7: the policy of the room a session belongs to (tool-policy 5).

use std::collections::HashMap;

use oc_types::{ChannelId, KeyPath, Node, Object};

use super::list::Place;
use super::reader::Reader;
use super::rule::Rule;
use super::warning::WarningKind;
use crate::sender::{Matched, Sender, SenderRules};

/// Which room, who speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoomQuery<'a> {
    pub channel: &'a str,
    pub id: &'a str,
    /// The room's name, where the channel has one (`#general`).
    pub name: Option<&'a str>,
    /// The server or guild.
    pub space: Option<&'a str>,
    pub account: Option<&'a str>,
    pub sender: Sender<'a>,
}

/// A policy found, and by which sender key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoomHit<'p> {
    pub rule: &'p Rule,
    pub matched: Option<Matched>,
}

/// All room policies of a configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rooms {
    channels: HashMap<String, ChannelRooms>,
}

#[derive(Clone, Debug, Default)]
struct ChannelRooms {
    own: Option<Map>,
    /// Accounts with a map of their own, in order.
    accounts: Vec<(String, Map)>,
}

/// A map of rooms: `groups` in general, `channels` on Slack, `guilds` on Discord.
#[derive(Clone, Debug, Default)]
struct Map {
    rooms: HashMap<String, RoomRule>,
    /// Discord: the first guild of each slug.
    slugs: HashMap<String, String>,
}

#[derive(Clone, Debug, Default)]
struct RoomRule {
    by_sender: SenderRules<Rule>,
    base: Option<Rule>,
    /// Discord: a guild's channels.
    channels: HashMap<String, RoomRule>,
}

impl Rooms {
    pub fn read(reader: &mut Reader<'_>, config: &Node) -> Self {
        let mut all = Self::default();
        let Some(channels) = config.get("channels").and_then(Node::as_object) else { return all };
        // Exact ids first, so that another spelling of the same channel never hides one.
        for exact in [true, false] {
            for (key, node) in channels {
                let Some(id) = channel_id(key).filter(|id| (id == key) == exact) else { continue };
                let place = Place::root(KeyPath::keys(["channels", key]));
                if all.channels.contains_key(&id) {
                    let message = format!("another spelling of channels.{id}, which is the one that counts");
                    reader.warn(WarningKind::ConflictingSpellings, place.path(), &node.origin, message);
                    continue;
                }
                let rooms = ChannelRooms::read(reader, &id, node, &place);
                all.channels.insert(id, rooms);
            }
        }
        all
    }

    pub fn find(&self, query: &RoomQuery<'_>) -> Option<RoomHit<'_>> {
        let rooms = self.channels.get(query.channel)?;
        match query.channel {
            "discord" => rooms.maps(query.account).find_map(|m| m.discord(query)),
            "slack" => rooms.maps(query.account).next()?.slack(query),
            _ => rooms.maps(query.account).next()?.generic(query),
        }
    }
}

/// A channel's id in canonical form.
pub(crate) fn channel_id(text: &str) -> Option<String> {
    ChannelId::parse(text).ok().map(|c| c.as_str().to_owned())
}

impl ChannelRooms {
    fn read(reader: &mut Reader<'_>, channel: &str, node: &Node, place: &Place) -> Self {
        let key = match channel {
            "discord" => "guilds",
            "slack" => "channels",
            _ => "groups",
        };
        let nested = channel == "discord";
        let own = Map::read(reader, node.get(key), &place.step(key), nested);
        let mut accounts = Vec::new();
        let listed = node.get("accounts").and_then(Node::as_object);
        for (name, account) in listed.into_iter().flatten() {
            let place = place.step("accounts").step(name).step(key);
            if let Some(map) = Map::read(reader, account.get(key), &place, nested) {
                accounts.push((name.clone(), map));
            }
        }
        Self { own, accounts }
    }

    /// The account's map, where it has one, before the channel's. Only the first counts, except on Discord.
    fn maps<'p>(&'p self, account: Option<&str>) -> impl Iterator<Item = &'p Map> + use<'p> {
        let account = account.map(str::trim).filter(|a| !a.is_empty()).unwrap_or("default");
        let exact = self.accounts.iter().find(|(name, _)| name == account);
        let mine = exact.or_else(|| {
            let folded = account.to_lowercase();
            self.accounts.iter().find(|(name, _)| name.to_lowercase() == folded)
        });
        mine.map(|(_, map)| map).into_iter().chain(self.own.as_ref())
    }
}

impl Map {
    fn read(reader: &mut Reader<'_>, node: Option<&Node>, place: &Place, nested: bool) -> Option<Self> {
        let rooms = node?.as_object()?;
        let mut map = Self::default();
        for (id, room) in rooms {
            map.rooms.insert(id.clone(), RoomRule::read(reader, room, &place.step(id), nested));
            let named = room.get("slug").and_then(Node::as_str).map(slug).filter(|s| nested && !s.is_empty());
            if let Some(slug) = named {
                map.slugs.entry(slug).or_insert_with(|| id.clone());
            }
        }
        Some(map)
    }

    fn generic(&self, query: &RoomQuery<'_>) -> Option<RoomHit<'_>> {
        let id = if query.channel == "telegram" { telegram_chat(query.id) } else { query.id };
        let own = self.rooms.get(id).filter(|_| id != "*");
        own.and_then(|r| r.hit(query)).or_else(|| self.rooms.get("*")?.hit(query))
    }

    fn slack(&self, query: &RoomQuery<'_>) -> Option<RoomHit<'_>> {
        let name = query.name.map(|n| n.trim().trim_start_matches('#')).filter(|n| !n.is_empty());
        let of_name = name.and_then(|n| {
            let found = self.rooms.get(&format!("#{n}")).or_else(|| self.rooms.get(n));
            found.or_else(|| self.rooms.get(&slug(n)))
        });
        // A room that is listed answers for itself: without a policy it does not fall back to `*`.
        let listed = self.rooms.get(query.id).or(of_name).or_else(|| self.rooms.get("*"));
        listed?.hit(query)
    }

    fn discord(&self, query: &RoomQuery<'_>) -> Option<RoomHit<'_>> {
        let guild = self.guild(query.space)?;
        let slugged = query.name.map(slug).filter(|s| !s.is_empty());
        let of_name = || {
            slugged
                .as_ref()
                .and_then(|s| guild.channels.get(s).or_else(|| guild.channels.get(&format!("#{s}"))))
        };
        let channel = guild.channels.get(query.id).or_else(of_name);
        channel.and_then(|c| c.hit(query)).or_else(|| guild.hit(query))
    }

    fn guild(&self, space: Option<&str>) -> Option<&RoomRule> {
        if let Some(space) = space.map(str::trim).filter(|s| !s.is_empty()) {
            if let Some(guild) = self.rooms.get(space) {
                return Some(guild);
            }
            let wanted = slug(space);
            if !wanted.is_empty() {
                let by_slug = || self.rooms.get(self.slugs.get(&wanted)?);
                if let Some(guild) = self.rooms.get(&wanted).or_else(by_slug) {
                    return Some(guild);
                }
            }
        }
        self.rooms.get("*")
    }
}

impl RoomRule {
    fn read(reader: &mut Reader<'_>, node: &Node, place: &Place, nested: bool) -> Self {
        let mut room = Self::default();
        let Some(entry) = node.as_object() else { return room };
        // `toolsBySender` is read first: of two spellings of one sender it is the one that counts.
        room.senders(reader, entry.get("toolsBySender"), &place.step("toolsBySender"));
        if let Some(tools) = entry.get("tools").filter(|t| !t.is_null()) {
            let at = place.step("tools");
            room.senders(reader, tools.get("bySender"), &at.step("bySender"));
            let only_senders = tools.as_object().is_some_and(|o| o.len() == 1 && o.contains_key("bySender"));
            if !only_senders {
                room.base = Some(reader.policy(tools, at));
            }
        }
        if nested {
            let channels: Option<&Object> = entry.get("channels").and_then(Node::as_object);
            for (id, channel) in channels.into_iter().flatten() {
                let at = place.step("channels").step(id);
                room.channels.insert(id.clone(), Self::read(reader, channel, &at, false));
            }
        }
        room
    }

    fn senders(&mut self, reader: &mut Reader<'_>, node: Option<&Node>, place: &Place) {
        let Some(node) = node.filter(|n| !n.is_null()) else { return };
        if node.as_object().is_none() {
            // Not a map of senders: whoever it was meant for, nobody gets more than nothing.
            self.by_sender.add("*", reader.policy(node, place.clone()));
        }
        for (key, policy) in node.as_object().into_iter().flatten() {
            if policy.is_null() {
                continue;
            }
            self.by_sender.add(key, reader.policy(policy, place.step(key)));
        }
    }

    fn hit(&self, query: &RoomQuery<'_>) -> Option<RoomHit<'_>> {
        if let Some((rule, how)) = self.by_sender.find(query.channel, &query.sender) {
            return Some(RoomHit { rule, matched: Some(how) });
        }
        self.base.as_ref().map(|rule| RoomHit { rule, matched: None })
    }
}

/// The chat of a Telegram topic: `<chat>:topic:<t>` or `<chat>:<t>`, both numbers.
pub(crate) fn telegram_chat(id: &str) -> &str {
    let number = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let Some((chat, rest)) = id.split_once(':') else { return id };
    let topic = rest.strip_prefix("topic:").unwrap_or(rest);
    if number(chat.strip_prefix('-').unwrap_or(chat)) && number(topic) { chat } else { id }
}

/// A name as Discord and Slack settings spell it: lower case, without leading `@` and `#`, everything else a single `-`.
fn slug(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim().trim_start_matches(['@', '#']).to_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
    }
    out.truncate(out.trim_end_matches('-').len());
    out
}
