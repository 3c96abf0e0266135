//! A credential to try.

use std::time::Duration;

use oc_types::Secret;

use crate::model::FailureClass;
use crate::model::client::{Again, CallFailure, Proof};

/// A credential and where it is kept.
#[derive(Clone, Debug)]
pub(super) struct Door {
    /// The provider, in its one form.
    pub provider: String,
    /// Where it is kept.
    pub seat: Seat,
    /// It; a local server may want none.
    pub proof: Option<Proof>,
}

/// Where a credential is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seat {
    /// In the agent's profiles.
    Profile(String),
    /// In a variable.
    Variable(String),
    /// In the configuration.
    Configuration,
}

/// What can be tried.
#[derive(Debug)]
pub(super) struct Doors {
    /// Best first.
    pub doors: Vec<Door>,
    /// Credentials that must not be in a request's body.
    pub secrets: Vec<Secret>,
    /// What is said when none of them is left to try, because others rest.
    pub resting: Option<CallFailure>,
}

impl Door {
    /// Its name among those that are kept in no file of ours.
    pub fn name(&self) -> String {
        match &self.seat {
            Seat::Profile(id) => id.clone(),
            Seat::Variable(name) => format!("{}:variable {name}", self.provider),
            Seat::Configuration => format!("{}:configuration", self.provider),
        }
    }
}

/// Every credential rests.
pub(super) fn resting(until: u64, now: u64) -> CallFailure {
    let wait = Duration::from_millis(until.saturating_sub(now));
    CallFailure {
        class: FailureClass::RateLimit,
        message: format!(
            "every credential rests after failures, the first one for {} s more",
            wait.as_secs()
        ),
        retry_after: Some(wait),
        again: Again::No,
        partial: None,
    }
}
