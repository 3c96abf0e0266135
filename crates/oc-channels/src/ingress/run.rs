//! One turn: its messages are decided again, it is run, its answer is delivered.

use std::sync::Arc;

use oc_policy::access::{Admission, Outcome, may_be_heard};
use oc_policy::command::approve::ApproveWord;
use oc_policy::inbound::{ConversationKind, SenderId};
use oc_policy::session_key::SessionKey;
use tokio::sync::Notify;

use super::history::RoomKey;
use super::offer::{GRACE, Reading, route_of};
use super::{Core, Running, locked, words};
use crate::adapter::{AdapterFailure, Attachment, Button, Pending, Sent};
use crate::approval_prompt::ApprovalPrompt;
use crate::delivery::DeliveryFailure;
use crate::inbox::{Ending, InboxFailure, Route};
use crate::lane::{Item, Work};
use crate::payload::{Bound, Purpose};
use crate::rules::Rules;
use crate::turn::{Attempt, Authority, ContextLine, Replies, Reply, Turn, TurnMessage, TurnOutcome};

impl Work for Core {
    fn run(
        self: Arc<Self>,
        session: SessionKey,
        items: Vec<Item>,
        summarized: Vec<String>,
    ) -> Pending<'static, ()> {
        Box::pin(run(self, session, items, summarized))
    }

    fn broke(self: Arc<Self>, session: SessionKey, items: Vec<Item>) -> Pending<'static, ()> {
        Box::pin(async move {
            locked(&self.running).remove(&session);
            self.observer.failed(&format!("a turn of {session} ended in a defect of the program"));
            let entries: Vec<u64> = items.iter().map(|i| i.entry).collect();
            if let Some(last) = items.last() {
                let route = route_of(&last.event);
                self.answer(&entries, &route, Reply::text(words::BROKE), Ending::Answered, true).await;
            }
        })
    }
}

/// The members of a turn, decided under the rules in force now.
struct Members {
    items: Vec<Item>,
    messages: Vec<TurnMessage>,
    admission: Admission,
}

async fn members(core: &Arc<Core>, rules: &Rules, session: &SessionKey, items: Vec<Item>) -> Option<Members> {
    let mut kept = Vec::new();
    let mut messages: Vec<TurnMessage> = Vec::new();
    let mut newest = None;
    for item in items {
        let mut message = item.event.message.clone();
        let decision = core.decide(rules, &mut message).await;
        let Outcome::Allow(admission) = decision.outcome else {
            core.inbox.done(&[item.entry], Ending::Access, core.now());
            continue;
        };
        if admission.session_key() != session {
            // The rules now put it into another session.
            let target = admission.session_key().clone();
            Box::pin(core.queue(&target, item, rules)).await;
            continue;
        }
        let message = core.turn_message(rules, &item, &admission).await;
        let glued = kept.last().is_some_and(|last: &Item| glues(last, &item, rules));
        match messages.last_mut().filter(|_| glued) {
            Some(last) => {
                // Of one sender, so the right is the same; the least of both all the same.
                last.authority = Authority::least([last.authority, message.authority]);
                last.text = format!("{}\n{}", last.text, message.text);
                last.event = message.event;
            }
            None => messages.push(message),
        }
        kept.push(item);
        newest = Some(admission);
    }
    Some(Members { items: kept, messages, admission: newest? })
}

/// Whether two messages that followed each other within the inbound debounce are one (agent-runtime 6): same sender, plain text.
fn glues(last: &Item, item: &Item, rules: &Rules) -> bool {
    let within = rules.lane(&item.event.message.channel, None).inbound_ms;
    let plain = |i: &Item| i.event.attachments.is_empty() && i.event.quoted.is_none();
    within > 0
        && item.at_ms.saturating_sub(last.at_ms) <= within
        && plain(last)
        && plain(item)
        && last.same_sender(item)
}

