//! What the records of the journal add up to. Plain data: replaying the same records gives the same book.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use oc_types::ChannelId;
use serde::{Deserialize, Serialize};

use crate::adapter::{Button, Destination, Event};

/// How long a key is remembered after its event came, milliseconds.
pub const KEY_TTL_MS: i64 = 20 * 60_000;
/// Most keys of events that are done.
pub const MOST_KEYS: usize = 5000;

/// Where an answer goes: channel, account and the destination that was authorised.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Route {
    /// The channel.
    pub channel: ChannelId,
    /// The account.
    pub account: String,
    /// The conversation.
    pub to: Destination,
}

/// One message of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// Buttons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
}

/// An answer that is being sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Its number.
    pub id: u64,
    /// What it answers.
    pub entries: Vec<u64>,
    /// Where it goes.
    pub route: Route,
    /// What it says.
    pub pieces: Vec<Piece>,
    /// It only says that something went wrong; it is not followed by another one.
    pub notice: bool,
    /// Pieces of which sending had begun.
    #[serde(default)]
    pub begun: usize,
    /// The service's ids of the pieces that were sent, in order.
    #[serde(default)]
    pub sent: Vec<Option<String>>,
}

impl Answer {
    /// An answer of which nothing was sent.
    #[must_use]
    pub fn new(id: u64, entries: Vec<u64>, route: Route, pieces: Vec<Piece>, notice: bool) -> Self {
        Self { id, entries, route, pieces, notice, begun: 0, sent: Vec::new() }
    }

    /// Whether a piece may have arrived without our knowing.
    #[must_use]
    pub fn in_doubt(&self) -> bool {
        self.begun > self.sent.len()
    }
}

/// How an entry ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// It was answered.
    Answered,
    /// There was nothing to say.
    Silent,
    /// A command was carried out.
    Command,
    /// It was stopped or cleared by a person.
    Stopped,
    /// The queue was full.
    Overflow,
    /// The configuration no longer admits it.
    Access,
    /// The answer could not be delivered for good.
    Undeliverable,
}

/// One line of the journal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "kebab-case")]
pub enum Record {
    /// The first line.
    Head {
        /// Random, so that keys of two installations differ.
        instance: String,
        /// The next number.
        next: u64,
    },
    /// A key of an event that is done.
    Key {
        /// The key.
        key: String,
        /// When it came.
        at: i64,
    },
    /// An event was taken in.
    Accepted {
        /// Its number.
        id: u64,
        /// Its key.
        key: String,
        /// When it came.
        at: i64,
        /// The event.
        event: Arc<Event>,
    },
    /// A turn began over entries, or entries joined it.
    Started {
        /// Its number.
        turn: u64,
        /// The entries.
        entries: Vec<u64>,
    },
    /// A tool of the turn was about to run, or something to be said.
    Acted {
        /// The turn.
        turn: u64,
    },
    /// An answer was made.
    Answer(Answer),
    /// A piece was about to be sent.
    Sending {
        /// The answer.
        answer: u64,
        /// The piece, from 0.
        piece: usize,
    },
    /// A piece was sent.
    Sent {
        /// The answer.
        answer: u64,
        /// The piece, from 0.
        piece: usize,
        /// The service's id.
        id: Option<String>,
    },
    /// Nothing more is to be done.
    Done {
        /// The entries.
        entries: Vec<u64>,
        /// How they ended.
        how: Ending,
        /// When.
        at: i64,
    },
}

/// An event that is not done.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number.
    pub id: u64,
    /// Its key.
    pub key: String,
    /// When it came.
    pub at_ms: i64,
    /// The event.
    pub event: Arc<Event>,
    turn: Option<u64>,
    answer: Option<u64>,
}

/// What a former process left undone.
#[derive(Clone, Debug)]
pub enum Recovered {
    /// It waits as on the first day. `again`: a turn had begun over it.
    Waiting {
        /// The entry.
        entry: Entry,
        /// Whether a turn had begun.
        again: bool,
    },
    /// A turn over these had acted and has no answer.
    Interrupted {
        /// The entries, oldest first.
        entries: Vec<Entry>,
    },
    /// This answer is not wholly sent.
    Unsent(Answer),
}

/// A turn, and how many of its entries are not done.
#[derive(Clone, Copy, Debug, Default)]
struct Running {
    left: usize,
    acted: bool,
}

/// An answer, and how many of its entries are not done.
#[derive(Clone, Debug)]
struct Sending {
    answer: Answer,
    left: usize,
}

/// The book.
#[derive(Clone, Debug, Default)]
pub struct Book {
    instance: String,
    next: u64,
    entries: BTreeMap<u64, Entry>,
    turns: BTreeMap<u64, Running>,
    answers: BTreeMap<u64, Sending>,
    keys: HashMap<String, i64>,
    old: VecDeque<(i64, String)>,
}

