//! How long to wait before the next attempt.

use std::time::Duration;

use crate::client::{ClientError, Reason};

/// The first pause.
const FIRST: Duration = Duration::from_secs(1);
/// The longest one.
const LONGEST: Duration = Duration::from_secs(60);
/// How often a node looks whether somebody let it in: first, and later.
const KNOCK: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(15));
/// The pause after a wrong credential: the gateway counts them.
const REFUSED: Duration = Duration::from_secs(30);

/// What kind of trouble a connection ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Somebody has to let this node in.
    NotPaired,
    /// The gateway does not take what is shown to it.
    Refused,
    /// The gateway is not there, or the connection ended.
    Away,
    /// No attempt will be better.
    Hopeless,
}

impl Trouble {
    pub(super) fn of(e: &ClientError) -> Self {
        match &*e.reason {
            Reason::Target(_) | Reason::Identity(_) | Reason::WrongCertificate { .. } => Self::Hopeless,
            Reason::Refused { refusal, .. } if refusal.code == "NOT_PAIRED" => Self::NotPaired,
            // Busy or starting: a matter of time.
            Reason::Refused { refusal, .. } if refusal.code == "UNAVAILABLE" => Self::Away,
            Reason::Refused { .. } | Reason::Protocol(_) | Reason::NoWebSocket(_) => Self::Refused,
            Reason::Unreachable(_)
            | Reason::Tls(_)
            | Reason::Closed(_)
            | Reason::Broken(_)
            | Reason::Gone
            | Reason::Silent(_)
            | Reason::Timeout { .. }
            | Reason::Method { .. } => Self::Away,
        }
    }
}

/// The pauses so far.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    attempts: u32,
}

impl Pauses {
    /// A connection came about: the next pause is a short one again.
    pub(super) fn connected(&mut self) {
        self.attempts = 0;
    }

    /// The next pause.
    pub(super) fn next(&mut self, trouble: Trouble) -> Duration {
        let doubled = 2u32.saturating_pow(self.attempts.min(10));
        self.attempts = self.attempts.saturating_add(1);
        match trouble {
            Trouble::NotPaired => KNOCK.0.saturating_mul(doubled).min(KNOCK.1),
            Trouble::Refused | Trouble::Hopeless => REFUSED.saturating_mul(doubled).min(LONGEST),
            Trouble::Away => FIRST.saturating_mul(doubled).min(LONGEST),
        }
    }
}
