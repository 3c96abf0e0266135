//! The lists of approved senders: where they stand and whom they hold.

use oc_types::{AgentId, KeyPath, Node};

use super::sender::{IdentityKind, Sender, entry_matches};
use crate::sandbox::agent_entry;

/// A list of approved senders for one message provider.
#[derive(Clone, Debug)]
pub struct List<'c> {
    /// The list, when there is one.
    pub node: Option<&'c Node>,
    /// The key of `allowFrom.<provider>`, whether set or not.
    pub key_path: KeyPath,
    /// The same as `sandbox explain` prints it, list positions left out.
    pub key: String,
    /// The inbound list that stands in for it (Discord only): its `*` grants nothing here (SP-408).
    pub fallback: Option<(KeyPath, &'c Node)>,
}

/// The entry that approved a sender.
#[derive(Clone, Debug, PartialEq)]
pub struct ListMatch {
    /// The entry as written.
    pub entry: String,
    /// Its key.
    pub key_path: KeyPath,
    /// What of the sender it named.
    pub kind: IdentityKind,
}

/// The list of all agents. Discord's own direct-message list stands in for a missing one.
#[must_use]
pub fn global_list<'c>(config: &'c Node, provider: &str) -> List<'c> {
    let key_path = KeyPath::dotted("tools.elevated.allowFrom").key(provider);
    let node = config.at(&key_path).filter(|n| n.as_array().is_some());
    let dm = KeyPath::dotted("channels.discord.dm.allowFrom");
    let fallback = (node.is_none() && provider == "discord")
        .then(|| config.at(&dm).filter(|n| n.as_array().is_some()).map(|n| (dm.clone(), n)))
        .flatten();
    List { node, key: format!("tools.elevated.allowFrom.{provider}"), key_path, fallback }
}

/// The agent's own list; `None` when the agent has no `tools.elevated.allowFrom` at all and so does not narrow.
#[must_use]
pub fn agent_list<'c>(config: &'c Node, agent: &AgentId, provider: &str) -> Option<List<'c>> {
    let entry = agent_entry(config, agent)?;
    let map = entry.node.path(&["tools", "elevated", "allowFrom"]).filter(|n| !n.is_null())?;
    let key_path = entry.key_path().key("tools").key("elevated").key("allowFrom").key(provider);
    Some(List {
        node: map.get(provider).filter(|n| n.as_array().is_some()),
        key: format!("agents.list[].tools.elevated.allowFrom.{provider}"),
        key_path,
        fallback: None,
    })
}

impl List<'_> {
    /// The entries: texts and numbers, trimmed, blanks left out. The stand-in list is not among them.
    #[must_use]
    pub fn entries(&self) -> Vec<String> {
        let all = self.node.and_then(Node::entries).unwrap_or_default();
        all.iter().map(|e| e.trim().to_owned()).filter(|e| !e.is_empty()).collect()
    }

    /// The first entry that means this sender.
    #[must_use]
    pub fn find(&self, sender: &Sender<'_>) -> Option<ListMatch> {
        let (node, key_path) = match (self.node, &self.fallback) {
            (Some(n), _) => (n, &self.key_path),
            (None, Some((key, n))) => (*n, key),
            (None, None) => return None,
        };
        node.as_array()?.iter().enumerate().find_map(|(i, n)| {
            let entry = n.as_entry()?;
            let kind = entry_matches(&entry, sender)?;
            let inbound_wildcard = self.node.is_none() && kind == IdentityKind::Anybody;
            (!inbound_wildcard).then(|| ListMatch { entry, key_path: key_path.index(i), kind })
        })
    }
}
