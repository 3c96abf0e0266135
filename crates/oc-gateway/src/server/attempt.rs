//! One attempt with a credential, from the budget to its outcome (SP-336, SP-337).

use std::sync::Arc;
use std::time::Duration;

use super::state::{Gateway, now_ms};
use crate::entrance::peer::Caller;
use crate::entrance::throttle::{Admission, Class};

/// Pause before an attempt that found the rest of its budget taken by others asks again.
const PAUSE: Duration = Duration::from_millis(25);
/// How often it asks.
const TRIES: u32 = 200;
/// What a caller hears that found no room in all that time.
const LATER_MS: u64 = 1_000;

/// An attempt that may be made. One that is dropped without an outcome counts as a wrong one.
#[derive(Debug)]
pub struct Attempt {
    gateway: Arc<Gateway>,
    class: Class,
    caller: Caller,
    page: bool,
    is_open: bool,
}

impl Attempt {
    /// Takes one out of the caller's budget, before the credential is looked at; waits while others of the same caller hold the rest of it.
    ///
    /// # Errors
    /// The milliseconds after which the caller may come again.
    pub async fn begin(
        gateway: &Arc<Gateway>,
        class: Class,
        caller: Caller,
        page: bool,
    ) -> Result<Self, u64> {
        for _ in 0..TRIES {
            let admission = gateway.throttle().attempt(class, caller, page, now_ms());
            match admission {
                Admission::Now => {
                    return Ok(Self { gateway: Arc::clone(gateway), class, caller, page, is_open: true });
                }
                Admission::Busy => tokio::time::sleep(PAUSE).await,
                Admission::Locked(ms) => return Err(ms),
            }
        }
        Err(LATER_MS)
    }

    /// The credential was right.
    pub fn right(mut self) {
        self.is_open = false;
        self.gateway.throttle().succeeded(self.class, self.caller, self.page);
    }

    /// It was no guess: nothing was judged, or not the secret.
    pub fn no_guess(mut self) {
        self.is_open = false;
        self.gateway.throttle().forget_one(self.class, self.caller, self.page);
    }

    /// The credential was wrong: counts, and waits as long as this caller's answer has to wait.
    pub async fn wrong(mut self) {
        self.is_open = false;
        let wait = self.gateway.throttle().failed(self.class, self.caller, self.page, now_ms());
        if wait > 0 {
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.is_open {
            self.gateway.throttle().failed(self.class, self.caller, self.page, now_ms());
        }
    }
}
