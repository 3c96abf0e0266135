//! Reading one sandbox key at its two places: the agent's entry, else `agents.defaults`.

use oc_types::{Effect, KeyPath, Node, Origin, TraceStep};

use super::agent::{AgentEntry, agent_entry};
use oc_types::AgentId;

/// The two places of a sandbox setting.
#[derive(Clone, Debug)]
pub(super) struct Places<'c> {
    pub config: &'c Node,
    pub entry: Option<AgentEntry<'c>>,
}

/// A value that is set, with its address.
#[derive(Clone, Debug)]
pub(super) struct Found<'c> {
    pub node: &'c Node,
    pub key: KeyPath,
}

impl<'c> Places<'c> {
    pub fn new(config: &'c Node, agent: &AgentId) -> Self {
        Self { config, entry: agent_entry(config, agent) }
    }

    /// The value at `path` below the agent's entry.
    pub fn agent(&self, path: &[&str]) -> Option<Found<'c>> {
        let entry = self.entry.as_ref()?;
        let key = path.iter().fold(entry.key_path(), |p, k| p.key(*k));
        Some(Found { node: entry.node.path(path).filter(|n| !n.is_null())?, key })
    }

    /// The value at `path` below `agents.defaults`.
    pub fn defaults(&self, path: &[&str]) -> Option<Found<'c>> {
        let key = path.iter().fold(KeyPath::keys(["agents", "defaults"]), |p, k| p.key(*k));
        let node = self.config.path(&["agents", "defaults"])?.path(path).filter(|n| !n.is_null())?;
        Some(Found { node, key })
    }

    /// The value at `path` below the root.
    pub fn root(&self, path: &[&str]) -> Option<Found<'c>> {
        let node = self.config.path(path).filter(|n| !n.is_null())?;
        Some(Found { node, key: KeyPath::keys(path.iter().copied()) })
    }

    /// The agent's value, else the default's.
    pub fn either(&self, path: &[&str]) -> Option<Found<'c>> {
        self.agent(path).or_else(|| self.defaults(path))
    }
}

/// A step about a key: where it stands, or the nearest enclosing key when it is unset.
pub(super) fn step(
    config: &Node,
    (layer, rule): (&str, &str),
    key: &KeyPath,
    effect: Effect,
    detail: String,
) -> TraceStep {
    let (node, _, there) = config.nearest(key);
    TraceStep {
        layer: layer.to_owned(),
        rule: rule.to_owned(),
        key_path: Some(key.clone()),
        source: node.origin.clone(),
        unset: !there,
        effect,
        detail,
    }
}

/// A step about a rule of the program.
pub(super) fn builtin((layer, rule): (&str, &str), effect: Effect, detail: String) -> TraceStep {
    TraceStep {
        layer: layer.to_owned(),
        rule: rule.to_owned(),
        key_path: None,
        source: Origin::Builtin,
        unset: false,
        effect,
        detail,
    }
}
