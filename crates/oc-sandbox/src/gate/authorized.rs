//! The proof that a call went through the gate.

use crate::executor::{ExecutorError, Place};

/// A call that policy and approval let through, for one place. It cannot be made, copied or changed outside the gate.
///
/// ```compile_fail
/// use oc_sandbox::{executor::Place, gate::AuthorizedCall};
/// let forged = AuthorizedCall { id: String::new(), place: Place::Host };
/// ```
///
/// ```compile_fail
/// use oc_sandbox::{executor::Place, gate::AuthorizedCall};
/// let forged = AuthorizedCall::new(String::new(), Place::Host);
/// ```
///
/// ```compile_fail
/// fn twice(call: &oc_sandbox::gate::AuthorizedCall) -> oc_sandbox::gate::AuthorizedCall { call.clone() }
/// ```
#[derive(Debug)]
pub struct AuthorizedCall {
    id: String,
    place: Place,
}

impl AuthorizedCall {
    /// Only the gate calls this, after the decision was recorded.
    pub(in crate::gate) fn new(id: String, place: Place) -> Self {
        Self { id, place }
    }

    /// A call for the tests of the executors.
    #[cfg(test)]
    pub(crate) fn for_tests(place: Place) -> Self {
        Self::new("test".to_owned(), place)
    }

    /// The call's id in the ledger.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where it was decided to act.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// What every executor asks first: a call that was decided for another place does not act here (SP-239).
    ///
    /// # Errors
    /// [`ExecutorError::Unavailable`] of that place.
    pub fn is_for(&self, place: Place) -> Result<(), ExecutorError> {
        if self.place == place {
            return Ok(());
        }
        let cause = format!("call {} was allowed for the {}", self.id, self.place);
        Err(ExecutorError::Unavailable { place, cause })
    }
}
