//! The caller of a sub-agent: depth one, never more than the session above (SP-107, sessions-routing 8).

use oc_policy::elevated::Turn;
use oc_policy::owner_only::Ownership;
use oc_policy::sandbox::{Runs, agent_entry, is_sandboxed};
use oc_policy::session_key::SessionKey;
use oc_sandbox::gate::{Caller, ReturnAddress, SessionExec, Snapshot, Surface};
use oc_types::{AgentId, Node};
use thiserror::Error;

/// Why no sub-agent is started. The sentences are for the model.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SpawnRefused {
    /// The caller is a sub-agent itself.
    #[error("a sub-agent cannot start further ones")]
    TooDeep,
    /// The agent is not in `subagents.allowAgents`, or there is none of that name: both look the same (SP-420).
    #[error("{0} is not an agent that this one may start; `agents_list` names those")]
    NotAllowed(AgentId),
    /// The caller is sandboxed and the other one would not be.
    #[error("a sandboxed session starts only agents whose sub-agents are sandboxed")]
    LosesSandbox,
    /// The session, or a setting of its sandbox, cannot be judged.
    #[error("the session cannot be judged: {0}")]
    Unclear(String),
}

/// The agents that an agent may start, itself first. `*` in `agents.list[].subagents.allowAgents` is every listed one.
#[must_use]
pub fn startable(config: &Node, agent: &AgentId) -> Vec<AgentId> {
    let mut out = vec![agent.clone()];
    let entry = agent_entry(config, agent);
    let allowed = entry.and_then(|e| e.node.path(&["subagents", "allowAgents"])).and_then(Node::entries);
    for word in allowed.unwrap_or_default() {
        let word = word.trim().to_owned();
        let listed = config.path(&["agents", "list"]).and_then(Node::as_array).unwrap_or_default();
        let ids = listed.iter().filter_map(|e| AgentId::strict(e.get("id")?.as_str()?).ok());
        for id in ids {
            let meant = word == "*" || AgentId::strict(&word).is_ok_and(|w| w == id);
            if meant && !out.contains(&id) {
                out.push(id);
            }
        }
    }
    out
}

/// The caller of a new sub-agent's turns. `id` is a new UUID. The session above stays its judge: what is denied there is denied here.
///
/// # Errors
/// See [`SpawnRefused`].
pub fn spawned(
    snapshot: &Snapshot,
    parent: &Caller,
    agent: Option<&AgentId>,
    id: &str,
) -> Result<Caller, SpawnRefused> {
    let above = SessionKey::parse(&parent.session).map_err(|e| SpawnRefused::Unclear(e.to_string()))?;
    if above.is_subagent() || parent.spawned_by.is_some() {
        return Err(SpawnRefused::TooDeep);
    }
    let agent = agent.unwrap_or(&parent.agent);
    if !startable(snapshot.config(), &parent.agent).contains(agent) {
        return Err(SpawnRefused::NotAllowed(agent.clone()));
    }
    let good = !id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let session = format!("agent:{agent}:subagent:{id}");
    if !good {
        return Err(SpawnRefused::Unclear("its id is no UUID".to_owned()));
    }
    let runs = |session: &str| {
        let answer = is_sandboxed(snapshot.config(), Some(session));
        answer.map(|s| s.runs).map_err(|e| SpawnRefused::Unclear(e.to_string()))
    };
    if runs(&parent.session)? == Runs::Sandboxed && runs(&session)? != Runs::Sandboxed {
        return Err(SpawnRefused::LosesSandbox);
    }
    Ok(Caller {
        surface: Surface::Model,
        turn: Turn::InterSession,
        agent: agent.clone(),
        session,
        spawned_by: Some(parent.session.clone()),
        owner: Ownership::NotProven,
        // What restricts goes on: room, account, sender, the session's own settings for commands. Elevation does not.
        exec: SessionExec { directive: None, level: None, overrides: parent.exec.overrides.clone() },
        // It is in no chat, and its session is another one.
        back: ReturnAddress::default(),
        ..parent.clone()
    })
}
