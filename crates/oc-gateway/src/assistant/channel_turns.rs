//! Turns that come from chats: from the ingress to the runtime and back.

use std::sync::Arc;
use std::time::Duration;

use oc_agent::prompt::Mode;
use oc_agent::session::entry::{Facts, Wish};
use oc_agent::turn::said::{People, PersonMessage, Quote, Said, Surroundings};
use oc_agent::turn::{Ended, NoSink};
use oc_approval::life_cycle::{Decision, Record, State, Target};
use oc_channels::adapter::Pending;
use oc_channels::approval_prompt::ApprovalPrompt;
use oc_channels::turn::{Replies, Reply, Steered, StopCause, Turn, TurnMessage, TurnOutcome, Turns};
use oc_policy::command::approve::ApproveWord;
use oc_policy::inbound::{ConversationKind, Place};
use oc_policy::session_key::SessionKey;
use oc_sandbox::gate::{CallSender, Caller, SessionExec, Surface};
use oc_types::Node;

use super::approvers::pressers;
use super::attachments::{self, Opened};
use super::ending::end_session_soon;
use super::runtime::{Assistant, BeforeActing, Conversation};
use super::session_view::session_exec;
use crate::server::snapshot::Snapshot;
use crate::server::state::Gateway;

/// How often a chat is told that an answer is on its way.
const TYPING: Duration = Duration::from_secs(4);
/// How often the queue of approvals is looked at for those of a running turn, beside being woken.
pub(super) const LOOK: Duration = Duration::from_millis(250);
/// What a person is told when a turn could not begin.
const NOT_BEGUN: &str = "I cannot answer now. The owner finds the cause in the log.";

/// The runtime, as the ingress sees it.
#[derive(Clone, Debug)]
pub struct ChannelTurns {
    assistant: Arc<Assistant>,
}

impl ChannelTurns {
    /// Over the assistant of a gateway.
    #[must_use]
    pub fn new(assistant: Arc<Assistant>) -> Self {
        Self { assistant }
    }

    async fn turn(&self, gateway: &Gateway, turn: Turn, out: &dyn Replies) -> TurnOutcome {
        let opened = attachments::open(&turn, out).await;
        let snapshot = gateway.snapshot();
        let place = snapshot.place();
        let agent = turn.admission.agent();
        let key = place.canonical(agent, turn.session());
        let (store, reading) = (place.store(agent), key.clone());
        let read = tokio::task::spawn_blocking(move || session_exec(&store, &reading)).await;
        let exec = match read.map_err(|e| e.to_string()).and_then(|r| r.map_err(|e| e.to_string())) {
            Ok(exec) => exec,
            Err(why) => {
                tracing::error!(target: "assistant", session = key, error = why, "a turn could not begin");
                return TurnOutcome::Failed { notice: NOT_BEGUN.to_owned() };
            }
        };
        let what = conversation(&snapshot, &turn, opened, exec);
        let session = turn.session().as_str().to_owned();
        let shown = forwards(&snapshot.tree, turn.admission.kind());
        let before = Acting(out);
        let running = self.assistant.converse(what, &NoSink, &before);
        let mut running = std::pin::pin!(running);
        let mut typing = tokio::time::interval(TYPING);
        let mut look = tokio::time::interval(LOOK);
        // What waits already is of another turn, and may be of another person.
        let earlier = if shown { waiting(gateway, &[&key, &session], &[]).await } else { Vec::new() };
        let mut told = ids(earlier);
        let end = loop {
            tokio::select! {
                end = &mut running => break end,
                _ = typing.tick() => out.typing().await,
                _ = look.tick(), if shown => {
                    for record in waiting(gateway, &[&key, &session], &told).await {
                        told.push(record.id.clone());
                        let prompt = prompt(&record, pressers(&snapshot.tree, &turn.channel, &turn.account));
                        if let Err(e) = out.prompt(prompt).await {
                            tracing::warn!(target: "assistant", error = %e, "a request for approval could not be shown in the chat");
                        }
                    }
                }
            }
        };
        if let Ok(end) = &end
            && end.how != Ended::Aborted
        {
            let unread: Vec<String> = end.unread.iter().filter_map(|m| m.id.clone()).collect();
            if !unread.is_empty() {
                out.unread(unread).await;
            }
        }
        match end {
            Ok(end) => match (end.how, end.reply, end.notice) {
                (Ended::Answered, Some(reply), _) => TurnOutcome::Answer(Reply::text(reply)),
                (Ended::Answered | Ended::Silent, _, _) => TurnOutcome::Silent,
                (Ended::Aborted, _, _) => TurnOutcome::Stopped,
                (Ended::Stopped(notice), _, words) => {
                    TurnOutcome::Failed { notice: words.unwrap_or(notice.words()).to_owned() }
                }
            },
            Err(e) => {
                tracing::error!(target: "assistant", session = key, error = %e, "a turn could not begin");
                TurnOutcome::Failed { notice: NOT_BEGUN.to_owned() }
            }
        }
    }
}

