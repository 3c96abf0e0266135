//! Pages that were fetched a little while ago.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::{Mode, Page};

/// Most pages.
const PAGES: usize = 100;

/// The pages, by URL and mode.
#[derive(Debug, Default)]
pub(super) struct Cache(HashMap<(String, Mode), (Page, Instant)>);

impl Cache {
    pub(super) fn get(&self, key: &(String, Mode), now: Instant) -> Option<Page> {
        self.0.get(key).filter(|(_, until)| *until > now).map(|(page, _)| page.clone())
    }

    pub(super) fn put(&mut self, key: (String, Mode), page: Page, now: Instant, keep: Duration) {
        self.0.retain(|_, (_, until)| *until > now);
        if self.0.len() >= PAGES {
            // The one that ends first goes.
            let first = self.0.iter().min_by_key(|(_, (_, until))| *until).map(|(k, _)| k.clone());
            if let Some(first) = first {
                self.0.remove(&first);
            }
        }
        if !keep.is_zero() {
            self.0.insert(key, (page, now + keep));
        }
    }
}
