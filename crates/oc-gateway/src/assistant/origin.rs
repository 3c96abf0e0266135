//! Where something came from that goes on after its turn: a sub-agent's task, a command in the background. Its result goes into the same
//! session, and what the session then says goes to the same conversation (SP-418).

use std::sync::Arc;

use oc_agent::prompt::Mode;
use oc_agent::session::entry::{Facts, Wish};
use oc_agent::turn::said::Said;
use oc_agent::turn::{Ended, NoSink};
use oc_channels::inbox::Route;
use oc_channels::rules::Rules;
use oc_channels::session_settings::SendOverride;
use oc_channels::turn::Reply;
use oc_fs::session_store::{Entry, SessionStoreFailure, session_id};
use oc_policy::session_key::SessionKey;
use oc_sandbox::gate::{Caller, ReturnAddress};
use oc_types::AgentId;
use serde_json::json;

use super::approvers::pressers;
use super::channel_turns::{LOOK, forwards, ids, prompt, waiting};
use super::elsewhere::from_another;
use super::runtime::{Assistant, Conversation, Unnoted};
use super::session_view::entry;
use super::tools::message::{route, route_back, whereabouts};
use crate::methods::Place;
use crate::server::outbox::Weight;
use crate::server::state::{Gateway, now_ms};

/// A turn of before, as far as what follows from it needs to know.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The agent.
    pub agent: AgentId,
    /// The session, in its one form.
    pub key: String,
    /// Who made the call. What follows acts for nobody, and with no more than this caller may.
    caller: Caller,
    /// Who stood behind the call: what follows is held to what each of them may, too.
    behind: Vec<Caller>,
    /// Whether another session's words started it: what the session then says goes to no chat.
    lent: bool,
    /// The conversation it was in when its turn began.
    route: Option<Route>,
    /// The id of the session's transcript when its turn began: after a reset nothing of before comes back, and neither to one that is not known.
    id: Option<String>,
}

impl Origin {
    /// Of a call that a turn made: where that turn was when it began, whatever became of the session since.
    #[must_use]
    pub fn of(place: &Place, caller: &Caller, behind: &[Caller]) -> Option<Self> {
        let parsed = SessionKey::parse(&caller.session).ok()?;
        let key = place.canonical(&caller.agent, &parsed);
        let lent = from_another(caller, behind);
        Some(Self {
            agent: caller.agent.clone(),
            key,
            route: route_back(caller).filter(|_| !lent),
            id: caller.back.transcript.clone(),
            lent,
            caller: caller.clone(),
            behind: behind.to_vec(),
        })
    }

    /// Of a call that begins now, whether a turn makes it or a client: where its session is. Reads the session store; not for the reactor.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn beginning(
        place: &Place,
        caller: &Caller,
        behind: &[Caller],
    ) -> Result<Option<Self>, SessionStoreFailure> {
        let mut caller = caller.clone();
        if caller.back.transcript.is_none()
            && let Ok(parsed) = SessionKey::parse(&caller.session)
        {
            let key = place.canonical(&caller.agent, &parsed);
            let entry = entry(&place.store(&caller.agent), &key)?;
            caller.back = return_address(&entry, &caller);
        }
        Ok(Self::of(place, &caller, behind))
    }
}

/// Where a turn of a caller is that begins with this entry of its session. A turn that follows from an earlier one stays in the conversation of
/// that one, whoever wrote in the session since.
#[must_use]
pub fn return_address(entry: &Entry, caller: &Caller) -> ReturnAddress {
    let transcript = session_id(entry).map(str::to_owned);
    if caller.back.transcript.is_some() {
        return ReturnAddress { transcript, ..caller.back.clone() };
    }
    let route = route(entry, caller);
    ReturnAddress {
        transcript,
        conversation: route.as_ref().map(|r| r.to.conversation.as_str().to_owned()),
        thread: route.and_then(|r| r.to.thread),
    }
}

fn current_id(place: &Place, agent: &AgentId, key: &str) -> Result<Option<String>, SessionStoreFailure> {
    Ok(session_id(&entry(&place.store(agent), key)?).map(str::to_owned))
}

