//! One planned sandbox with its name, directories, mounts and hashes.

use oc_policy::sandbox::{Mount, SandboxPlan, WorkspaceAccess, mounts, working_copy};
use serde::Serialize;

use crate::config_hash::{digest_of, legacy_hash, subject};
use crate::naming::{NameError, container_name, workspace_dir};

/// Everything about a session's container that its configuration and key determine.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Context {
    /// The directory that tools work in, on the host.
    pub workspace_dir: String,
    /// The agent's workspace.
    pub agent_workspace_dir: String,
    /// What the sandbox sees of it.
    pub workspace_access: WorkspaceAccess,
    /// The container's name.
    pub container_name: String,
    /// The working directory inside.
    pub container_workdir: String,
    /// Whether the host's browser may be driven.
    pub browser_allow_host_control: bool,
    /// The workspace mounts.
    #[serde(skip)]
    pub mounts: Vec<Mount>,
    /// Who shares the container.
    #[serde(skip)]
    pub scope_key: String,
    /// Upstream's configuration hash: a label, decides nothing.
    #[serde(skip)]
    pub legacy_hash: String,
    /// The digest that decides about reuse.
    #[serde(skip)]
    pub digest: String,
}

/// Works out a planned sandbox. `agent_workspace` is the agent's workspace directory; `owner` tells which scope key has a container
/// name according to the registry.
///
/// # Errors
/// [`NameError`] when the container cannot have a name of its own.
pub fn context(
    plan: &SandboxPlan,
    agent_workspace: &str,
    owner: impl Fn(&str) -> Option<String>,
) -> Result<Context, NameError> {
    let s = &plan.settings;
    let (scope, access) = (s.scope.value, s.workspace_access.value);
    let sandbox_dir = workspace_dir(&s.workspace_root.value, scope, &plan.scope_key);
    let workdir = working_copy(access, &sandbox_dir, agent_workspace).to_owned();
    let hashed = subject(&s.docker.to_json(), access.word(), &workdir, agent_workspace);
    Ok(Context {
        container_name: container_name(&s.docker.container_prefix.value, scope, &plan.scope_key, owner)?,
        mounts: mounts(access, &s.docker.workdir.value, &sandbox_dir, agent_workspace),
        workspace_dir: workdir,
        agent_workspace_dir: agent_workspace.to_owned(),
        workspace_access: access,
        container_workdir: s.docker.workdir.value.clone(),
        browser_allow_host_control: s.browser.allow_host_control.value,
        scope_key: plan.scope_key.clone(),
        legacy_hash: legacy_hash(&hashed),
        digest: digest_of(&hashed),
    })
}
