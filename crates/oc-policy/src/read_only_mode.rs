//! `readOnlyMode: true`: one switch for what the seed builds by hand (Security page, read-only mode).
//!
//! It stands at `agents.defaults.readOnlyMode` or in an agent's entry, where the agent's value counts. It expands to
//! `workspaceAccess: "ro"` and denies for the tools that write or run; the denies hold in and outside a sandbox.
//!
//! Invariant: it never widens. A written `workspaceAccess: "none"` stays, and nothing is added to an allow list.

use oc_types::{AgentId, Effect, KeyPath, Node, Origin, TraceStep};

use crate::sandbox::agent_entry;

/// The tools that the switch denies.
pub const DENIED: [&str; 5] = ["write", "edit", "apply_patch", "exec", "process"];

/// What the switch means where it is on.
#[derive(Clone, Debug, PartialEq)]
pub struct Expansion {
    /// The key that is true.
    pub key: KeyPath,
    /// Where it stands.
    pub origin: Origin,
    /// Whether it stands in the agent's entry (then it acts as part of the agent's tool policy, else of the global one).
    pub of_agent: bool,
}

impl Expansion {
    /// The tools it denies.
    #[must_use]
    pub fn deny(&self) -> &'static [&'static str] {
        &DENIED
    }

    /// The step that `explain` shows.
    #[must_use]
    pub fn step(&self) -> TraceStep {
        TraceStep {
            layer: if self.of_agent { "agent" } else { "global" }.to_owned(),
            rule: "readOnlyMode".to_owned(),
            key_path: Some(self.key.clone()),
            source: self.origin.clone(),
            unset: false,
            effect: Effect::Removes,
            detail: format!(
                "expands to workspaceAccess \"ro\" and deny {}",
                DENIED.map(|t| format!("\"{t}\"")).join(", ")
            ),
        }
    }
}

/// The expansion for an agent; `None` when the switch is off. Any value but `false` counts as on: a mistake must not open anything.
#[must_use]
pub fn expand(config: &Node, agent: &AgentId) -> Option<Expansion> {
    let defaults = KeyPath::dotted("agents.defaults.readOnlyMode");
    let own = agent_entry(config, agent).map(|e| e.key_path().key("readOnlyMode"));
    let (key, of_agent) = match own {
        Some(key) if config.at(&key).is_some_and(|n| !n.is_null()) => (key, true),
        _ => (defaults, false),
    };
    let node = config.at(&key).filter(|n| !n.is_null())?;
    (node.as_bool() != Some(false)).then(|| Expansion { origin: node.origin.clone(), key, of_agent })
}
