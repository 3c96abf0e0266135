//! What is handed to the agent runtime, and what comes back. The runtime itself is somebody else's: [`Turns`] is all that is known of it.
//!
//! Invariant: every message keeps its own sender's authority; the turn runs with the least of them (SP-426).
//! Invariant: names, quotes and context are data from outside; they are kept apart from the text that is answered (SP-416, SP-417).

use std::fmt;

use oc_policy::access::Admission;
use oc_policy::command::gate::CommandGrant;
use oc_policy::inbound::{Place, Sender};
use oc_policy::owner_only::Ownership;
use oc_policy::session_key::SessionKey;
use oc_types::ChannelId;

use crate::adapter::{AdapterFailure, Attachment, Button, Destination, OutgoingFile, Pending, Quoted, Sent};
use crate::approval_prompt::ApprovalPrompt;
use crate::delivery::DeliveryFailure;
use crate::inbox::InboxFailure;

/// What a sender may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Whether commands count: the channel's gate and the owner step together.
    pub commands: CommandGrant,
    /// Whether an entry that names them makes them an owner. Never through `*` or pairing (SP-404, SP-408).
    pub owner: Ownership,
}

impl Authority {
    /// No right at all.
    pub const NONE: Self = Self { commands: CommandGrant::Refused, owner: Ownership::NotProven };

    /// The least of several; [`Authority::NONE`] of none.
    #[must_use]
    pub fn least(of: impl IntoIterator<Item = Self>) -> Self {
        let all: Vec<Self> = of.into_iter().collect();
        let owner = !all.is_empty() && all.iter().all(|a| a.owner == Ownership::Proven);
        Self {
            commands: CommandGrant::least(all.iter().map(|a| a.commands)),
            owner: if owner { Ownership::Proven } else { Ownership::NotProven },
        }
    }
}

/// An admitted message.
#[derive(Clone, Debug)]
pub struct TurnMessage {
    /// The service's id of it.
    pub event: String,
    /// Who wrote it. Ids are the service's; names are for showing alone.
    pub sender: Sender,
    /// What this sender may do.
    pub authority: Authority,
    /// The text to be answered; directives are taken out. Untrusted like every text, but of somebody who may talk.
    pub text: String,
    /// What it answers or forwards: somebody else's text, and only when its writer may be heard here (SP-417).
    pub quoted: Option<Quoted>,
    /// Files, unopened; fetch them through [`Replies::fetch`].
    pub attachments: Vec<Attachment>,
    /// When it was sent, Unix milliseconds, as the service says.
    pub sent_ms: Option<i64>,
    /// When it arrived here, Unix milliseconds.
    pub received_ms: i64,
}

/// A message of the room that was not answered, or an event in it: shown before the turn's messages, marked as context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextLine {
    /// Who wrote it, for showing.
    pub who: String,
    /// The text.
    pub text: String,
    /// When it arrived, Unix milliseconds.
    pub at_ms: i64,
}

/// Whether a turn is tried for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Yes.
    First,
    /// The process ended while it ran. No tool had run and nothing had been said; the transcript may hold its beginning.
    Again,
}

/// One turn of a session.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Names the turn in records; unique within a state directory.
    pub id: String,
    /// The channel.
    pub channel: ChannelId,
    /// The account, as configured.
    pub account: String,
    /// The admission of the newest message, made under the configuration that was in force when the turn began. Agent, session and
    /// conversation are the same for all messages.
    pub admission: Admission,
    /// The least authority of all messages. Tools are offered and checked for **every** sender in [`Turn::messages`]: the effective set is
    /// the intersection.
    pub authority: Authority,
    /// What is answered, oldest first; never empty.
    pub messages: Vec<TurnMessage>,
    /// What was said before and not answered, oldest first.
    pub context: Vec<ContextLine>,
    /// Messages that overflowed the queue, in one line each: context as well.
    pub summarized: Vec<String>,
    /// Further ids of the place, for the tool policy of rooms.
    pub place: Place,
    /// Where answers go: what was authorised (SP-418).
    pub destination: Destination,
    /// First try or another one.
    pub attempt: Attempt,
}

