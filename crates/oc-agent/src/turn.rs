//! One turn: what somebody said, the model's answers, the tools it asked for, until it has finished (agent-runtime 1).
//!
//! ```text
//! Said -> transcript -> [ offer, prompt, ask -> answer -> transcript -> calls through the gate -> results -> transcript ]* -> TurnEnd
//! ```
//!
//! * [`said`]: who or what started it; [`authority`]: for whom its calls act.
//! * [`limits`]: when it ends by itself; [`Abort`]: how it is stopped. [`reply`]: what is not sent.
//! * [`spawned`]: the caller of a sub-agent. [`steering`]: messages for a turn that runs.
//!
//! Invariant: a call runs through [`Gate::call`] with the turn's own caller, or not at all; one whose tool was not offered never does.
//! Invariant: only [`said::Said::People`] acts as a person or as the owner (SP-421); the text of nobody enters the system prompt.
//! Invariant: every call in the transcript has a result, also after a stop (a process that dies leaves that to the next opening).

mod abort;
mod afterwards;
mod asking;
pub mod authority;
mod calling;
pub mod limits;
mod notice;
pub mod reply;
mod result;
pub mod said;
mod sink;
pub mod spawned;
mod state;
pub mod steering;
#[cfg(test)]
mod tests;

use oc_fs::durability::Durability;
use oc_policy::sandbox::{Plan, SandboxPlan, plan};
use oc_sandbox::gate::{Caller, Gate};

use crate::context::{Fit, Window, prune};
use crate::message::{Answer, Message, StopReason, Thinking, ToolDefinition, Usage};
use crate::model::Model;
use crate::prompt::{Facts, Ground, SystemPrompt};
use crate::session::Session;
use crate::tools::Offer;

pub use abort::Abort;
pub use afterwards::{Afterwards, Going};
pub use notice::Notice;
pub use sink::{Event, NoSink, Sink};

use asking::Asked;
use authority::Authority;
use limits::{Limits, Repeats};
use said::{EnvelopeIds, Said};
use state::State;
use steering::Steering;

/// What a turn is made of.
#[derive(Debug)]
pub struct TurnRequest {
    /// Id of the run, unique: it names its calls in the ledger. A new UUID will do.
    pub run: String,
    /// Whose turn: agent, session, conversation, model. Sender, owner and directives in it do not count; [`Said`] has them.
    pub caller: Caller,
    /// What started it.
    pub said: Said,
    /// Who stands behind it and must be allowed every call as well: the session that wrote, the turn that this one follows. Only narrows.
    pub behind: Vec<Caller>,
    /// The opened session; its lock is held until the turn is over.
    pub session: Session,
    /// What the system prompt is made of.
    pub ground: Ground,
    /// Tools of plugins and other servers, described.
    pub tools: Vec<ToolDefinition>,
    /// Who takes a command over that still waits or runs when the turn's time is up; without anybody it ends with the turn.
    pub afterwards: Option<std::sync::Arc<dyn Afterwards>>,
    /// The way in for messages while it runs.
    pub steering: Steering,
    /// The model's window.
    pub window: Window,
    /// Most tokens of one answer.
    pub max_tokens: u32,
    /// How much it may think.
    pub thinking: Thinking,
    /// When it ends by itself.
    pub limits: Limits,
    /// How safe what was said, and every answer that asks for tools, is before anything follows from it. Other lines survive the end of the
    /// process, not that of the machine.
    pub keep: Durability,
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The model had finished.
    Answered,
    /// It had finished and wants nothing to be sent.
    Silent,
    /// It was stopped from outside.
    Aborted,
    /// Something else ended it.
    Stopped(Notice),
}

/// What a turn came to.
#[derive(Debug)]
pub struct TurnEnd {
    /// How it ended.
    pub how: Ended,
    /// What goes to the conversation: the last answer. Untrusted for rendering.
    pub reply: Option<String>,
    /// What the people are told when it did not end well: our own words, without paths, keys or words of a provider.
    pub notice: Option<&'static str>,
    /// What happened, for the owner's log: may name files and what a provider said.
    pub detail: Option<String>,
    /// Tokens of all answers.
    pub usage: Usage,
    /// Tokens of the conversation, by the last answer or else estimated.
    pub context_tokens: u64,
    /// How often the model was asked.
    pub asked: u32,
    /// How many calls were made.
    pub calls: u32,
    /// How often the conversation was shortened.
    pub compactions: u32,
    /// Whether the window is small (a warning for the owner).
    pub small_window: bool,
    /// Messages that were handed in and that this turn has not read: they stand nowhere, and wait for a turn of their own.
    pub unread: Vec<said::PersonMessage>,
}

/// Runs a turn. Dropping the future ends the request to the model and what a tool had started, and the calls that were open get a result
/// in the transcript; [`Abort::stop`] does the same and lets it say so.
pub async fn run(
    request: TurnRequest,
    model: &dyn Model,
    gate: &Gate,
    sink: &dyn Sink,
    abort: &Abort,
) -> TurnEnd {
    let mut state = State::new(&request.limits);
    let turn = Turn {
        authority: Authority::of(&request.caller, &request.said).behind(&request.behind),
        request,
        model,
        gate,
        sink,
        abort,
    };
    let how = turn.go(&mut state).await;
    let unread = turn.request.steering.close_now();
    TurnEnd { unread, ..state.end(how, &turn.request.said, turn.request.window) }
}

