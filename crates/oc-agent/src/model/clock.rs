//! Time and chance, handed in so that tests decide them.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom, SystemRandom};

use super::Pending;

/// What tells the time, waits, and throws dice.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64;

    /// Waits.
    fn sleep(&self, time: Duration) -> Pending<'_, ()>;

    /// A number from 0 to below 1, for the jitter of waits.
    fn share(&self) -> f64;
}

/// The system's.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
    }

    fn sleep(&self, time: Duration) -> Pending<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    fn share(&self) -> f64 {
        let mut bytes = [0u8; 2];
        // Without randomness there is no jitter; nothing depends on it but good manners.
        if SystemRandom::new().fill(&mut bytes).is_err() {
            return 0.5;
        }
        f64::from(u16::from_le_bytes(bytes)) / 65_536.0
    }
}
