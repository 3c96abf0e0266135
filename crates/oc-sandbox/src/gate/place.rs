//! The place of a call: its executor, how paths are meant there, and what of the host's paths it may show.

use std::path::PathBuf;
use std::sync::Arc;

use oc_policy::sandbox::SandboxPlan;

use super::call::ToolCall;
use super::mask::Aliases;
use super::refused::{Refused, Stage};
use super::snapshot::Snapshot;
use super::{Gate, HostSession, SandboxSession, choose};
use crate::executor::{Executor, Place};
use crate::naming::workspace_dir;
use crate::tools::View;
use crate::tools::path::Reach;

/// A place that a call can act in.
#[derive(Debug)]
pub(super) struct Ready {
    pub place: Place,
    pub executor: Arc<dyn Executor>,
    pub view: View,
    pub notes: Vec<String>,
    pub aliases: Aliases,
}

impl Gate {
    pub(super) async fn sandbox_place(
        &self,
        plan: &SandboxPlan,
        workspace: String,
        snapshot: &Snapshot,
    ) -> Result<Ready, Refused> {
        let s = &plan.settings;
        let own = workspace_dir(&s.workspace_root.value, s.scope.value, &plan.scope_key);
        let working = oc_policy::sandbox::working_copy(s.workspace_access.value, &own, &workspace).to_owned();
        let aliases = Aliases::of(plan, &working, &workspace, &snapshot.places().state_dir);
        oc_fs::mode::create_directories(&PathBuf::from(&workspace)).map_err(|e| {
            let why = format!("the agent's workspace cannot be made: {e}");
            Refused::built_in(Stage::Place, "sandbox", "workspace", aliases.apply(&why))
        })?;
        let session = SandboxSession { plan: plan.clone(), agent_workspace: workspace };
        let chosen = choose(self.executors.as_ref(), &session).await.map_err(|e| {
            let why = format!("this session is sandboxed and has no sandbox, so nothing was run: {e}");
            let refused = match &s.backend.key {
                Some(key) => Refused::by_key(
                    Stage::Place,
                    "sandbox",
                    "unavailable",
                    snapshot.config(),
                    key.clone(),
                    why,
                ),
                None => Refused::built_in(Stage::Place, "sandbox", "unavailable", why),
            };
            refused.reworded(|sentence| aliases.apply(sentence))
        })?;
        Ok(Ready {
            place: chosen.executor.place(),
            executor: chosen.executor,
            view: View::Sandbox { workdir: s.docker.workdir.value.clone() },
            notes: chosen.note.map(|n| aliases.apply(&n)).into_iter().collect(),
            aliases,
        })
    }

    pub(super) async fn host_place(
        &self,
        snapshot: &Snapshot,
        call: &ToolCall,
        workspace: String,
        sandboxed: bool,
    ) -> Result<Ready, Refused> {
        let unavailable = |why: String| Refused::built_in(Stage::Place, "host", "unavailable", why);
        oc_fs::mode::create_directories(&PathBuf::from(&workspace))
            .map_err(|e| unavailable(format!("the workspace {workspace} cannot be made: {e}")))?;
        let executor = self
            .executors
            .host(&HostSession { workspace: workspace.clone() })
            .await
            .map_err(|e| unavailable(e.to_string()))?;
        let only = |path: &[&str]| snapshot.config().path(path).is_some_and(|n| n.as_bool() != Some(false));
        let narrow = only(&["tools", "fs", "workspaceOnly"])
            || (oc_policy::tool_name::canonical(&call.tool) == "apply_patch"
                && only(&["tools", "exec", "applyPatch", "workspaceOnly"]));
        let notes =
            if sandboxed { vec!["outside of the sandbox, on the host".to_owned()] } else { Vec::new() };
        Ok(Ready {
            place: Place::Host,
            executor,
            view: View::Host {
                workspace: PathBuf::from(workspace),
                home: PathBuf::from(&snapshot.places().home),
                reach: if narrow { Reach::WorkspaceOnly } else { Reach::WholeHost },
                state: PathBuf::from(&snapshot.places().state_dir),
            },
            notes,
            aliases: Aliases::default(),
        })
    }
}
