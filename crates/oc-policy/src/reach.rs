//! Reach: for every class of caller, agent and tool: can it be used, through which door, on which host, under which approval (design 4)?
//!
//! [`Reach::compute`] asks the same policy that decides single calls, once for every [`Door`]; [`doors`](doors()) finds the doors of a
//! configuration by asking the access rules about a typical sender of each class. [`diff`](diff()) compares two configurations.
//!
//! Invariant: a cell is open only when the access rules admitted its door **and** every layer let the tool pass.
//! Invariant: a door whose decision fails (malformed key, unknown agent) is shut and reported, never open.

pub mod diff;
pub mod doors;
mod switched;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use oc_types::{AgentId, Node};
use serde::Serialize;

use crate::exec_route::{Approval, Host, exec_route};
use crate::http_invoke;
use crate::inventory::{Presence, ReadOnlyFiles, Tool};
use crate::owner_only::Ownership;
use crate::tool_policy::{CompiledPolicy, Context, ToolDecision};

pub use diff::{Change, Direction, diff};
pub use doors::{DoorFacts, doors};

/// A class of caller, least trusted first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Caller {
    /// Somebody on no list writes directly.
    Stranger,
    /// Any member of a room that the bot is in.
    GroupMember,
    /// Somebody who was let in by a pairing code.
    Paired,
    /// Somebody on an allow list.
    Allowlisted,
    /// Whoever holds the hook token.
    Hook,
    /// A paired node.
    Node,
    /// Whoever holds the gateway's token and calls over HTTP.
    HttpToken,
    /// The owner, at the main session.
    Owner,
}

impl Caller {
    /// All eight.
    pub const ALL: [Self; 8] = [
        Self::Stranger,
        Self::GroupMember,
        Self::Paired,
        Self::Allowlisted,
        Self::Hook,
        Self::Node,
        Self::HttpToken,
        Self::Owner,
    ];

    /// The words for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Stranger => "stranger",
            Self::GroupMember => "room member",
            Self::Paired => "paired person",
            Self::Allowlisted => "listed person",
            Self::Hook => "hook",
            Self::Node => "node",
            Self::HttpToken => "HTTP token",
            Self::Owner => "owner",
        }
    }
}

/// How whoever comes in uses a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// Through a turn of the agent.
    Turn,
    /// By calling it: what the HTTP list keeps back (`gateway.tools`) is kept back.
    Call,
}

/// A way in that the access rules opened: a session of an agent, and what is known about who speaks in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// Who comes in.
    pub caller: Caller,
    /// How a tool is used.
    pub means: Means,
    /// The agent that answers.
    pub agent: AgentId,
    /// The words for people: `telegram direct`, `whatsapp room 1203...`, `hooks`.
    pub via: String,
    /// The session.
    pub session_key: String,
    /// The channel, for rooms.
    pub channel: Option<String>,
    /// The account, for rooms.
    pub account: Option<String>,
    /// The room.
    pub group: Option<String>,
    /// The sender's id.
    pub sender: Option<String>,
}

/// One open way to use a tool.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Way {
    /// Where it acts.
    pub host: Host,
    /// What stands between.
    pub approval: Approval,
    /// Through which door.
    pub via: String,
}

/// One cell: who, which agent, which tool. Only open cells are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Who.
    pub caller: Caller,
    /// Which agent.
    pub agent: AgentId,
    /// Which tool.
    pub tool: String,
    /// The loosest way, by host and approval.
    pub way: Way,
    /// How many doors lead to it.
    pub doors: usize,
}

/// The whole picture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reach {
    /// The agents, in configuration order.
    pub agents: Vec<AgentId>,
    /// The tools, in inventory order.
    pub tools: Vec<String>,
    /// Open cells, by caller, agent and tool order.
    pub cells: Vec<Cell>,
    /// Doors that could not be judged and count as shut, with the reason.
    pub refused: Vec<String>,
}

