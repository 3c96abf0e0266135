//! How long a credential rests after a failure: 1, 5, 25 and 60 minutes; unpaid ones 5 hours, doubling to a day. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::model::FailureClass;

/// Minutes after the first, second, third and every further failure.
const MINUTES: [u64; 4] = [1, 5, 25, 60];

/// `auth.cooldowns`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cooldowns {
    /// Rest of an unpaid account after its first failure.
    pub billing: Duration,
    /// Longest such rest.
    pub billing_longest: Duration,
    /// Time without a failure after which the count starts anew.
    pub window: Duration,
    /// Other first rests, by provider.
    pub billing_by_provider: BTreeMap<String, Duration>,
}

impl Default for Cooldowns {
    fn default() -> Self {
        Self {
            billing: Duration::from_secs(5 * 3600),
            billing_longest: Duration::from_secs(24 * 3600),
            window: Duration::from_secs(24 * 3600),
            billing_by_provider: BTreeMap::new(),
        }
    }
}

/// How a credential has fared. Times are milliseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    /// When it worked last.
    pub last_used: u64,
    /// It rests until then.
    pub cooldown_until: u64,
    /// It is unpaid and rests until then.
    pub disabled_until: u64,
    /// Failures since it worked, billing not counted.
    pub errors: u32,
    /// Failures to pay since it worked.
    pub unpaid: u32,
    /// When it failed last.
    pub last_failure: u64,
}

impl Rest {
    /// When it can be used again; `None`: now.
    #[must_use]
    pub fn until(&self, now_ms: u64) -> Option<u64> {
        Some(self.cooldown_until.max(self.disabled_until)).filter(|until| *until > now_ms)
    }

    /// It worked.
    pub fn worked(&mut self, now_ms: u64) {
        *self = Self { last_used: now_ms, ..Self::default() };
    }

    /// It failed. Says whether that was the credential's doing, so that it rests now.
    pub fn failed(
        &mut self,
        rules: &Cooldowns,
        provider: &str,
        class: FailureClass,
        asked: Option<Duration>,
        now_ms: u64,
    ) -> bool {
        match class {
            FailureClass::Auth | FailureClass::RateLimit | FailureClass::Timeout | FailureClass::Billing => {}
            FailureClass::Format
            | FailureClass::Overloaded
            | FailureClass::ContextOverflow
            | FailureClass::BrokenOff
            | FailureClass::NotConfigured
            | FailureClass::Other => return false,
        }
        if now_ms.saturating_sub(self.last_failure) > millis(rules.window) {
            self.errors = 0;
            self.unpaid = 0;
        }
        self.last_failure = now_ms;
        if class == FailureClass::Billing {
            let first = rules.billing_by_provider.get(provider).copied().unwrap_or(rules.billing);
            let rest = first.saturating_mul(2u32.saturating_pow(self.unpaid)).min(rules.billing_longest);
            self.unpaid = self.unpaid.saturating_add(1);
            self.disabled_until = now_ms.saturating_add(millis(rest));
            return true;
        }
        let [.., last] = MINUTES;
        let step = usize::try_from(self.errors).ok().and_then(|n| MINUTES.get(n)).copied().unwrap_or(last);
        self.errors = self.errors.saturating_add(1);
        let rest = Duration::from_secs(step.saturating_mul(60)).max(asked.unwrap_or_default());
        self.cooldown_until = now_ms.saturating_add(millis(rest));
        true
    }

