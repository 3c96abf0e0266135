//! How many wrong answers one caller may give (gateway 2, SP-336, SP-337).
//!
//! A pure table: time is an argument. Checking and recording are one step, so concurrent attempts cannot pass the budget by one.

use std::collections::HashMap;
use std::net::IpAddr;

use super::peer::Caller;

#[cfg(test)]
mod tests;

/// Most callers that are remembered; beyond, the one whose last wrong answer is oldest is forgotten, locked ones last.
pub const MAX_KEYS: usize = 10_000;

/// `gateway.auth.rateLimit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Wrong answers in a window before the lock.
    pub max_attempts: u32,
    /// The window, in milliseconds.
    pub window_ms: u64,
    /// How long a lock lasts, in milliseconds.
    pub lockout_ms: u64,
    /// Whether direct local programs are slowed down instead of locked.
    pub loopback: Loopback,
}

/// What happens to wrong answers of this machine's own programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loopback {
    /// Each one waits longer: 250 ms, doubling to 5 s.
    Delayed,
    /// As everybody.
    Locked,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_attempts: 10, window_ms: 60_000, lockout_ms: 300_000, loopback: Loopback::Delayed }
    }
}

/// What kind of credential is tried; each has its own budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The shared token or password.
    SharedSecret,
    /// A device token.
    DeviceToken,
    /// A hook token.
    Hook,
}

/// Who is counted. IPv6 callers count by /64; a caller whose address is unknown shares one budget with all of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    /// Programs of this machine, by address: whoever else reaches the gateway from there (a page, a proxy that nobody named) cannot have them
    /// wait.
    Here(Class, IpAddr),
    Unknown(Class),
    V4(Class, u32),
    V6(Class, u64),
}

/// Whether an attempt may be made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Yes.
    Now,
    /// Not yet: attempts of this caller that are not decided hold the rest of the budget. They may all be right, so nobody is locked out.
    Busy,
    /// No; try again after this many milliseconds.
    Locked(u64),
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    wrong: u32,
    /// Attempts that are not decided yet. `wrong` and these together never pass the budget.
    open: u32,
    since_ms: u64,
    last_ms: u64,
    locked_until_ms: u64,
}

impl Entry {
    fn new(now_ms: u64) -> Self {
        Self { wrong: 0, open: 0, since_ms: now_ms, last_ms: now_ms, locked_until_ms: 0 }
    }

    /// Forgets what is older than the window, and a lock that is over.
    fn aged(&mut self, now_ms: u64, window_ms: u64) {
        if self.locked_until_ms > 0 || now_ms.saturating_sub(self.since_ms) >= window_ms {
            *self = Self { open: self.open, ..Self::new(now_ms) };
        }
        self.last_ms = now_ms;
    }
}

/// The table.
#[derive(Clone, Debug)]
pub struct Throttle {
    limits: Limits,
    entries: HashMap<Key, Entry>,
}

