//! Which calls of this process are under way in a container, and whether each that was has really ended there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The calls in one container.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    running: AtomicU64,
    /// A call was given up before its end was heard of: something of it may still be under way.
    unclear: AtomicBool,
}

impl Traffic {
    /// Whether a call is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.running.load(Ordering::SeqCst) > 0
    }

    /// Whether everything that was begun has been seen to end.
    pub(super) fn is_settled(&self) -> bool {
        !self.is_busy() && !self.unclear.load(Ordering::SeqCst)
    }

    /// The container was started, or its runner greeted: what was given up before has ended.
    pub(super) fn begins_anew(&self) {
        self.unclear.store(false, Ordering::SeqCst);
    }
}

/// A call in a container, for as long as this lives.
#[derive(Debug)]
pub(super) struct Use {
    traffic: Arc<Traffic>,
    ended: bool,
}

impl Use {
    pub(super) fn of(traffic: &Arc<Traffic>) -> Self {
        traffic.running.fetch_add(1, Ordering::SeqCst);
        Self { traffic: Arc::clone(traffic), ended: false }
    }

    /// The call was seen to end. One that is dropped without this was given up.
    pub(super) fn end(mut self) {
        self.ended = true;
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        if !self.ended {
            self.traffic.unclear.store(true, Ordering::SeqCst);
        }
        self.traffic.running.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_up_is_not_settled() {
        let traffic = Arc::new(Traffic::default());
        let call = Use::of(&traffic);
        assert!(traffic.is_busy() && !traffic.is_settled());
        call.end();
        assert!(!traffic.is_busy() && traffic.is_settled());
        drop(Use::of(&traffic));
        assert!(!traffic.is_busy() && !traffic.is_settled());
        traffic.begins_anew();
        assert!(traffic.is_settled());
    }
}
