//! Model providers over real sockets: a scripted fake, and `fakellm` from PyPI.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "tests"
)]

#[path = "../../../../tests/support/scripted_provider.rs"]
mod scripted_provider;

mod answers;
mod credentials;
mod failures;
mod fakellm;
mod setting;
mod transport;
