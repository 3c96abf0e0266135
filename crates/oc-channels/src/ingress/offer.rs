//! One event, from the adapter to the queue.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use oc_policy::access::{Admission, Decision, Outcome, PairingNotice, Reason};
use oc_policy::command::approve::{ApproveText, ApproveWord};
use oc_policy::command::{CommandText, text_commands_count};
use oc_policy::inbound::{ConversationKind, EventKind, Inbound};
use oc_policy::owner_only::Ownership;
use oc_policy::session_key::SessionKey;
use oc_types::{ChannelId, Node};

use super::notices::Refused;
use super::seen::{Begin, key_of};
use super::{Core, DropReason, Happened, LONGEST_TEXT, MOST_FILES, locked, words};
use crate::adapter::{Event, Taken};
use crate::chat_command::{Asker, ChatCommand, Done, beside_directive, inline};
use crate::inbox::{Ending, Route};
use crate::lane::{Item, LaneSettings, Pushed};
use crate::pairing::Upserted;
use crate::rules::Rules;
use crate::turn::{Reply, Steered, StopCause};

/// How long a run may take to end after it was told to.
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// Marks an event as being looked at; whatever happens, it does not stay so.
struct Looking<'c> {
    core: &'c Core,
    key: String,
    settled: bool,
}

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        locked(&self.core.seen).end(&self.key, self.settled, self.core.now());
    }
}

/// How often a session is told that its queue is full, milliseconds.
const TOLD_MS: i64 = 60_000;

pub(super) async fn offer(core: &Arc<Core>, account: (&ChannelId, &str), mut event: Event) -> Taken {
    if core.closing.load(Ordering::Acquire) {
        return Taken::Later;
    }
    if event.message.channel != *account.0 || event.message.account != account.1 {
        return core.dropped(&event, DropReason::WrongAccount);
    }
    let Some(key) = key_of(&event) else { return core.dropped(&event, DropReason::BlankId) };
    if core.inbox.has(&key) {
        return core.dropped(&event, DropReason::Duplicate);
    }
    match locked(&core.seen).begin(&key, core.now()) {
        Begin::New => {}
        Begin::Seen => return core.dropped(&event, DropReason::Duplicate),
        // The other one may yet fail.
        Begin::Busy => return Taken::Later,
    }
    let mut looking = Looking { core, key, settled: false };
    let too_long = shorten(&mut event);
    let rules = core.rules.load_full();
    core.count_press(&mut event);
    let decision = core.decide(&rules, &mut event.message).await;
    let taken = match &decision.outcome {
        Outcome::Drop(reason) => core.refused(&event, *reason, &decision),
        Outcome::ContextOnly(_) => {
            let limit = rules.history(&event.message.channel, &event.message.account);
            locked(&core.histories).keep(&event.message, limit, core.now());
            core.observer.decided(&event, Happened::Kept, Some(&decision));
            Taken::Done
        }
        Outcome::Pairing(notice) => core.pair(&event, notice, &decision).await,
        Outcome::Allow(admission) => {
            let admitted = Admitted { rules: &rules, decision: &decision, admission, too_long };
            core.admitted(event, &looking.key, &admitted).await
        }
    };
    looking.settled = taken == Taken::Done;
    taken
}

/// Cuts what is absurdly long, before anything reads it. `true`: the text was.
fn shorten(event: &mut Event) -> bool {
    let cut = |text: &mut String, most: usize| {
        let long = text.len() > most;
        if long {
            let end = (0..=most).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
            text.truncate(end);
        }
        long
    };
    event.attachments.truncate(MOST_FILES);
    if let Some(quoted) = &mut event.quoted {
        cut(&mut quoted.text, 8 * 1024);
    }
    cut(&mut event.message.text, LONGEST_TEXT)
}

struct Admitted<'a> {
    rules: &'a Rules,
    decision: &'a Decision,
    admission: &'a Admission,
    too_long: bool,
}

impl Core {
    fn dropped(&self, event: &Event, why: DropReason) -> Taken {
        self.observer.decided(event, Happened::Dropped(why), None);
        Taken::Done
    }

    fn refused(&self, event: &Event, reason: Reason, decision: &Decision) -> Taken {
        self.observer.decided(event, Happened::Dropped(DropReason::Access(reason)), Some(decision));
        self.refused_line(event, reason, decision)
    }

