//! One request to the model: streamed, stopped, kept. And the shortening of a conversation.

use std::collections::HashSet;

use oc_fs::durability::Durability;

use super::limits::COMPACTIONS;
use super::reply::HeldBack;
use super::said::EnvelopeIds;
use super::state::State;
use super::{Ended, Event, Notice, Sink, Turn};
use crate::context::compact;
use crate::message::{Answer, Block, Message, Request, StopReason, Thinking};
use crate::model::{Delta, FailureClass, ModelFailure};
use crate::prompt::SystemPrompt;
use crate::tools::Offer;

/// What a request brought.
pub(super) enum Asked {
    /// An answer; it stands in the transcript.
    Answer(Answer),
    /// The conversation was too long.
    Overflow(ModelFailure),
    /// The turn is over.
    Ended(Ended),
}

enum Outcome {
    Answered(Result<Answer, ModelFailure>),
    Aborted,
    TimedOut,
}

/// What has been streamed so far.
struct Streamed<'s> {
    sink: &'s dyn Sink,
    held: HeldBack,
    text: String,
}

impl Streamed<'_> {
    fn take(&mut self, delta: Delta) {
        match delta {
            Delta::Text(piece) => {
                self.text.push_str(&piece);
                if let Some(shown) = self.held.take(&piece) {
                    self.sink.event(Event::Text(shown));
                }
            }
            Delta::Thinking(piece) => self.sink.event(Event::Thinking(piece)),
            Delta::Restart => {
                self.text.clear();
                self.held = HeldBack::default();
                self.sink.event(Event::Restart);
            }
        }
    }
}

