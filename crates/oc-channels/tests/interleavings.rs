//! Three of the claims of the seeds' formal verification, over the real code: pairing, ingress, session isolation. Each has twins that lack
//! one check; the exploration has to find every one of them out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "tests"
)]

#[path = "interleavings/gate.rs"]
mod gate;
#[path = "interleavings/isolation.rs"]
mod isolation;
#[path = "interleavings/pairing.rs"]
mod pairing;