    /// A press of a button that this person may press here is meant for the bot.
    fn count_press(&self, event: &mut Event) {
        let m = &mut event.message;
        // Where the button stands: in a direct chat the place of the answer, which need not be the person's id.
        let place = (&m.channel, m.account.as_str(), &event.reply.conversation);
        let known = |p: &String| locked(&self.mint).knows(p, place, m.sender.id.as_ref());
        if event.payload.as_ref().is_some_and(known) {
            m.mentions.bot = Some(true);
        }
    }

    /// The one thing that happens for a stranger: a request, at most three at a time, and one reply.
    async fn pair(self: &Arc<Self>, event: &Event, notice: &PairingNotice, decision: &Decision) -> Taken {
        let m = &event.message;
        let now = self.now();
        let happened = |created| self.observer.decided(event, Happened::Pairing { created }, Some(decision));
        let Some(id) = notice.id() else {
            happened(false);
            return self.refused_line(event, Reason::DmPairingRequired, decision);
        };
        // Only a message of a person asks for anything; a reaction of a stranger is nothing.
        let asks = matches!(m.event, EventKind::Message | EventKind::SlashCommand | EventKind::Voice);
        if !asks || (!notice.created() && !self.pairing.may_note(&m.channel, &m.account, id, now)) {
            happened(false);
            return Taken::Done;
        }
        let name = m.sender.names.shown().map(|n| n.to_string());
        let meta: Vec<(String, String)> = name.map(|n| ("name".to_owned(), n)).into_iter().collect();
        match self.pairing.request(&m.channel, &m.account, id, meta, now).await {
            Ok(Upserted::Created { code }) => {
                happened(true);
                self.refused_line(event, Reason::DmPairingRequired, decision);
                let text = words::pairing_reply(m, id, &code);
                let route = route_of(event);
                let core = Arc::clone(self);
                tokio::spawn(async move {
                    if let Err(why) = core.say(&route, &Reply::text(text), "pairing").await {
                        let (channel, account) = (&route.channel, &route.account);
                        core.observer
                            .failed(&format!("{channel} account {account}: the pairing reply: {why}"));
                    }
                });
            }
            Ok(Upserted::Known { .. } | Upserted::Full) => happened(false),
            Err(why) => {
                happened(false);
                self.observer.failed(&format!("{} account {}: {why}", m.channel, m.account));
            }
        }
        Taken::Done
    }

    fn refused_line(&self, event: &Event, reason: Reason, decision: &Decision) -> Taken {
        let m = &event.message;
        let about = Refused {
            channel: m.channel.as_str(),
            account: &m.account,
            conversation: m.conversation.as_str(),
            word: reason.word(),
            reason: reason.explained(),
            detail: &decision.detail,
            key: decision.decided_by.key_path.as_ref(),
        };
        if let Some(line) = locked(&self.notices).line(&about, self.now()) {
            self.observer.line(&line);
        }
        Taken::Done
    }

    async fn admitted(self: &Arc<Self>, event: Event, key: &str, admitted: &Admitted<'_>) -> Taken {
        let m = &event.message;
        let room = m.kind != ConversationKind::Direct;
        if room && event.reply.conversation != *admitted.admission.conversation() {
            return self.dropped(&event, DropReason::WrongDestination);
        }
        let authority = super::authority_of(admitted.rules.config(), m, admitted.admission);
        let session = admitted.admission.session_key();
        let happened = || {
            self.observer.decided(&event, Happened::Admitted { session, authority }, Some(admitted.decision))
        };
        if event.payload.is_some() || m.event == EventKind::Button {
            return self.press(&event, admitted).await;
        }
        match m.event {
            EventKind::Message | EventKind::SlashCommand | EventKind::Voice | EventKind::Card => {}
            EventKind::Edit
            | EventKind::Delete
            | EventKind::Reaction
            | EventKind::Pin
            | EventKind::Membership
            | EventKind::Poll
            | EventKind::Verification
            | EventKind::Button
            | EventKind::Unknown => {
                let limit = admitted.rules.history(&m.channel, &m.account);
                locked(&self.histories).keep(m, limit, self.now());
                self.observer.decided(&event, Happened::Kept, Some(admitted.decision));
                return Taken::Done;
            }
        }
        if m.text.trim().is_empty() && event.attachments.is_empty() {
            return self.dropped(&event, DropReason::Empty);
        }
        let read = Reading::of(m, admitted.rules.config(), authority.commands.is_authorized());
        if matches!(read, Reading::Ignored) {
            return self.refused(&event, Reason::CommandUnauthorized, admitted.decision);
        }
        happened();
        let event = Arc::new(event);
        let entry = match self.inbox.accept(key, Arc::clone(&event), self.now()).await {
            Ok(entry) => entry,
            Err(why) => {
                self.observer.failed(&why.to_string());
                return Taken::Later;
            }
        };
        self.tell_adapter(&event);
        if admitted.too_long {
            self.answer_later(vec![entry], &event, Reply::text(words::TOO_LONG), Ending::Answered);
            return Taken::Done;
        }
        let item = Item { entry, event, at_ms: self.now(), again: false };
        self.go_on(item, read, admitted.rules, admitted.admission).await;
        Taken::Done
    }

