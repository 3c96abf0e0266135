//! How many messages of sessions to other sessions are under way: whoever waits for no answer still waits for room.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thiserror::Error;

/// Of one session at the same time.
pub const OF_A_SESSION: usize = 5;
/// Of all sessions together.
pub const OF_ALL: usize = 50;

/// Why no further one is taken. The sentences are for the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TooMany {
    /// Of this session.
    #[error("five messages of this session to others are not answered yet; wait until one is")]
    OfThis,
    /// Of all sessions together.
    #[error("as many messages between sessions are under way as may be; try again later")]
    OfAll,
}

/// The messages that are under way, counted by the session that wrote.
#[derive(Debug, Default)]
pub struct Sending(Mutex<HashMap<String, usize>>);

/// A message that is under way; it is none any more when this is dropped.
#[derive(Debug)]
pub struct UnderWay {
    all: Arc<Sending>,
    from: String,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut all = self.all.held();
        if let Some(count) = all.get_mut(&self.from) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                all.remove(&self.from);
            }
        }
    }
}

impl Sending {
    fn held(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more of a session.
    ///
    /// # Errors
    /// See [`TooMany`].
    pub fn begin(self: &Arc<Self>, from: &str) -> Result<UnderWay, TooMany> {
        let mut all = self.held();
        if all.values().sum::<usize>() >= OF_ALL {
            return Err(TooMany::OfAll);
        }
        let count = all.entry(from.to_owned()).or_default();
        if *count >= OF_A_SESSION {
            return Err(TooMany::OfThis);
        }
        *count = count.saturating_add(1);
        Ok(UnderWay { all: Arc::clone(self), from: from.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_under_way_and_no_more() {
        let all = Arc::new(Sending::default());
        let mut kept: Vec<UnderWay> = (0..OF_A_SESSION).map(|_| all.begin("a").unwrap()).collect();
        assert_eq!(all.begin("a").unwrap_err(), TooMany::OfThis);
        assert!(all.begin("b").is_ok(), "another session");
        kept.pop();
        kept.push(all.begin("a").unwrap());
        kept.extend((OF_A_SESSION..OF_ALL).map(|n| all.begin(&format!("s{n}")).unwrap()));
        assert_eq!(all.begin("b").unwrap_err(), TooMany::OfAll);
        kept.clear();
        assert!(all.held().is_empty());
        assert!(all.begin("a").is_ok());
    }
}