impl Reach {
    /// Asks every tool at every door.
    #[must_use]
    pub fn compute(config: &Node, policy: &CompiledPolicy, doors: &[Door], facts: &DoorFacts) -> Self {
        let agents = doors::agents(config);
        let tools: Vec<String> = policy.inventory().tools().iter().map(|t| t.name().to_owned()).collect();
        let mut reach = Self { agents, tools, ..Self::default() };
        let mut open: BTreeMap<(Caller, usize, usize), (Way, usize)> = BTreeMap::new();
        for door in doors {
            let Some(agent) = reach.agents.iter().position(|a| *a == door.agent) else {
                reach.refused.push(format!("{}: agent {} is not configured", door.via, door.agent));
                continue;
            };
            let context = Context {
                session_key: Some(&door.session_key),
                channel: door.channel.as_deref(),
                account_id: door.account.as_deref(),
                group_id: door.group.as_deref(),
                sender: crate::sender::Sender { id: door.sender.as_deref(), ..Default::default() },
                owner: if door.caller == Caller::Owner { Ownership::Proven } else { Ownership::NotProven },
                ids_from: crate::tool_policy::IdsFrom::Adapter,
                ..Context::default()
            };
            let stack = match policy.stack(&context) {
                Ok(stack) => stack,
                Err(why) => {
                    reach.refused.push(format!("{} ({}): {why}", door.via, door.caller.label()));
                    continue;
                }
            };
            let exec = exec_route(config, &door.agent, stack.runs(), facts.approvals_file);
            let plain = if stack.runs().is_sandboxed() { Host::Sandbox } else { Host::Gateway };
            let presence = Presence {
                provider: None,
                model: None,
                // What only some models have is counted as there: reach shows the most that can be reached.
                model_sees_images: Some(true),
                read_only: doors::read_only(config, &door.agent, stack.runs()),
            };
            for (index, tool) in policy.inventory().tools().iter().enumerate() {
                if stack.decide(tool.name()) != ToolDecision::Allowed || withdrawn(config, &presence, tool) {
                    continue;
                }
                if door.means == Means::Call
                    && http_invoke::refusal(config, policy.inventory(), tool.name()).is_some()
                {
                    continue;
                }
                let (host, approval) = match tool.name() {
                    "exec" => (exec.host, exec.approval),
                    "process" => (exec.host, Approval::None),
                    "nodes" => (Host::Node, Approval::None),
                    _ => (plain, Approval::None),
                };
                if approval == Approval::Denied {
                    continue;
                }
                let way = Way { host, approval, via: door.via.clone() };
                let entry = open.entry((door.caller, agent, index)).or_insert_with(|| (way.clone(), 0));
                entry.1 += 1;
                if (way.host, way.approval) > (entry.0.host, entry.0.approval) {
                    entry.0 = way;
                }
            }
        }
        reach.cells = open
            .into_iter()
            .filter_map(|((caller, agent, tool), (way, doors))| {
                let agent = reach.agents.get(agent)?.clone();
                let tool = reach.tools.get(tool)?.clone();
                Some(Cell { caller, agent, tool, way, doors })
            })
            .collect();
        reach
    }

    /// The open cell of a caller, agent and tool.
    #[must_use]
    pub fn cell(&self, caller: Caller, agent: &AgentId, tool: &str) -> Option<&Cell> {
        self.cells.iter().find(|c| c.caller == caller && c.agent == *agent && c.tool == tool)
    }
}

/// Whether a gate before the policy takes the tool away for this session. `apply_patch` depends on the model and counts as there.
fn withdrawn(config: &Node, presence: &Presence<'_>, tool: &Tool) -> bool {
    match presence.absence(config, tool) {
        None => false,
        Some(_) if tool.name() == "apply_patch" => presence.read_only == ReadOnlyFiles::Yes,
        Some(_) => true,
    }
}