    /// A message that is in the inbox: a command is carried out, anything else waits for its turn.
    pub(super) async fn go_on(
        self: &Arc<Self>,
        item: Item,
        read: Reading,
        rules: &Rules,
        admission: &Admission,
    ) {
        let session = admission.session_key().clone();
        match read {
            Reading::Ignored => self.inbox.done(&[item.entry], Ending::Access, self.now()),
            Reading::Text => self.queue(&session, item, rules).await,
            Reading::Rest(text) => self.queue(&session, with_text(&item, text), rules).await,
            Reading::Inline(commands, rest) => {
                let mut said = Vec::new();
                for command in &commands {
                    if let Done::Say(text) = self.carry_out(command, &item, rules, admission).await {
                        said.push(text);
                    }
                }
                let reply = Reply::text(said.join("\n\n"));
                if rest.is_empty() {
                    self.answer_later(vec![item.entry], &item.event, reply, Ending::Command);
                } else {
                    let (core, route) = (Arc::clone(self), route_of(&item.event));
                    tokio::spawn(async move {
                        let _ = core.say(&route, &reply, "inline").await;
                    });
                    self.queue(&session, with_text(&item, rest), rules).await;
                }
            }
            Reading::Command(command) => {
                let done = self.carry_out(&command, &item, rules, admission).await;
                match done {
                    Done::Silent => self.inbox.done(&[item.entry], Ending::Command, self.now()),
                    Done::Say(text) => {
                        self.answer_later(vec![item.entry], &item.event, Reply::text(text), Ending::Command);
                    }
                    Done::Stop => {
                        let (ran, waited) = stop(self, &session, StopCause::Person).await;
                        let text = words::stopped(ran, waited);
                        self.answer_later(vec![item.entry], &item.event, Reply::text(text), Ending::Command);
                    }
                    Done::Renewed { said, rest } => {
                        stop(self, &session, StopCause::Reset).await;
                        if rest.is_empty() {
                            self.answer_later(
                                vec![item.entry],
                                &item.event,
                                Reply::text(said),
                                Ending::Command,
                            );
                        } else {
                            self.queue(&session, with_text(&item, rest), rules).await;
                        }
                    }
                }
            }
        }
    }

    async fn carry_out(
        &self,
        command: &ChatCommand,
        item: &Item,
        rules: &Rules,
        admission: &Admission,
    ) -> Done {
        let message = &item.event.message;
        let authority = super::authority_of(rules.config(), message, admission);
        let asker = Asker { config: rules.config(), message, admission, authority };
        if let Some(done) = self.pairing_answer(command, &asker).await {
            return done;
        }
        self.commands.carry_out(command, &asker).await
    }

    /// An owner answers a pairing request of this account in their own direct chat: `/approve CODE`, `/deny CODE`. `None`: it is no code of
    /// a request, so it is about a command.
    async fn pairing_answer(&self, command: &ChatCommand, asker: &Asker<'_>) -> Option<Done> {
        let ChatCommand::Approve(ApproveText::Decision { id, decision, target: None }) = command else {
            return None;
        };
        let owner = asker.authority.owner == Ownership::Proven && asker.authority.commands.is_authorized();
        if !owner
            || asker.admission.kind() != ConversationKind::Direct
            || *decision == ApproveWord::AllowAlways
        {
            return None;
        }
        let m = asker.message;
        let allow = *decision == ApproveWord::AllowOnce;
        let id = self.pairing.answer(&m.channel, &m.account, id, allow, self.now()).await?;
        Some(Done::Say(words::pairing_answered(&id, &m.channel, allow)))
    }

    /// Tells the adapter that an event was admitted; before anything of it is answered.
    fn tell_adapter(&self, event: &Event) {
        if let Ok(adapter) = self.courier.adapter(&event.message.channel, &event.message.account) {
            adapter.admitted(event);
        }
    }

