//! What is tried again, and when: three attempts, doubling pauses, the service's own wish first (agent-runtime 7).

use std::time::Duration;

use crate::adapter::AdapterFailure;

/// Attempts at one message.
pub const ATTEMPTS: u32 = 3;
/// Longest pause that we choose, milliseconds.
const LONGEST_MS: u64 = 30_000;
/// Longest pause that a service may ask for.
const LONGEST_WISH: Duration = Duration::from_secs(300);

/// What follows a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// Again after this.
    Again(Duration),
    /// Again at once, without marks.
    Plain,
    /// It is given up.
    GiveUp,
}

/// Decides. `attempt` counts from 1; `jitter` is between 0 and 1; `is_plain`: it was sent without marks already.
#[must_use]
pub fn after(channel: &str, failure: &AdapterFailure, attempt: u32, is_plain: bool, jitter: f64) -> Then {
    match failure {
        // The fall-back is no attempt of its own, and there is one.
        AdapterFailure::Formatting { .. } if !is_plain => Then::Plain,
        _ if attempt >= ATTEMPTS => Then::GiveUp,
        AdapterFailure::RateLimited { after, .. } => Then::Again((*after).min(LONGEST_WISH)),
        // Discord may have taken it: only its own word that it did not counts.
        AdapterFailure::Unavailable { .. } if channel != "discord" => {
            Then::Again(pause(channel, attempt, jitter))
        }
        AdapterFailure::Unavailable { .. }
        | AdapterFailure::Formatting { .. }
        | AdapterFailure::Credential { .. }
        | AdapterFailure::Settings { .. }
        | AdapterFailure::Conflict { .. }
        | AdapterFailure::Refused { .. } => Then::GiveUp,
    }
}

fn pause(channel: &str, attempt: u32, jitter: f64) -> Duration {
    let first: u64 = if channel == "telegram" { 400 } else { 500 };
    let doubled = first.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(LONGEST_MS);
    let spread = doubled as f64 * 0.1 * (jitter.clamp(0.0, 1.0) * 2.0 - 1.0);
    Duration::from_millis((doubled as f64 + spread).max(0.0) as u64)
}
