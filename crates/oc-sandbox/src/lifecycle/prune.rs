//! Removal of idle and old containers, and of those whose session ended.

use crate::registry::Entry;

/// Least time between two prune runs, in milliseconds.
pub const PRUNE_EVERY_MS: u64 = 5 * 60 * 1000;

const HOUR_MS: f64 = 3_600_000.0;

/// What happens to a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PruneVerdict {
    /// It stays.
    Keep,
    /// Unused for longer than `idleHours`.
    Idle,
    /// Older than `maxAgeDays`.
    Old,
}

/// Whether a prune run is due.
#[must_use]
pub fn prune_due(last_run_ms: Option<u64>, now_ms: u64) -> bool {
    last_run_ms.is_none_or(|last| now_ms.saturating_sub(last) >= PRUNE_EVERY_MS)
}

/// Decides about one container. A limit of 0 is off. The workspace is never deleted; the entry goes even when the engine fails.
#[must_use]
pub fn prune(idle_hours: f64, max_age_days: f64, entry: &Entry, now_ms: u64) -> PruneVerdict {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a container's life fit a double")]
    let since = |then: u64| now_ms.saturating_sub(then) as f64;
    if idle_hours > 0.0 && since(entry.last_used_at_ms) > idle_hours * HOUR_MS {
        PruneVerdict::Idle
    } else if max_age_days > 0.0 && since(entry.created_at_ms) > max_age_days * 24.0 * HOUR_MS {
        PruneVerdict::Old
    } else {
        PruneVerdict::Keep
    }
}

/// The containers that end with a session: those whose scope key is the session's own (scope `session`). `None` as session: the
/// gateway starts or stops, which ends all of them (seed: cleaned when the conversation ends or the gateway restarts).
pub fn ended_session_containers<'e>(
    entries: &'e [Entry],
    session: Option<&'e str>,
) -> impl Iterator<Item = &'e Entry> {
    entries.iter().filter(move |e| match session {
        Some(key) => e.session_key == key.trim() && is_session_scope(&e.session_key),
        None => is_session_scope(&e.session_key),
    })
}

/// `shared` and `agent:<id>` are scope keys of more than one session.
fn is_session_scope(scope_key: &str) -> bool {
    scope_key != "shared" && scope_key.strip_prefix("agent:").is_none_or(|id| id.contains(':'))
}
