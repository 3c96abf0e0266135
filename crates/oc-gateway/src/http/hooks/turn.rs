//! A turn that a hook started, and where its answer goes.

use std::sync::Arc;
use std::time::Duration;

use oc_agent::turn::NoSink;
use oc_agent::turn::said::{Hook, Said};
use oc_channels::rules::Rules;
use oc_policy::inbound::ConversationKind;
use oc_types::AgentId;

use super::delivery::Delivery;
use super::order::{Order, Recipient};
use super::session;
use crate::assistant::outside::{carry_out, conversation};
use crate::assistant::runs::{Standing, Taken, end};
use crate::methods::{Place, send};
use crate::server::state::{Gateway, now_ms, stopping};
use crate::settings::Hooks;

/// Why no turn was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotBegun {
    /// The request cannot be carried out: why, for its sender.
    Refused(&'static str),
    /// Too much is going on.
    Busy,
}

/// Starts a turn; its run.
pub(super) fn start(gateway: &Arc<Gateway>, hooks: &Hooks, order: Order) -> Result<String, NotBegun> {
    order.check().map_err(NotBegun::Refused)?;
    let place = gateway.snapshot().place();
    let (agent, key) =
        session::of(&place, hooks, order.agent.as_deref(), &order.session).map_err(NotBegun::Refused)?;
    let assistant = gateway.assistant().ok_or(NotBegun::Busy)?;
    // By its origin it is untrusted, whatever the session is called.
    let said = Said::Hook(Hook {
        source: order.from,
        text: order.text,
        sender: None,
        subject: order.name.map(|n| oc_text::visible(&n, 120)),
        form: order.form,
    });
    let mut what = conversation(&place, agent.clone(), key.clone(), said).map_err(|e| {
        tracing::error!(target: "gateway/hooks", session = key, error = %e, "a turn could not begin");
        NotBegun::Busy
    })?;
    let permit = assistant.hook_turns().try_acquire_owned().map_err(|_| NotBegun::Busy)?;
    let id = uuid::Uuid::new_v4().to_string();
    let run = match assistant.runs().begin(&id, &key, now_ms()) {
        Taken::New(run) => run,
        Taken::Known(_) | Taken::Full => return Err(NotBegun::Busy),
    };
    tracing::info!(target: "gateway/hooks", run = id, agent = %agent, session = key, "a hook starts a turn");
    // No conversation of a channel: what is allowed to people there is not allowed to a hook.
    what.caller.channel = None;
    what.caller.conversation = ConversationKind::Unknown;
    let (gateway, name) = (Arc::clone(gateway), id.clone());
    tokio::spawn(async move {
        let _permit = permit;
        let mut phase = gateway.phase();
        let gone = async {
            tokio::select! {
                () = passed(order.timeout) => {}
                () = stopping(&mut phase) => {}
            }
        };
        let over = carry_out(&gateway, &assistant, what, &NoSink, gone).await;
        if let (Standing::Ok { reply: Some(reply) }, Some(recipient)) = (&over.standing, &order.recipient) {
            deliver(&gateway, &place, &agent, &key, recipient, reply, &name).await;
        }
        end(&run, over.standing, now_ms());
    });
    Ok(id)
}

async fn passed(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

async fn deliver(
    gateway: &Arc<Gateway>,
    place: &Place,
    agent: &AgentId,
    key: &str,
    recipient: &Recipient,
    reply: &str,
    run: &str,
) {
    let (whose, of, wanted) = (place.clone(), agent.clone(), (key.to_owned(), recipient.clone()));
    let found = tokio::task::spawn_blocking(move || Delivery::of(&whose, &of, &wanted.0, &wanted.1)).await;
    let delivery = match found {
        Ok(Ok(Some(delivery))) => delivery,
        Ok(Ok(None)) => return,
        Ok(Err(why)) => {
            tracing::warn!(target: "gateway/hooks", run, why, "the answer to a hook was not sent on");
            return;
        }
        Err(_) => return,
    };
    let Ok(rules) = Rules::new(gateway.snapshot().tree.clone()) else { return };
    if let Err(by) = delivery.permitted(&rules) {
        tracing::warn!(target: "gateway/hooks", run, key = %by, "the answer to a hook was not sent on: the send policy refuses");
        return;
    }
    let text = gateway.gate.snapshot().redactor().redact(reply);
    if let Err(failure) = send::text(gateway, &delivery.route, &text, &format!("hook-{run}")).await {
        tracing::warn!(target: "gateway/hooks", run, why = failure.message, "the answer to a hook was not sent on");
    }
}
