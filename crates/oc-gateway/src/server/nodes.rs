//! Connected nodes, and calls of them that wait for an answer (gateway 7).
//!
//! Invariant: a call is answered by the node it was made to, once; what a node answers otherwise is ignored (SP-347).

pub mod commands;
pub mod exec;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use oc_approval::node_run::Offer;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::connection::Connection;
use super::state::Gateway;
use crate::protocol::frame::Outgoing;

/// What a node said about itself when it connected, cut down to what it may offer.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// Commands that it offers and may offer.
    pub commands: Vec<String>,
    /// What it can do.
    pub caps: Vec<String>,
    /// What its system lets it do.
    pub permissions: BTreeMap<String, bool>,
    /// Its search path.
    pub path_env: Option<String>,
}

/// A node that is connected.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its connection.
    pub connection: Arc<Connection>,
    /// What it offers.
    pub declared: Declared,
}

impl Node {
    fn is_there(&self) -> bool {
        !self.connection.outbox.is_ending()
    }
}

/// What a node answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// Whether it did what was asked.
    pub ok: bool,
    /// What came of it.
    pub payload: Option<Value>,
    /// The same as text, when the node sent text.
    pub payload_json: Option<String>,
    /// What went wrong.
    pub error: Option<Value>,
}

/// A call that waits.
#[derive(Debug)]
pub struct Waiting {
    /// Names the call.
    pub id: String,
    /// The answer; an error when the node is gone.
    pub reply: oneshot::Receiver<Reply>,
}

#[derive(Debug)]
struct Call {
    node: String,
    connection: u64,
    answer: oneshot::Sender<Reply>,
}

/// A run that a node was given.
#[derive(Debug)]
struct Given {
    connection: u64,
    session: String,
    until_ms: u64,
}

#[derive(Debug, Default)]
struct Inner {
    nodes: BTreeMap<String, Node>,
    calls: BTreeMap<String, Call>,
    /// By node and name of the run.
    runs: BTreeMap<(String, String), Given>,
}

/// Most runs that are remembered.
const MOST_RUNS: usize = 4096;

/// All of them.
#[derive(Debug, Default)]
pub struct Nodes(Mutex<Inner>);

/// The id of the node behind a connection: its device, else its client.
#[must_use]
pub fn node_id(connection: &Connection) -> &str {
    connection.device.as_ref().map_or_else(|| connection.client.id.word(), |d| d.id.as_str())
}

/// A connected node, and whether a command of it may be called now: on the list of its platform and the operator, and declared. `None`:
/// it is not connected.
#[must_use]
pub fn standing(gateway: &Gateway, id: &str, command: &str) -> Option<(Node, Offer)> {
    let node = gateway.nodes.get(id)?;
    let snapshot = gateway.snapshot();
    let allowed = commands::allowed(&node.connection.client, &snapshot.settings.nodes).contains(command);
    let declared = node.declared.commands.iter().any(|c| c == command);
    Some((node, Offer { allowed, declared }))
}

impl Nodes {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a node. An earlier connection of it is no longer called.
    pub fn connect(&self, connection: Arc<Connection>, declared: Declared) {
        let id = node_id(&connection).to_owned();
        self.inner().nodes.insert(id, Node { connection, declared });
    }

    /// Takes a node out; whoever waits for it hears at once.
    pub fn disconnect(&self, connection: u64) {
        let mut inner = self.inner();
        inner.nodes.retain(|_, n| n.connection.number != connection);
        inner.calls.retain(|_, c| c.connection != connection);
        inner.runs.retain(|_, r| r.connection != connection);
    }

    /// A connected node. One whose connection is to end is none any more (SP-328).
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Node> {
        self.inner().nodes.get(id).filter(|n| n.is_there()).cloned()
    }

    /// All connected nodes.
    #[must_use]
    pub fn all(&self) -> Vec<Node> {
        self.inner().nodes.values().filter(|n| n.is_there()).cloned().collect()
    }

    /// Calls a node, on the very connection that was looked at. `None`: it is gone, or another one has taken its place.
    #[must_use]
    pub fn call(
        &self,
        node: &Node,
        command: &str,
        params: Option<&Value>,
        timeout_ms: u64,
        key: &str,
    ) -> Option<Waiting> {
        let connection = &node.connection;
        let node = node_id(connection);
        let id = uuid::Uuid::new_v4().to_string();
        let (answer, reply) = oneshot::channel();
        {
            let mut inner = self.inner();
            inner.nodes.get(node).filter(|n| n.connection.number == connection.number && n.is_there())?;
            let call = Call { node: node.to_owned(), connection: connection.number, answer };
            inner.calls.insert(id.clone(), call);
        }
        connection.send(&Outgoing::Event {
            event: "node.invoke.request".to_owned(),
            payload: Some(json!({
                "id": id,
                "nodeId": node,
                "command": command,
                "paramsJSON": params.map(Value::to_string),
                "timeoutMs": timeout_ms,
                "idempotencyKey": key,
            })),
            seq: None,
            state_version: None,
        });
        Some(Waiting { id, reply })
    }

    /// Gives a call up: its answer is ignored, and the node hears that nobody waits (`node.invoke.cancel`). Ours ends what it had started;
    /// others know no such event and go on.
    pub fn give_up(&self, call: &str) {
        let connection = {
            let mut inner = self.inner();
            let Some(gone) = inner.calls.remove(call) else { return };
            let node = inner.nodes.get(&gone.node).filter(|n| n.connection.number == gone.connection);
            node.map(|n| Arc::clone(&n.connection))
        };
        if let Some(connection) = connection {
            let payload = json!({ "id": call, "nodeId": node_id(&connection) });
            connection.send(&Outgoing::Event {
                event: "node.invoke.cancel".to_owned(),
                payload: Some(payload),
                seq: None,
                state_version: None,
            });
        }
    }

    /// A node's answer. False: nothing waits for it, or it is another node's.
    pub fn answer(&self, call: &str, node: &str, connection: u64, reply: Reply) -> bool {
        let mut inner = self.inner();
        let own = inner.calls.get(call).is_some_and(|c| c.node == node && c.connection == connection);
        let waiting = own.then(|| inner.calls.remove(call)).flatten();
        waiting.is_some_and(|c| c.answer.send(reply).is_ok())
    }

    /// Notes that a node is given a run: events of a node refer to work that it was given (SP-347). False: it was given one of that name
    /// already, or there are too many.
    pub fn give(&self, node: &Node, run: &str, session: &str, now_ms: u64, until_ms: u64) -> bool {
        let mut inner = self.inner();
        inner.runs.retain(|_, r| r.until_ms > now_ms);
        let key = (node_id(&node.connection).to_owned(), run.to_owned());
        if inner.runs.len() >= MOST_RUNS || inner.runs.contains_key(&key) {
            return false;
        }
        let given = Given { connection: node.connection.number, session: session.to_owned(), until_ms };
        inner.runs.insert(key, given);
        true
    }

    /// The session of a run that this very connection was given, for an event about it. `is_last`: nothing more is heard of it.
    pub fn told(&self, connection: &Connection, run: &str, is_last: bool, now_ms: u64) -> Option<String> {
        let mut inner = self.inner();
        let key = (node_id(connection).to_owned(), run.to_owned());
        let given = inner.runs.get(&key)?;
        if given.connection != connection.number || given.until_ms <= now_ms {
            return None;
        }
        let session = given.session.clone();
        if is_last {
            inner.runs.remove(&key);
        }
        Some(session)
    }
}
