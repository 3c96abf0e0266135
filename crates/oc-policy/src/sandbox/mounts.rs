//! What of the disk a sandbox sees, and who shares it (tool-policy 10.3, 10.4).

use oc_types::AgentId;
use serde::Serialize;

use super::{Scope, WorkspaceAccess};
use crate::session_key::SessionKey;

/// Where the agent's workspace appears under access `ro`.
pub const AGENT_MOUNT: &str = "/agent";

/// A bind mount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mount {
    /// Directory of the host.
    pub source: String,
    /// Directory in the container.
    pub target: String,
    /// Whether it is read-only.
    pub read_only: bool,
}

/// `source:target`, with `:ro` when read-only: the form of `-v`.
impl std::fmt::Display for Mount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}{}", self.source, self.target, if self.read_only { ":ro" } else { "" })
    }
}

/// The workspace mounts, after the configured binds. `sandbox` is the sandbox's own directory, `agent` the agent's workspace.
#[must_use]
pub fn mounts(access: WorkspaceAccess, workdir: &str, sandbox: &str, agent: &str) -> Vec<Mount> {
    let mount = |source: &str, target: &str, read_only| Mount {
        source: source.to_owned(),
        target: target.to_owned(),
        read_only,
    };
    match access {
        WorkspaceAccess::None => vec![mount(sandbox, workdir, false)],
        WorkspaceAccess::Ro if sandbox == agent => vec![mount(sandbox, workdir, true)],
        WorkspaceAccess::Ro => vec![mount(sandbox, workdir, false), mount(agent, AGENT_MOUNT, true)],
        WorkspaceAccess::Rw => vec![mount(agent, workdir, false)],
    }
}

/// The directory that tools work in.
#[must_use]
pub fn working_copy<'p>(access: WorkspaceAccess, sandbox: &'p str, agent: &'p str) -> &'p str {
    match access {
        WorkspaceAccess::None | WorkspaceAccess::Ro => sandbox,
        WorkspaceAccess::Rw => agent,
    }
}

/// Who shares a sandbox with this session: the session itself, its agent, or everybody. Sessions with equal keys share one container.
///
/// A blank key is `main`; a key that names no agent counts as agent `main` (a malformed one was refused before).
#[must_use]
pub fn scope_key(scope: Scope, session: &str) -> String {
    let session = match session.trim() {
        "" => "main",
        text => text,
    };
    match scope {
        Scope::Session => session.to_owned(),
        Scope::Agent => {
            let agent = SessionKey::parse(session).ok().and_then(|k| k.agent().cloned());
            format!("agent:{}", agent.as_ref().map_or(AgentId::MAIN, AgentId::as_str))
        }
        Scope::Shared => "shared".to_owned(),
    }
}

/// The agent of a scope key; `None` for `shared` and for a blank one.
#[must_use]
pub fn agent_of_scope_key(key: &str) -> Option<AgentId> {
    let key = key.trim();
    if key.is_empty() || key == "shared" {
        return None;
    }
    let mut parts = key.split(':').filter(|p| !p.is_empty());
    let named = if parts.next() == Some("agent") { parts.next() } else { None };
    Some(AgentId::normalized(named.unwrap_or(AgentId::MAIN)))
}
