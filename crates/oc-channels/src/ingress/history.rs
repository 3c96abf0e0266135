//! What was said in a room and not answered: shown as context to the next answered message, then forgotten (channels 5).

use std::collections::{HashMap, VecDeque};

use oc_policy::inbound::{Inbound, SenderId};
use oc_types::ChannelId;

use crate::turn::ContextLine;

/// Rooms that are remembered; the one that was silent longest goes.
pub const ROOMS: usize = 500;
/// Characters of a message that are kept.
pub const LONGEST: usize = 2000;

/// A room and its thread, as this product tells them apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoomKey {
    channel: ChannelId,
    account: String,
    conversation: String,
    thread: Option<String>,
}

impl RoomKey {
    /// The room of a message.
    #[must_use]
    pub fn of(message: &Inbound) -> Self {
        let thread = message.place.thread.clone().or_else(|| message.place.topic.clone());
        Self {
            channel: message.channel.clone(),
            account: message.account.clone(),
            conversation: message.conversation.as_str().to_owned(),
            thread,
        }
    }
}

/// A message that is kept, with who said it, so that it can be judged again when it is used (SP-417).
#[derive(Clone, Debug)]
pub struct Kept {
    /// The message; its text is cut.
    pub message: Inbound,
    /// When it came.
    pub at_ms: i64,
}

impl Kept {
    /// As a line of context.
    #[must_use]
    pub fn line(&self) -> ContextLine {
        let sender = &self.message.sender;
        let id = || sender.id.as_ref().map(SenderId::as_str).unwrap_or("somebody").chars().take(80).collect();
        let who =
            sender.names.shown().map(|n| n.to_string()).filter(|n| !n.trim().is_empty()).unwrap_or_else(id);
        ContextLine { who, text: self.message.text.clone(), at_ms: self.at_ms }
    }
}

/// The memory of all rooms.
#[derive(Debug, Default)]
pub struct Histories {
    rooms: HashMap<RoomKey, VecDeque<Kept>>,
}

impl Histories {
    /// Keeps a message; `limit` of the room, 0: nothing is kept.
    pub fn keep(&mut self, message: &Inbound, limit: usize, now_ms: i64) {
        let key = RoomKey::of(message);
        if limit == 0 {
            self.rooms.remove(&key);
            return;
        }
        if message.text.trim().is_empty() {
            return;
        }
        if !self.rooms.contains_key(&key) && self.rooms.len() >= ROOMS {
            let silent =
                self.rooms.iter().min_by_key(|(_, r)| r.back().map(|k| k.at_ms)).map(|(k, _)| k.clone());
            silent.map(|k| self.rooms.remove(&k));
        }
        let mut message = message.clone();
        message.text = message.text.chars().take(LONGEST).collect();
        let room = self.rooms.entry(key).or_default();
        room.push_back(Kept { message, at_ms: now_ms });
        while room.len() > limit {
            room.pop_front();
        }
    }

    /// Takes out what a room has; it is not shown a second time.
    #[must_use]
    pub fn take(&mut self, room: &RoomKey) -> Vec<Kept> {
        self.rooms.remove(room).map(Vec::from).unwrap_or_default()
    }

    /// How many messages a room has.
    #[must_use]
    pub fn len_of(&self, room: &RoomKey) -> usize {
        self.rooms.get(room).map_or(0, VecDeque::len)
    }
}
