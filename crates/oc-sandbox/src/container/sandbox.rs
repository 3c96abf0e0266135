//! One session's sandbox as the container executor needs it: plan, names and places together.

use oc_policy::sandbox::{Place, Prune, SandboxPlan};

use crate::context::{Context, context};
use crate::docker_args::SANDBOX_PATH;
use crate::lifecycle::Wanted;
use crate::naming::NameError;

/// A planned sandbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Sandbox {
    /// What the configuration says.
    pub plan: SandboxPlan,
    /// Directories, mounts, name and digests.
    pub context: Context,
    /// Where things lie on this machine.
    pub place: Place,
}

impl Sandbox {
    /// Puts it together. `agent_workspace` is the agent's workspace directory; `owner` tells which scope key has a container name.
    ///
    /// # Errors
    /// [`NameError`]: the container cannot have a name of its own.
    pub fn new(
        plan: SandboxPlan,
        agent_workspace: &str,
        place: Place,
        owner: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, NameError> {
        let context = context(&plan, agent_workspace, owner)?;
        Ok(Self { plan, context, place })
    }

    /// What decides about reuse.
    pub(super) fn wanted(&self) -> Wanted {
        Wanted {
            container_name: self.context.container_name.clone(),
            scope_key: self.context.scope_key.clone(),
            image: self.plan.settings.docker.image.value.clone(),
            legacy_hash: self.context.legacy_hash.clone(),
            digest: self.context.digest.clone(),
        }
    }

    /// When idle or old containers go.
    pub(crate) fn prune(&self) -> &Prune {
        &self.plan.settings.prune
    }

    /// The environment of a command: a fixed `PATH`, `HOME`, the configured variables, then the call's own; the last of a name counts.
    /// Nothing of the host's environment is in it (SP-244).
    #[must_use]
    pub fn environment(&self, call: &[(String, String)]) -> Vec<(String, String)> {
        let fixed = [("PATH", SANDBOX_PATH), ("HOME", self.context.container_workdir.as_str())];
        let fixed = fixed.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned()));
        let configured = self.plan.settings.docker.env.iter().map(|(n, s)| (n.clone(), s.value.clone()));
        let mut out: Vec<(String, String)> = Vec::new();
        for (name, value) in fixed.chain(configured).chain(call.iter().cloned()) {
            out.retain(|(n, _)| *n != name);
            out.push((name, value));
        }
        out
    }
}
