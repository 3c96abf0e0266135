//! `node.invoke` of `system.run` (exec-approval 9.4.8, 12). The rules are those of [`oc_approval::node_run`]; this carries them out.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use oc_approval::life_cycle::{Denial, Ending};
use oc_approval::node_run::{Desk, LIVE_MS, Needs, NotSent, SystemRun};
use oc_sandbox::gate::{Asking, TakenUp};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::{Invoke, NotInvoked, answer_of, invalid, not_connected, standing, unavailable};
use crate::methods::{Call, Outcome, session_defaults};
use crate::protocol::frame::Failure;
use crate::server::nodes::Waiting;
use crate::server::state::{Gateway, now_ms};

/// How long after its call a run may still be told about, in milliseconds.
const AFTER_MS: u64 = 600_000;

/// Agent and session of a command that names none.
pub fn defaults(gateway: &Gateway) -> (String, String) {
    let defaults = session_defaults(&gateway.snapshot());
    let text = |key: &str| defaults.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("defaultAgentId"), text("mainSessionKey"))
}

/// The one connected node that may be sent commands; `None` when there is none, or more than one: nobody guesses which is meant.
pub fn only_node(call: &Call) -> Option<String> {
    let nodes = call.gateway.nodes.all();
    let ids = nodes.iter().map(|n| crate::server::nodes::node_id(&n.connection).to_owned());
    let offers = |id: &String| standing(call, id, "system.run").is_ok_and(|(_, o)| o.allowed && o.declared);
    let mut fit = ids.filter(offers);
    fit.next().filter(|_| fit.next().is_none())
}

/// Who a caller is for the answers that it waited for.
pub fn who(call: &Call) -> String {
    call.connection.device.as_ref().map_or_else(|| call.connection.id.clone(), |d| d.id.clone())
}

fn desk(gateway: &Gateway) -> MutexGuard<'_, Desk<Asking>> {
    gateway.answers.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps an answer for the command that it was given for. What nobody fetches ends unused.
pub async fn keep(call: &Call, asking: Asking) {
    let id = asking.record().id.clone();
    let over = desk(&call.gateway).keep(id, who(call), asking, now_ms());
    withdraw_all(over).await;
    let gateway = std::sync::Arc::clone(&call.gateway);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(LIVE_MS)).await;
        let over = desk(&gateway).expire(now_ms());
        withdraw_all(over).await;
    });
}

async fn withdraw_all(over: Vec<Asking>) {
    for asking in over {
        asking.withdraw(Denial::RunAborted, "the command never came").await;
    }
}

/// Sends a command to its node and waits for what comes of it.
pub(super) async fn carry_out(call: &Call, invoke: &Invoke) -> Outcome {
    let params = invoke.params.clone().unwrap_or_else(|| json!({}));
    let run = SystemRun::read(&params).map_err(invalid)?;
    let (_, offer) = standing(call, &invoke.node_id, &invoke.command)?;
    let taken = match run.needs(offer).map_err(refused)? {
        Needs::Nothing => None,
        Needs::Approval(id) => Some(redeem(call, invoke, &run, id).await?),
    };
    let waiting = match send(call, invoke, &run, taken.as_ref()) {
        Ok(waiting) => waiting,
        Err(failure) => {
            if let Some(taken) = taken {
                let _ = spawn_blocking(move || taken.withdraw(Denial::InvokeFailed, "")).await;
            }
            return Err(failure);
        }
    };
    if let Some(taken) = &taken {
        taken.started().await;
    }
    let outcome = answer_of(call, invoke, waiting).await;
    if let Some(taken) = taken {
        let code = outcome.as_ref().ok().and_then(|o| o.pointer("/payload/exitCode")).and_then(Value::as_i64);
        let ending = code.and_then(|c| i32::try_from(c).ok()).map_or(Ending::Lost, Ending::Exit);
        let _ = spawn_blocking(move || taken.finished(ending)).await;
    }
    outcome
}

/// Takes an approval up for exactly this command and node. Unknown, foreign, used and late ones are answered alike (SP-175).
async fn redeem(call: &Call, invoke: &Invoke, run: &SystemRun, id: &str) -> Result<TakenUp, Failure> {
    let no = || refused(NotSent::NotApproved);
    let asking = desk(&call.gateway).take(id, &who(call), now_ms()).ok_or_else(no)?;
    let (agent, session) = defaults(&call.gateway);
    let asked = run.asked(&invoke.node_id, &agent, &session).map_err(invalid)?;
    match asking.take_up(asked.binding().clone()).await {
        Ok(Ok(taken)) => Ok(taken),
        Ok(Err(_)) => Err(no()),
        Err(failure) => Err(unavailable(failure)),
    }
}

/// Looks once more, writes the message, sends it: to the connection that was looked at and no other.
fn send(call: &Call, invoke: &Invoke, run: &SystemRun, taken: Option<&TakenUp>) -> Result<Waiting, Failure> {
    let (node, offer) = standing(call, &invoke.node_id, &invoke.command)?;
    let fresh = uuid::Uuid::new_v4().to_string();
    let run_id = run.run_id().unwrap_or(&fresh);
    let message = run.message(offer, run_id, taken.map(TakenUp::grant)).map_err(refused)?;
    let now = now_ms();
    let session = run.session().map_or_else(|| defaults(&call.gateway).1, str::to_owned);
    let until = now.saturating_add(invoke.time_ms()).saturating_add(AFTER_MS);
    if !call.gateway.nodes.give(&node, run_id, &session, now, until) {
        return Err(invalid("runId: a run of that name was given to this node already"));
    }
    let nodes = &call.gateway.nodes;
    let sent = nodes.call(&node, &invoke.command, Some(&message), invoke.time_ms(), &invoke.idempotency_key);
    sent.ok_or_else(not_connected)
}

fn refused(why: NotSent) -> Failure {
    match why {
        NotSent::NotAllowed => NotInvoked::NotAllowed.failure("system.run"),
        NotSent::NotDeclared => NotInvoked::NotDeclared.failure("system.run"),
        NotSent::NotApproved | NotSent::Environment => {
            invalid(why).with_details(json!({ "reason": "approval required", "command": "system.run" }))
        }
    }
}
