//! The whole way of an event, with a service, a runtime, settings and approvals in memory (fakes).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    missing_debug_implementations,
    reason = "tests"
)]

#[path = "ingress/access.rs"]
mod access;
#[path = "ingress/commands.rs"]
mod commands;
#[path = "conformance/doubles.rs"]
mod doubles;
#[path = "ingress/queues.rs"]
mod queues;
#[path = "ingress/restart.rs"]
mod restart;
#[path = "ingress/supervised.rs"]
mod supervised;
#[path = "ingress/texts.rs"]
mod texts;
