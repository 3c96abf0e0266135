//! What is remembered by id, a bounded number: the oldest go.

use std::collections::{HashMap, VecDeque};

/// Most that is remembered of one account.
const MOST: usize = 20_000;

/// Values by id, in the order in which their ids came first.
#[derive(Debug)]
pub(super) struct Recent<V> {
    known: HashMap<String, V>,
    order: VecDeque<String>,
}

impl<V> Default for Recent<V> {
    fn default() -> Self {
        Self { known: HashMap::new(), order: VecDeque::new() }
    }
}

impl<V> Recent<V> {
    /// Remembers a value in place of a former one.
    pub(super) fn put(&mut self, id: &str, value: V) {
        if self.known.insert(id.to_owned(), value).is_none() {
            self.order.push_back(id.to_owned());
            if self.order.len() > MOST
                && let Some(old) = self.order.pop_front()
            {
                self.known.remove(&old);
            }
        }
    }

    /// What is remembered.
    pub(super) fn get(&self, id: &str) -> Option<&V> {
        self.known.get(id)
    }

    /// Forgets one.
    pub(super) fn forget(&mut self, id: &str) {
        if self.known.remove(id).is_some() {
            self.order.retain(|known| known != id);
        }
    }

    /// Forgets all but some.
    pub(super) fn retain(&mut self, keep: impl Fn(&V) -> bool) {
        self.known.retain(|_, value| keep(value));
        let known = &self.known;
        self.order.retain(|id| known.contains_key(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_and_what_is_forgotten_leaves_its_place() {
        let mut recent = Recent::default();
        for n in 0..MOST {
            recent.put(&n.to_string(), n);
        }
        // One that is there keeps its place.
        recent.put("0", 7);
        assert_eq!((recent.get("0"), recent.known.len()), (Some(&7), MOST));
        recent.put("new", 1);
        assert_eq!((recent.get("0"), recent.get("1")), (None, Some(&1)));
        recent.forget("1");
        recent.forget("not there");
        recent.put("newer", 2);
        assert_eq!((recent.get("2"), recent.known.len(), recent.order.len()), (Some(&2), MOST, MOST));
        recent.retain(|n| *n < 10);
        assert_eq!((recent.known.len(), recent.order.len()), (10, 10));
        recent.put("1", 1);
        assert_eq!(recent.get("1"), Some(&1));
    }
}
