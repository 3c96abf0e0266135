//! Configuration and approvals file, as the analysis takes them, with the place of every entry.

use oc_policy::exec_route::exec_key;
use oc_types::{AgentId, KeyPath, Node, Origin};

use crate::allowlist::Rule;
use crate::analysis::Rules;
use crate::approvals_file::{self, ApprovalsFile};
use crate::configured;
use crate::decision::File;

/// The approvals file of the host.
#[derive(Clone, Debug)]
pub enum Approvals {
    /// There is none.
    Absent,
    /// It cannot be used. The cause.
    Unreadable(String),
    /// What it says.
    Present {
        /// Its settings.
        file: ApprovalsFile,
        /// The same with the place of every entry, as [`Origin::Store`]s.
        tree: Node,
    },
}

/// An entry of an allow list.
pub(super) struct Entry {
    pub(super) agent: String,
    pub(super) key: KeyPath,
    /// Its pattern's.
    pub(super) origin: Origin,
    pub(super) rule: Rule,
}

impl Approvals {
    pub(super) fn file(&self, agent: &AgentId) -> File {
        match self {
            Self::Absent => File::Absent,
            Self::Unreadable(why) => File::Unreadable(why.clone()),
            Self::Present { file, .. } => File::Present(file.posture(agent.as_str())),
        }
    }

    /// Every entry of every agent.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let Self::Present { tree, .. } = self else { return Vec::new() };
        let mut out = Vec::new();
        for (agent, node) in tree.get("agents").and_then(Node::as_object).into_iter().flatten() {
            let list = node.get("allowlist").and_then(Node::as_array).unwrap_or_default();
            for (i, item) in list.iter().enumerate() {
                let Some(rule) = approvals_file::entry(&item.to_json()) else { continue };
                out.push(Entry {
                    agent: agent.clone(),
                    key: KeyPath::keys(["agents", agent.as_str(), "allowlist"]).index(i),
                    origin: item.get("pattern").unwrap_or(item).origin.clone(),
                    rule,
                });
            }
        }
        out
    }
}

/// Whether the entries of one agent's list count for another agent.
pub(super) fn counts_for(entry: &Entry, agent: &AgentId) -> bool {
    entry.agent == "*"
        || entry.agent == agent.as_str()
        || (entry.agent == "default" && agent.as_str() == AgentId::MAIN)
}

/// One listed name with its place.
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) key: KeyPath,
    pub(super) origin: Origin,
}

/// `tools.exec.safeBins`; nothing when it is unset.
pub(super) fn listed(config: &Node, agent: &AgentId) -> Option<Vec<Listed>> {
    let (node, key) = exec_key(config, agent, "safeBins").filter(|(n, _)| !n.is_null())?;
    let items = node.as_array().unwrap_or_default().iter().enumerate();
    Some(
        items
            .filter_map(|(i, item)| {
                Some(Listed {
                    name: item.as_str()?.to_owned(),
                    key: key.index(i),
                    origin: item.origin.clone(),
                })
            })
            .collect(),
    )
}

/// What is automatic for an agent. `more`: an entry that is not in the file.
pub(super) fn rules(
    config: &Node,
    agent: &AgentId,
    approvals: &Approvals,
    home: Option<&str>,
    state_directory: &str,
    more: Option<&Rule>,
) -> Rules {
    let entries = approvals.entries();
    let own: Vec<Rule> = ["*", "default", agent.as_str()]
        .into_iter()
        .flat_map(|level| entries.iter().filter(move |e| e.agent == level))
        .filter(|e| counts_for(e, agent))
        .map(|e| e.rule.clone())
        .chain(more.cloned())
        .collect();
    configured::rules(config, agent, &own, home, state_directory)
}