    async fn press(self: &Arc<Self>, event: &Event, admitted: &Admitted<'_>) -> Taken {
        let m = &event.message;
        let payload = event.payload.as_deref().unwrap_or_default();
        let place = (&m.channel, m.account.as_str(), &event.reply.conversation);
        let redeemed = locked(&self.mint).redeem(payload, place, m.sender.id.as_ref(), self.now());
        let Ok(crate::payload::Purpose::Approval { id, decision }) = redeemed else {
            return self.dropped(event, DropReason::Button);
        };
        let authority = super::authority_of(admitted.rules.config(), m, admitted.admission);
        let session = admitted.admission.session_key();
        self.observer.decided(event, Happened::Admitted { session, authority }, Some(admitted.decision));
        let asker =
            Asker { config: admitted.rules.config(), message: m, admission: admitted.admission, authority };
        self.tell_adapter(event);
        if let Done::Say(text) = self.commands.press(&asker, &id, decision).await {
            let (core, route) = (Arc::clone(self), route_of(event));
            tokio::spawn(async move {
                let _ = core.say(&route, &Reply::text(text), "press").await;
            });
        }
        Taken::Done
    }

    /// Puts a message into its session's queue.
    pub(super) async fn queue(self: &Arc<Self>, session: &SessionKey, item: Item, rules: &Rules) {
        let mode = self.commands.settings().view(session).await.queue;
        let settings = rules.lane(&item.event.message.channel, mode);
        let work = self.work();
        let mut pushed = self.lanes.push(session, item, settings, &work);
        if let Pushed::Steer { item, keep } = pushed {
            let taken = self.steer(session, &item, keep, rules).await;
            if taken && !keep {
                return;
            }
            pushed = self.lanes.enqueue(session, *item, settings, &work);
        }
        self.pushed(session, settings, pushed).await;
    }

    /// Lets a message wait that a turn was handed and has not read.
    pub(super) async fn wait_again(self: &Arc<Self>, session: &SessionKey, item: Item, rules: &Rules) {
        let mode = self.commands.settings().view(session).await.queue;
        let settings = rules.lane(&item.event.message.channel, mode);
        let pushed = self.lanes.enqueue(session, item, settings, &self.work());
        self.pushed(session, settings, pushed).await;
    }

    async fn pushed(self: &Arc<Self>, session: &SessionKey, settings: LaneSettings, pushed: Pushed) {
        match pushed {
            Pushed::Queued { dropped } => {
                for item in dropped {
                    match settings.overflow {
                        // It goes on as a line of context.
                        crate::lane::DropRule::Summarize => {
                            self.inbox.done(&[item.entry], Ending::Overflow, self.now());
                        }
                        crate::lane::DropRule::Old | crate::lane::DropRule::New => {
                            self.overflowed(session, &item, words::DROPPED);
                        }
                    }
                }
            }
            Pushed::Refused(item) => {
                self.overflowed(session, &item, words::FULL);
            }
            Pushed::Interrupt { replaced } => {
                let entries: Vec<u64> = replaced.iter().map(|i| i.entry).collect();
                self.inbox.done(&entries, Ending::Stopped, self.now());
                self.end_run(session, StopCause::Newer).await;
            }
            // Whoever pushes handles it.
            Pushed::Steer { .. } => {}
        }
    }

    /// A message that is not answered for want of room: its sender is told, though not for each of a flood.
    fn overflowed(self: &Arc<Self>, session: &SessionKey, item: &Item, said: &str) {
        let now = self.now();
        let tell = {
            let mut told = locked(&self.told);
            told.retain(|_, at| now.saturating_sub(*at) < TOLD_MS);
            told.insert(session.clone(), now).is_none()
        };
        if tell {
            self.answer_later(vec![item.entry], &item.event, Reply::text(said), Ending::Overflow);
        } else {
            self.inbox.done(&[item.entry], Ending::Overflow, now);
        }
    }

    /// Hands a message to the running turn, when it would be answered in the same place.
    async fn steer(&self, session: &SessionKey, item: &Item, keep: bool, rules: &Rules) -> bool {
        let running = locked(&self.running).get(session).cloned();
        let Some(running) = running.filter(|r| r.route == item.place()) else { return false };
        let mut message = item.event.message.clone();
        let decision = self.decide(rules, &mut message).await;
        let Outcome::Allow(admission) = &decision.outcome else { return false };
        let turn_message = self.turn_message(rules, item, admission).await;
        match self.turns.steer(session, turn_message).await {
            Steered::NotTaken(_) => false,
            Steered::Taken => {
                let _ = self.inbox.joined(running.turn, item.entry);
                match locked(&self.running).get_mut(session).filter(|r| r.turn == running.turn) {
                    // It has handed it back already.
                    Some(r) if r.unread.contains(&item.event.id) => return false,
                    Some(r) => {
                        r.entries.push(item.entry);
                        if !keep {
                            r.steered.push(item.clone());
                        }
                    }
                    // It ended at this moment, with the message in it.
                    None => self.inbox.done(&[item.entry], Ending::Answered, self.now()),
                }
                true
            }
        }
    }

