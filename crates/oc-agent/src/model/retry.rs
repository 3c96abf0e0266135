//! How often one request is made again, and how long is waited before.

use std::time::Duration;

/// The rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Requests with one credential to one model, the first one included.
    pub attempts: u32,
    /// Wait before the second; it doubles with each.
    pub first: Duration,
    /// Longest wait of our own choice.
    pub longest: Duration,
    /// Longest wait that a provider can ask for; when it asks for more, something else is tried.
    pub patience: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 3,
            first: Duration::from_millis(500),
            longest: Duration::from_secs(30),
            patience: Duration::from_secs(60),
        }
    }
}

impl Retry {
    /// The wait after attempt `made` (from 1) failed; `None`: no further attempt. `share` is a random number from 0 to below 1.
    #[must_use]
    pub fn pause(&self, made: u32, asked: Option<Duration>, share: f64) -> Option<Duration> {
        if made >= self.attempts {
            return None;
        }
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.5 };
        match asked {
            Some(asked) if asked > self.patience => None,
            // Never earlier than asked for, and not all at the same moment.
            Some(asked) => Some(asked.saturating_add(self.first.mul_f64(share))),
            None => {
                let doubled = 2u32.saturating_pow(made.saturating_sub(1));
                let wait = self.first.saturating_mul(doubled).min(self.longest);
                Some(wait.mul_f64(0.5 + share / 2.0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_have_jitter_and_a_limit() {
        let retry = Retry { attempts: 20, ..Retry::default() };
        let ms = |made, share| retry.pause(made, None, share).unwrap().as_millis();
        assert_eq!((ms(1, 1.0), ms(2, 1.0), ms(3, 1.0)), (500, 1000, 2000));
        assert_eq!((ms(1, 0.0), ms(2, 0.0)), (250, 500));
        assert_eq!(ms(19, 1.0), 30_000);
        assert_eq!(ms(1, f64::NAN), 375);
        assert_eq!(Retry::default().pause(3, None, 0.0), None);
    }

    #[test]
    fn a_provider_is_not_asked_before_it_wants_to_be() {
        let retry = Retry::default();
        assert_eq!(retry.pause(1, Some(Duration::from_secs(7)), 0.0), Some(Duration::from_secs(7)));
        assert_eq!(retry.pause(1, Some(Duration::from_secs(7)), 0.5), Some(Duration::from_millis(7250)));
        assert_eq!(retry.pause(1, Some(Duration::from_secs(61)), 0.5), None, "something else is tried");
    }
}
