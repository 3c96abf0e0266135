//! One session's queue.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{DropRule, LaneSettings};
use crate::adapter::Event;
use crate::inbox::Route;
use crate::session_settings::QueueMode;

/// Lines about messages that overflowed, at most; older ones go.
const MOST_SUMMARIES: usize = 20;
/// Characters of such a line.
const SUMMARY: usize = 160;

/// A message that waits.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its number in the inbox.
    pub entry: u64,
    /// The event, its text without what was taken out of it.
    pub event: Arc<Event>,
    /// When it came, Unix milliseconds.
    pub at_ms: i64,
    /// A turn over it was begun by a former process.
    pub again: bool,
}

impl Item {
    /// Where its answer goes, without the message that is answered.
    #[must_use]
    pub fn place(&self) -> Route {
        let mut to = self.event.reply.clone();
        to.reply_to = None;
        Route { channel: self.event.message.channel.clone(), account: self.event.message.account.clone(), to }
    }

    fn is_plain(&self) -> bool {
        self.event.attachments.is_empty() && self.event.quoted.is_none()
    }

    /// Whether both are of the same sender, known by id or number. Unknown senders are never the same.
    #[must_use]
    pub fn same_sender(&self, other: &Self) -> bool {
        let (a, b) = (&self.event.message.sender, &other.event.message.sender);
        (a.id.is_some() || a.phone.is_some()) && a.id == b.id && a.phone == b.phone && a.is_bot == b.is_bot
    }
}

/// What became of a new message.
#[derive(Debug)]
pub enum Pushed {
    /// It waits; so many of the oldest had to go.
    Queued {
        /// The messages that went.
        dropped: Vec<Item>,
    },
    /// It was not taken: the queue is full.
    Refused(Box<Item>),
    /// It is to be handed to the running turn. With `keep` it waits as well.
    Steer {
        /// The message.
        item: Box<Item>,
        /// Whether it is answered afterwards all the same.
        keep: bool,
    },
    /// The running turn is to be ended; these waited and are replaced by the new one, which waits.
    Interrupt {
        /// The messages that were replaced.
        replaced: Vec<Item>,
    },
}

/// What is to be done next.
#[derive(Debug)]
pub enum Next {
    /// A turn over these messages, oldest first, all of one destination. The lines stand for messages that overflowed.
    Turn {
        /// The messages.
        items: Vec<Item>,
        /// The lines.
        summarized: Vec<String>,
    },
    /// Wait so many milliseconds, or for a new message.
    Wait(i64),
    /// Nothing waits.
    Idle,
}

/// One session's queue.
#[derive(Debug, Default)]
pub struct Lane {
    queue: VecDeque<Item>,
    summarized: Vec<String>,
    running: bool,
    /// Whether what waits came while a turn ran.
    backlog: bool,
    last_ms: i64,
}

impl Lane {
    /// Messages that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether a turn runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.running
    }

    /// A message comes.
    pub fn push(&mut self, item: Item, settings: &LaneSettings) -> Pushed {
        if self.running {
            match settings.mode {
                QueueMode::Interrupt => {
                    let replaced = self.queue.drain(..).collect();
                    self.take(item);
                    return Pushed::Interrupt { replaced };
                }
                QueueMode::Steer => return Pushed::Steer { item: Box::new(item), keep: false },
                QueueMode::SteerBacklog => return Pushed::Steer { item: Box::new(item), keep: true },
                QueueMode::Collect | QueueMode::Followup => {}
            }
        }
        self.enqueue(item, settings)
    }

    /// Lets a message wait, whatever the mode; the cap holds.
    pub fn enqueue(&mut self, item: Item, settings: &LaneSettings) -> Pushed {
        let mut dropped = Vec::new();
        while self.queue.len() >= settings.cap.max(1) {
            if settings.overflow == DropRule::New {
                return Pushed::Refused(Box::new(item));
            }
            let Some(oldest) = self.queue.pop_front() else { break };
            if settings.overflow == DropRule::Summarize {
                self.summarized.push(summary(&oldest));
                if self.summarized.len() > MOST_SUMMARIES {
                    self.summarized.remove(0);
                }
            }
            dropped.push(oldest);
        }
        self.take(item);
        Pushed::Queued { dropped }
    }

    fn take(&mut self, item: Item) {
        self.last_ms = self.last_ms.max(item.at_ms);
        self.backlog |= self.running;
        self.queue.push_back(item);
    }

    /// What is to be done at this time. A turn that is given counts as running until [`Lane::finished`].
    pub fn next(&mut self, now_ms: i64, settings: &LaneSettings) -> Next {
        if self.running {
            return Next::Idle;
        }
        let Some(first) = self.queue.front() else { return Next::Idle };
        let quiet = if self.backlog {
            settings.debounce_ms
        } else if self.queue.iter().all(Item::is_plain) {
            settings.inbound_ms
        } else {
            0
        };
        let left = self.last_ms.saturating_add(quiet).saturating_sub(now_ms);
        // A clock that went back must not hold anything up.
        if left > 0 && left <= quiet && self.queue.len() < settings.cap {
            return Next::Wait(left);
        }
        let place = first.place();
        let together = match settings.mode {
            QueueMode::Collect => self.queue.iter().take_while(|i| i.place() == place).count(),
            // Without a turn in between, texts of one sender that came within the debounce are one message.
            _ if settings.inbound_ms > 0 && !self.backlog => {
                let same = |i: &&Item| i.place() == place && i.is_plain() && i.same_sender(first);
                self.queue.iter().take_while(same).count().max(1)
            }
            QueueMode::Followup | QueueMode::Steer | QueueMode::SteerBacklog | QueueMode::Interrupt => 1,
        };
        self.running = true;
        let items = self.queue.drain(..together).collect();
        self.backlog = !self.queue.is_empty();
        Next::Turn { items, summarized: std::mem::take(&mut self.summarized) }
    }

    /// The turn has ended.
    pub fn finished(&mut self) {
        self.running = false;
    }

    /// Everything that waits goes.
    pub fn clear(&mut self) -> Vec<Item> {
        self.summarized.clear();
        self.backlog = false;
        self.queue.drain(..).collect()
    }
}

/// One line of a message, for context.
fn summary(item: &Item) -> String {
    let text: String = item.event.message.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut line: String = text.chars().filter(|c| !c.is_control()).take(SUMMARY).collect();
    if text.chars().count() > SUMMARY {
        line.push_str(" ...");
    }
    line
}
