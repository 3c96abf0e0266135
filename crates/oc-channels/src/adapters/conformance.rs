//! The suite that every adapter passes, for those whose readers are private: its subjects stand in the tests of the adapters.

#[path = "../../tests/conformance/doubles.rs"]
mod doubles;
#[expect(dead_code, reason = "no service here makes its second delivery of an event differ from the first")]
#[path = "../../tests/conformance/suite.rs"]
pub(super) mod suite;
