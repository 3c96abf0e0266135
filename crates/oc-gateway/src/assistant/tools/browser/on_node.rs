//! One order to the browser of a node.
//!
//! Invariant: an order that nobody waits for any more is given up on the node too.

use std::sync::{Arc, Weak};
use std::time::Duration;

use oc_sandbox::executor::{ExecutorError, Place};
use oc_sandbox::gate::{NoNode, NodeHere, ToolResult, pick};
use serde_json::{Map, Value, json};

use super::failed;
use crate::server::nodes::exec::ready;
use crate::server::nodes::{Reply, standing};
use crate::server::state::Gateway;

/// The command of the protocol.
const COMMAND: &str = "browser.proxy";
/// How long the node has, in milliseconds: a little more than its browser takes at most.
const TIME_MS: u64 = 125_000;

fn unavailable(cause: &str) -> ExecutorError {
    ExecutorError::Unavailable { place: Place::Node, cause: cause.to_owned() }
}

fn lost(cause: &str) -> ExecutorError {
    ExecutorError::Lost { place: Place::Node, cause: cause.to_owned() }
}

/// Asks the node that the configuration binds, else the one that the call names, else the only one.
pub(super) async fn ask(
    gateway: &Weak<Gateway>,
    bound: Option<&str>,
    named: Option<&str>,
    order: &Map<String, Value>,
) -> Result<ToolResult, ExecutorError> {
    let here = gateway.upgrade().ok_or_else(|| unavailable("the gateway is stopping"))?;
    // Who is paired stands in files.
    let asked = Arc::clone(&here);
    let nodes = tokio::task::spawn_blocking(move || ready(&asked, COMMAND)).await;
    let nodes = nodes.map_err(|_| unavailable("the nodes could not be listed"))?;
    let node = match chosen(&nodes, bound, named) {
        Ok(node) => node,
        Err(why) => return Ok(failed(&why)),
    };
    let label = node.label();
    let connected = match standing(&here, &node.id, COMMAND) {
        Some((connected, offer)) if offer.allowed && offer.declared => connected,
        Some(_) => {
            return Ok(
                failed(&format!("the node {label} may not lend its browser any more")).with("to", node.id)
            );
        }
        None => return Ok(failed(&format!("the node {label} is not connected any more")).with("to", node.id)),
    };
    let params =
        json!({ "method": "POST", "path": oc_browser::remote::PATH, "body": order, "timeoutMs": TIME_MS });
    let key = uuid::Uuid::new_v4().to_string();
    let waiting = here.nodes.call(&connected, COMMAND, Some(&params), TIME_MS, &key);
    let waiting = waiting.ok_or_else(|| lost("it disconnected before it was asked"))?;
    // A gateway that stops is not kept by who waits.
    drop((here, connected));
    let mut wait = Wait { gateway: Weak::clone(gateway), id: Some(waiting.id) };
    match tokio::time::timeout(Duration::from_millis(TIME_MS), waiting.reply).await {
        Ok(Ok(reply)) => {
            wait.id = None;
            // The ledger says which node it was.
            Ok(result(&reply, &label).with("to", node.id))
        }
        Ok(Err(_)) => Err(lost("it disconnected before it answered")),
        Err(_) => Err(lost(&format!("it did not answer within {} s", TIME_MS / 1000))),
    }
}

/// What is waited for; dropped before the answer, the node is told.
struct Wait {
    gateway: Weak<Gateway>,
    id: Option<String>,
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let (Some(gateway), Some(id)) = (self.gateway.upgrade(), &self.id) {
            gateway.nodes.give_up(id);
        }
    }
}

/// The node. One that the configuration binds is the only one that a call can name.
pub(super) fn chosen(
    nodes: &[NodeHere],
    bound: Option<&str>,
    named: Option<&str>,
) -> Result<NodeHere, String> {
    let of = |wanted: Option<&str>| {
        pick(nodes, wanted).map_err(|why| match why {
            NoNode::None | NoNode::NoGateway => {
                "no paired node that lends a browser is connected (`openclaw nodes status` shows them)".to_owned()
            }
            NoNode::Several(n) => {
                format!("{n} connected nodes lend a browser; name one in `node` or in gateway.nodes.browser.node")
            }
            NoNode::Unknown(name) => {
                format!("no connected node that lends a browser is called `{name}` (`openclaw nodes status` shows them)")
            }
            NoNode::Ambiguous(..) => why.to_string(),
        })
    };
    let node = of(bound.or(named))?;
    if bound.is_some() && named.is_some() && of(named)?.id != node.id {
        return Err("another node than the one in gateway.nodes.browser.node is not asked".to_owned());
    }
    Ok(node)
}

/// The result of the call, from what the node answered.
fn result(reply: &Reply, label: &str) -> ToolResult {
    if !reply.ok {
        let said = reply.error.as_ref().and_then(|e| e.get("message")).and_then(Value::as_str);
        return oc_browser::remote::refused(said.unwrap_or("it does not say why"), label);
    }
    let parsed = || reply.payload_json.as_deref().and_then(|t| serde_json::from_str::<Value>(t).ok());
    let payload = reply.payload.clone().or_else(parsed).unwrap_or_default();
    oc_browser::remote::result(payload.get("result").unwrap_or(&Value::Null), label)
}
