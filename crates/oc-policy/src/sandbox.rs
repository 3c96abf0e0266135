//! Where a session's tools run: on the host or in a sandbox, and in what kind of sandbox (tool-policy 6, 10).
//!
//! Pure: the configuration comes in as a [`oc_types::Node`], paths come in as [`Place`], and every answer carries the rules that
//! led to it. Nothing here starts a container; `oc-sandbox` turns a [`Plan`] into container arguments.
//!
//! Invariant: a word that is no mode, scope or access is an error, never a looser default (SP-119).
//! Invariant: a malformed `agent:` key is refused, never judged as another agent's session (SP-120).

mod agent;
mod browser;
mod closed;
mod docker;
mod error;
mod expand;
mod explain;
mod flips;
mod group;
mod is_sandboxed;
mod key;
mod mounts;
mod plan;
mod report;
mod resolve;
mod setting;
mod tool_lists;
mod word;
mod workspace;

pub use agent::{AgentEntry, agent_entry, default_agent};
pub use browser::{Browser, Prune};
pub use closed::{Door, DoorState, HostDoor, SessionVisibility, doors, session_visibility};
pub use docker::{Docker, Lifted};
pub use error::SandboxError;
pub use explain::explain;
pub use is_sandboxed::{Runs, Sandboxing, is_sandboxed, is_sandboxed_for};
pub use mounts::{AGENT_MOUNT, Mount, agent_of_scope_key, mounts, scope_key, working_copy};
pub use plan::{Plan, SandboxPlan, plan};
pub use report::{Report, Subject, report, stored_channel};
pub use resolve::{Place, Resolved, resolve, workspace_access};
pub use setting::{Amount, Setting, Ulimit};
pub use tool_lists::{DEFAULT_ALLOW, DEFAULT_DENY, ListSource, SourceLevel, ToolLists, tool_lists};
pub use word::{Backend, Mode, Scope, WorkspaceAccess};
pub use workspace::agent_workspace;

#[cfg(test)]
mod tests;
