//! Commands of the gate (`exec` with route `node`) as calls of `system.run`: the node asks its own rules and its own people.
//!
//! Invariant: a command goes to a paired node that is allowed to take it and offers it at the moment of sending, or nowhere.
//! Invariant: a mark (`approved`) is written only from a grant that the gate took up for exactly this command (SP-176).

use std::sync::{Arc, Weak};
use std::time::Duration;

use oc_approval::node_run::{NotSent, SystemRun};
use oc_runner::protocol::{Exit, FileRequest, Program, RunRequest};
use oc_sandbox::executor::{Executor, ExecutorError, FileAnswer, Order, Output, Pending, Place, Running};
use oc_sandbox::gate::{AuthorizedCall, NodeHere, NodeRun, Nodes};
use serde::Deserialize as _;
use serde_json::{Map, Value, json};
use tokio::sync::{mpsc, oneshot};

use super::{Reply, Waiting, node_id, standing};
use crate::node_pairing::NodeStore;
use crate::protocol::connect::Role;
use crate::server::state::{Gateway, now_ms};

/// The command of the protocol.
const COMMAND: &str = "system.run";
/// How long people at the node have for an answer, besides the time that the command itself may take, in milliseconds.
const ANSWER_MS: u64 = 330_000;
/// Longest time of a call, in milliseconds.
const LONGEST_MS: u64 = 600_000;
/// How long after its call a run may still be told about, in milliseconds.
const AFTER_MS: u64 = 600_000;

/// The nodes of a gateway, for its gate. The gate belongs to the gateway, so this does not keep it alive.
#[derive(Debug)]
pub struct NodesOf(Weak<Gateway>);

impl NodesOf {
    /// Of this gateway.
    #[must_use]
    pub fn of(gateway: &Arc<Gateway>) -> Self {
        Self(Arc::downgrade(gateway))
    }
}

impl Nodes for NodesOf {
    fn ready(&self) -> Vec<NodeHere> {
        self.0.upgrade().map(|gateway| ready(&gateway, COMMAND)).unwrap_or_default()
    }

    fn executor(&self, run: NodeRun) -> Arc<dyn Executor> {
        Arc::new(OnNode { gateway: Weak::clone(&self.0), run })
    }
}

/// The paired nodes that are connected and may be called with this command now. Reads files.
#[must_use]
pub fn ready(gateway: &Gateway, command: &str) -> Vec<NodeHere> {
    // A list that cannot be read pairs nobody (SP-008).
    let Ok(devices) = gateway.devices.read() else { return Vec::new() };
    let names = NodeStore::of(&gateway.state_dir).read().map(|all| all.paired).unwrap_or_default();
    let mut out = Vec::new();
    for node in gateway.nodes.all() {
        let id = node_id(&node.connection);
        let Some(paired) = devices.paired.get(id).filter(|p| p.has_role(Role::Node)) else { continue };
        let takes = standing(gateway, id, command).is_some_and(|(_, o)| o.allowed && o.declared);
        if !takes {
            continue;
        }
        let given = names.get(id).and_then(|n| n.about.display_name.as_ref());
        let own = node.connection.client.display_name.as_ref().or(paired.display_name.as_ref());
        let filled = |name: &&String| !name.trim().is_empty();
        out.push(NodeHere {
            id: id.to_owned(),
            name: given.or(own).filter(filled).cloned(),
            address: node.connection.caller.address().map(|a| a.to_string()),
        });
    }
    out
}

/// Carries one command to one node.
#[derive(Debug)]
struct OnNode {
    gateway: Weak<Gateway>,
    run: NodeRun,
}

fn unavailable(cause: impl Into<String>) -> ExecutorError {
    ExecutorError::Unavailable { place: Place::Node, cause: cause.into() }
}

fn lost(cause: impl Into<String>) -> ExecutorError {
    ExecutorError::Lost { place: Place::Node, cause: cause.into() }
}

fn failed(code: &str, message: impl std::fmt::Display) -> ExecutorError {
    ExecutorError::Failed { code: code.to_owned(), message: message.to_string() }
}

impl OnNode {
    /// The parameters of the call.
    fn params(&self, run: &RunRequest) -> Result<SystemRun, ExecutorError> {
        let Program::Shell { text, .. } = &run.program else {
            return Err(failed("unsupported", "a node is given a text, not a vector that was read here"));
        };
        let mut params = Map::new();
        let mut put = |name: &str, value: Value| params.insert(name.to_owned(), value);
        put("command", json!(["/bin/sh", "-c", text]));
        if !run.directory.is_empty() {
            put("cwd", run.directory.clone().into());
        }
        if !run.environment.is_empty() {
            let pairs = run.environment.iter().map(|(k, v)| (k.clone(), Value::from(v.as_str())));
            put("env", Value::Object(pairs.collect()));
        }
        if let Some(ms) = run.timeout_ms {
            put("timeoutMs", ms.into());
        }
        put("agentId", self.run.agent.clone().into());
        put("sessionKey", self.run.session.clone().into());
        if let Some(grant) = &self.run.grant {
            put("approved", true.into());
            put("approvalDecision", grant.answer.decision.word().into());
            put("runId", grant.id.clone().into());
        }
        SystemRun::read(&Value::Object(params)).map_err(|e| failed("invalid", e))
    }

