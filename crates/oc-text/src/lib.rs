//! Text that people and patterns meet: redaction, terminal-safe text, nearest words, differences.
//!
//! Question it answers: *what may be shown of this text, and how?*
//!
//! * [`redact`]: masks credentials by their shape and their surroundings (SP-014).
//! * [`mod@visible`]: control, bidirectional and zero-width characters made visible, length capped (SP-015).
//! * [`distance`]: the nearest of a list of words, for "did you mean".
//! * [`address`]: hosts and addresses in one form, and whether a destination is public (SP-009, SP-010).
//! * [`external`]: text from outside in an envelope that it cannot close (SP-416).
//! * [`untrusted`]: what comes with a message - names, quotes, history, words of other sessions - in the same envelope (SP-416, SP-421).
//! * [`diff`]: unified differences whose lines are shown in a redacted form.
//!
//! It never logs, prints or reads anything; every function is a function of its arguments.
//!
//! Invariant: redacting twice gives the same text as redacting once.
//! Invariant: every pattern runs on a linear-time engine with a size limit (SP-017).
//! Golden data: `fixtures/text`.

pub mod address;
pub mod diff;
pub mod distance;
pub mod external;
pub mod redact;
pub mod untrusted;
pub mod visible;

pub use redact::Redactor;
pub use visible::{visible, visible_lines};