impl Turns for ChannelTurns {
    fn run<'a>(&'a self, turn: Turn, out: &'a dyn Replies) -> Pending<'a, TurnOutcome> {
        Box::pin(async move {
            let Some(gateway) = self.assistant.gateway() else {
                return TurnOutcome::Failed { notice: NOT_BEGUN.to_owned() };
            };
            self.turn(&gateway, turn, out).await
        })
    }

    fn stop<'a>(&'a self, session: &'a SessionKey, _cause: StopCause) -> Pending<'a, bool> {
        Box::pin(async move {
            let Some(gateway) = self.assistant.gateway() else { return false };
            let place = gateway.snapshot().place();
            let agent = session.agent().cloned().unwrap_or_else(|| place.default_agent());
            let key = place.canonical(&agent, session);
            end_session_soon(&gateway, agent, key).await.anything()
        })
    }

    fn steer<'a>(&'a self, session: &'a SessionKey, message: TurnMessage) -> Pending<'a, Steered> {
        Box::pin(async move {
            // Files are opened when a turn begins.
            let Some(gateway) = self.assistant.gateway().filter(|_| message.attachments.is_empty()) else {
                return Steered::NotTaken(Box::new(message));
            };
            let place = gateway.snapshot().place();
            let agent = session.agent().cloned().unwrap_or_else(|| place.default_agent());
            let key = place.canonical(&agent, session);
            // The ingress hands on what comes from the turn's own conversation alone.
            let said = person(&message, ConversationKind::Unknown, "", Opened::default());
            match self.assistant.steer(&key, said) {
                Ok(()) => Steered::Taken,
                Err(_) => Steered::NotTaken(Box::new(message)),
            }
        })
    }
}

/// Before tools run, the inbox notes that the turn acts.
struct Acting<'a>(&'a dyn Replies);

impl BeforeActing for Acting<'_> {
    fn acting(&self) -> oc_agent::model::Pending<'_, bool> {
        Box::pin(async move {
            let noted = self.0.acting().await;
            if let Err(e) = &noted {
                tracing::error!(target: "assistant", error = %e, "the inbox could not be written; the turn does nothing");
            }
            noted.is_ok()
        })
    }
}

/// A turn of the ingress as a conversation of the runtime.
fn conversation(snapshot: &Snapshot, turn: &Turn, opened: Vec<Opened>, exec: SessionExec) -> Conversation {
    let place = snapshot.place();
    let agent = turn.admission.agent().clone();
    let key = place.canonical(&agent, turn.session());
    let kind = turn.admission.kind();
    let room = matches!(kind, ConversationKind::Group | ConversationKind::Channel);
    let mut caller = Caller::of_session(Surface::Model, agent.clone(), key.clone());
    caller.channel = Some(turn.channel.as_str().to_owned());
    caller.account = Some(turn.account.clone());
    caller.conversation = kind;
    caller.group = room.then(|| turn.admission.conversation().as_str().to_owned());
    caller.group_channel.clone_from(&turn.place.name);
    caller.group_space = turn.place.guild.clone().or_else(|| turn.place.team.clone());
    caller.exec = exec;
    let files = opened.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
    let address = turn.admission.conversation().as_str();
    let messages =
        turn.messages.iter().zip(files).map(|(m, files)| person(m, kind, address, files.unwrap_or_default()));
    let surroundings = Surroundings {
        subject: turn.place.name.clone(),
        metadata: metadata(&turn.place),
        earlier: turn
            .context
            .iter()
            .map(|line| (line.who.clone(), String::new(), line.text.clone()))
            .chain(turn.summarized.iter().map(|line| (String::new(), String::new(), line.clone())))
            .collect(),
    };
    let people = People::several(messages).map(|p| p.amid(surroundings));
    let facts = Facts {
        chat_type: Some(word(kind).to_owned()),
        channel: Some(turn.channel.as_str().to_owned()),
        account: Some(turn.account.clone()),
        to: Some(turn.destination.conversation.as_str().to_owned()),
        thread: turn.destination.thread.clone(),
        group: caller.group.clone(),
        subject: turn.place.name.clone().filter(|_| room),
        spawned_by: None,
    };
    let said = people.map_or_else(
        // The ingress never hands over an empty turn; one that were would act for nobody.
        || {
            Said::People(People::one(PersonMessage::new(
                CallSender::default(),
                oc_policy::owner_only::Ownership::NotProven,
                "",
            )))
        },
        Said::People,
    );
    Conversation { agent, key, caller, behind: Vec::new(), said, facts, wish: Wish::None, prompt: Mode::Full }
}

