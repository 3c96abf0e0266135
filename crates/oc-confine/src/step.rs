//! Why a sandbox could not be set up.

use std::fmt::Display;

use thiserror::Error;

/// A step of the set-up that failed. The text names the step and what to do where that is known; it may name host paths, so it goes to
/// the operator and never to a sandboxed session (SP-245).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("cannot {step}: {cause}{}", hint.map(|h| format!("; {h}")).unwrap_or_default())]
pub struct StepError {
    /// What was to be done, as the end of "cannot ...".
    pub step: String,
    /// What the system said.
    pub cause: String,
    /// What to do about it.
    pub hint: Option<&'static str>,
}

/// Names the step that a result belongs to.
pub trait Step<T> {
    /// Turns an error into a [`StepError`].
    ///
    /// # Errors
    /// When the result is one.
    fn step(self, what: impl FnOnce() -> String) -> Result<T, StepError>;
    /// The same with an advice.
    ///
    /// # Errors
    /// When the result is one.
    fn step_hint(self, what: impl FnOnce() -> String, hint: &'static str) -> Result<T, StepError>;
}

impl<T, E: Display> Step<T> for Result<T, E> {
    fn step(self, what: impl FnOnce() -> String) -> Result<T, StepError> {
        self.map_err(|e| StepError { step: what(), cause: e.to_string(), hint: None })
    }

    fn step_hint(self, what: impl FnOnce() -> String, hint: &'static str) -> Result<T, StepError> {
        self.map_err(|e| StepError { step: what(), cause: e.to_string(), hint: Some(hint) })
    }
}

/// A step that failed without an error of the system.
#[must_use]
pub fn failed(step: impl Into<String>, cause: impl Into<String>) -> StepError {
    StepError { step: step.into(), cause: cause.into(), hint: None }
}