async fn run(core: Arc<Core>, session: SessionKey, items: Vec<Item>, summarized: Vec<String>) {
    let again = items.iter().any(|i| i.again);
    let occupied = core.occupy(&session).await;
    let rules = core.rules.load_full();
    let Some(members) = members(&core, &rules, &session, items).await else { return };
    let Some(last) = members.items.last().cloned() else { return };
    let route = route_of(&last.event);
    let context = context(&core, &rules, &last).await;
    let entries: Vec<u64> = members.items.iter().map(|i| i.entry).collect();
    let turn = match core.inbox.started(&entries) {
        Ok(turn) => turn,
        Err(why) => return core.observer.failed(&why.to_string()),
    };
    let cancel = Arc::new(Notify::new());
    let running = Running {
        turn,
        route: last.place(),
        entries,
        cancel: Arc::clone(&cancel),
        steered: Vec::new(),
        unread: Vec::new(),
    };
    locked(&core.running).insert(session.clone(), running);
    let authority = Authority::least(members.messages.iter().map(|m| m.authority));
    let kind = members.admission.kind();
    let given = Turn {
        id: format!("{}-{turn}", core.instance),
        channel: route.channel.clone(),
        account: route.account.clone(),
        authority,
        messages: members.messages,
        context,
        summarized,
        place: last.event.message.place.clone(),
        destination: route.to.clone(),
        attempt: if again { Attempt::Again } else { Attempt::First },
        admission: members.admission,
    };
    let replies =
        TurnReplies { core: Arc::clone(&core), turn, route: route.clone(), session: session.clone(), kind };
    let outcome = {
        let ended = async {
            cancel.notified().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            outcome = core.turns.run(given, &replies) => outcome,
            // It was told to stop and does not.
            () = ended => TurnOutcome::Stopped,
        }
    };
    let _occupied = occupied.delivering();
    let ended = locked(&core.running).remove(&session);
    let entries = ended.map(|r| r.entries).unwrap_or_default();
    finish(&core, &session, kind, &route, entries, outcome).await;
}

async fn finish(
    core: &Core,
    session: &SessionKey,
    kind: ConversationKind,
    route: &Route,
    entries: Vec<u64>,
    outcome: TurnOutcome,
) {
    let (reply, how) = match outcome {
        TurnOutcome::Answer(reply) => (reply, Ending::Answered),
        TurnOutcome::Failed { notice } => (Reply::text(notice), Ending::Answered),
        TurnOutcome::Silent => return core.inbox.done(&entries, Ending::Silent, core.now()),
        TurnOutcome::Stopped => return core.inbox.done(&entries, Ending::Stopped, core.now()),
    };
    if let Err(why) = may_deliver(core, session, kind, route).await {
        core.observer.failed(&why.to_string());
        return core.inbox.done(&entries, Ending::Silent, core.now());
    }
    core.answer(&entries, route, reply, how, false).await;
}

/// The send policy, as it is now.
async fn may_deliver(
    core: &Core,
    session: &SessionKey,
    kind: ConversationKind,
    route: &Route,
) -> Result<(), DeliveryFailure> {
    let own = core.commands.settings().view(session).await.send;
    let rules = core.rules.load();
    rules.may_deliver(session, &route.channel, kind, own).map_err(|key| DeliveryFailure::SendPolicy { key })
}

/// What was said in the room before, by those who may still be heard there (SP-417).
async fn context(core: &Core, rules: &Rules, last: &Item) -> Vec<ContextLine> {
    let kept = locked(&core.histories).take(&RoomKey::of(&last.event.message));
    let mut lines = Vec::new();
    for one in kept {
        let mut message = one.message.clone();
        if may_be_heard(&core.decide(rules, &mut message).await) {
            lines.push(one.line());
        }
    }
    lines
}

impl Core {
    /// A message as the runtime gets it.
    pub(super) async fn turn_message(
        &self,
        rules: &Rules,
        item: &Item,
        admission: &Admission,
    ) -> TurnMessage {
        let event = &item.event;
        let message = &event.message;
        let authority = super::authority_of(rules.config(), message, admission);
        let text = match Reading::of(message, rules.config(), authority.commands.is_authorized()) {
            Reading::Rest(text) | Reading::Inline(_, text) if !text.is_empty() => text,
            _ => message.text.clone(),
        };
        TurnMessage {
            event: event.id.clone(),
            sender: message.sender.clone(),
            authority,
            text,
            quoted: self.heard_quote(rules, message, event.quoted.as_ref()).await,
            attachments: event.attachments.clone(),
            sent_ms: message.sent_ms,
            received_ms: item.at_ms,
        }
    }
}

/// A running turn's way into its conversation.
#[derive(Debug)]
struct TurnReplies {
    core: Arc<Core>,
    turn: u64,
    route: Route,
    session: SessionKey,
    kind: ConversationKind,
}

