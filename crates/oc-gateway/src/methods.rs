//! What the methods of the wire answer (gateway 6): blocking functions over plain data, one module a family.
//!
//! Each takes what it may look at, and the parameters of the request; it gives the payload, or the error of the response. Who may call
//! what is decided before ([`crate::authority`]); what is sent to whom afterwards, by the server.
//!
//! Invariant: parameters are closed objects: a member that is not known is an error.
//! Invariant: no path of this machine is shown to a caller without `operator.admin` ([`place::Paths`], SP-340).

pub mod agents;
pub mod approvals_file;
pub mod channels;
pub mod config;
pub mod cron;
pub mod health;
mod model;
pub(crate) mod params;
pub mod place;
pub mod sessions;
pub mod skills;

pub use place::{Paths, Place};

#[cfg(test)]
pub(crate) mod transcripts;
