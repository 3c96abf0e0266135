//! Routing: which agent answers, in which session (sessions-routing 3).
//!
//! Bindings are tried by how precise they are, then in file order. A binding that names no existing agent wins nothing for another one:
//! the messages it fits are not routed (SP-120).

use std::collections::HashSet;
use std::sync::Arc;

use oc_types::{AccountId, AgentId, KeyPath, Node};
use thiserror::Error;

use crate::inbound::ConversationKind;
use crate::session_key::{SessionKey, SessionParts, SessionSettings, UnknownDmScope, main_key, session_key};

#[cfg(test)]
mod tests;

/// How a message found its agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchedBy {
    /// The binding names the peer.
    Peer,
    /// It names the thread's channel or the topic's group.
    PeerParent,
    /// It names the server.
    Guild,
    /// It names the team.
    Team,
    /// It names channel and account.
    Account,
    /// It names the channel and every account.
    Channel,
    /// No binding fits.
    Default,
}

impl MatchedBy {
    /// The stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Peer => "binding.peer",
            Self::PeerParent => "binding.peer.parent",
            Self::Guild => "binding.guild",
            Self::Team => "binding.team",
            Self::Account => "binding.account",
            Self::Channel => "binding.channel",
            Self::Default => "default",
        }
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct RouteQuery<'q> {
    /// The channel.
    pub channel: &'q str,
    /// The account, as configured: compared exactly.
    pub account: &'q str,
    /// Direct or room.
    pub kind: ConversationKind,
    /// The other party or the room.
    pub peer: &'q str,
    /// What a thread or topic belongs to.
    pub parent: Option<(ConversationKind, &'q str)>,
    /// Server.
    pub guild: Option<&'q str>,
    /// Team.
    pub team: Option<&'q str>,
    /// Thread, for the session key.
    pub thread: Option<&'q str>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The agent.
    pub agent: AgentId,
    /// Why this one.
    pub matched_by: MatchedBy,
    /// The binding or agent entry that decided; `None` when nothing is configured.
    pub decided_at: Option<KeyPath>,
    /// The session.
    pub session_key: SessionKey,
    /// The session a thread belongs to.
    pub parent_session_key: Option<SessionKey>,
    /// The agent's main session.
    pub main_session_key: SessionKey,
}

/// Why a message has no agent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path} names agent {agent:?}, which is not in agents.list; correct the id or add the agent")]
pub struct UnknownAgent {
    /// The binding's `agentId`.
    pub path: KeyPath,
    agent: String,
}

/// The routing table of a configuration.
#[derive(Clone, Debug)]
pub struct Router<'a> {
    config: &'a Node,
    index: Arc<RouterIndex>,
}

/// What is read out of a configuration once.
#[derive(Debug)]
pub(crate) struct RouterIndex {
    sessions: SessionSettings,
    listed: HashSet<AgentId>,
    spelled: HashSet<String>,
    default: (AgentId, Option<KeyPath>),
}

impl RouterIndex {
    /// The agents of the list, and the default one.
    pub(crate) fn agents(&self) -> impl Iterator<Item = &AgentId> {
        self.listed.iter().chain(std::iter::once(&self.default.0))
    }
}

impl<'a> Router<'a> {
    /// Reads agents and session settings.
    ///
    /// # Errors
    /// [`UnknownDmScope`].
    pub fn new(config: &'a Node) -> Result<Self, UnknownDmScope> {
        let list = config.path(&["agents", "list"]).and_then(Node::as_array).unwrap_or_default();
        let named = |(i, n): (usize, &'a Node)| {
            let id = n.get("id").and_then(Node::as_str).map(str::trim).filter(|id| !id.is_empty())?;
            Some((i, id, n.get("default").and_then(Node::as_bool) == Some(true)))
        };
        let agents: Vec<_> = list.iter().enumerate().filter_map(named).collect();
        let first = agents.iter().find(|(_, _, default)| *default).or_else(|| agents.first());
        let default = match first {
            Some((i, id, _)) => (AgentId::normalized(id), Some(KeyPath::dotted("agents.list").index(*i))),
            None => (AgentId::normalized(AgentId::MAIN), None),
        };
        let index = RouterIndex {
            sessions: SessionSettings::from_config(config)?,
            listed: agents.iter().map(|(_, id, _)| AgentId::normalized(id)).collect(),
            spelled: agents.iter().map(|(_, id, _)| (*id).to_owned()).collect(),
            default,
        };
        Ok(Self { config, index: Arc::new(index) })
    }

    /// The same configuration again, with what was read from it.
    pub(crate) fn over(config: &'a Node, index: Arc<RouterIndex>) -> Self {
        Self { config, index }
    }