    /// Ends the run of a session; `true` when there was one.
    pub(super) async fn end_run(&self, session: &SessionKey, cause: StopCause) -> bool {
        let running = locked(&self.running).get(session).cloned();
        let ran = tokio::time::timeout(GRACE, self.turns.stop(session, cause)).await.unwrap_or(true);
        if let Some(running) = &running {
            running.cancel.notify_one();
        }
        ran || running.is_some()
    }

    /// Answers in a task of its own, through the inbox.
    pub(super) fn answer_later(
        self: &Arc<Self>,
        entries: Vec<u64>,
        event: &Event,
        reply: Reply,
        how: Ending,
    ) {
        let (core, route) = (Arc::clone(self), route_of(event));
        tokio::spawn(async move {
            core.answer(&entries, &route, reply, how, false).await;
        });
    }
}

/// Clears a session's queue and ends its run: whether one ran, and how many messages waited.
pub(super) async fn stop(core: &Arc<Core>, session: &SessionKey, cause: StopCause) -> (bool, usize) {
    let cleared = core.lanes.clear(session);
    let entries: Vec<u64> = cleared.items.iter().map(|i| i.entry).collect();
    core.inbox.done(&entries, Ending::Stopped, core.now());
    let ran = core.end_run(session, cause).await;
    (ran || cleared.running, entries.len())
}

/// Ends the turns of those whom the rules no longer admit.
pub(super) async fn recheck(core: &Arc<Core>) {
    let running: Vec<(SessionKey, super::Running)> =
        locked(&core.running).iter().map(|(s, r)| (s.clone(), r.clone())).collect();
    let rules = core.rules.load_full();
    for (session, running) in running {
        for entry in running.entries {
            let Some(event) = core.inbox.event(entry) else { continue };
            let mut message = event.message.clone();
            let decision = core.decide(&rules, &mut message).await;
            if !matches!(decision.outcome, Outcome::Allow(_)) {
                core.end_run(&session, StopCause::Access).await;
                break;
            }
        }
    }
}

/// Where an event is answered.
pub(super) fn route_of(event: &Event) -> Route {
    Route {
        channel: event.message.channel.clone(),
        account: event.message.account.clone(),
        to: event.reply.clone(),
    }
}

fn with_text(item: &Item, text: String) -> Item {
    let mut event = (*item.event).clone();
    event.message.text = text;
    Item { event: Arc::new(event), ..item.clone() }
}

/// What an admitted text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// A message.
    Text,
    /// A message without the directive in front of it.
    Rest(String),
    /// A message with commands inside.
    Inline(Vec<ChatCommand>, String),
    /// A command.
    Command(ChatCommand),
    /// A command of somebody who may not use any: it is as if it had not been written.
    Ignored,
}

impl Reading {
    /// Reads a text; `may`: its sender may use commands.
    #[must_use]
    pub fn of(message: &Inbound, config: &Node, may: bool) -> Self {
        let native = message.event == EventKind::SlashCommand;
        if !native && !text_commands_count(config, message.channel.as_str()) {
            return Self::Text;
        }
        let text = CommandText::read(&message.text, message.bot_username.as_deref(), config);
        let command = ChatCommand::of_message(&text, &message.text);
        let beside = command.as_ref().and_then(|_| beside_directive(&text, &message.text));
        match (command, beside, may) {
            // Inside other text a directive of somebody without the right is text; so is a bare word.
            (Some(_), Some(_), false) => Self::Text,
            (Some(_), None, false) if text.abort => Self::Text,
            (Some(_), None, false) => Self::Ignored,
            (Some(_), Some(rest), true) => Self::Rest(rest),
            (Some(command), None, true) => Self::Command(command),
            (None, _, true) => match inline(&message.text) {
                Some(found) => Self::Inline(found.commands, found.rest),
                None => Self::Text,
            },
            (None, _, false) => Self::Text,
        }
    }
}
