//! When a session begins anew (sessions-routing 6).

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use oc_types::Node;

/// The hour of the daily boundary when none is set.
pub const DEFAULT_HOUR: i8 = 4;
/// Minutes of `idle` when none are set.
pub const DEFAULT_IDLE: u64 = 60;

/// What kind of conversation a session is, for its reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// One person.
    Direct,
    /// A room.
    Group,
    /// A thread or topic.
    Thread,
}

impl Type {
    /// The type of a session: thread if the key holds `:thread:` or `:topic:` or the message has a thread, else group, else direct.
    #[must_use]
    pub fn of(key: &str, thread: bool, room: bool) -> Self {
        let low = key.to_ascii_lowercase();
        if thread || low.contains(":thread:") || low.contains(":topic:") {
            Self::Thread
        } else if room || low.contains(":group:") || low.contains(":channel:") {
            Self::Group
        } else {
            Self::Direct
        }
    }
}

/// Why a session is too old to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stale {
    /// A day began.
    Daily,
    /// Nobody wrote for long.
    Idle,
}

/// When sessions of one kind begin anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResetPolicy {
    /// Local hour of the daily boundary.
    pub daily_at: Option<i8>,
    /// Minutes without a message.
    pub idle_minutes: Option<u64>,
}

impl ResetPolicy {
    /// The policy for a kind of conversation on a channel: `session.resetByChannel` before `resetByType` before `session.reset`.
    #[must_use]
    pub fn of(config: &Node, kind: Type, channel: Option<&str>) -> Self {
        let session = config.get("session");
        let at = |path: &[&str]| session.and_then(|s| s.path(path)).filter(|n| n.as_object().is_some());
        let by_channel = channel.and_then(|c| {
            let all = at(&["resetByChannel"])?.as_object()?;
            let found = all.iter().find(|(name, _)| name.trim().eq_ignore_ascii_case(c.trim()));
            found.map(|(_, node)| node).filter(|n| n.as_object().is_some())
        });
        let by_type = match kind {
            Type::Direct => at(&["resetByType", "direct"]).or_else(|| at(&["resetByType", "dm"])),
            Type::Group => at(&["resetByType", "group"]),
            Type::Thread => at(&["resetByType", "thread"]),
        };
        let layers: Vec<&Node> = [by_channel, by_type, at(&["reset"])].into_iter().flatten().collect();
        let first = |name: &str| layers.iter().find_map(|n| n.get(name).filter(|v| !v.is_null()));
        let number = crate::number::whole;
        let legacy = session.and_then(|s| s.get("idleMinutes")).and_then(number);
        let idle = first("idleMinutes").and_then(number).or(legacy);
        let hour = first("atHour").and_then(number).and_then(|h| i8::try_from(h).ok()).filter(|h| *h < 24);
        let daily = match first("mode").and_then(Node::as_str) {
            Some("idle") => false,
            Some(_) => true,
            // Only the older key is set: it says when.
            None => !layers.is_empty() || legacy.is_none(),
        };
        if daily {
            Self { daily_at: Some(hour.unwrap_or(DEFAULT_HOUR)), idle_minutes: idle }
        } else {
            Self { daily_at: None, idle_minutes: Some(idle.unwrap_or(DEFAULT_IDLE)) }
        }
    }

    /// Whether a session that was last updated then begins anew now; of two reasons the daily one is named.
    #[must_use]
    pub fn stale(&self, updated: Timestamp, now: Timestamp, zone: &TimeZone) -> Option<Stale> {
        let boundary = self.daily_at.and_then(|hour| last_boundary(hour, now, zone));
        if boundary.is_some_and(|b| updated < b) {
            return Some(Stale::Daily);
        }
        let limit = self.idle_minutes?;
        let idle = now.as_millisecond().saturating_sub(updated.as_millisecond());
        let limit_ms = i64::try_from(limit.saturating_mul(60_000)).unwrap_or(i64::MAX);
        (idle > limit_ms).then_some(Stale::Idle)
    }
}

/// The last moment at or before now at which the local clock showed that hour.
fn last_boundary(hour: i8, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let local = now.to_zoned(zone.clone());
    let at =
        |date: jiff::civil::Date| date.at(hour, 0, 0, 0).to_zoned(zone.clone()).ok().map(|z| z.timestamp());
    let today = at(local.date())?;
    if today <= now {
        return Some(today);
    }
    at(local.date().checked_sub(1.day()).ok()?)
}