impl Turn {
    /// The session.
    #[must_use]
    pub fn session(&self) -> &SessionKey {
        self.admission.session_key()
    }
}

/// An answer or a part of one. The text is plain with Markdown marks, of any length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The text; `NO_REPLY` alone means that nothing is sent.
    pub text: String,
    /// Buttons below the last piece.
    pub buttons: Vec<Button>,
    /// Files, sent after the text.
    pub files: Vec<OutgoingFile>,
}

impl Reply {
    /// A text alone.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// How a turn ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TurnOutcome {
    /// With an answer; it is delivered exactly once, over restarts too.
    Answer(Reply),
    /// With nothing to say, or everything was said through [`Replies::interim`].
    Silent,
    /// It was stopped through [`Turns::stop`].
    Stopped,
    /// It failed.
    Failed {
        /// What the person is told: no path, key or body of a service in it.
        notice: String,
    },
}

/// Why a turn is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StopCause {
    /// `/stop` or an abort word of an authorised sender.
    Person,
    /// A newer message takes its place (queue mode `interrupt`).
    Newer,
    /// The session was reset (`/new`, `/reset`).
    Reset,
    /// The configuration no longer admits it.
    Access,
    /// The process ends.
    Shutdown,
}

/// What became of a message for a running turn.
#[derive(Clone, Debug)]
pub enum Steered {
    /// The turn takes it at its next step.
    Taken,
    /// No turn runs there or it takes no more; the message is queued.
    NotTaken(Box<TurnMessage>),
}

/// What a turn may do in its conversation while it runs.
pub trait Replies: fmt::Debug + Send + Sync {
    /// Says something before the answer: streamed blocks, notes about tools. After it the turn is not run again after a crash.
    fn interim(&self, reply: Reply) -> Pending<'_, Result<Vec<Sent>, DeliveryFailure>>;
    /// Shows that an answer is on its way.
    fn typing(&self) -> Pending<'_, ()>;
    /// To be awaited before the first tool runs: from then on a crash ends the turn with a message to the person, and it is not run again.
    fn acting(&self) -> Pending<'_, Result<(), InboxFailure>>;
    /// Asks the conversation for a decision about a command.
    fn prompt(&self, prompt: ApprovalPrompt) -> Pending<'_, Result<Vec<Sent>, DeliveryFailure>>;
    /// Hands messages back that [`Turns::steer`] took and the turn has not read, by their [`TurnMessage::event`]: they wait for a turn of
    /// their own. To be awaited before the turn is over; of a turn that was stopped nothing is handed back.
    fn unread(&self, events: Vec<String>) -> Pending<'_, ()>;
    /// Fetches a file of one of the turn's messages, within the limit of its kind and channel (SP-422).
    fn fetch<'a>(&'a self, attachment: &'a Attachment) -> Pending<'a, Result<Vec<u8>, AdapterFailure>>;
}

/// The agent runtime, as seen from here. One turn of a session at a time.
pub trait Turns: fmt::Debug + Send + Sync {
    /// Runs a turn to its end. It has its own time limit. Dropping the future ends it, too.
    fn run<'a>(&'a self, turn: Turn, out: &'a dyn Replies) -> Pending<'a, TurnOutcome>;
    /// Ends what runs in a session and in its sub-agents: model request, tools, approvals that wait. [`Turns::run`] then gives
    /// [`TurnOutcome::Stopped`]. `true` when something ran.
    fn stop<'a>(&'a self, session: &'a SessionKey, cause: StopCause) -> Pending<'a, bool>;
    /// Hands a message to the running turn (queue mode `steer`). The message's authority has to be respected: the turn goes on with the
    /// least of both.
    fn steer<'a>(&'a self, session: &'a SessionKey, message: TurnMessage) -> Pending<'a, Steered> {
        let _ = session;
        Box::pin(std::future::ready(Steered::NotTaken(Box::new(message))))
    }
}
