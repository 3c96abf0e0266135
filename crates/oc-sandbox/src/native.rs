//! The executor that needs no container engine: one resident native sandbox for each scope key.
//!
//! Question it answers: *how does a call run in this session's sandbox on a machine without an engine?*
//!
//! * [`description`]: what the sandbox is made of, read from the same hardened container settings as a container.
//! * [`NativeSandboxes`], [`NativeExecutor`]: the sandboxes of this process, and the executor of one session.
//!
//! The set-up itself is `oc-confine`'s, in a process of its own. A sandbox belongs to the process that started it and ends with it, so
//! two gateways never share one, and nothing is left to clean up on the disk.
//!
//! Invariant: what cannot be set up is [`ExecutorError::Unavailable`]; nothing runs with less (SP-239).
//! Invariant: a sandbox whose settings changed gets no further call; the next one gets a new sandbox (SP-235).
//!
//! [`ExecutorError::Unavailable`]: crate::executor::ExecutorError::Unavailable

pub mod description;
mod executor;
mod sandboxes;
mod start;
mod trial;

pub use executor::NativeExecutor;
pub use sandboxes::NativeSandboxes;
pub use trial::{Trial, trial};
