//! The channel side of access: what waits to be let in, and who was.
//!
//! Question it answers: *what does a pairing request, an approval or an expiry change?*
//!
//! * [`adapter`]: what an adapter of a chat service is.
//! * [`pairing`]: pending requests and the approved list of a channel account, as state machines over plain data; time and randomness
//!   are arguments, the disk belongs to the caller.
//!
//! It never decides who is admitted (that is `oc-policy`) and never talks to models.
//!
//! Invariant: at most [`pairing::MAX_PENDING`] requests are pending after every operation.
//! Invariant: a stored `*` never opens a channel.
//! Golden data: `fixtures/channels`.

pub mod adapter;
pub mod pairing;