impl Book {
    /// The random name of this inbox.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// A number that was not given before.
    pub fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Whether an event of this key was taken in.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.keys.contains_key(key)
    }

    /// Entries that are not done.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.entries.len()
    }

    /// The event of an entry.
    #[must_use]
    pub fn event(&self, entry: u64) -> Option<Arc<Event>> {
        self.entries.get(&entry).map(|e| Arc::clone(&e.event))
    }

    /// Whether the turn has acted.
    #[must_use]
    pub fn has_acted(&self, turn: u64) -> bool {
        self.turns.get(&turn).is_some_and(|t| t.acted)
    }

    /// Takes a record in. What refers to nothing that is known changes nothing.
    pub fn apply(&mut self, record: Record) {
        match record {
            Record::Head { instance, next } => {
                self.instance = instance;
                self.saw(next);
            }
            Record::Key { key, at } => self.remember(key, at),
            Record::Accepted { id, key, at, event } => {
                self.saw(id);
                self.keys.insert(key.clone(), at);
                self.entries.insert(id, Entry { id, key, at_ms: at, event, turn: None, answer: None });
            }
            Record::Started { turn, entries } => {
                self.saw(turn);
                for id in entries {
                    let Some(entry) = self.entries.get_mut(&id) else { continue };
                    if let Some(old) = entry.turn.replace(turn) {
                        self.leave_turn(old);
                    }
                    self.turns.entry(turn).or_default().left += 1;
                }
            }
            Record::Acted { turn } => {
                if let Some(running) = self.turns.get_mut(&turn) {
                    running.acted = true;
                }
            }
            Record::Answer(answer) => {
                self.saw(answer.id);
                let mut left = 0;
                for id in &answer.entries {
                    let Some(entry) = self.entries.get_mut(id) else { continue };
                    left += 1;
                    // A notice takes the place of what it is about.
                    if let Some(old) = entry.answer.replace(answer.id) {
                        self.leave_answer(old);
                    }
                }
                if left > 0 {
                    self.answers.insert(answer.id, Sending { answer, left });
                }
            }
            Record::Sending { answer, piece } => {
                if let Some(Sending { answer, .. }) = self.answers.get_mut(&answer) {
                    answer.begun = answer.begun.max(piece + 1);
                }
            }
            Record::Sent { answer, piece, id } => {
                if let Some(Sending { answer, .. }) = self.answers.get_mut(&answer)
                    && answer.sent.len() == piece
                {
                    answer.sent.push(id);
                }
            }
            Record::Done { entries, how: _, at: _ } => {
                for id in entries {
                    self.finish(id);
                }
            }
        }
    }

    fn finish(&mut self, id: u64) {
        let Some(entry) = self.entries.remove(&id) else { return };
        self.remember(entry.key, entry.at_ms);
        if let Some(turn) = entry.turn {
            self.leave_turn(turn);
        }
        if let Some(answer) = entry.answer {
            self.leave_answer(answer);
        }
    }

    fn leave_turn(&mut self, turn: u64) {
        if let Some(running) = self.turns.get_mut(&turn) {
            running.left = running.left.saturating_sub(1);
            if running.left == 0 {
                self.turns.remove(&turn);
            }
        }
    }

    fn leave_answer(&mut self, answer: u64) {
        if let Some(sending) = self.answers.get_mut(&answer) {
            sending.left = sending.left.saturating_sub(1);
            if sending.left == 0 {
                self.answers.remove(&answer);
            }
        }
    }

    fn saw(&mut self, number: u64) {
        self.next = self.next.max(number);
    }

    fn remember(&mut self, key: String, at: i64) {
        self.keys.insert(key.clone(), at);
        self.old.push_back((at, key));
        while self.old.len() > MOST_KEYS {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some((at, key)) = self.old.pop_front()
            && self.keys.get(&key) == Some(&at)
        {
            self.keys.remove(&key);
        }
    }

    /// An event that could not be written was not taken in.
    pub fn take_back(&mut self, id: u64) {
        if let Some(entry) = self.entries.remove(&id) {
            self.keys.remove(&entry.key);
        }
    }

    /// Forgets keys of events that are done and came long ago.
    pub fn forget_old(&mut self, now_ms: i64) {
        while self.old.front().is_some_and(|(at, _)| now_ms.saturating_sub(*at) > KEY_TTL_MS) {
            self.drop_oldest();
        }
    }

    /// The shortest list of records that gives this book.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        let mut out = vec![Record::Head { instance: self.instance.clone(), next: self.next }];
        out.extend(self.old.iter().map(|(at, key)| Record::Key { key: key.clone(), at: *at }));
        let mut turns: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for e in self.entries.values() {
            out.push(Record::Accepted {
                id: e.id,
                key: e.key.clone(),
                at: e.at_ms,
                event: Arc::clone(&e.event),
            });
            if let Some(turn) = e.turn {
                turns.entry(turn).or_default().push(e.id);
            }
        }
        out.extend(turns.into_iter().map(|(turn, entries)| Record::Started { turn, entries }));
        let acted = self.turns.iter().filter(|(_, t)| t.acted);
        out.extend(acted.map(|(turn, _)| Record::Acted { turn: *turn }));
        out.extend(self.answers.values().map(|s| Record::Answer(s.answer.clone())));
        out
    }

    /// What is undone, oldest first. Entries of turns that had not acted wait again.
    #[must_use]
    pub fn recover(&mut self) -> Vec<Recovered> {
        let mut out: Vec<(u64, Recovered)> = Vec::new();
        let mut interrupted: BTreeMap<u64, Vec<Entry>> = BTreeMap::new();
        for entry in self.entries.values_mut() {
            if entry.answer.is_some() {
                continue;
            }
            match entry.turn {
                Some(turn) if self.turns.get(&turn).is_some_and(|t| t.acted) => {
                    interrupted.entry(turn).or_default().push(entry.clone());
                }
                turn => {
                    if let Some(turn) = entry.turn.take() {
                        self.turns.remove(&turn);
                    }
                    out.push((entry.id, Recovered::Waiting { entry: entry.clone(), again: turn.is_some() }));
                }
            }
        }
        for entries in interrupted.into_values() {
            let first = entries.first().map_or(0, |e| e.id);
            out.push((first, Recovered::Interrupted { entries }));
        }
        for Sending { answer, .. } in self.answers.values() {
            let first = answer.entries.first().copied().unwrap_or(answer.id);
            out.push((first, Recovered::Unsent(answer.clone())));
        }
        out.sort_by_key(|(id, _)| *id);
        out.into_iter().map(|(_, r)| r).collect()
    }
}
