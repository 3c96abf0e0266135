//! Events that were looked at lately (agent-runtime 6: 20 minutes, 5000 entries). What was taken in is remembered by the inbox, so that a
//! flood of strangers cannot push it out here.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::adapter::Event;

/// How long, milliseconds.
pub const TTL_MS: i64 = 20 * 60_000;
/// How many.
pub const MOST: usize = 5000;
/// Longest id that is believed, in bytes.
pub const LONGEST_ID: usize = 512;

/// What is known of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Nothing: it is being looked at from now on.
    New,
    /// It was looked at.
    Seen,
    /// It is being looked at at this moment.
    Busy,
}

/// The memory.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    at: HashMap<String, i64>,
    order: VecDeque<(i64, String)>,
    busy: HashSet<String>,
}

impl Seen {
    /// An event comes.
    pub fn begin(&mut self, key: &str, now_ms: i64) -> Begin {
        while self.order.front().is_some_and(|(at, _)| now_ms.saturating_sub(*at) > TTL_MS) {
            self.drop_oldest();
        }
        if self.at.contains_key(key) {
            return Begin::Seen;
        }
        if self.busy.insert(key.to_owned()) { Begin::New } else { Begin::Busy }
    }

    /// It was looked at. `settled`: for good, so that it is not looked at again.
    pub fn end(&mut self, key: &str, settled: bool, now_ms: i64) {
        self.busy.remove(key);
        if settled {
            self.at.insert(key.to_owned(), now_ms);
            self.order.push_back((now_ms, key.to_owned()));
            while self.order.len() > MOST {
                self.drop_oldest();
            }
        }
    }

    fn drop_oldest(&mut self) {
        if let Some((at, key)) = self.order.pop_front()
            && self.at.get(&key) == Some(&at)
        {
            self.at.remove(&key);
        }
    }
}

/// The key of an event: channel, account, conversation, thread, kind, id. Each part is preceded by its length, so that no two events that
/// differ have one key. `None` for an id that is blank or too long.
#[must_use]
pub fn key_of(event: &Event) -> Option<String> {
    let id = event.id.trim();
    if id.is_empty() || id.len() > LONGEST_ID {
        return None;
    }
    let m = &event.message;
    let thread = m.place.thread.as_deref().or(m.place.topic.as_deref()).unwrap_or_default();
    let kind = format!("{:?}", m.event);
    let parts = [m.channel.as_str(), &m.account, m.conversation.as_str(), thread, &kind, id];
    let mut key = String::with_capacity(64);
    for part in parts {
        key.push_str(&part.len().to_string());
        key.push(':');
        key.push_str(part);
    }
    Some(key)
}