impl Throttle {
    /// An empty table.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, entries: HashMap::new() }
    }

    /// Takes one attempt out of the caller's budget, before the credential is looked at. [`Throttle::succeeded`], [`Throttle::forget_one`] or
    /// [`Throttle::failed`] says what became of it. `page`: whether the request carries an `Origin`; then it is no local program, however
    /// local it looks. Programs of this machine have no budget: their wrong answers wait, and right ones never do.
    pub fn attempt(&mut self, class: Class, caller: Caller, page: bool, now_ms: u64) -> Admission {
        let limits = self.limits;
        let key = self.key(class, caller, page);
        if matches!(key, Key::Here(..)) {
            return Admission::Now;
        }
        let entry = self.entries.entry(key).or_insert_with(|| Entry::new(now_ms));
        if now_ms < entry.locked_until_ms {
            return Admission::Locked(entry.locked_until_ms.saturating_sub(now_ms));
        }
        entry.aged(now_ms, limits.window_ms);
        let admission = if entry.wrong >= limits.max_attempts {
            entry.locked_until_ms = now_ms.saturating_add(limits.lockout_ms);
            Admission::Locked(limits.lockout_ms)
        } else if entry.wrong.saturating_add(entry.open) >= limits.max_attempts {
            Admission::Busy
        } else {
            entry.open = entry.open.saturating_add(1);
            Admission::Now
        };
        self.trim(key, now_ms);
        admission
    }

    /// The credential was right: what the caller got wrong before does not count any more.
    pub fn succeeded(&mut self, class: Class, caller: Caller, page: bool) {
        let key = self.key(class, caller, page);
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.wrong = 0;
            entry.locked_until_ms = 0;
        }
        self.decided(key);
    }

    /// An attempt that was no guess (nothing shown, wrong route): gives that one attempt back and keeps the earlier ones.
    pub fn forget_one(&mut self, class: Class, caller: Caller, page: bool) {
        self.decided(self.key(class, caller, page));
    }

    /// The credential was wrong. How long its answer has to wait, in milliseconds; 0 for callers who are locked out instead.
    pub fn failed(&mut self, class: Class, caller: Caller, page: bool, now_ms: u64) -> u64 {
        let window_ms = self.limits.window_ms;
        let key = self.key(class, caller, page);
        let entry = self.entries.entry(key).or_insert_with(|| Entry::new(now_ms));
        if now_ms >= entry.locked_until_ms {
            entry.aged(now_ms, window_ms);
        }
        let before = entry.wrong;
        entry.wrong = entry.wrong.saturating_add(1);
        entry.open = entry.open.saturating_sub(1);
        self.trim(key, now_ms);
        match (key, before) {
            (Key::Here(..), 1..) => 250_u64.saturating_mul(1 << before.saturating_sub(1).min(5)).min(5_000),
            _ => 0,
        }
    }

    /// One attempt less that is open; a caller of whom nothing is left to remember is forgotten.
    fn decided(&mut self, key: Key) {
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.open = entry.open.saturating_sub(1);
            if entry.wrong == 0 && entry.open == 0 && entry.locked_until_ms == 0 {
                self.entries.remove(&key);
            }
        }
    }

    fn key(&self, class: Class, caller: Caller, page: bool) -> Key {
        match caller {
            Caller::LocalDirect(address) if !page && self.limits.loopback == Loopback::Delayed => {
                Key::Here(class, address)
            }
            other => key(class, other),
        }
    }

    /// How many callers are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nobody is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Keeps the table bounded. What has run out goes first; then the oldest that is not locked; the newcomer stays.
    fn trim(&mut self, newest: Key, now_ms: u64) {
        if self.entries.len() <= MAX_KEYS {
            return;
        }
        let window = self.limits.window_ms;
        self.entries.retain(|k, e| {
            *k == newest || now_ms < e.locked_until_ms || now_ms.saturating_sub(e.since_ms) < window
        });
        let over = self.entries.len().saturating_sub(MAX_KEYS);
        if over == 0 {
            return;
        }
        // A tenth at a time, so that a flood does not pay for a search with every attempt.
        let mut order: Vec<_> =
            self.entries.iter().map(|(k, e)| ((now_ms < e.locked_until_ms, e.last_ms), *k)).collect();
        order.sort_unstable();
        for (_, k) in order.into_iter().filter(|(_, k)| *k != newest).take(over.max(MAX_KEYS / 10)) {
            self.entries.remove(&k);
        }
    }
}

fn key(class: Class, caller: Caller) -> Key {
    match caller.address() {
        None => Key::Unknown(class),
        Some(IpAddr::V4(v4)) => Key::V4(class, v4.into()),
        Some(IpAddr::V6(v6)) => {
            let [a, b, c, d, ..] = v6.segments();
            let net = [a, b, c, d].iter().fold(0u64, |sum, s| (sum << 16) | u64::from(*s));
            Key::V6(class, net)
        }
    }
}
