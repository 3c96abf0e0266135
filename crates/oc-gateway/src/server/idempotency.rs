//! Answers of calls that a client may send again (gateway 6, idempotency): the same key gets the same answer, also while the first call
//! still runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::watch;

use crate::protocol::frame::Failure;

/// How long an answer is kept, in milliseconds.
const TTL_MS: u64 = 300_000;
/// Most answers that are kept.
const MAX: usize = 1000;

/// An answer.
pub type Answer = Result<Value, Failure>;

/// Who makes the call and who waits for it.
#[derive(Debug)]
pub enum Turn {
    /// The first one: makes the call and puts the answer in.
    First(Putter),
    /// The call was made, or is being made: wait for its answer.
    Later(Kept),
}

/// Puts the answer in.
#[derive(Debug)]
pub struct Putter(watch::Sender<Option<Arc<Answer>>>);

impl Putter {
    /// The answer, for whoever waits and for whoever asks again.
    pub fn put(self, answer: &Answer) {
        self.0.send_replace(Some(Arc::new(answer.clone())));
    }
}

/// An answer that is there, or will be.
pub type Kept = watch::Receiver<Option<Arc<Answer>>>;

/// The answers, by family of methods and key.
#[derive(Debug, Default)]
pub struct Idempotency {
    kept: BTreeMap<String, (u64, Kept)>,
}

impl Idempotency {
    /// Whose turn it is for a key. A call that was given up without an answer can be made again.
    pub fn turn(&mut self, family: &str, owner: &str, key: &str, now_ms: u64) -> Turn {
        self.kept.retain(|_, (at, _)| now_ms.saturating_sub(*at) < TTL_MS);
        let name = format!("{family}:{owner}:{key}");
        if let Some((_, kept)) = self.kept.get(&name) {
            let given_up = kept.borrow().is_none() && kept.has_changed().is_err();
            if !given_up {
                return Turn::Later(kept.clone());
            }
        }
        if self.kept.len() >= MAX {
            let oldest = self.kept.iter().min_by_key(|(_, (at, _))| *at).map(|(name, _)| name.clone());
            oldest.map(|name| self.kept.remove(&name));
        }
        let (putter, kept) = watch::channel(None);
        self.kept.insert(name, (now_ms, kept));
        Turn::First(Putter(putter))
    }
}

/// Waits for the answer of the first call; `None` when it was given up.
pub async fn later(mut kept: Kept) -> Option<Answer> {
    let found = kept.wait_for(Option::is_some).await.ok()?;
    found.as_ref().map(|a| a.as_ref().clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_call_gets_the_answer_of_the_first() {
        let mut kept = Idempotency::default();
        let Turn::First(putter) = kept.turn("send", "d", "k", 0) else { panic!("not the first") };
        let Turn::Later(waiting) = kept.turn("send", "d", "k", 1) else { panic!("made twice") };
        putter.put(&Ok(1.into()));
        assert_eq!(later(waiting).await, Some(Ok(1.into())));
        assert!(matches!(kept.turn("send", "d", "k", 2), Turn::Later(_)));
        assert!(matches!(kept.turn("agent", "d", "k", 2), Turn::First(_)));
        assert!(matches!(kept.turn("send", "d", "k", TTL_MS), Turn::First(_)));
    }

    #[tokio::test]
    async fn a_call_that_was_given_up_can_be_made_again() {
        let mut kept = Idempotency::default();
        drop(kept.turn("send", "d", "k", 0));
        assert!(matches!(kept.turn("send", "d", "k", 1), Turn::First(_)));
    }
}