/// Goes on in a session with something that came of it: one turn, acting for nobody, and its answer to the conversation of then. Waits for the
/// session's turn.
pub async fn resume(assistant: &Arc<Assistant>, origin: Origin, said: Said) {
    let Some(gateway) = assistant.gateway() else { return };
    let Ok(session) = SessionKey::parse(&origin.key) else { return };
    let occupied = gateway.lane(&origin.key).await;
    let place = gateway.snapshot().place();
    let (agent, key) = (origin.agent.clone(), origin.key.clone());
    let now = match tokio::task::spawn_blocking(move || current_id(&place, &agent, &key)).await {
        Ok(Ok(now)) => now,
        Ok(Err(e)) => {
            tracing::error!(target: "assistant", session = origin.key, error = %e, "a result is left out, because nobody knows whether its session is still the same");
            return;
        }
        Err(_) => return,
    };
    if origin.id.is_none() || now != origin.id {
        tracing::info!(target: "assistant", session = origin.key, "a result came after the session was begun anew; it is left out");
        return;
    }
    if !assistant.may_follow_up(&origin.key) {
        tracing::warn!(target: "assistant", session = origin.key, "a session goes on by itself too often; this result waits for a person to write");
        return;
    }
    let what = Conversation {
        agent: origin.agent.clone(),
        key: origin.key.clone(),
        caller: origin.caller.clone(),
        behind: std::iter::once(&origin.caller).chain(&origin.behind).cloned().collect(),
        said,
        // Where answers go stays as it is.
        facts: Facts::default(),
        wish: Wish::None,
        prompt: if session.is_subagent() { Mode::Minimal } else { Mode::Full },
    };
    let running = assistant.converse(what, &NoSink, &Unnoted);
    let end = asking(&gateway, &origin, &origin.key, running).await;
    let _order = occupied.map(oc_channels::ingress::Occupied::delivering);
    let text = match end {
        Ok(end) => match (end.how, end.reply, end.notice) {
            (Ended::Answered, Some(reply), _) => reply,
            (Ended::Stopped(_), _, Some(notice)) => notice.to_owned(),
            (Ended::Answered | Ended::Silent | Ended::Aborted | Ended::Stopped(_), _, _) => return,
        },
        Err(e) => {
            tracing::error!(target: "assistant", session = origin.key, error = %e, "a turn could not begin");
            return;
        }
    };
    answer(&gateway, &session, &origin, text).await;
}

/// Runs something of a session (`key`) that follows from a turn, and shows what waits for an answer of a person in the conversation of that turn, as
/// it would be while such a turn runs.
pub async fn asking<T>(
    gateway: &Arc<Gateway>,
    origin: &Origin,
    key: &str,
    running: impl Future<Output = T>,
) -> T {
    let snapshot = gateway.snapshot();
    let route = origin.route.as_ref().filter(|_| forwards(&snapshot.tree, origin.caller.conversation));
    let mut running = std::pin::pin!(running);
    let mut look = tokio::time::interval(LOOK);
    // What waits already is of another turn, and may be of another person.
    let mut told = if route.is_some() { ids(waiting(gateway, &[key], &[]).await) } else { Vec::new() };
    loop {
        tokio::select! {
            end = &mut running => return end,
            _ = look.tick(), if route.is_some() => {
                let (Some(route), Some(channels)) = (route, gateway.channels()) else { continue };
                for record in waiting(gateway, &[key], &told).await {
                    told.push(record.id.clone());
                    let shown = prompt(&record, pressers(&snapshot.tree, &route.channel, &route.account));
                    if let Err(e) = channels.ingress().prompt(route, &shown).await {
                        tracing::warn!(target: "assistant", error = %e, "a request for approval could not be shown in the chat");
                    }
                }
            }
        }
    }
}

/// Says something where the turn of before was: in its chat, else to the clients of the gateway. Where another session's words started that turn,
/// it stands in the transcript and goes nowhere.
async fn answer(gateway: &Arc<Gateway>, session: &SessionKey, origin: &Origin, text: String) {
    if origin.lent {
        return;
    }
    let Some(route) = &origin.route else {
        let shown = gateway.gate.snapshot().redactor().redact(&text);
        let message = json!({ "role": "assistant", "content": [{ "type": "text", "text": shown }], "timestamp": now_ms() });
        let payload = json!({
            "runId": uuid::Uuid::new_v4().to_string(), "sessionKey": origin.key, "seq": 1, "state": "final", "message": message,
        });
        gateway.registry.broadcast("chat", payload, Weight::Needed, None);
        return;
    };
    let Some(channels) = gateway.channels() else { return };
    let place = gateway.snapshot().place();
    let caller = origin.caller.clone();
    let read = tokio::task::spawn_blocking(move || whereabouts(&place, &caller).send).await;
    // What cannot be read delivers nothing.
    let own = read.unwrap_or(Some(SendOverride::Deny));
    let Ok(rules) = Rules::new(Arc::clone(&gateway.snapshot().tree)) else { return };
    if let Err(key) = rules.may_deliver(session, &route.channel, origin.caller.conversation, own) {
        tracing::info!(target: "assistant", session = origin.key, %key, "an answer is not delivered");
        return;
    }
    if let Err(e) = channels.ingress().say(route, &Reply::text(text)).await {
        tracing::warn!(target: "assistant", session = origin.key, error = %e, "an answer could not be delivered");
    }
}