impl Turn<'_> {
    pub(super) async fn ask(
        &self,
        state: &mut State,
        system: &SystemPrompt,
        messages: Vec<Message>,
        offer: &Offer,
    ) -> Asked {
        let request = Request {
            system: system.text().to_owned(),
            messages,
            tools: offer.definitions().to_vec(),
            max_tokens: self.request.max_tokens,
            thinking: self.request.thinking,
        };
        let mut streamed = Streamed { sink: self.sink, held: HeldBack::default(), text: String::new() };
        match self.streamed(state, &request, &mut |delta| streamed.take(delta)).await {
            Outcome::Answered(Ok(answer)) => {
                let answer = distinct(answer);
                state.count(&answer.usage);
                match self.keep(&answer).await {
                    Ok(()) => Asked::Answer(answer),
                    Err(e) => Asked::Ended(state.broken(Notice::NotKept, &e)),
                }
            }
            Outcome::Answered(Err(failure)) if failure.class == FailureClass::ContextOverflow => {
                Asked::Overflow(failure)
            }
            Outcome::Answered(Err(failure)) => {
                let partial = failure
                    .partial
                    .as_deref()
                    .cloned()
                    .unwrap_or_else(|| unfinished(&failure.provider, &failure.model, &streamed.text));
                let kept = self.keep_partial(partial, StopReason::Error).await;
                Asked::Ended(match kept {
                    Ok(()) => state.failed(Notice::Model(failure.class), &failure),
                    Err(e) => state.broken(Notice::NotKept, &e),
                })
            }
            Outcome::Aborted => Asked::Ended(self.cut_short(state, &streamed.text, Ended::Aborted).await),
            Outcome::TimedOut => {
                Asked::Ended(self.cut_short(state, &streamed.text, Ended::Stopped(Notice::TimedOut)).await)
            }
        }
    }

    async fn streamed(
        &self,
        state: &State,
        request: &Request,
        on_delta: &mut (dyn FnMut(Delta) + Send),
    ) -> Outcome {
        tokio::select! {
            biased;
            () = self.abort.stopped() => Outcome::Aborted,
            () = tokio::time::sleep_until(state.deadline) => Outcome::TimedOut,
            answer = self.model.ask(request, on_delta) => Outcome::Answered(answer),
        }
    }

    async fn cut_short(&self, state: &mut State, text: &str, how: Ended) -> Ended {
        let (provider, model) = self.request.caller.model.clone().unwrap_or_default();
        if how == Ended::Aborted {
            self.gate.end_session(self.authority.acting()).await;
        }
        match self.keep_partial(unfinished(&provider, &model, text), StopReason::Aborted).await {
            Ok(()) => how,
            Err(e) => state.broken(Notice::NotKept, &e),
        }
    }

    async fn keep(&self, answer: &Answer) -> Result<(), crate::session::SessionFailure> {
        // The answer is kept before anything that it asks for happens, and before anybody is told it.
        let durability =
            if answer.tool_calls().next().is_some() { self.request.keep } else { Durability::Written };
        let message = vec![Message::Assistant(answer.clone())];
        self.request.session.append(message, None, durability).await
    }

    /// Keeps the text of an answer that broke off. Its calls are never carried out, and thinking without its seal is of no use.
    async fn keep_partial(
        &self,
        partial: Answer,
        stop: StopReason,
    ) -> Result<(), crate::session::SessionFailure> {
        let texts = partial.blocks.into_iter().filter(|b| match b {
            Block::Text(text) => !text.trim().is_empty(),
            Block::Image { .. } | Block::Thinking { .. } | Block::ToolCall(_) => false,
        });
        let blocks: Vec<Block> = texts.collect();
        if blocks.is_empty() {
            return Ok(());
        }
        let answer = Answer { blocks, stop, ..partial };
        let message = vec![Message::Assistant(answer)];
        self.request.session.append(message, None, Durability::Written).await
    }

    /// Shortens the conversation; `false` when there is nothing to shorten, or the summary failed.
    pub(super) async fn shorten(&self, state: &mut State) -> Result<bool, Ended> {
        if state.compactions >= COMPACTIONS {
            return Ok(false);
        }
        let Some(plan) = compact::plan(&self.request.session.recorded(), self.request.window) else {
            return Ok(false);
        };
        self.sink.event(Event::Shortening);
        let id = match EnvelopeIds::random(1) {
            Ok(mut ids) => ids.take_one(),
            Err(e) => return Err(state.broken(Notice::NotKept, &e)),
        };
        let request = Request {
            system: compact::SYSTEM.to_owned(),
            messages: vec![compact::question(&plan, self.request.window, &id)],
            tools: Vec::new(),
            max_tokens: self.request.max_tokens.min(4_096),
            thinking: Thinking::Off,
        };
        let summary = match self.streamed(state, &request, &mut |_| {}).await {
            Outcome::Answered(Ok(answer)) => {
                let text = answer.text();
                state.usage_only(&answer.usage);
                text
            }
            Outcome::Answered(Err(failure)) => {
                state.detail = Some(failure.to_string());
                return Ok(false);
            }
            Outcome::Aborted => return Err(self.cut_short(state, "", Ended::Aborted).await),
            Outcome::TimedOut => return Err(Ended::Stopped(Notice::TimedOut)),
        };
        if summary.trim().is_empty() {
            return Ok(false);
        }
        let kept = self.request.session.compact(summary, plan.first_kept, plan.tokens_before);
        match kept.await {
            Ok(()) => {
                state.compactions = state.compactions.saturating_add(1);
                Ok(true)
            }
            Err(e) => Err(state.broken(Notice::NotKept, &e)),
        }
    }
}

/// An answer of which only streamed text is known.
fn unfinished(provider: &str, model: &str, text: &str) -> Answer {
    Answer {
        blocks: vec![Block::Text(text.to_owned())],
        stop: StopReason::Error,
        usage: crate::message::Usage::default(),
        api: "unknown",
        provider: provider.to_owned(),
        model: model.to_owned(),
    }
}

/// A tool's name as every provider takes it back. A name that had to be changed is no tool's.
fn wire_name(name: &str) -> String {
    let good = |c: char| if c.is_ascii_alphanumeric() || "_-".contains(c) { c } else { '_' };
    let name: String = name.trim().chars().take(64).map(good).collect();
    if name.is_empty() { "unnamed".to_owned() } else { name }
}

/// The same answer with an id of its own for every call, by which results are told apart, and names that can be sent again: an answer that
/// a provider does not take back would end the session for good.
fn distinct(mut answer: Answer) -> Answer {
    let mut seen = HashSet::new();
    for block in &mut answer.blocks {
        let Block::ToolCall(call) = block else { continue };
        call.name = wire_name(&call.name);
        let mut id = if call.id.trim().is_empty() { "call".to_owned() } else { call.id.clone() };
        let mut n = 1u32;
        while !seen.insert(id.clone()) {
            n = n.saturating_add(1);
            id = format!("{}-{n}", if call.id.trim().is_empty() { "call" } else { &call.id });
        }
        call.id = id;
    }
    answer
}
