//! What the watcher shows, and what a key means. No terminal here.

use std::time::{Duration, Instant};

use oc_approval::life_cycle::{Decision, Record, State, Target};
use oc_approval::prompt;

use super::terminal::Key;

/// Requests shown in the list at a time.
const LIST: usize = 6;
/// A request has to be on the screen this long before a key answers it: nobody reads faster, and a key meant for another one that has
/// just gone does not hit it.
const SETTLE: Duration = Duration::from_millis(400);
/// Narrower than this, lines would be cut.
const NARROWEST: usize = prompt::WIDTH;

/// What the screen shows.
#[derive(Debug, Default)]
pub struct Screen {
    pending: Vec<Record>,
    chosen: Option<Chosen>,
    said: String,
}

/// The request whose details are shown.
#[derive(Debug)]
struct Chosen {
    id: String,
    since: Instant,
    /// First line of the details on the screen.
    from: usize,
    /// How many lines of them are on the screen.
    page: usize,
    /// Whether the last line of the details has been on the screen.
    whole: bool,
}

/// What a key asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    /// To end.
    Quit,
    /// An answer.
    Answer {
        /// The full id.
        id: String,
        /// What.
        decision: Decision,
        /// Where.
        target: Option<Target>,
    },
    /// Nothing more.
    Nothing,
}

impl Screen {
    /// Takes over what the queue holds.
    pub fn update(&mut self, records: Vec<Record>) {
        self.pending = records.into_iter().filter(|r| r.state == State::Pending).collect();
        let there = |id: &str| self.pending.iter().any(|r| r.id == id);
        if self.chosen.as_ref().is_none_or(|c| !there(&c.id)) {
            self.chosen = self.pending.first().map(|r| Chosen::new(&r.id));
        }
    }

    /// Shows a sentence in the last line.
    pub fn say(&mut self, said: String) {
        self.said = said;
    }

    /// The lines of the screen.
    pub fn draw(&mut self, now_ms: u64, columns: usize, rows: usize) -> Vec<String> {
        let mut out = vec![match self.pending.len() {
            0 => "No command waits for an answer.".to_owned(),
            1 => "1 command waits for an answer.".to_owned(),
            n => format!("{n} commands wait for an answer."),
        }];
        let at = self.at().unwrap_or(0);
        let first = at.saturating_sub(LIST - 1);
        for (n, record) in self.pending.iter().enumerate().skip(first).take(LIST) {
            let mark = if n == at { '>' } else { ' ' };
            let left = prompt::span(record.expires_at_ms.saturating_sub(now_ms));
            let line = format!(
                "{mark} {}  {left:<12} {:<10} {}",
                record.code,
                cut(&prompt::shown(record.request.agent()), 10),
                prompt::shown(record.request.command())
            );
            out.push(cut(&line, columns));
        }
        // Two lines at the end are for keys and the last answer.
        let room = rows.saturating_sub(out.len() + 3);
        if let Some(details) = self.pending.get(at).map(|r| prompt::facts(r, now_ms)) {
            out.push(String::new());
            if let Some(chosen) = &mut self.chosen {
                let (from, whole) = (chosen.from.min(details.len().saturating_sub(1)), details.len());
                let fits = whole - from <= room;
                let shown = if fits { room } else { room.saturating_sub(1) };
                out.extend(details.iter().skip(from).take(shown).map(|l| cut(l, columns)));
                if fits {
                    chosen.whole |= columns >= NARROWEST;
                } else {
                    out.push("  -- more: space --".to_owned());
                }
                chosen.from = from;
                chosen.page = if fits { 0 } else { shown };
            }
        }
        out.resize(rows.saturating_sub(2), String::new());
        out.push(cut(&self.said, columns));
        out.push(cut(&self.keys(), columns));
        out
    }

    /// What a key does.
    pub fn press(&mut self, key: Key, columns: usize) -> Asked {
        match key {
            Key::Char('q' | '\u{3}' | '\u{4}') => return Asked::Quit,
            Key::Up | Key::Char('k') => self.step(-1),
            Key::Down | Key::Char('j') => self.step(1),
            Key::Char(' ') => {
                if let Some(chosen) = &mut self.chosen {
                    chosen.from += chosen.page;
                }
            }
            Key::Char(c) => return self.answer(c, columns),
        }
        Asked::Nothing
    }

    fn answer(&mut self, key: char, columns: usize) -> Asked {
        let (Some(record), Some(chosen)) = (self.at().and_then(|at| self.pending.get(at)), &self.chosen)
        else {
            return Asked::Nothing;
        };
        let targets = record.request.targets();
        let wanted = match key {
            'a' if targets.is_empty() => (Decision::AllowOnce, None),
            's' if targets.contains(&Target::Sandbox) => (Decision::AllowOnce, Some(Target::Sandbox)),
            'h' if targets.contains(&Target::Host) => (Decision::AllowOnce, Some(Target::Host)),
            'A' if record.request.allowed_decisions().contains(&Decision::AllowAlways) => {
                (Decision::AllowAlways, None)
            }
            'd' => (Decision::Deny, None),
            _ => return Asked::Nothing,
        };
        let (decision, target) = wanted;
        if chosen.since.elapsed() < SETTLE {
            self.said = "It has just appeared; look at it first.".to_owned();
            return Asked::Nothing;
        }
        if decision != Decision::Deny && columns < NARROWEST {
            self.said = format!("Make the terminal {NARROWEST} columns wide to see it whole.");
            return Asked::Nothing;
        }
        if decision != Decision::Deny && !chosen.whole {
            self.said = "There is more of it: press space until the end is shown.".to_owned();
            return Asked::Nothing;
        }
        Asked::Answer { id: record.id.clone(), decision, target }
    }

    fn keys(&self) -> String {
        let Some(record) = self.at().and_then(|at| self.pending.get(at)) else { return "q quit".to_owned() };
        let targets = record.request.targets();
        let mut out = Vec::new();
        if targets.is_empty() {
            out.push("a approve once");
        }
        if targets.contains(&Target::Sandbox) {
            out.push("s once, sandbox");
        }
        if targets.contains(&Target::Host) {
            out.push("h once, host");
        }
        if record.request.allowed_decisions().contains(&Decision::AllowAlways) {
            out.push("A always");
        }
        out.extend(["d deny", "up/down choose", "q quit"]);
        out.join("   ")
    }

    fn step(&mut self, by: isize) {
        let Some(at) = self.at() else { return };
        let to = at.saturating_add_signed(by).min(self.pending.len().saturating_sub(1));
        if to != at {
            self.chosen = self.pending.get(to).map(|r| Chosen::new(&r.id));
        }
    }

    fn at(&self) -> Option<usize> {
        let id = &self.chosen.as_ref()?.id;
        self.pending.iter().position(|r| r.id == *id)
    }
}

impl Chosen {
    fn new(id: &str) -> Self {
        Self { id: id.to_owned(), since: Instant::now(), from: 0, page: 0, whole: false }
    }
}

/// At most so many characters. Only names and lines that the details repeat whole are cut.
fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(columns.saturating_sub(1)).collect();
    out.push('…');
    out
}
