//! Where a session's tools run: on the host or in a sandbox, and in what kind of sandbox (tool-policy 6, 10).
//!
//! Pure: the configuration comes in as a [`oc_types::Node`], paths come in as [`Place`], and every answer carries the rules that
//! led to it. Nothing here starts a container; `oc-sandbox` turns a [`Plan`] into container arguments.
//!
//! Invariant: a word that is no mode, scope or access is an error, never a looser default (SP-119).
//! Invariant: a malformed `agent:` key is refused, never judged as another agent's session (SP-120).

mod agent;
mod error;
mod expand;
mod is_sandboxed;
mod key;
mod tool_lists;
mod word;

pub use agent::{AgentEntry, agent_entry, default_agent};
pub use error::SandboxError;
pub use is_sandboxed::{Runs, Sandboxing, is_sandboxed, is_sandboxed_for};
pub use tool_lists::{DEFAULT_ALLOW, DEFAULT_DENY, ListSource, SourceLevel, ToolLists, tool_lists};
pub use word::{Mode, Scope, WorkspaceAccess};

#[cfg(test)]
mod tests;