impl Replies for TurnReplies {
    fn interim(&self, reply: Reply) -> Pending<'_, Result<Vec<Sent>, DeliveryFailure>> {
        Box::pin(async move {
            may_deliver(&self.core, &self.session, self.kind, &self.route).await?;
            self.core.inbox.acted(self.turn).await.map_err(|_| DeliveryFailure::Journal)?;
            self.core.say(&self.route, &reply, "interim").await
        })
    }

    fn typing(&self) -> Pending<'_, ()> {
        Box::pin(async move {
            if let Ok(adapter) = self.core.courier.adapter(&self.route.channel, &self.route.account)
                && adapter.features().typing
            {
                adapter.typing(&self.route.to).await;
            }
        })
    }

    fn acting(&self) -> Pending<'_, Result<(), InboxFailure>> {
        Box::pin(self.core.inbox.acted(self.turn))
    }

    fn prompt(&self, prompt: ApprovalPrompt) -> Pending<'_, Result<Vec<Sent>, DeliveryFailure>> {
        Box::pin(async move {
            self.core.inbox.acted(self.turn).await.map_err(|_| DeliveryFailure::Journal)?;
            send_prompt(&self.core, &self.route, &prompt).await
        })
    }

    fn unread(&self, events: Vec<String>) -> Pending<'_, ()> {
        Box::pin(async move {
            let back = {
                let mut all = locked(&self.core.running);
                let Some(running) = all.get_mut(&self.session).filter(|r| r.turn == self.turn) else {
                    return;
                };
                let theirs = |item: &Item| events.contains(&item.event.id);
                let (back, read): (Vec<Item>, Vec<Item>) =
                    std::mem::take(&mut running.steered).into_iter().partition(theirs);
                running.steered = read;
                running.entries.retain(|entry| back.iter().all(|item| item.entry != *entry));
                running.unread.extend(events);
                back
            };
            let rules = self.core.rules.load_full();
            for item in back {
                // It is no part of this turn any more, also for a restart.
                let _ = self.core.inbox.started(&[item.entry]);
                self.core.wait_again(&self.session, item, &rules).await;
            }
        })
    }

    fn fetch<'a>(&'a self, attachment: &'a Attachment) -> Pending<'a, Result<Vec<u8>, AdapterFailure>> {
        Box::pin(async move {
            let (channel, account) = (&self.route.channel, &self.route.account);
            let adapter = self.core.courier.adapter(channel, account).map_err(|why| match why {
                DeliveryFailure::Adapter(failure) => failure,
                other => {
                    AdapterFailure::Settings { key: format!("channels.{channel}"), why: other.to_string() }
                }
            })?;
            let most = self.core.rules.load().media_bytes(channel, account, attachment.kind);
            adapter.fetch(attachment, most).await
        })
    }
}

/// Sends a prompt, with buttons for those who may press them, where the service has buttons.
pub(super) async fn send_prompt(
    core: &Core,
    route: &Route,
    prompt: &ApprovalPrompt,
) -> Result<Vec<Sent>, DeliveryFailure> {
    let now = core.now();
    let buttons = core.courier.adapter(&route.channel, &route.account)?.features().buttons;
    let users: Vec<SenderId> = prompt.pressers.iter().filter_map(|p| SenderId::new(p)).collect();
    let mut reply = Reply::text(prompt.text(now));
    if buttons && !users.is_empty() && prompt.is_whole() {
        let purposes: Vec<Purpose> = prompt
            .decisions
            .iter()
            .map(|d| Purpose::Approval { id: prompt.id.clone(), decision: *d })
            .collect();
        let bound = Bound {
            channel: route.channel.clone(),
            account: route.account.clone(),
            conversation: route.to.conversation.clone(),
            users,
        };
        let made = locked(&core.mint).issue(&bound, &purposes, prompt.expires_ms, &mut random);
        let labels = prompt.decisions.iter().map(|d| label(*d));
        let made = made.into_iter().flatten().zip(labels);
        reply.buttons = made.map(|(payload, label)| Button { label: label.to_owned(), payload }).collect();
    }
    core.say(route, &reply, "prompt").await
}

fn label(decision: ApproveWord) -> &'static str {
    match decision {
        ApproveWord::AllowOnce => "Allow once",
        ApproveWord::AllowAlways => "Allow always",
        ApproveWord::Deny => "Refuse",
    }
}

fn random() -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes).ok()?;
    Some(bytes)
}
