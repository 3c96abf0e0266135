//! The assistant that the gateway runs: tools that only the gateway can carry out.
//!
//! * [`tools`]: handlers of the gate for sessions and agents.

pub mod tools;
