//! Answers that wait to be taken up by the call they were given for.

use std::collections::BTreeMap;

/// How long an answer can be taken up, in milliseconds: a client that was told yes sends its command at once.
pub const LIVE_MS: u64 = 120_000;
/// Most answers that wait.
const MOST: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Held<T> {
    who: String,
    since_ms: u64,
    what: T,
}

/// Answers by the id of their request. Each is given out once, to who asked, while it lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desk<T>(BTreeMap<String, Held<T>>);

impl<T> Default for Desk<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Desk<T> {
    /// Keeps an answer. Returns what nobody fetched in time, or what there is no room for: it has to be withdrawn.
    #[must_use]
    pub fn keep(&mut self, id: String, who: String, what: T, now_ms: u64) -> Vec<T> {
        let mut over = self.expire(now_ms);
        if self.0.len() >= MOST {
            over.push(what);
        } else if let Some(old) = self.0.insert(id, Held { who, since_ms: now_ms, what }) {
            over.push(old.what);
        }
        over
    }

    /// Gives an answer out: to who asked, once, while it lives. An answer that is too old is given to nobody.
    pub fn take(&mut self, id: &str, who: &str, now_ms: u64) -> Option<T> {
        if self.0.get(id).is_none_or(|held| held.who != who || !is_live(held.since_ms, now_ms)) {
            return None;
        }
        self.0.remove(id).map(|held| held.what)
    }

    /// Takes out what is too old; it has to be withdrawn.
    #[must_use]
    pub fn expire(&mut self, now_ms: u64) -> Vec<T> {
        let old: Vec<String> =
            self.0.iter().filter(|(_, h)| !is_live(h.since_ms, now_ms)).map(|(id, _)| id.clone()).collect();
        old.iter().filter_map(|id| self.0.remove(id)).map(|held| held.what).collect()
    }
}

/// A clock that was set back makes nothing live longer.
fn is_live(since_ms: u64, now_ms: u64) -> bool {
    now_ms.checked_sub(since_ms).is_some_and(|age| age < LIVE_MS)
}
