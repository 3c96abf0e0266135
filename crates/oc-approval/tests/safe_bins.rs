//! Traps and everyday lines of every profile, judged by themselves (SP-143, SP-160..166).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests"
)]

#[path = "safe_bins/configured.rs"]
mod configured;
#[path = "safe_bins/line.rs"]
mod line;
#[path = "safe_bins/real_programs.rs"]
mod real_programs;
#[path = "safe_bins/tables.rs"]
mod tables;
