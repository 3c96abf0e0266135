//! One call of the gateway: read, looked up among what is offered, carried out in its time.

use std::sync::Arc;
use std::time::Duration;

use oc_approval::node_run::SystemRun;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::failure::NodeFailure;
use super::offer::Offer;
use super::{NodeHost, approvals, browser, load, own_browser, system_run, which};

/// Time for a call that has none, in milliseconds.
const TIME_MS: u64 = 30_000;
/// Longest time of a call, in milliseconds.
const LONGEST_MS: u64 = 600_000;

/// A call as it comes.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Invoke {
    pub(super) id: String,
    pub(super) node_id: String,
    command: String,
    #[serde(default, rename = "paramsJSON")]
    params_json: Option<String>,
    #[serde(default)]
    timeout_ms: Option<u64>,
}

/// What a call is carried out with.
#[derive(Clone, Debug)]
pub(super) struct Tools {
    pub(super) host: NodeHost,
    pub(super) offer: Arc<Offer>,
    pub(super) notes: mpsc::Sender<(String, Value)>,
    /// How long an answer may be, in bytes: a longer one would cut the connection.
    pub(super) room: usize,
}

/// The answer of a call with a payload, when it is at most `room` bytes long.
fn answer(room: usize, invoke: &Invoke, payload: &Value) -> Result<Value, NodeFailure> {
    let answer = json!({
        "id": invoke.id, "nodeId": invoke.node_id, "ok": true, "payloadJSON": payload.to_string(),
    });
    let length = answer.to_string().len();
    if length <= room {
        return Ok(answer);
    }
    Err(NodeFailure::new("TOO_LARGE", format!("the answer has {length} bytes; the gateway takes {room}")))
}

/// Carries a call out; the parameters of its `node.invoke.result`.
pub(super) async fn answered(tools: &Tools, invoke: &Invoke) -> Value {
    let time = Duration::from_millis(invoke.timeout_ms.unwrap_or(TIME_MS).clamp(1, LONGEST_MS));
    let done = match tokio::time::timeout(time, carry_out(tools, invoke)).await {
        Ok(done) => done,
        Err(_) => {
            Err(NodeFailure::new("TIMEOUT", "it was not over in the time of the call, and was given up"))
        }
    };
    match done.and_then(|payload| answer(tools.room, invoke, &payload)) {
        Ok(answer) => answer,
        Err(failure) => json!({
            "id": invoke.id, "nodeId": invoke.node_id, "ok": false, "error": failure.as_json(),
        }),
    }
}

async fn carry_out(tools: &Tools, invoke: &Invoke) -> Result<Value, NodeFailure> {
    if !tools.offer.commands().contains(&invoke.command) {
        return Err(NodeFailure::invalid("this node does not offer that command"));
    }
    let params = match invoke.params_json.as_deref() {
        None => json!({}),
        Some(text) => match serde_json::from_str(text) {
            Ok(Value::Null) => json!({}),
            Ok(params) => params,
            Err(_) => return Err(NodeFailure::invalid("paramsJSON is not JSON")),
        },
    };
    match invoke.command.as_str() {
        "system.run" => {
            let run = SystemRun::read(&params).map_err(NodeFailure::invalid)?;
            let order = system_run::Order {
                run,
                loaded: load(&tools.host).await,
                notes: tools.notes.clone(),
                id: invoke.id.clone(),
                teller: Arc::clone(&tools.host.teller),
            };
            system_run::carry_out(order).await
        }
        "system.which" => {
            let path = tools.offer.path().unwrap_or_default().to_owned();
            files(move || which::which(&params, &path)).await
        }
        "system.execApprovals.get" => {
            let loaded = load(&tools.host).await;
            files(move || approvals::get(&loaded, params)).await
        }
        "system.execApprovals.set" => {
            let loaded = load(&tools.host).await;
            files(move || approvals::set(&loaded, params)).await
        }
        "browser.proxy" if own_browser::is_meant(&params) => {
            let (own, loaded) = (tools.offer.own_browser(), load(&tools.host).await);
            let fits = |payload: &Value| answer(tools.room, invoke, payload).map(drop);
            let order =
                own_browser::Order { call: &invoke.id, params: &params, room: tools.room, fits: &fits };
            own_browser::carry_out(own, &loaded, &order, &tools.host.teller).await
        }
        "browser.proxy" => match tools.offer.browser() {
            Some(control) => browser::pass_on(control, &params).await,
            None => Err(NodeFailure::unavailable("the browser is not passed on")),
        },
        _ => Err(NodeFailure::invalid("this node does not offer that command")),
    }
}

/// Work on files, off the reactor.
async fn files(
    work: impl FnOnce() -> Result<Value, NodeFailure> + Send + 'static,
) -> Result<Value, NodeFailure> {
    spawn_blocking(work).await.unwrap_or_else(|e| Err(NodeFailure::unavailable(e)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_would_cut_the_connection_is_a_failure_that_does_not() {
        let invoke = Invoke::deserialize(json!({"id": "i", "nodeId": "n", "command": "c"})).unwrap();
        // It is longer on its way than by itself: it is a text in a text.
        let payload = json!({"result": "\"".repeat(1000)});
        let length = answer(usize::MAX, &invoke, &payload).unwrap().to_string().len();
        assert!(length > 4000, "{length}");
        assert!(answer(length, &invoke, &payload).is_ok());
        let failure = answer(length - 1, &invoke, &payload).unwrap_err();
        assert_eq!(failure.code, "TOO_LARGE");
        assert!(failure.as_json().to_string().len() < 1000);
    }
}
