//! The one module that knows the protocol's library. It translates, and decides nothing.

mod client;
mod convert;
pub mod http;
mod metered;
mod offered;
pub mod stdio;

pub use client::{Connection, Failure};