    fn send(&self, gateway: &Gateway, run: &RunRequest) -> Result<(Waiting, u64), ExecutorError> {
        let order = self.params(run)?;
        let node = &self.run.node;
        let gone = || unavailable(format!("{} is not connected any more", node.label()));
        let (connected, offer) = standing(gateway, &node.id, COMMAND).ok_or_else(gone)?;
        let fresh = uuid::Uuid::new_v4().to_string();
        let run_id = order.run_id().unwrap_or(&fresh);
        let message = order.message(offer, run_id, self.run.grant.as_ref()).map_err(|why| match why {
            NotSent::NotAllowed | NotSent::NotDeclared => unavailable(format!("{}: {why}", node.label())),
            NotSent::NotApproved | NotSent::Environment => failed("not-approved", why),
        })?;
        let own = run.timeout_ms.unwrap_or(LONGEST_MS);
        let time_ms = own.saturating_add(ANSWER_MS).min(LONGEST_MS);
        let now = now_ms();
        let until = now.saturating_add(time_ms).saturating_add(AFTER_MS);
        if !gateway.nodes.give(&connected, run_id, &self.run.session, now, until) {
            return Err(unavailable("too many commands are with nodes already"));
        }
        let key = uuid::Uuid::new_v4().to_string();
        let waiting =
            gateway.nodes.call(&connected, COMMAND, Some(&message), time_ms, &key).ok_or_else(gone)?;
        Ok((waiting, time_ms))
    }
}

impl Executor for OnNode {
    fn place(&self) -> Place {
        Place::Node
    }

    fn start<'a>(&'a self, call: &'a AuthorizedCall, run: RunRequest) -> Pending<'a, Running> {
        Box::pin(async move {
            call.is_for(self.place())?;
            let gateway = self.gateway.upgrade().ok_or_else(|| unavailable("the gateway has ended"))?;
            let (waiting, time_ms) = self.send(&gateway, &run)?;
            let (out, output) = mpsc::channel(1);
            let (orders, taken) = mpsc::channel(8);
            let (done, exit) = oneshot::channel();
            let limit = run.output_limit;
            let node = self.gateway.clone();
            drop(gateway);
            tokio::spawn(async move {
                let end = over(waiting, time_ms, taken, &node, limit).await;
                let end = match end {
                    Ok((text, exit)) => {
                        // Whoever does not read it any more has let go of the command.
                        let _ = out.send(Output::Out(text.into_bytes())).await;
                        Ok(exit)
                    }
                    Err(e) => Err(e),
                };
                drop(out);
                let _ = done.send(end);
            });
            Ok(Running { output, orders, exit })
        })
    }

    fn file<'a>(&'a self, _: &'a AuthorizedCall, _: FileRequest, _: Vec<u8>) -> Pending<'a, FileAnswer> {
        Box::pin(async { Err(failed("unsupported", "files of a node are not reached")) })
    }
}

/// Waits for what comes of a command: its answer, the end of its time, or that nobody wants it any more.
async fn over(
    waiting: Waiting,
    time_ms: u64,
    mut orders: mpsc::Receiver<Order>,
    gateway: &Weak<Gateway>,
    limit: u64,
) -> Result<(String, Exit), ExecutorError> {
    let Waiting { id, reply } = waiting;
    let give_up = || {
        if let Some(gateway) = gateway.upgrade() {
            gateway.nodes.give_up(&id);
        }
    };
    let ended = async {
        while let Some(order) = orders.recv().await {
            match order {
                Order::Kill => return,
                // A node is given a command and nothing after it.
                Order::Input(_) | Order::EndInput | Order::Resize(..) => {}
            }
        }
    };
    tokio::select! {
        reply = tokio::time::timeout(Duration::from_millis(time_ms), reply) => match reply {
            Ok(Ok(reply)) => read(reply, limit),
            Ok(Err(_)) => Err(lost("it disconnected before it answered")),
            Err(_) => {
                give_up();
                Err(lost(format!("it did not answer within {} s, and was told to give the command up", time_ms / 1000)))
            }
        },
        () = ended => {
            give_up();
            Ok((String::new(), Exit { code: 137, timed_out: false, killed: true, dropped: 0 }))
        }
    }
}

/// What a node says about a run.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ran {
    #[serde(default)]
    exit_code: Option<i64>,
    #[serde(default)]
    timed_out: bool,
    #[serde(default)]
    stdout: Option<String>,
    #[serde(default)]
    stderr: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

/// Output and end of a run, from the words of the node: untrusted text.
fn read(reply: Reply, limit: u64) -> Result<(String, Exit), ExecutorError> {
    if !reply.ok {
        let error = reply.error.unwrap_or_default();
        let text = |name: &str, or: &str, most| {
            oc_text::visible(error.get(name).and_then(Value::as_str).unwrap_or(or), most)
        };
        let said = text("message", "it does not say why", 500);
        return Err(failed(&text("code", "UNAVAILABLE", 60), format!("the node did not run it: {said}")));
    }
    let parsed = || reply.payload_json.as_deref().and_then(|t| serde_json::from_str::<Value>(t).ok());
    let payload = reply.payload.clone().or_else(parsed).unwrap_or_default();
    let ran = payload.is_object().then(|| Ran::deserialize(&payload).ok()).flatten();
    let Some(ran) = ran else {
        return Err(failed("bad-answer", "the node's answer is no result of a command"));
    };
    let Some(code) = ran.exit_code else {
        let why = ran.error.or(ran.stderr).unwrap_or_default();
        return Err(failed(
            "not-started",
            format!("the node did not start it: {}", oc_text::visible(&why, 500)),
        ));
    };
    let mut text = ran.stdout.unwrap_or_default();
    text.push_str(&ran.stderr.unwrap_or_default());
    let all = text.len();
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    if all > most {
        let end = (0..=most).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        text.truncate(end);
    }
    let dropped = u64::try_from(all.saturating_sub(text.len())).unwrap_or(u64::MAX);
    let code = i32::try_from(code).unwrap_or(-1);
    Ok((text, Exit { code, timed_out: ran.timed_out, killed: false, dropped }))
}
