//! The proof that a call went through the gate.

use crate::executor::Place;

/// A call that policy and approval let through, for one place. It cannot be made, copied or changed outside the gate.
#[derive(Debug)]
pub struct AuthorizedCall {
    id: String,
    place: Place,
}

impl AuthorizedCall {
    /// Only the gate calls this, after the decision was recorded.
    #[cfg_attr(not(test), expect(dead_code, reason = "the gate's first caller comes with the tools"))]
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
}
