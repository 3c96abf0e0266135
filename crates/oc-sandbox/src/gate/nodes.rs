//! Commands that go to a paired node (exec-approval 3.2 and 12): which node is meant, and what carries a command there.
//!
//! A gate that runs inside of a gateway is given [`Nodes`]; without them such a command is refused. What is listed on the node and who
//! is asked there is the node's affair; here only `deny`, `ask: always` and the choice of the node are decided.
//!
//! Invariant: nobody guesses. None that fits, or several, is a refusal, never another place (SP-239).

use std::fmt;
use std::sync::Arc;

use oc_approval::environment;
use oc_approval::life_cycle::Grant;
use oc_approval::plan::{Expansion, Miss, Plan};
use thiserror::Error;

use super::Gate;
use super::command::{Case, Judged};
use super::commission::Warrant;
use super::mask::Aliases;
use super::place::Ready;
use super::refused::{Refused, Stage};
use crate::executor::{Executor, Place};
use crate::tools::View;

/// Shortest beginning of an id that names a node, in bytes.
const SHORTEST: usize = 6;

/// A paired node that is connected and takes commands at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeHere {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: Option<String>,
    /// The address that it is connected from.
    pub address: Option<String>,
}

impl NodeHere {
    /// For people: the name, else the beginning of the id.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.name {
            Some(name) => oc_text::visible(name, 60),
            None => oc_text::visible(&self.id, 12),
        }
    }
}

/// For whom a command goes to a node, and by whose word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRun {
    /// The node.
    pub node: NodeHere,
    /// The agent.
    pub agent: String,
    /// The session's key.
    pub session: String,
    /// The answer of a person that was taken up for exactly this command; `None` when nobody was asked here.
    pub grant: Option<Grant>,
}

/// The nodes of a gateway. Called outside of the reactor for [`Nodes::ready`]; asking starts nothing.
pub trait Nodes: fmt::Debug + Send + Sync {
    /// The paired nodes that are connected and may be given commands now.
    fn ready(&self) -> Vec<NodeHere>;
    /// What carries one command to a node. It looks again before it sends.
    fn executor(&self, run: NodeRun) -> Arc<dyn Executor>;
}

/// Why it is not clear which node is meant.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoNode {
    /// This process has no nodes.
    #[error(
        "commands of this session go to a node, and only a running gateway reaches nodes; start `openclaw gateway` and call the tool \
         through it"
    )]
    NoGateway,
    /// No node takes commands.
    #[error(
        "commands of this session go to a node, and no paired node that offers system.run is connected (`openclaw nodes status` shows \
         them)"
    )]
    None,
    /// Several do, and nothing says which.
    #[error(
        "{0} connected nodes take commands; name one in `tools.exec.node`, `/exec node=` or `node` of the call"
    )]
    Several(usize),
    /// The one that is named is not there.
    #[error("no connected node that takes commands is called `{0}` (`openclaw nodes status` shows them)")]
    Unknown(String),
    /// The name fits several.
    #[error("`{0}` fits {1} connected nodes; give the whole id")]
    Ambiguous(String, usize),
}

impl NoNode {
    /// The stable word of the rule that refuses.
    fn rule(&self) -> &'static str {
        match self {
            Self::NoGateway => "gateway-needed",
            Self::None => "no-node",
            Self::Several(_) | Self::Ambiguous(..) => "node-unclear",
            Self::Unknown(_) => "node-unknown",
        }
    }
}

/// The node that is meant: by id, name (in any case), address or the beginning of an id; without a name the only one there is.
///
/// # Errors
/// See [`NoNode`].
pub fn pick(nodes: &[NodeHere], wanted: Option<&str>) -> Result<NodeHere, NoNode> {
    let Some(wanted) = wanted.map(str::trim).filter(|w| !w.is_empty()) else {
        return match nodes {
            [] => Err(NoNode::None),
            [only] => Ok(only.clone()),
            [..] => Err(NoNode::Several(nodes.len())),
        };
    };
    let exact = |n: &&NodeHere| n.id == wanted;
    let named = |n: &&NodeHere| {
        n.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(wanted))
            || n.address.as_deref() == Some(wanted)
    };
    let begins = |n: &&NodeHere| wanted.len() >= SHORTEST && n.id.starts_with(wanted);
    let ways: [&dyn Fn(&&NodeHere) -> bool; 3] = [&exact, &named, &begins];
    for fits in ways {
        let found: Vec<&NodeHere> = nodes.iter().filter(fits).collect();
        match found.as_slice() {
            [] => {}
            [one] => return Ok((*one).clone()),
            [..] => return Err(NoNode::Ambiguous(oc_text::visible(wanted, 60), found.len())),
        }
    }
    Err(NoNode::Unknown(oc_text::visible(wanted, 60)))
}

impl Case {
    /// The node of this command: the one that the configuration or the session binds, else the one that the call names, else the only one.
    pub(super) fn node(&self, bound: Option<&str>) -> Result<NodeHere, Refused> {
        let wanted = bound.or(self.who().exec.overrides.node.as_deref()).or(self.request.node.as_deref());
        let found = match &self.nodes {
            None => Err(NoNode::NoGateway),
            Some(nodes) => pick(&nodes.ready(), wanted),
        };
        found.map_err(|why| Refused::built_in(Stage::Place, "exec", why.rule(), why.to_string()))
    }

    /// The line as it goes to a node: it is read there. Only what nobody may ask for is seen here.
    pub(super) fn node_plan(&self) -> Plan {
        let text = self.request.command.clone();
        let directory = self.request.workdir.clone().unwrap_or_default();
        let mut miss = Miss::new("node", "the node reads the command");
        let mut overrides = self.request.env.clone();
        match environment::overrides(&self.request.env) {
            Ok(sorted) => overrides = sorted,
            Err(forbidden) => miss = forbidden,
        }
        if text.contains('\0') || directory.contains('\0') {
            miss = Miss::new("nul", "the command holds a NUL");
        }
        Plan {
            text,
            directory,
            overrides,
            segments: Vec::new(),
            miss: Some(miss),
            expansion: Expansion::None,
        }
    }
}

impl Gate {
    /// The node that was chosen.
    pub(super) fn node_place(
        &self,
        case: &Case,
        judged: &Judged,
        warrant: &Warrant,
    ) -> Result<Ready, Refused> {
        // Both are there when a command was judged for a node.
        let (Some(nodes), Some(node)) = (&case.nodes, &judged.node) else {
            let why = NoNode::NoGateway;
            return Err(Refused::built_in(Stage::Place, "exec", why.rule(), why.to_string()));
        };
        let outside = if case.sandbox.is_some() { ", outside of the sandbox" } else { "" };
        let mut notes = vec![format!("on the node {}{outside}", node.label())];
        if case.request.pty {
            notes.push("a node gives no terminal".to_owned());
        }
        let grant = match warrant {
            Warrant::Person { taken, .. } => Some(taken.grant().clone()),
            Warrant::Rules | Warrant::Fallback { .. } => None,
        };
        let caller = &case.call.caller;
        let executor = nodes.executor(NodeRun {
            node: node.clone(),
            agent: caller.agent.to_string(),
            session: caller.session.clone(),
            grant,
        });
        let view = View::Sandbox { workdir: judged.plan.directory.clone() };
        Ok(Ready { place: Place::Node, executor, view, notes, aliases: Aliases::default() })
    }
}
