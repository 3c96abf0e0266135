//! What one decision is made from: one immutable reading of the configuration (design 9).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use oc_policy::inventory::Inventory;
use oc_policy::sandbox::{self, Place as Places, Plan, SandboxError, agent_workspace};
use oc_policy::tool_policy::CompiledPolicy;
use oc_text::Redactor;
use oc_types::{AgentId, Node};
use ring::digest;

/// Most sessions whose plan is kept.
const PLANS: usize = 256;

/// One reading of the configuration. A call sees one snapshot from its first rule to its last (SP-177: a queued call takes a new one).
#[derive(Debug)]
pub struct Snapshot {
    config: Node,
    policy: CompiledPolicy,
    places: Places,
    digest: String,
    redactor: Redactor,
    profile: Option<String>,
    plans: Mutex<HashMap<String, Arc<Plan>>>,
}

impl Snapshot {
    /// Compiles a configuration. `texts`: name and content of every file that was read, for the digest that the ledger records.
    #[must_use]
    pub fn new<'t>(
        config: Node,
        inventory: Inventory,
        places: Places,
        texts: impl IntoIterator<Item = (&'t str, &'t str)>,
    ) -> Self {
        let (policy, _) = CompiledPolicy::compile_with(&config, inventory);
        let mut context = digest::Context::new(&digest::SHA256);
        for (name, text) in texts {
            for part in [name, text] {
                context.update(&(part.len() as u64).to_be_bytes());
                context.update(part.as_bytes());
            }
        }
        let digest = context.finish().as_ref().iter().map(|b| format!("{b:02x}")).collect();
        let patterns =
            config.path(&["logging", "redactPatterns"]).and_then(Node::entries).unwrap_or_default();
        let (redactor, _) = Redactor::custom(&patterns);
        Self { config, policy, places, digest, redactor, profile: None, plans: Mutex::default() }
    }

    /// With the name of the profile in use (`OPENCLAW_PROFILE`): it names the workspace of the default agent.
    #[must_use]
    pub fn with_profile(self, profile: Option<String>) -> Self {
        Self { profile, ..self }
    }

    /// The workspace of an agent on the host.
    #[must_use]
    pub fn workspace(&self, agent: &AgentId) -> String {
        agent_workspace(&self.config, agent, &self.places, self.profile.as_deref())
    }

    /// Where the tools of a session run ([`sandbox::plan`]), found once: it follows from the session and this reading alone.
    ///
    /// # Errors
    /// See [`SandboxError`].
    pub fn plan(&self, session: &str) -> Result<Arc<Plan>, SandboxError> {
        let plans = || self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = plans().get(session) {
            return Ok(Arc::clone(plan));
        }
        let plan = Arc::new(sandbox::plan(&self.config, Some(session), &self.places)?);
        let mut plans = plans();
        if plans.len() >= PLANS {
            plans.clear();
        }
        plans.insert(session.to_owned(), Arc::clone(&plan));
        Ok(plan)
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Node {
        &self.config
    }

    /// Its tool policy.
    #[must_use]
    pub fn policy(&self) -> &CompiledPolicy {
        &self.policy
    }

    /// Where things lie on this machine.
    #[must_use]
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// SHA-256 of what was read: the `configGen` of the ledger.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The patterns that mask credentials.
    #[must_use]
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }
}