    pub(super) fn read(value: &Value) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of a float saturates"
        )]
        let from_float = |n: f64| n.max(0.0) as u64;
        let number = |v: Option<&Value>| {
            v.and_then(|v| v.as_u64().or_else(|| v.as_f64().map(from_float))).unwrap_or(0)
        };
        let count = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            last_used: number(value.get("lastUsed")),
            cooldown_until: number(value.get("cooldownUntil")),
            disabled_until: number(value.get("disabledUntil")),
            errors: count(number(value.get("errorCount"))),
            unpaid: count(number(value.get("failureCounts").and_then(|c| c.get("billing")))),
            last_failure: number(value.get("lastFailureAt")),
        }
    }

    pub(super) fn write(&self, members: &mut Map<String, Value>) {
        members.insert("lastUsed".to_owned(), self.last_used.into());
        members.insert("errorCount".to_owned(), self.errors.into());
        for (name, at) in [
            ("cooldownUntil", self.cooldown_until),
            ("disabledUntil", self.disabled_until),
            ("lastFailureAt", self.last_failure),
        ] {
            if at == 0 {
                members.shift_remove(name);
            } else {
                members.insert(name.to_owned(), at.into());
            }
        }
        if self.disabled_until == 0 {
            members.shift_remove("disabledReason");
            members.shift_remove("failureCounts");
        } else {
            members.insert("disabledReason".to_owned(), "billing".into());
            members.insert("failureCounts".to_owned(), serde_json::json!({"billing": self.unpaid}));
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;
    const HOUR: u64 = 60 * MINUTE;

    #[test]
    fn a_credential_rests_longer_each_time_and_starts_anew_when_it_worked() {
        let rules = Cooldowns::default();
        let mut rest = Rest::default();
        let mut now = 1_000_000_000;
        for minutes in [1, 5, 25, 60, 60] {
            assert!(rest.failed(&rules, "p", FailureClass::RateLimit, None, now));
            assert_eq!(rest.until(now), Some(now + minutes * MINUTE));
            assert_eq!(rest.until(now + minutes * MINUTE), None, "over at its end");
            now += 2 * HOUR;
        }
        rest.worked(now);
        assert_eq!(rest, Rest { last_used: now, ..Rest::default() });
        rest.failed(&rules, "p", FailureClass::Auth, None, now);
        assert_eq!(rest.until(now), Some(now + MINUTE));
    }

    #[test]
    fn a_day_without_a_failure_forgets_them() {
        let rules = Cooldowns::default();
        let mut rest = Rest::default();
        rest.failed(&rules, "p", FailureClass::Timeout, None, 10);
        rest.failed(&rules, "p", FailureClass::Timeout, None, 20);
        let later = 20 + 24 * HOUR + 1;
        rest.failed(&rules, "p", FailureClass::Timeout, None, later);
        assert_eq!(rest.until(later), Some(later + MINUTE));
    }

    #[test]
    fn an_unpaid_account_rests_five_hours_doubling_to_a_day() {
        let mut rules = Cooldowns::default();
        let mut rest = Rest::default();
        let mut now = 1_000_000;
        for hours in [5, 10, 20, 24, 24] {
            assert!(rest.failed(&rules, "p", FailureClass::Billing, None, now));
            assert_eq!(rest.until(now), Some(now + hours * HOUR));
            now += HOUR;
        }
        rules.billing_by_provider.insert("q".to_owned(), Duration::from_secs(3600));
        let mut rest = Rest::default();
        rest.failed(&rules, "q", FailureClass::Billing, None, now);
        assert_eq!(rest.until(now), Some(now + HOUR));
    }

    #[test]
    fn a_provider_that_asks_for_more_gets_more() {
        let mut rest = Rest::default();
        rest.failed(&Cooldowns::default(), "p", FailureClass::RateLimit, Some(Duration::from_secs(600)), 5);
        assert_eq!(rest.until(5), Some(5 + 10 * MINUTE));
    }

    #[test]
    fn what_is_not_the_credentials_doing_leaves_it_alone() {
        for class in [
            FailureClass::Format,
            FailureClass::Overloaded,
            FailureClass::ContextOverflow,
            FailureClass::BrokenOff,
            FailureClass::NotConfigured,
            FailureClass::Other,
        ] {
            let mut rest = Rest::default();
            assert!(!rest.failed(&Cooldowns::default(), "p", class, None, 5));
            assert_eq!(rest, Rest::default());
        }
    }

    #[test]
    fn it_is_written_and_read_again() {
        let rules = Cooldowns::default();
        let mut rest = Rest::default();
        rest.failed(&rules, "p", FailureClass::Billing, None, 7);
        rest.failed(&rules, "p", FailureClass::RateLimit, None, 8);
        let mut members = Map::new();
        members.insert("other".to_owned(), true.into());
        rest.write(&mut members);
        assert_eq!(Rest::read(&Value::Object(members.clone())), rest);
        rest.worked(9);
        rest.write(&mut members);
        assert_eq!(Rest::read(&Value::Object(members.clone())), rest);
        assert_eq!(members.get("other"), Some(&Value::Bool(true)), "what is not known stays");
    }
}
