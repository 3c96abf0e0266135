//! A turn that a hook started, and where its answer goes.

use std::sync::Arc;
use std::time::Duration;

use oc_agent::turn::NoSink;
use oc_agent::turn::said::{Hook, Said};
use oc_channels::adapter::Destination;
use oc_channels::inbox::Route;
use oc_channels::rules::Rules;
use oc_policy::inbound::{ConversationId, ConversationKind};
use oc_policy::session_key::SessionKey;
use oc_types::{AccountId, AgentId, ChannelId};
use serde_json::Value;

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
    let found = tokio::task::spawn_blocking(move || route(&whose, &of, &wanted.0, &wanted.1)).await;
    let route = match found {
        Ok(Ok(Some(route))) => route,
        Ok(Ok(None)) => return,
        Ok(Err(why)) => {
            tracing::warn!(target: "gateway/hooks", run, why, "the answer to a hook was not sent on");
            return;
        }
        Err(_) => return,
    };
    let rules = Rules::new(gateway.snapshot().tree.clone());
    let (Ok(rules), Ok(session)) = (rules, SessionKey::parse(key)) else { return };
    if let Err(by) = rules.may_deliver(&session, &route.channel, ConversationKind::Unknown, None) {
        tracing::warn!(target: "gateway/hooks", run, key = %by, "the answer to a hook was not sent on: the send policy refuses");
        return;
    }
    let text = gateway.gate.snapshot().redactor().redact(reply);
    if let Err(failure) = send::text(gateway, &route, &text, &format!("hook-{run}")).await {
        tracing::warn!(target: "gateway/hooks", run, why = failure.message, "the answer to a hook was not sent on");
    }
}

/// Where an answer goes; `None`: nowhere, there is no conversation.
fn route(
    place: &Place,
    agent: &AgentId,
    key: &str,
    recipient: &Recipient,
) -> Result<Option<Route>, &'static str> {
    let (channel, to, account) = match recipient {
        Recipient::Owner { channel, to } => (channel.clone(), to.clone(), AccountId::DEFAULT.to_owned()),
        Recipient::Last => match last(place, agent, |k, _| k == key)? {
            Some(found) => found,
            None => return Ok(None),
        },
        Recipient::Request { channel, to } => {
            let same = |entry: &Value| {
                let is = |name: &str, wanted: &str| entry.get(name).and_then(Value::as_str) == Some(wanted);
                is("lastChannel", channel) && is("lastTo", to)
            };
            last(place, agent, |_, entry| same(entry))?
                .ok_or("the recipient that the request names has had no conversation with this agent")?
        }
    };
    let channel = ChannelId::parse(&channel).map_err(|_| "the channel is not known")?;
    let to = Destination { conversation: ConversationId::new(&to), thread: None, reply_to: None };
    Ok(Some(Route { channel, account, to }))
}

/// Channel, conversation and account of the first session of an agent that fits and is a chat.
fn last(
    place: &Place,
    agent: &AgentId,
    fits: impl Fn(&str, &Value) -> bool,
) -> Result<Option<(String, String, String)>, &'static str> {
    let all = place.store(agent).read().map_err(|_| "the session store cannot be read")?;
    Ok(all.iter().filter(|(key, entry)| fits(key, entry)).find_map(|(_, entry)| {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
        let account = text("lastAccountId").unwrap_or_else(|| AccountId::DEFAULT.to_owned());
        Some((text("lastChannel")?, text("lastTo")?, account))
    }))
}
