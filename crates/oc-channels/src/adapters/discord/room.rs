//! The channels and servers that are known: where a message was said, beyond the ids in it.

use std::collections::HashMap;

use oc_policy::inbound::ConversationKind;
use serde_json::Value;

use crate::adapters::recent::Recent;
use crate::json::Members as _;

/// One channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Room {
    /// The service's number of its kind; `None`: not known.
    pub(super) kind: Option<u64>,
    pub(super) name: Option<String>,
    pub(super) parent: Option<String>,
    pub(super) guild: Option<String>,
}

/// A channel with the names around it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Surroundings {
    pub(super) room: Room,
    pub(super) parent_name: Option<String>,
    pub(super) guild_name: Option<String>,
}

impl Room {
    fn read(json: &Value, guild: Option<&str>) -> Self {
        Self {
            kind: json.at("type").as_u64(),
            name: json.text("name").map(str::to_owned),
            parent: json.text("parent_id").map(str::to_owned),
            guild: json.text("guild_id").or(guild).map(str::to_owned),
        }
    }

    /// Whether it is a thread: its parent is a channel, not a category.
    pub(super) fn is_thread(&self) -> bool {
        matches!(self.kind, Some(10..=12))
    }

    /// The kind of conversation, if what the event says fits what is known. A thread whose parent is not known could be in a channel that
    /// is not listed: unknown (SP-415).
    pub(super) fn conversation_kind(&self, guild: Option<&str>) -> ConversationKind {
        match (self.kind, guild) {
            (Some(1), None) => ConversationKind::Direct,
            (Some(3), None) => ConversationKind::Group,
            (Some(10..=12), Some(_)) if self.parent.is_none() => ConversationKind::Unknown,
            (Some(0 | 2 | 5 | 10..=13 | 15 | 16), Some(guild))
                if self.guild.as_deref().is_none_or(|g| g == guild) =>
            {
                ConversationKind::Channel
            }
            _ => ConversationKind::Unknown,
        }
    }
}

/// What is known.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    rooms: Recent<Room>,
    guilds: HashMap<String, String>,
}

impl Rooms {
    /// Takes in a channel.
    pub(super) fn learn(&mut self, json: &Value, guild: Option<&str>) {
        if let Some(id) = json.text("id") {
            self.rooms.put(id, Room::read(json, guild));
        }
    }

    /// Remembers a channel of which nothing could be learnt, so that it is not asked for again and again.
    pub(super) fn unknown(&mut self, id: &str) {
        self.rooms.put(id, Room::default());
    }

    /// Takes in a server with its channels and threads.
    pub(super) fn learn_guild(&mut self, json: &Value) {
        let Some(id) = json.text("id") else { return };
        if let Some(name) = json.text("name") {
            self.guilds.insert(id.to_owned(), name.to_owned());
        }
        for room in json.items("channels").iter().chain(json.items("threads")) {
            self.learn(room, Some(id));
        }
    }

    /// Forgets a server.
    pub(super) fn forget_guild(&mut self, id: &str) {
        self.guilds.remove(id);
        self.rooms.retain(|room| room.guild.as_deref() != Some(id));
    }

    /// Forgets a channel.
    pub(super) fn forget(&mut self, id: &str) {
        self.rooms.forget(id);
    }

    /// Whether something has to be asked before an event of this channel can be read, and for which channel.
    pub(super) fn missing(&self, id: &str) -> Option<String> {
        let Some(room) = self.rooms.get(id) else { return Some(id.to_owned()) };
        // A thread's parent gives its name, by which it may be listed.
        room.parent.as_ref().filter(|p| room.is_thread() && self.rooms.get(p).is_none()).cloned()
    }

    pub(super) fn around(&self, id: &str, guild: Option<&str>) -> Surroundings {
        let room = self.rooms.get(id).cloned().unwrap_or_default();
        let parent = room.parent.as_ref().and_then(|p| self.rooms.get(p));
        Surroundings {
            parent_name: parent.and_then(|p| p.name.clone()),
            guild_name: guild.and_then(|g| self.guilds.get(g)).cloned(),
            room,
        }
    }
}
