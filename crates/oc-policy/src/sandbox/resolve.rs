//! The sandbox settings of an agent in force (tool-policy 10.1).

use oc_types::{AgentId, Node};
use serde_json::{Value as Json, json};

use super::group::Group;
use super::key::Places;
use super::setting::{Field, Setting};
use super::tool_lists::tool_lists;
use super::{Backend, Browser, Docker, Mode, Prune, SandboxError, Scope, ToolLists, WorkspaceAccess};
use crate::read_only_mode;

/// Where things lie on this machine; given, because this crate reads no environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The user's home directory.
    pub home: String,
    /// The state directory.
    pub state_dir: String,
}

impl Place {
    /// Replaces a leading `~` by the home directory.
    #[must_use]
    pub fn expand(&self, path: &str) -> String {
        let path = path.trim();
        match path.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{}{rest}", self.home),
            _ => path.to_owned(),
        }
    }
}

/// The sandbox settings of an agent in force, each with the key it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// Which sessions are sandboxed.
    pub mode: Setting<Mode>,
    /// Who shares a sandbox.
    pub scope: Setting<Scope>,
    /// What a sandbox sees of the agent's workspace, `readOnlyMode` taken into account.
    pub workspace_access: Setting<WorkspaceAccess>,
    /// What the sandbox is made of.
    pub backend: Setting<Backend>,
    /// Directory of the sandbox workspaces, `~` expanded.
    pub workspace_root: Setting<String>,
    /// The container.
    pub docker: Docker,
    /// The sandbox browser.
    pub browser: Browser,
    /// The tool lists.
    pub tools: ToolLists,
    /// Removal of idle and old containers.
    pub prune: Prune,
}

/// Resolves the sandbox settings of an agent: the agent's value, else that of `agents.defaults`, else the default. Under scope
/// `shared` the agent's docker, browser and prune objects do not count; binds add up; environment and ulimits merge by name.
///
/// # Errors
/// [`SandboxError`]: an unknown word or a value of the wrong type.
pub fn resolve(config: &Node, agent: &AgentId, place: &Place) -> Result<Resolved, SandboxError> {
    let places = Places::new(config, agent);
    let mode = match places.either(&["sandbox", "mode"]) {
        Some(f) => setting(Mode::read(f.node, &f.key)?, f),
        None => Setting::default_of(Mode::Off),
    };
    let scope = resolve_scope(&places)?;
    let shared = scope.value == Scope::Shared;
    let group = |name| Group { places: &places, name, shared };
    Ok(Resolved {
        mode,
        workspace_access: resolve_access(&places, config, agent)?,
        backend: match places.either(&["sandbox", "backend"]) {
            Some(f) => setting(Backend::read(f.node, &f.key)?, f),
            None => Setting::default_of(Backend::Auto),
        },
        workspace_root: match places.either(&["sandbox", "workspaceRoot"]) {
            Some(f) => String::read(&f)?.map(|p| place.expand(&p)),
            None => Setting::default_of(format!("{}/sandboxes", place.state_dir)),
        },
        docker: Docker::read(&group("docker"))?,
        browser: Browser::read(&group("browser"))?,
        tools: tool_lists(config, agent),
        prune: Prune::read(&group("prune"))?,
        scope,
    })
}

/// What this agent's sandbox sees of its workspace, `readOnlyMode` taken into account.
///
/// # Errors
/// [`SandboxError`]: an unknown word.
pub fn workspace_access(config: &Node, agent: &AgentId) -> Result<Setting<WorkspaceAccess>, SandboxError> {
    resolve_access(&Places::new(config, agent), config, agent)
}

fn setting<T>(value: T, found: super::key::Found<'_>) -> Setting<T> {
    Setting { value, origin: found.node.origin.clone(), key: Some(found.key) }
}

fn resolve_scope(places: &Places<'_>) -> Result<Setting<Scope>, SandboxError> {
    if let Some(f) = places.either(&["sandbox", "scope"]) {
        return Ok(setting(Scope::read(f.node, &f.key)?, f));
    }
    Ok(match places.either(&["sandbox", "perSession"]) {
        Some(f) => bool::read(&f)?.map(|own| if own { Scope::Session } else { Scope::Shared }),
        None => Setting::default_of(Scope::Agent),
    })
}

fn resolve_access(
    places: &Places<'_>,
    config: &Node,
    agent: &AgentId,
) -> Result<Setting<WorkspaceAccess>, SandboxError> {
    let set = match places.either(&["sandbox", "workspaceAccess"]) {
        Some(f) => Some(setting(WorkspaceAccess::read(f.node, &f.key)?, f)),
        None => None,
    };
    Ok(match (read_only_mode::expand(config, agent), set) {
        (None, Some(s)) => s,
        (None, None) => Setting::default_of(WorkspaceAccess::None),
        // Written by the operator and tighter than read-only: it stays (the switch never widens).
        (Some(_), Some(s)) if s.value == WorkspaceAccess::None => s,
        (Some(x), _) => Setting { value: WorkspaceAccess::Ro, key: Some(x.key), origin: x.origin },
    })
}

impl Resolved {
    /// The settings as plain JSON under their configuration names; what is unset is absent.
    #[must_use]
    pub fn to_json(&self) -> Json {
        json!({
            "mode": self.mode.value,
            "scope": self.scope.value,
            "workspaceAccess": self.workspace_access.value,
            "workspaceRoot": self.workspace_root.value,
            "docker": self.docker.to_json(),
            "browser": self.browser.to_json(),
            "tools": { "allow": self.tools.allow, "deny": self.tools.deny },
            "prune": self.prune.to_json(),
        })
    }
}
