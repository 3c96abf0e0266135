//! The container executor: a real engine, spoken to through its API.
//!
//! Question it answers: *how does a call run in this session's container, and how does that container come, change and go?*
//!
//! * [`EngineAddress`], [`Engine`]: where the engine is and what is asked of it.
//! * [`spec`]: the create call's body, read from the hardened argument vector, so that the two cannot drift apart.
//! * [`Sandbox`], [`Containers`], [`ContainerExecutor`]: one session's sandbox, the containers of an installation, and the executor.
//!
//! Invariant: what the engine reports decides, not the registry (SP-235, SP-237).
//! Invariant: a container without our labels is never removed, started or used (SP-249).

mod address;
mod archive;
mod busy;
mod clean;
mod containers;
mod engine;
mod ensure;
mod error;
mod exec;
mod executor;
mod found;
mod image;
mod link;
mod resident;
mod sandbox;
pub mod spec;
mod traffic;
pub(crate) mod workspace;

pub use address::{DEFAULT_SOCKET, EngineAddress, Reach};
pub use clean::Cleaned;
pub use containers::{ContainerError, Containers};
pub use engine::Engine;
pub use error::EngineError;
pub use executor::ContainerExecutor;
pub use found::{
    Found, LABEL_BASELINE, LABEL_BROWSER, LABEL_CREATED, LABEL_DIGEST, LABEL_HASH, LABEL_OURS, LABEL_OWNER,
    LABEL_SCOPE,
};
pub use image::{TINY_IMAGE, TINY_SETTINGS, tiny_root};
pub use sandbox::Sandbox;
pub use workspace::{Owner, WorkspaceError};

#[cfg(test)]
mod live;