    pub(crate) fn index(&self) -> &Arc<RouterIndex> {
        &self.index
    }

    /// Finds agent and session of a message.
    ///
    /// # Errors
    /// [`UnknownAgent`] when the binding that fits names none that exists.
    pub fn route(&self, query: &RouteQuery<'_>) -> Result<Route, UnknownAgent> {
        let (agent, matched_by, decided_at) = match self.binding(query) {
            Some((index, by)) => {
                let path = KeyPath::dotted("bindings").index(index);
                (self.agent_of(index, &path)?, by, Some(path))
            }
            None => (self.index.default.0.clone(), MatchedBy::Default, self.index.default.1.clone()),
        };
        let account = AccountId::normalized(query.account);
        let parts = SessionParts {
            agent: &agent,
            channel: query.channel,
            account: &account,
            kind: query.kind,
            peer: query.peer,
            topic: None,
            thread: query.thread,
        };
        let (key, parent) = session_key(&self.index.sessions, &parts);
        Ok(Route {
            main_session_key: main_key(&agent),
            agent,
            matched_by,
            decided_at,
            session_key: key,
            parent_session_key: parent,
        })
    }

    fn agent_of(&self, index: usize, binding: &KeyPath) -> Result<AgentId, UnknownAgent> {
        let node = self.config.get("bindings").and_then(|b| b.item(index)).and_then(|b| b.get("agentId"));
        let text = node.and_then(Node::as_str).unwrap_or_default().trim();
        let refuse = || UnknownAgent { path: binding.key("agentId"), agent: text.to_owned() };
        let id = AgentId::normalized(text);
        if oc_types::id::normalize_id(text).is_empty() {
            return Err(refuse());
        }
        if self.index.listed.is_empty() {
            return Ok(id);
        }
        let well_formed = AgentId::strict(text).is_ok() || self.index.spelled.contains(text);
        if well_formed && self.index.listed.contains(&id) { Ok(id) } else { Err(refuse()) }
    }

    /// The most precise binding; among equals the first.
    fn binding(&self, query: &RouteQuery<'_>) -> Option<(usize, MatchedBy)> {
        let bindings = self.config.get("bindings").and_then(Node::as_array).unwrap_or_default();
        let fits = bindings.iter().enumerate().filter_map(|(i, b)| Some((i, fit(b.get("match")?, query)?)));
        // `min_by_key` keeps the first of equals.
        fits.min_by_key(|(_, by)| *by)
    }
}

fn text<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.get(key).and_then(Node::as_str).map(str::trim).filter(|t| !t.is_empty())
}

/// How precisely a binding fits; `None` when it does not, or is malformed.
fn fit(rule: &Node, query: &RouteQuery<'_>) -> Option<MatchedBy> {
    rule.as_object()?;
    let channel = text(rule, "channel")?;
    if !channel.eq_ignore_ascii_case(query.channel.trim()) {
        return None;
    }
    let account = match rule.get("accountId") {
        None => AccountId::DEFAULT,
        Some(node) => node.as_str()?.trim(),
    };
    let account = if account.is_empty() { AccountId::DEFAULT } else { account };
    let asked = query.account.trim();
    let asked = if asked.is_empty() { AccountId::DEFAULT } else { asked };
    if account != "*" && account != asked {
        return None;
    }
    let peer = rule.get("peer").filter(|p| !p.is_null());
    let names = |kind: ConversationKind, id: &str| {
        peer.is_some_and(|p| {
            let wanted = p.get("kind").and_then(Node::as_str).map(ConversationKind::parse);
            let entry = p.get("id").and_then(Node::as_entry);
            wanted == Some(kind)
                && kind != ConversationKind::Unknown
                && !id.is_empty()
                && entry.as_deref().map(str::trim) == Some(id)
        })
    };
    if names(query.kind, query.peer.trim()) {
        return Some(MatchedBy::Peer);
    }
    if query.parent.is_some_and(|(kind, id)| names(kind, id.trim())) {
        return Some(MatchedBy::PeerParent);
    }
    let same = |key: &str, asked: Option<&str>| {
        let wanted = rule.get(key).and_then(Node::as_entry);
        asked.map(str::trim).is_some_and(|a| !a.is_empty() && wanted.as_deref().map(str::trim) == Some(a))
    };
    if same("guildId", query.guild) {
        return Some(MatchedBy::Guild);
    }
    if same("teamId", query.team) {
        return Some(MatchedBy::Team);
    }
    let set = |key: &str| rule.get(key).and_then(Node::as_entry).is_some_and(|t| !t.trim().is_empty());
    if peer.is_some() || set("guildId") || set("teamId") {
        return None;
    }
    Some(if account == "*" { MatchedBy::Channel } else { MatchedBy::Account })
}