fn word(kind: ConversationKind) -> &'static str {
    match kind {
        ConversationKind::Direct => "direct",
        ConversationKind::Group => "group",
        // The strictest of them.
        ConversationKind::Channel | ConversationKind::Unknown => "channel",
    }
}

/// One message with its own sender's authority (SP-426).
fn person(message: &TurnMessage, kind: ConversationKind, conversation: &str, files: Opened) -> PersonMessage {
    let sender = CallSender {
        id: message.sender.id.as_ref().map(|id| id.as_str().to_owned()),
        e164: message.sender.phone.as_ref().map(|p| p.as_str().to_owned()),
        // Names can be changed by whoever bears them; nothing is decided on them here (SP-402).
        username: None,
        name: None,
        from: (kind == ConversationKind::Direct).then(|| conversation.to_owned()).filter(|f| !f.is_empty()),
    };
    let mut out = PersonMessage::new(sender, message.authority.owner, message.text.clone());
    out.id = Some(message.event.clone());
    out.quoted = message
        .quoted
        .as_ref()
        .map(|q| Quote { name: q.sender.clone().unwrap_or_default(), text: q.text.clone() });
    out.attachments = files.texts;
    out.pictures = files.pictures;
    out
}

/// What the service says about where it was written, beyond the room's name: untrusted, for an envelope (SP-416).
fn metadata(place: &Place) -> Vec<(&'static str, String)> {
    let rows = [
        ("Server", place.guild_name.as_ref()),
        ("Room of the thread", place.thread_parent_name.as_ref()),
        ("Topic", place.topic.as_ref()),
    ];
    rows.into_iter().filter_map(|(name, value)| Some((name, value?.clone()))).collect()
}

/// Whether requests for approval are shown in the conversation that they come from: as `approvals.exec` says; without it in direct chats,
/// where nobody else reads the command.
pub(super) fn forwards(config: &Node, kind: ConversationKind) -> bool {
    let at = |name: &str| config.path(&["approvals", "exec", name]);
    match at("enabled").and_then(Node::as_bool) {
        Some(false) => false,
        Some(true) => !matches!(at("mode").and_then(Node::as_str), Some("targets")),
        None => kind == ConversationKind::Direct,
    }
}

/// What waits for an answer in one of these sessions and was not told yet.
pub(super) async fn waiting(gateway: &Gateway, sessions: &[&str], told: &[String]) -> Vec<Record> {
    let queue = gateway.queue.clone();
    let Ok(Ok(records)) = tokio::task::spawn_blocking(move || queue.records()).await else {
        return Vec::new();
    };
    let fits = |r: &Record| {
        matches!(r.state, State::Pending) && sessions.contains(&r.request.session()) && !told.contains(&r.id)
    };
    records.into_iter().filter(fits).collect()
}

pub(super) fn ids(records: Vec<Record>) -> Vec<String> {
    records.into_iter().map(|record| record.id).collect()
}

/// A request as a chat is asked.
pub(super) fn prompt(record: &Record, pressers: Vec<String>) -> ApprovalPrompt {
    let request = &record.request;
    let host = match request.targets() {
        [] => request.host().word().to_owned(),
        several => several.iter().map(|t| Target::word(*t)).collect::<Vec<_>>().join(" or "),
    };
    let decisions = request.allowed_decisions().iter().map(|d| match d {
        Decision::AllowOnce => ApproveWord::AllowOnce,
        Decision::AllowAlways => ApproveWord::AllowAlways,
        Decision::Deny => ApproveWord::Deny,
    });
    ApprovalPrompt {
        id: record.id.clone(),
        code: record.code.clone(),
        command: request.command().to_owned(),
        directory: request.cwd().to_owned(),
        agent: request.agent().to_owned(),
        session: request.session().to_owned(),
        host,
        program: request.resolved_path().map(str::to_owned),
        mode: request.mode(),
        environment: request.env_keys().to_vec(),
        warnings: request.warnings().to_vec(),
        decisions: decisions.collect(),
        expires_ms: i64::try_from(record.expires_at_ms).unwrap_or(i64::MAX),
        pressers,
    }
}
