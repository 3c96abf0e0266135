//! Stopping a turn from outside.

use tokio::sync::watch;

/// Stops a turn: `/stop`, a shutdown, the end of the session. Clones stop the same turn.
#[derive(Clone, Debug)]
pub struct Abort(watch::Sender<bool>);

impl Default for Abort {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Abort {
    /// One that nobody has used yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the turn; it stays stopped.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    /// Whether both stop the same turn.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }

    /// Returns when it is stopped.
    pub async fn stopped(&self) {
        let mut seen = self.0.subscribe();
        // The sender is this value: it does not go away.
        let _ = seen.wait_for(|stopped| *stopped).await;
    }
}
