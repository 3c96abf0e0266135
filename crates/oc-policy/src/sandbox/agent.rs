//! The agents of a configuration, as far as the sandbox asks: which entry, and which agent when a key names none.

use oc_types::{AgentId, KeyPath, Node};

/// An agent's entry in `agents.list`.
#[derive(Clone, Debug)]
pub struct AgentEntry<'c> {
    /// Position in the list, from 0.
    pub index: usize,
    /// The entry.
    pub node: &'c Node,
}

impl AgentEntry<'_> {
    /// `agents.list[<index>]`.
    #[must_use]
    pub fn key_path(&self) -> KeyPath {
        KeyPath::keys(["agents", "list"]).index(self.index)
    }
}

fn entries(config: &Node) -> impl Iterator<Item = AgentEntry<'_>> {
    let list = config.path(&["agents", "list"]).and_then(Node::as_array).unwrap_or_default();
    list.iter()
        .enumerate()
        .filter(|(_, n)| n.as_object().is_some())
        .map(|(index, node)| AgentEntry { index, node })
}

fn id_of(entry: &AgentEntry<'_>) -> Option<AgentId> {
    entry.node.get("id").and_then(Node::as_str).map(AgentId::normalized)
}

/// The entry of an agent; of several with the same id the first counts (tool-policy 3.2).
#[must_use]
pub fn agent_entry<'c>(config: &'c Node, agent: &AgentId) -> Option<AgentEntry<'c>> {
    entries(config).find(|e| id_of(e).as_ref() == Some(agent))
}

/// The agent of keys that name none: the first with `default: true`, else the first of the list, else `main`.
#[must_use]
pub fn default_agent(config: &Node) -> AgentId {
    let marked = |e: &AgentEntry<'_>| e.node.get("default").and_then(Node::as_bool) == Some(true);
    entries(config)
        .find(marked)
        .or_else(|| entries(config).next())
        .and_then(|e| id_of(&e))
        .unwrap_or_else(|| AgentId::normalized(""))
}