/// A turn that runs.
struct Turn<'a> {
    request: TurnRequest,
    authority: Authority,
    model: &'a dyn Model,
    gate: &'a Gate,
    sink: &'a dyn Sink,
    abort: &'a Abort,
}

impl Turn<'_> {
    async fn go(&self, state: &mut State) -> Ended {
        if self.request.window.fit() == Fit::TooSmall {
            return Ended::Stopped(Notice::WindowTooSmall);
        }
        if let Err(e) = self.keep_said(&self.request.said).await {
            return state.broken(Notice::NotKept, &*e);
        }
        self.sink.event(Event::Started);
        let mut repeats = Repeats::default();
        while state.asked < self.request.limits.iterations {
            if let Err(how) = self.steered(state).await {
                return how;
            }
            let answer = match self.answer(state).await {
                Ok(answer) => answer,
                Err(how) => return how,
            };
            let calls: Vec<_> = answer.tool_calls().cloned().collect();
            if calls.is_empty() {
                if answer.stop == StopReason::Refusal || self.request.steering.close() {
                    return self.finish(state, &answer);
                }
                // Somebody wrote meanwhile and is answered in this turn, too.
                state.before(answer.text(), &self.request.said);
                continue;
            }
            let text = answer.text();
            if !text.trim().is_empty() {
                self.sink.event(Event::Said(text));
            }
            if let Err(how) = self.carry_out(state, &answer, calls, &mut repeats).await {
                return how;
            }
            if answer.stop == StopReason::Refusal {
                return Ended::Stopped(Notice::ModelRefused);
            }
        }
        Ended::Stopped(Notice::TooManySteps)
    }

    /// What was said, into the transcript. Without ids of their own envelopes could be closed by what is in them.
    async fn keep_said(&self, said: &Said) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let ids = EnvelopeIds::random(said.envelopes())?;
        let message = vec![Message::User(said.blocks(ids))];
        self.request.session.append(message, Some(said.word()), self.request.keep).await?;
        Ok(())
    }

    /// Messages that came while the turn runs, into the transcript.
    async fn steered(&self, state: &mut State) -> Result<(), Ended> {
        let mut waiting = self.request.steering.take().into_iter();
        while let Some(message) = waiting.next() {
            if let Err(e) = self.keep_said(&Said::People(said::People::one(message.clone()))).await {
                // Nobody has read them.
                self.request.steering.put_back(std::iter::once(message).chain(waiting).collect());
                return Err(state.broken(Notice::NotKept, &*e));
            }
        }
        Ok(())
    }

    fn finish(&self, state: &mut State, answer: &Answer) -> Ended {
        let text = state.with_before(answer.text(), &self.request.said);
        match answer.stop {
            StopReason::Refusal if text.trim().is_empty() => Ended::Stopped(Notice::ModelRefused),
            _ if reply::is_silent(&text, &self.request.said) => Ended::Silent,
            _ => {
                state.reply = Some(text);
                Ended::Answered
            }
        }
    }

    /// Asks until there is an answer that stands in the transcript. A conversation that is too long is shortened once.
    async fn answer(&self, state: &mut State) -> Result<Answer, Ended> {
        let mut shortened = false;
        loop {
            let offer = Offer::now(self.gate, &self.authority.callers(), &self.request.tools);
            let system = self.prompt(&offer);
            let messages = self.conversation();
            let estimate =
                crate::context::estimate::request_tokens(system.text(), &messages, offer.definitions());
            state.context_tokens = estimate;
            if !shortened && estimate > self.request.window.room() && self.shorten(state).await? {
                shortened = true;
                continue;
            }
            state.asked = state.asked.saturating_add(1);
            match self.ask(state, &system, messages, &offer).await {
                Asked::Answer(answer) => {
                    state.offer = offer;
                    return Ok(answer);
                }
                Asked::Overflow(failure) => {
                    if shortened || !self.shorten(state).await? {
                        return Err(state.failed(Notice::TooLong, &failure));
                    }
                    shortened = true;
                }
                Asked::Ended(how) => return Err(how),
            }
        }
    }

    /// The conversation as the model reads it now.
    fn conversation(&self) -> Vec<Message> {
        let mut recorded = self.request.session.recorded();
        let pruning = prune::Pruning::from_config(self.gate.snapshot().config());
        if let Some(pruning) = pruning {
            prune::prune(&mut recorded, &pruning, self.request.window, self.request.session.now());
        }
        recorded.into_iter().map(|r| r.message).collect()
    }

    fn prompt(&self, offer: &Offer) -> SystemPrompt {
        let snapshot = self.gate.snapshot();
        let caller = &self.request.caller;
        let sandbox = sandbox_of(&snapshot, caller);
        let names: Vec<&str> = offer.definitions().iter().map(|d| d.name.as_str()).collect();
        SystemPrompt::build(
            &self.request.ground,
            &Facts {
                agent: &caller.agent,
                tools: &names,
                sandbox: sandbox.as_deref(),
                model: caller.model.as_ref().map(|(p, m)| (p.as_str(), m.as_str())),
                channel: caller.channel.as_deref(),
                thinking: self.request.thinking != Thinking::Off,
            },
        )
    }
}

fn sandbox_of(snapshot: &oc_sandbox::gate::Snapshot, caller: &Caller) -> Option<Box<SandboxPlan>> {
    match plan(snapshot.config(), Some(&caller.session), snapshot.places()).ok()? {
        Plan::Sandbox(plan) => Some(plan),
        Plan::Host(_) => None,
    }
}
